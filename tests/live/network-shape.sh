#!/bin/sh
# Shapes are in the kernel as they were said, traffic still passes, they are replaced, listed and taken back, and what the kernel can't do is
# refused by name. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"
command -v tc >/dev/null || { echo "skipped: needs tc"; exit 77; }

lab
tc_of() { in_box web tc qdisc show dev eth0; }
turn=0
do_all() { turn=$((turn + 1)); type "$@" "!echo turn-$turn-over"; within 100 seen "^turn-$turn-over"; }
last() { sed -n "/^turn-$((turn - 1))-over/,\$p" "$tmp/out"; }

do_all '@web shape eth0 rate 10mbit'
has "a rate is a tbf" "$(tc_of)" "*tbf 2: root * rate 10Mbit burst 16Kb lat *"
do_all '@web shape eth0 rate 7.5mbit burst 20K'
has "another one replaces it" "$(tc_of)" "*tbf 2: root * rate 7500Kbit burst 20Kb lat *"
do_all '@web run ping -c 2 -i 0.2 -W 5 -q 10.0.0.3'
has "traffic passes" "$(cat "$tmp/out")" "*2 received*"
do_all '@web shape'
has "it is listed, with what passed" "$(cat "$tmp/out")" "*web *eth0 *rate 7500kbit burst 20480 *[1-9]* *[1-9]* *0 *0*"
do_all 'undo'
has "undone, what was before is back" "$(tc_of)" "*rate 10Mbit burst 16Kb*"
do_all 'undo'
has "and before that nothing" "$(tc_of)" "qdisc noqueue*"

# What both directions of a sandbox are limited to; the rest of a shape stays.
do_all 'use web' 'limit net tx 1mbit rx 2mbit' 'shape'
has "limit net holds what is sent inside" "$(tc_of)" "*rate 1Mbit*"
has "and what is received at the other end" "$(cat "$tmp/out")" "*lab *web.eth0 *rate 2mbit *web *eth0 *rate 1mbit*"
do_all 'limit memory 64M net rx max' 'shape'
is "one direction lifted, the other stays" "$(last | grep -c rate)" 1
do_all 'limit net tx max' 'run ip link add v0 type veth peer name v1' 'run tc qdisc add dev v0 root handle 9: htb'
is "lifted" "$(tc_of | grep -c tbf)" 0

# Refused, and nothing is changed.
do_all 'shape v0 rate 1mbit'
has "a discipline of another kind stays" "$(cat "$tmp/out")" "*shape: web: v0 has a queueing discipline htb that belljar didn't make (EBUSY)*"
is "really" "$(in_box web tc qdisc show dev v0 | grep -c 'htb 9:')" 1
if in_box web tc qdisc add dev v1 root netem delay 1ms 2>/dev/null; then
	in_box web tc qdisc del dev v1 root
	do_all 'shape eth0 rate 5mbit delay 60ms jitter 1ms loss 0.5%'
	has "netem first, then tbf" "$(tc_of)" "qdisc netem 1: root * delay 60ms *1ms *loss 0.5%*tbf 2: parent 1:1 rate 5Mbit*"
	do_all 'shape eth0 delay 60ms' 'run ping -c 1 -W 5 10.0.0.3'
	time=$(sed -n 's/.*time=\([0-9]*\).*/\1/p' "$tmp/out" | tail -1)
	if [ "${time:-0}" -ge 60 ]; then ok "packets wait"; else fail "packets wait: ${time:-none} ms"; fi
	do_all 'run ip link del v0' 'limit net tx 3mbit' 'shape'
	has "a limit leaves the delay" "$(tc_of)" "*netem 1: root * delay 60ms*tbf 2: parent 1:1 rate 3Mbit*"
	do_all 'shape eth0 loss 100%' 'run ping -c 1 -W 0.3 -q 10.0.0.3'
	has "packets are lost" "$(last)" "*0 received*"
	do_all 'shape eth0 delay 10ms reorder 25% duplicate 2% corrupt 0.1%' 'shape'
	has "all of it is read back" "$(last)" "*delay 10ms duplicate 2% reorder 25% corrupt 0.1%*"
else
	echo "skip - this kernel has no netem"
	do_all 'shape eth0 rate 3mbit' 'shape eth0 rate 5mbit delay 50ms'
	has "what this kernel can't do is refused by name" "$(cat "$tmp/out")" "*web: eth0 can't be shaped (ENOENT)*no netem (CONFIG_NET_SCH_NETEM)*"
	has "and what was there is there again" "$(tc_of)" "*rate 3Mbit*"
fi
exec 9>&-
wait "$belljar"

# Bad input.
while read -r command; do
	read -r want
	run -c "bridge br0; new a; unshare net; link a br0; $command"
	has "$command" "$status:$err" "$want"
done <<'END'
shape eth9 rate 1mbit
1:*a: no link eth9 (ENODEV)*
shape eth0
2:*shape eth0: how?*
shape eth0 rate 0
2:*0 is not a rate*10mbit*
shape eth0 rate 1bit
2:*1bit is too little*
shape eth0 rate 99999999999gbit
2:*too large*
shape eth0 rate 10
2:*10 is not a rate*
shape eth0 burst 64K
2:*burst means something only together with rate*
shape eth0 rate 1mbit burst 100
2:*burst 100: less than one packet*
shape eth0 jitter 5ms
2:*jitter means something only together with delay*
shape eth0 delay 5ms jitter 6ms
2:*jitter: not more than delay*
shape eth0 loss 101%
2:*101% is more than 100%*
shape eth0 loss 5
2:*5 is not a share*
shape eth0 off rate 1mbit
2:*
shape host:lo rate 1mbit
1:*host: this session has made no link lo there*
limit net
2:*limit net: of what is sent (tx) or of what is received (rx)?*
limit net tx
2:*
limit net up 1mbit
2:*
limit pids 5 net tx 1x
2:*1x is not a rate*
new b; unshare net; limit net tx 1mbit
1:*b: it has no link that could be limited (ENODEV)*
new b; limit net tx 1mbit
1:*b: no network namespace of its own*unshare net*
END
done_testing
