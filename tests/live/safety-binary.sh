#!/bin/bash
# belljar's own program, memory and descriptors are out of reach of what runs inside. Each check shows an attack of the past failing, and why.
. "$(dirname "$0")/front.inc"
command -v perl >/dev/null || { echo "skip - no perl"; exit 77; }
[ -r /proc/self/exe ] || { echo "skip - no /proc"; exit 77; }
before=$(sha256sum "$BELLJAR")
# Inside: the host's own root, so that perl is there, but own process numbers and mounts.
inside='new x; unshare docker'
run -c "$inside; run true"
[ "$status" = 0 ] || { echo "skip - no sandbox here: $err"; exit 77; }

# The runtime's program is overwritten through /proc/PID/exe (CVE-2019-5736, CVE-2022-0847).
run -c "$inside; run perl -e 'for (glob \"/proc/[0-9]*\") { my \$x = readlink \"\$_/exe\"; print \$x // \"denied\", \"\n\" }'"
hasnt "no process inside runs a file of belljar's" "$out" "*/belljar
*"
cat >"$tmp/overwrite" <<'S'
# The file of process 1: root with all privileges can read it, others can't; nobody can write to it, not even when it runs no more.
open(my $f, '<', '/proc/1/exe') or print "read: $!\n";
for (1 .. 200) {
	open(my $w, '>>', '/proc/1/exe') and do { print "written\n"; last };
	print "write: $!\n" if $_ == 1;
	if ($f) { open($w, '>>', '/proc/self/fd/' . fileno $f) and do { print "written\n"; last } }
}
S
run -c "$inside; bind $tmp /mnt; run perl /mnt/overwrite"
has "the file of process 1 can't be written" "$out" "*write: *"
hasnt "not by any way" "$out" "*written*"
run -c "$inside; unshare user; map auto; bind $tmp /mnt; run perl /mnt/overwrite"
user=$status
[ $user != 0 ] || is "with a user namespace not even read" "$(echo "$out" | tr '\n' ' ')" "read: Permission denied write: Permission denied "
run -c "$inside; unshare user; map auto; run perl -e 'print syscall(101, 16, 1, 0, 0) < 0 ? \$! : \"attached\"'"
[ $user != 0 ] || is "and not traced" "$out" "Operation not permitted"
printf '#!/proc/self/exe\n' >"$tmp/self"
chmod +x "$tmp/self"
run -c "$inside; run -- $tmp/self"
isnt "a script whose interpreter is whoever starts it" "$status" 0
is "belljar's file is what it was" "$(sha256sum "$BELLJAR")" "$before"
"$BELLJAR" -c "$inside; run -d sleep 60; sleep 30s" 2>/dev/null &
belljar=$!
holder=
for ((i = 0; i < 200; i++)); do
	for holder in $(cat "/proc/$belljar/task/$belljar/children" 2>/dev/null); do
		# The last of those that take over from one another: it has started the program.
		[ "$(cat "/proc/$holder/comm" 2>/dev/null)" = belljar-holder ] && [ -n "$(cat "/proc/$holder/task/$holder/children" 2>/dev/null)" ] && break 2
	done
	sleep 0.05
done
if [ "$(id -u)" = 0 ]; then
	has "the holder is a memory file" "$(readlink "/proc/$holder/exe")" "/memfd:belljar-holder*"
	is "that nobody can write to, root included" "$( (printf x >>"/proc/$holder/exe") 2>&1 | grep -oE 'Text file busy|not permitted')" "Text file busy"
fi
kill "$belljar"
wait "$belljar" 2>/dev/null

