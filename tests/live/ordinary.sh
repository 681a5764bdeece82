#!/bin/sh
# belljar of an ordinary user: a user namespace of its own, and then the same commands. As root there is nothing to see here.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" != 0 ] || { echo "skip - for an ordinary user"; exit 77; }
: "${PROBE:?}"
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }
uid=$(id -u)

run -c 'new a; run id -u'
if [ "$status" != 0 ]; then
	has "refused in words" "$err" "*user namespace*try: sudo belljar*"
	echo "skip - no user namespaces here: $err"
	exit 77
fi
is "root of belljar's own user namespace" "$out" 0
run -c 'new a; run cat /proc/self/uid_map'
has "in which 0 is the user" "$out" "*0*$uid*1*"
run -c "new a; unshare docker; run $PROBE facts"
is "namespaces: works" "$status" 0
is "pid 1 is the parent" "$(fact ppid)" 1
for kind in ipc mnt net pid uts; do
	isnt "another $kind" "$(fact "ns.$kind")" "$(readlink /proc/self/ns/$kind)"
done
run -c "new a; unshare all; map auto; hostname jar; clock boottime 7d; run $PROBE facts"
is "all eight" "$status" 0
is "its name" "$(fact host)" jar
if [ -x /bin/busybox ]; then
	run -c "new a; unshare docker; root busybox; bind $PROBE /probe; run /probe facts"
	is "busybox root" "$status" 0
	is "no descriptor of the host" "$(printf '%s\n' "$out" | grep -c '^fd\.')" 3
	run -c 'new a; unshare docker; root busybox; run sh -c "echo x >/dev/null && head -c4 /dev/zero | wc -c && echo y >/tmp/f && cat /tmp/f"'
	is "its devices and its writes" "$out" "4
y"
fi
run -c 'new a; unshare docker; root host size 1M; run sh -c "echo x >/usr/belljar-test && cat /usr/belljar-test && head -c 2000000 /dev/zero >/usr/belljar-more; ls /usr/bin/env; [ -c /dev/null ] && echo null"'
is "the host's root, in parts" "$(echo "$out" | tr '\n' ' ')" "x /usr/bin/env null "
has "with so much room" "$err" "*No space left*"
is "whose writes are thrown away" "$(ls /usr/belljar-test 2>/dev/null)" ""
run -k -c "new a; unshare docker; root host; run sh -c 'mkdir /tmp/made && echo x >/tmp/made/f && ln /tmp/made/f /tmp/made/g'; changes; commit $tmp/l.tar; commit $tmp/l.d; root $tmp/l.tar busybox; run cat /tmp/made/g"
has "what was changed in it" "$out" "*new*/tmp/made
*/tmp/made/f
*/tmp/made/g
sha256:*x"
is "... as a layer, without the directories in which nothing was" "$(tar -tf "$tmp/l.tar" | tr '\n' ' '):$(cat "$tmp/l.d/tmp/made/f"):$(ls "$tmp/l.d")" "./ tmp/ tmp/made/ tmp/made/f tmp/made/g :x:tmp"
run -c 'new a; unshare docker; root host ro; run sh -c "echo x >/usr/belljar-test; ls /usr/bin/env"'
has "read-only" "$out$err" "/usr/bin/env*Read-only file system*"
run -c 'new a; unshare docker; unshare user; map auto; root host; run sh -c "id -u; ls /usr/bin/env"'
is "with a user namespace in the user's" "$(echo "$out" | tr '\n' ' ')" "0 /usr/bin/env "
run -c "new a; unshare net; bridge br0 10.0.0.1/24; link a br0 10.0.0.2/24; new b like a; link b br0 10.0.0.3/24; @a run -d $PROBE serve 7 hello; run $PROBE ask 10.0.0.2 7"
is "a lab with a bridge" "$out" hello
# A way out: through a program that speaks for those inside, if there is one and it may.
own=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
if ! command -v slirp4netns >/dev/null; then
	run -c 'bridge br0 10.0.0.1/24; nat br0'
	has "no way out without slirp4netns, in words" "$status:$err" "1:*slirp4netns is not installed*"
elif [ ! -w /dev/net/tun ]; then
	run -c 'bridge br0 10.0.0.1/24; nat br0'
	has "no way out without /dev/net/tun, in words" "$status:$err" "1:*/dev/net/tun can*t be opened*"
elif [ -n "$own" ]; then
	"$PROBE" serve 20707 hello 3 &
	lab="bridge br0 10.0.0.1/24; new a; network bridge br0; nat br0; run $PROBE ask $own 20707"
	run -c "$lab; nat"
	has "a way out" "$status:$out" "0:hello*BRIDGE*br0*"
	run -c "$lab; undo; undo; links lab; nat"
	hasnt "is taken back" "$status:$out" "*uplink*"
	run -s out -c "$lab"
	is "of a named session" "$status:$out" 0:hello
	run -s out nat
	is "which another belljar knows" "$status:$out" "0:BRIDGE
br0"
	is "which lasts" "$(pgrep -u "$uid" -f 'slirp4netns.*uplink' | wc -l)" 1
	run end out
	sleep 0.2
	is "and goes with it" "$(pgrep -u "$uid" -f 'slirp4netns.*uplink' | wc -l)" 0
	wait
fi
run -c 'new a; bridge br0 host'
isnt "the host's links are not theirs" "$status" 0
has "and it says so" "$err" "*EPERM*"
run -c 'new a; unshare pid; run sh -c "(sleep 61 &) >/dev/null 2>&1"; rm a'
is "orphans end with it" "$status" 0
export XDG_RUNTIME_DIR="$tmp"
chmod 700 "$tmp"
run -s mine new web
is "a named session" "$status" 0
run -s mine unshare uts pid
run -s mine hostname jar
run -s mine run uname -n
is "from another belljar" "$out" jar
run end mine
is "and its end" "$status" 0
exit $((failed > 0))
