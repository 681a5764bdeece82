#!/bin/bash
# Sandboxes share nothing with each other that they were not given, nobody acts on what is not belljar's, and limits of belljar's own surroundings
# are errors with a name.
. "$(dirname "$0")/front.inc"
command -v perl >/dev/null || { echo "skip - no perl"; exit 77; }
run -c 'new x; unshare docker; root busybox; run true'
[ "$status" = 0 ] || { echo "skip - no busybox root here: $err"; exit 77; }

# Shared memory, queues, /tmp, abstract sockets (isolate 2.6).
two='new a; unshare docker; root busybox; new b; unshare docker; root busybox'
run -c "$two; @a run sh -c 'echo s >/dev/shm/f; echo s >/tmp/f; ls /dev/shm /tmp'; @b run sh -c 'ls -A /dev/shm /tmp'"
is "/dev/shm and /tmp" "$(echo "$out" | grep -c '^f$'):$err" 2:
is "nor the host's" "$(ls /dev/shm/f 2>/dev/null)" ""
run -c "new a; unshare docker; run perl -e 'print syscall(29, 77, 4096, 01600) >= 0 ? \"made \" : \$!'; new b; unshare docker; run perl -e 'print syscall(29, 77, 4096, 0600) >= 0 ? \"found\" : \$!'"
is "System V shared memory" "$out" "made No such file or directory"
cat >"$tmp/abstract" <<'S'
use Socket;
socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
if ($ARGV[0] eq 'serve') {
	bind($s, pack('S a*', AF_UNIX, "\0belljar-safety")) && listen($s, 1) or die $!;
	open(my $f, '>', "/mnt/serving");
	sleep 60;
}
print connect($s, pack('S a*', AF_UNIX, "\0belljar-safety")) ? "connected\n" : "$!\n";
S
run -c "new a; unshare docker; bind $tmp /mnt; run -d perl /mnt/abstract serve; run sh -c 'until [ -e /mnt/serving ]; do :; done'; run perl /mnt/abstract
	new b; unshare docker; bind $tmp /mnt; run perl /mnt/abstract"
is "abstract sockets" "$(echo "$out" | tr '\n' ' ')" "connected Connection refused "

# The session keyring: neither the operator's nor another sandbox's.
cat >"$tmp/keys" <<'S'
# add_key is 248, keyctl 250, to search is 10, the session keyring -3
my ($what) = @ARGV;
my ($type, $name, $value) = ('user', 'belljar-safety', 'x');
if (($what // '') eq 'add') { print syscall(248, $type, $name, $value, 1, -3) > 0 ? "added\n" : "$!\n" }
else { print syscall(250, 10, -3, $type, $name, 0) > 0 ? "found\n" : "$!\n" }
S
out=$(perl -e 'syscall(250, 1, 0) > 0 or die "$!\n"; exec @ARGV' sh -c "perl $tmp/keys add; perl $tmp/keys; $BELLJAR -c 'new a; run perl $tmp/keys; run perl $tmp/keys add; run perl $tmp/keys; new b; run perl $tmp/keys'" 2>&1)
case $out in
added*) is "keys" "$(echo "$out" | tr '\n' ' ')" "added found Required key not available added found Required key not available " ;;
*) echo "# no keys here: $out" ;;
esac

# The control groups of version 1 and their release_agent (CVE-2022-0492): not from inside a user namespace of its own.
run -c 'new x; unshare all; map auto; root busybox; run true'
if [ "$status" = 0 ]; then
	run -c "new x; unshare all; map auto; root busybox; run sh -c 'for c in pids devices memory; do mkdir -p /mnt/\$c; mount -t cgroup -o \$c n /mnt/\$c && echo /x >/mnt/\$c/release_agent && echo set; mount -t cgroup -o \$c,release_agent=/x n /mnt/\$c && echo set; done 2>/dev/null; find / -name release_agent 2>/dev/null; echo tried'"
	is "no release_agent is there or can be set" "$out" tried
	run -c "new x; unshare all; map auto; root busybox; run sh -c 'mkdir /sys/fs/cgroup/t 2>&1; echo 1 >/proc/sys/kernel/core_pattern; echo b >/proc/sysrq-trigger'"
	has "/sys, core_pattern and sysrq are out of reach (CVE-2023-25809)" "$out$err" "*an't create*/sys/fs/cgroup/t*core_pattern*enied*sysrq-trigger*"
	run -c "new x; unshare all; map auto; root busybox; run sh -c 'mknod /tmp/mem c 1 1 && cat /tmp/mem'"
	isnt "nor is the machine's memory" "$status" 0