# Descriptors of the caller come in, or lead out as a working directory (CVE-2024-21626, CVE-2016-8649).
cat >"$tmp/fds" <<'S'
opendir(my $d, '/proc/self/fd');
my $own = fileno $d;
print join(' ', grep { /^\d+$/ && $_ != $own && $_ > 2 && (readlink("/proc/self/fd/$_") // '') ne '/mnt/fds' } readdir $d), "\n";
S
is "the caller's descriptors stay outside" "$("$BELLJAR" -c "$inside; bind $tmp /mnt; run perl /mnt/fds" 7</ 9<"$tmp" 2>&1)" ""
is "in a second program too" "$("$BELLJAR" -c "$inside; bind $tmp /mnt; run true; run -d sleep 9; run perl /mnt/fds" 7</ 2>&1)" ""
cat >"$tmp/walk" <<'S'
for my $n (3 .. 40) { print "$n leads out\n" if -e "/proc/self/fd/$n/etc/." || -e "/proc/1/fd/$n/." }
print "looked\n";
S
is "none is to be walked through" "$("$BELLJAR" -c "$inside; bind $tmp /mnt; run perl /mnt/walk" 7</ 2>&1)" looked
is "a closed standard output is no descriptor of belljar's" "$("$BELLJAR" -c "$inside; bind $tmp /mnt; run perl /mnt/fds" 2>&1 <&-)" ""

# Process 1 looks at a newcomer before it has dropped what it brought (CVE-2016-9962). Here everything inside does, all the time.
cat >"$tmp/watch" <<'S'
my ($looks, %seen) = (0);
open(my $begun, '>', '/mnt/begun');
until (-e '/mnt/stop') {
	for my $p (glob '/proc/[0-9]*') {
		next if $p eq "/proc/$$";
		$looks++;
		for my $l ("$p/exe", "$p/cwd", "$p/root", glob "$p/fd/*") {
			my $to = readlink $l;
			$seen{$to}++ if defined $to;
		}
	}
}
print "looks: $looks\n", map { "$_\n" } sort keys %seen;
S
mkdir "$tmp/marker"
many=$(for ((i = 0; i < 150; i++)); do printf 'run true; '; done)
# watched NAME COMMANDS: what the watcher saw in a sandbox made by COMMANDS, while 150 programs were started in it
watched()
{
	rm -f "$tmp/begun" "$tmp/stop"
	(cd / && exec "$BELLJAR" -c "$2; bind $tmp /mnt; run -d perl /mnt/watch > $tmp/seen
		run sh -c 'until [ -e /mnt/begun ]; do :; done'; $many run sh -c 'echo >/mnt/stop'; wait" 8<"$tmp/marker")
	has "$1: a watcher inside looked" "$(cat "$tmp/seen")" "*looks: *[1-9][0-9][0-9]*"
	hasnt "$1: it saw no descriptor of the caller's" "$(cat "$tmp/seen")" "*$tmp/marker*"
	hasnt "$1: nor belljar's file" "$(cat "$tmp/seen")" "*/belljar
*"
}
watched "shared users" "$inside"
if [ $user = 0 ]; then
	chmod 777 "$tmp"
	watched "own users" "$inside; unshare user; map auto"
	hasnt "own users: nor a socket of it" "$(cat "$tmp/seen")" "*socket:*"
	hasnt "own users: nor a control group" "$(cat "$tmp/seen")" "*cgroup*"
	hasnt "own users: nor the holder's" "$(cat "$tmp/seen")" "*memfd*"
	chmod 700 "$tmp"
fi

# A control socket in the abstract namespace is everybody's (CVE-2020-15257).
export XDG_RUNTIME_DIR="$tmp"
chmod 700 "$tmp"
"$BELLJAR" -s "safety-$$" -c 'new x; unshare mnt pid'
is "no abstract socket" "$("$BELLJAR" -s "safety-$$" run grep -a @.*belljar /proc/net/unix)" ""
"$BELLJAR" end "safety-$$"

# Messages that are none, from who may connect; and nobody else may.
if command -v python3 >/dev/null; then
	cat >"$tmp/messages.py" <<'P'
import array, os, random, socket, sys
random.seed(5)
for i in range(300):
    kind = random.choice([k for k in range(16) if k not in (7, 8)])     # not what asks the holder to listen elsewhere, or to end
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(0.01)
    s.connect(sys.argv[1])
    size = random.choice([0, 4, 60, 200, 1000, 20000])
    body = random.choice([os.urandom(size), b'\xff' * size, b'\0' * size])
    if sys.argv[2] == 'words':
        body = random.choice([b'get ', b'put ', b'put x', b'hold', b'keep', b'drop lab', b'-', b'get ' + b'/' * 4000]) + body
    fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(random.choice([0, 1, 3, 60, 250]))]
    s.sendmsg([body if sys.argv[2] == 'words' else kind.to_bytes(4, 'little') + body],
              [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
    try:
        s.recv(5000)
    except (socket.timeout, ConnectionError):
        pass
    for fd in fds:
        os.close(fd)
    s.close()
print('sent')
P
	sockets=$tmp/belljar/safety-$$
	[ "$(id -u)" != 0 ] || sockets=/run/belljar/safety-$$
	"$BELLJAR" -s "safety-$$" -c 'new x; unshare mnt pid'
	pid=$(sed -n 's/^pid \([0-9]*\) .*/\1/p' "$sockets/state")
	open=$(ls "/proc/$pid/fd" 2>/dev/null | wc -l)
	is "nonsense for the holder" "$(timeout 60 python3 "$tmp/messages.py" "$sockets/x.sock" wire 2>&1)" sent
	is "nonsense for the keeper" "$(timeout 60 python3 "$tmp/messages.py" "$sockets/keeper.sock" words 2>&1)" sent
	is "the session lives" "$("$BELLJAR" -s "safety-$$" run echo lives 2>&1)" lives
	is "and its holder keeps none of the descriptors" "$(ls "/proc/$pid/fd" 2>/dev/null | wc -l)" "$open"
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		# Not even through a descriptor of the directory that was let slip, and whatever the sockets' modes.
		chmod 777 "$sockets"/*.sock
		for name in x keeper; do
			out=$(setpriv --reuid 65534 --regid 65534 --clear-groups perl -e 'use Socket; socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die;
				print connect($s, pack("S a*", AF_UNIX, "/proc/self/fd/9/$ARGV[0].sock\0")) ? "connected" : $!' $name 9<"$sockets" 2>&1)
			is "another user does not reach $name.sock" "$out" "Permission denied"
		done
	fi
	"$BELLJAR" end "safety-$$"
fi

# set-user-ID (the whole history of such tools).
is "it is installed without" "$(stat -c %A "$BELLJAR" | tr -dc s)" ""
if [ "$(id -u)" = 0 ] && [ -x /usr/bin/setpriv ]; then
	mkdir "$tmp/open"
	chmod 755 "$tmp" "$tmp/open"
	cp "$BELLJAR" "$tmp/open/belljar"
	for bits in u+s g+s; do
		chmod u-s,g-s "$tmp/open/belljar"
		chmod $bits "$tmp/open/belljar"
		out=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/open/belljar" -c 'new x' 2>&1)
		has "with $bits it refuses to run" "$?:$out" "1:*must not be set-user-ID*"
	done
	chmod u-s,g-s "$tmp/open/belljar"
	if command -v setcap >/dev/null && setcap cap_sys_admin+ep "$tmp/open/belljar" 2>/dev/null; then
		out=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/open/belljar" -c 'new x' 2>&1)
		has "with file capabilities it refuses to run" "$?:$out" "1:*must not be set-user-ID*"
	fi
fi
done_testing
