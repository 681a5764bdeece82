#!/bin/sh
# What a session puts on the host because the user named it goes with the session, in order or killed; what is not its own it does not touch.
# Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

clean() { ! ip -o link show | grep -q bjt-; }

run -c "bridge bjt-br0 10.254.77.1/24 host; new web; unshare net; link web bjt-br0 10.254.77.2/24; link web host:bjt-c; !ip -o link show > $tmp/links
run ping -c 1 -W 5 -q 10.254.77.1; links host"
has "it works" "$status:$out" "0:*1 received*bjt-br0*"
is "they were on the host" "$(grep -c 'bjt-br0: \|bjt-c@\|master bjt-br0' "$tmp/links")" 3
is "and went with the session" "$(ip -o link show | grep -c 'bjt-\|web.eth')" 0

run -c "bridge bjt-br0 host; undo
!ip -o link show | grep -c bjt- || true
bridge bjt-br0 host; unlink bjt-br0; bridge bjt-br0 host"
is "undone and deleted, the name serves again" "$status:$err:$out" "0::took back: bridge bjt-br0 host
0"

# Somebody else's link that took the name meanwhile stays.
run -c "bridge bjt-br0 host; !ip link del bjt-br0 && ip link add bjt-br0 type bridge"
is "a link of that name that is another's stays" "$status:$(ip -o link show | grep -c bjt-br0:)" "0:1"
ip link del bjt-br0
run -c "new web; unshare net; link web host:bjt-c; !ip link del bjt-c"
is "a link that is gone already is no error" "$status:$err" "0:"

for what in belljar all; do
	session
	type 'bridge bjt-br0 10.254.77.1/24 host' 'new web' 'unshare net' 'link web bjt-br0 10.254.77.2/24' 'link web host:bjt-c' '!echo ready'
	within 50 seen ready
	is "there before the kill" "$(ip -o link show | grep -c 'bjt-br0: \|bjt-c@')" 2
	case $what in
	belljar) kill -9 "$belljar" ;;
	all) kill -9 "$belljar" $(pgrep -P "$belljar") ;;
	esac
	exec 9>&-
	wait "$belljar" 2>/dev/null
	[ $what = belljar ] || { sleep 0.2; run -c 'new x; unshare net; link x host:bjt-d'; }
	within 50 clean
	is "killed ($what): the host is clean" "$(ip -o link show | grep bjt-)" ""
done

# ---- a link of the host that is moved in, and home again ----

ip link add bjt-h1 type veth peer name bjt-h2
trap 'ip link del bjt-h1 2>/dev/null; rm -rf "$tmp"' EXIT
ip link set bjt-h1 up mtu 1400
ip link set bjt-h2 up
ip addr add 10.254.1.1/24 dev bjt-h1
ip addr add 10.254.1.9/24 dev bjt-h1
ip -6 addr add fd99:b::1/64 dev bjt-h1 nodad
ip route add 10.254.9.0/24 via 10.254.1.2 metric 7
state()
{
	ip -o link show bjt-h1 | sed 's/ qdisc.*//'
	ip -o addr show dev bjt-h1 scope global | sed 's/ *valid.*//'
	ip route show dev bjt-h1
	ip -6 route show dev bjt-h1 | grep -v fe80
}
state >"$tmp/before" 2>&1
home() { state >"$tmp/after" 2>&1 && cmp -s "$tmp/before" "$tmp/after"; }
is_home() { within 50 home && ok "$1: the link is home as it was" || is "$1: the link is home as it was" "$(state 2>&1)" "$(cat "$tmp/before")"; }

run -c 'new web; unshare net; link host:bjt-h1 web:lan 10.7.0.1/24
!ip -o link show bjt-h1 || echo it is away
links; unlink web:lan; !ip -o addr show bjt-h1 | grep -c inet'
has "moved in, with a name and an address" "$status:$out:$err" "0:it is away*web*lan*10.7.0.1/24*host:bjt-h2*"
is_home unlink
run -c 'new web; unshare net; link host:bjt-h1 web; undo; links'
has "taken back" "$status:$err:$out" "0::took back*"
is_home undo
run -c 'new web; unshare net; link host:bjt-h1 web; alter eth0 mtu 1300; alter eth0 mac 02:00:00:00:00:55; alter eth0 name lan0; rm web; new web'
is "changed inside, and its sandbox removed" "$status:$err" "0:"
is_home rm
run -c 'new web; unshare net; link host:bjt-h1 web'
is_home "the session's end"
run -c 'new web; unshare net; link host:bjt-h1 web; share net'
has "its sandbox stays where it is" "$err" "*the host's bjt-h1 is in its net namespace*"
for n in 4 5 6 7; do
	for how in EIO KILL; do
		BELLJAR_FAULT=$n:$how "$BELLJAR" -c 'new web; unshare net; link host:bjt-h1 web:lan 10.7.0.1/24; unlink web:lan' >"$tmp/out" 2>&1
		within 50 home || is_home "fault $n $how"
	done
done
is_home "after every fault"

session
type 'new web' 'unshare net' 'link host:bjt-h1 web' '!echo moved'
within 50 seen moved
kill -9 "$belljar"
exec 9>&-
wait "$belljar" 2>/dev/null
is_home "belljar was killed"
session
type 'new web' 'unshare net' 'link host:bjt-h1 web' '!echo moved'
within 50 seen moved
kill -9 "$(holder web)"
exec 9>&-
wait "$belljar" 2>/dev/null
is_home "its sandbox was killed"

"$BELLJAR" -s bjt-lend -c 'new web; unshare net; link host:bjt-h1 web; ls' >"$tmp/out" 2>&1
"$BELLJAR" -s bjt-lend -c 'unlink web:eth0; link host:bjt-h1 web:again'
"$BELLJAR" -c 'end bjt-lend'
is_home "a named session's end"
"$BELLJAR" -s bjt-lend -c 'new web; unshare net; link host:bjt-h1 web'
kill -9 $(sed -n '1s/.* \([0-9]*\) [0-9]*$/\1/p' /run/belljar/bjt-lend/ledger)
is_home "a named session's keeper was killed"

run -c 'new web; unshare net; link host:bjt-h1 web 10.7.0.1/24 10.7.0.2/24'
has "one address" "$status:$err" "2:*takes one address*"
run -c 'bridge br0; link host:bjt-h1 br0'
has "a name of the host's is not taken" "$err" "*there is a link bjt-h1 already*this session did not make it*"
run -c 'new web; unshare net; link host:lo web'
has "lo stays" "$err" "*lo can't move into a sandbox*"
ip link add bjt-br9 type bridge && ip link set bjt-h2 master bjt-br9
run -c 'new web; unshare net; link host:bjt-h2 web'
has "a port stays" "$err" "*bjt-h2 can't move into a sandbox*port of the host's bjt-br9*"
run -c 'new web; unshare net; link host:bjt-br9 web'
has "a bridge stays" "$err" "*bjt-br9 can't move*lies over*" 
ip link del bjt-br9
run -c 'new web; unshare net; link host:bjt-h1 web:sixteen-bytes-xx'
has "the name inside is checked" "$status:$err" "2:*1 to 15 bytes*"
is_home "after errors"
done_testing
