#!/bin/bash
# The operator's terminal: nothing inside can type into it, names from inside can't drive it, and it is as it was after any end of belljar.
. "$(dirname "$0")/front.inc"
command -v perl >/dev/null && command -v python3 >/dev/null || { echo "skip - no perl and python3"; exit 77; }
run -c 'new x; unshare docker; run true'
[ "$status" = 0 ] || { echo "skip - no sandbox here: $err"; exit 77; }

# on_terminal COMMANDS [KILL]: belljar -c COMMANDS on a terminal of its own. Prints what was written to the terminal; then what waits to be read
# in it, and what changed of its modes. With KILL, belljar is killed with signal 9 when it has written "ready".
cat >"$tmp/terminal.py" <<'P'
import os, pty, select, signal, sys, termios, time
command, kill = sys.argv[1], len(sys.argv) > 2
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    import fcntl
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in 0, 1, 2:
        os.dup2(slave, fd)
    os.closerange(3, 100)
    os.execv(os.environ['BELLJAR'], ['belljar', '-c', command])
seen, deadline, ended = b'', time.monotonic() + 60, False
raw = None
def modes():
    m = termios.tcgetattr(slave)
    return [x for i, x in enumerate(m) if i != 6] + [m[6][termios.VMIN], m[6][termios.VTIME]]
was = before[:6] + [before[6][termios.VMIN], before[6][termios.VTIME]]
while time.monotonic() < deadline:
    if select.select([master], [], [], 0.05)[0]:
        seen += os.read(master, 65536)
        continue
    if ended:
        break
    if kill and b'ready' in seen and raw is None:
        raw = modes()
        os.kill(pid, signal.SIGKILL)
    ended = os.waitpid(pid, os.WNOHANG)[0] == pid
while kill and modes() != was and time.monotonic() < deadline:
    time.sleep(0.02)
sys.stdout.write(seen.decode('utf-8', 'backslashreplace').replace('\r\n', '\n'))
if kill:
    print('raw before:', 'yes' if raw and raw != was else 'no')
print('modes:', 'as before' if modes() == was else 'changed')
fl = termios.tcgetattr(slave)
fl[3] &= ~(termios.ICANON | termios.ECHO)
termios.tcsetattr(slave, termios.TCSANOW, fl)
waiting = os.read(slave, 4096) if select.select([slave], [], [], 0.2)[0] else b''
print('waiting to be read:', waiting)
P
on_terminal() { timeout 90 python3 "$tmp/terminal.py" "$@" 2>&1 </dev/null; }