fi
if [ "$(id -u)" != 0 ]; then
	run -c "new x; run cat /proc/self/setgroups"
	[ "$(wc -l </proc/self/uid_map)" != 1 ] || has "without privileges groups can't be dropped to gain rights (CVE-2014-8989)" "$out" "*deny*"
	run -c "new x; run perl -e 'print syscall(116, 0, 0) < 0 ? \$! : \"dropped\"'"
	[ "$out" = dropped ] || is "by the kernel's word" "$out" "Operation not permitted"
fi

# Process 1 takes no orders from inside.
run -c "new x; unshare docker; root busybox; run sh -c 'for i in \$(seq 64); do kill -\$i 1 2>/dev/null; done; kill -9 1; kill -STOP 1; kill -TERM 1; kill -INT 1'; run echo lives"
is "signals to process 1 from inside do nothing" "$out" lives
run -k -c "new x; unshare docker; root busybox; run sh -c 'kill -9 -1'; run echo lives"
has "nor does a signal to everybody" "$out" "*lives*"

# What hides the paths that belljar uses: it uses none of them.
run -c "new x; unshare docker; root busybox; run sh -c 'mount -t tmpfs n /proc; mount -t tmpfs n /dev/pts; mount -t tmpfs n /bin' ; run /bin/echo lives; @x show"
has "mounts over /proc, /dev and /bin" "$status:$err" "*no such file*"
run -c "new x; unshare docker; root busybox; run mount -t tmpfs n /proc; run echo lives; tmpfs /new; run ls -d /new; rm x"
is "/proc is hidden: programs, mounts and the end go on" "$status:$(echo "$out" | tr '\n' ' ')" "0:lives /new "

# What is to hold inside is nowhere inside (CVE-2019-12589).
run -c "new x; unshare docker; root busybox; run grep -c belljar /proc/self/mountinfo; run sh -c 'ls -d /run/belljar /tmp/belljar* 2>/dev/null | wc -l'"
is "nothing of belljar's is mounted or to be found inside" "$(echo $out)" "0"

# Forged state: what names a process that is not the holder is not believed (CVE-2022-31214).
export XDG_RUNTIME_DIR="$tmp/run"
mkdir -m 700 "$tmp/run"
dir=$tmp/run/belljar
[ "$(id -u)" != 0 ] || dir=/run/belljar
name=forged-$$
sleep 300 &
victim=$!
trap 'kill $victim 2>/dev/null; "$BELLJAR" end "$name" 2>/dev/null; rm -rf "$tmp"' EXIT
start=$(sed 's/.*) //' "/proc/$victim/stat" | cut -d' ' -f20)
for forged in "1 1" "$$ 1" "$victim 1" "$victim $start" "4194303 7" "0 0" "-1 -1"; do
	"$BELLJAR" -s "$name" new x
	sed -i "s/^pid .*/pid $forged/" "$dir/$name/state"
	out=$("$BELLJAR" -s "$name" -c '@x rm x' 2>&1)
	"$BELLJAR" -s "$name" -c 'ls; kill all' >/dev/null 2>&1
	"$BELLJAR" end "$name" 2>>"$tmp/ends"
	kill -0 "$victim" 2>/dev/null || { fail "pid $forged: a stranger was killed"; break; }
done
is "strangers in the state are left alone" "$(kill -0 "$victim" && echo alive):$(ls "$dir" 2>/dev/null)" "alive:"

# Its surroundings are narrow: an error with a name, and nothing left (the frame looks).
for n in 3 4 5 6 8 10 12 14 16 20 24 30; do
	out=$( (ulimit -n $n && exec "$BELLJAR" -c 'new x; unshare docker; root busybox; limit pids 9; run true' 2>&1) 2>&1)
	status=$?
	[ "$status" != 0 ] || continue
	case $out in
	*EMFILE* | *ENFILE* | *'open files'* | *'descriptor'*) ;;
	*) fail "$n descriptors: $status: $out" ;;
	esac
done
ok "few descriptors"
done_testing
