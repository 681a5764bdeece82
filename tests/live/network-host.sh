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
done_testing