# Typing for the operator: TIOCSTI (CVE-2017-5226, CVE-2016-10124) and the console's paste (CVE-2023-28100).
cat >"$tmp/type" <<'S'
print -t STDIN ? "a terminal\n" : "no terminal\n";
for my $c (split //, "id\n") { ioctl(STDIN, 0x5412, $c) or do { print "TIOCSTI: $!\n"; last } }
my $paste = pack('C', 3);
ioctl(STDOUT, 0x541c, $paste) or print "TIOCLINUX: $!\n";
for my $fd (3 .. 30) { open(my $f, '>&=', $fd) and -t $f and print "descriptor $fd is a terminal\n" }
S
out=$(on_terminal "new x; unshare docker; bind $tmp /mnt; run perl /mnt/type")
has "a program inside has a terminal" "$out" "*a terminal*"
has "the console's paste is refused" "$out" "*TIOCLINUX: *"
hasnt "it has no descriptor of the operator's" "$out" "*is a terminal"
has "and what it types is not typed outside" "$out" "*waiting to be read: b''"
has "the terminal's modes are as they were" "$out" "*modes: as before*"
out=$(on_terminal "new x; unshare docker; run perl -e 'print readlink(\"/proc/self/fd/0\"), \" \", readlink(\"/proc/self/fd/2\"), \"\\n\"'")
has "but one of the sandbox's" "$out" "*/dev/pts/*"

# belljar is killed while a program inside has the terminal.
out=$(on_terminal 'new x; unshare docker; run sh -c "echo ready; exec sleep 30"' kill)
has "killed in the middle: it was raw" "$out" "*raw before: yes*"
has "and is put back" "$out" "*modes: as before*"

# Names from inside (CVE-2021-25743, CVE-2023-28101).
esc=$(printf '\033')
bell=$(printf '\007')
cat >"$tmp/names" <<'S'
my $evil = "\e]0;gotcha\a\e[2J\x{9b}31m";
syscall(170, $evil, length $evil);
mkdir "/mnt/$evil" or mkdir "/tmp/$evil";
syscall(165, 'none', (-d "/mnt/$evil" ? "/mnt/$evil" : "/tmp/$evil"), 'tmpfs', 0, 0);
syscall(157, 15, $evil);
$0 = $evil;
sleep 60;
S
for command in show ps mounts 'links x' ls '@x show' 'kill all TERM' 'run nosuchprogram'; do
	for options in '' --json; do
		out=$("$BELLJAR" $options -c "new x; unshare docker; tmpfs /mnt; run -d perl $tmp/names
			run sh -c 'for i in 1 2 3 4 5 6 7 8 9; do grep -q gotcha /proc/mounts && exit; sleep 0.2; done'; $command" 2>&1)
		hasnt "$command ${options:-in text} prints no escape sequence" "$out" "*[$esc$bell]*"
	done
done
# Links, files and processes named by who is inside, in all that shows them.
if command -v ip >/dev/null; then
	cat >"$tmp/rename" <<'S'
my $evil = "\e[2J\a";
system('ip', 'link', 'set', 'eth0', 'down') == 0 && system('ip', 'link', 'set', 'eth0', 'name', $evil) == 0 &&
	system('ip', 'link', 'set', $evil, 'up') == 0 or die;
mkdir "/etc/$evil\n" or die;
open(my $f, '>', "/etc/$evil\nfile") or die;
print "renamed\n";
S
	for options in '' --json; do
		out=$("$BELLJAR" -k $options -c "new y; unshare net; new x; unshare docker; root host; bind $tmp /mnt; link x y 10.9.0.1/24 10.9.0.2/24
			run perl /mnt/rename; links; links all; addrs; routes; neighbours; graph; graph dot; graph svg; changes; layers
			commit $tmp/out${options#--}.tar; path x 10.9.0.2; capture y:eth0 $tmp/out${options#--}.pcap count 1 for 10ms" 2>&1)
		has "names of links and files, ${options:-as text}: they are there" "$out" "*renamed*2J*file*"
		hasnt "names of links and files, ${options:-as text}: no escape sequence" "$out" "*[$esc$bell]*"
	done
fi
# A name that looks like the fields that follow it in /proc, with an end of a line: the process is seen, and ended.
cat >"$tmp/comm" <<'S'
$0 = "x) Z 1 1\n\e[2J";
syscall(157, 15, $0);
open(my $f, '>', '/mnt/ready') or die;
sleep 60;
S
out=$("$BELLJAR" -k -c "new x; unshare docker; bind $tmp /mnt; run -d perl /mnt/comm; run sh -c 'until [ -e /mnt/ready ]; do :; done'; ps; top; can 2 mount; can 3 mount; kill all; wait; echo ended; ps" 2>&1)
has "a process that names itself so is seen and ended" "$out" '*x) Z 1 1\\x0a\\x1b*ended*'
hasnt "and its name drives no terminal" "$out" "*[$esc$bell]*"
out=$("$BELLJAR" -c "new x; unshare docker; tmpfs /mnt; run perl -e 'my \$e = \"\e]0;gotcha\a\"; syscall(170, \$e, length \$e)'; show" 2>&1)
has "the host name is shown escaped" "$out" '*host name: \\x1b]0;gotcha\\x07*'
run -c "new $(printf 'a\033[2Jb')"
hasnt "nor an error about a name" "$err" "*$esc*"
run -c "new x; run $(printf '/no\033[2Jsuch')"
hasnt "nor about a program" "$err" "*$esc*"
run -c "new x; unshare mnt; bind $(printf '/no\033[2Jsuch') /mnt"
hasnt "nor about a path" "$err" "*$esc*"
done_testing
