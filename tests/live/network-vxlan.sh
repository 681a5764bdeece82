#!/bin/sh
# Two sandboxes play machines; a bridge at each of them becomes one network with the other by VXLAN. Traffic crosses, packets that are seen
# between the machines are UDP, and all goes again. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"
unshare -n ip link add bjt-vx type vxlan id 1 dstport 4789 2>/dev/null || { echo "skip - this kernel has no vxlan"; exit 77; }

cat >"$tmp/lab.bell" <<'END'
new left
unshare net
new right
unshare net
link left right 192.0.2.1/24 192.0.2.2/24
addr eth0 2001:db8::2/64
addr left:eth0 2001:db8::1/64
bridge brl
bridge brr
new a
unshare net
link a brl 10.0.0.1/24
addr eth0 fd00::1/64
new b
unshare net
link b brr 10.0.0.2/24
addr eth0 fd00::2/64
END
lab() { cp "$tmp/lab.bell" "$tmp/all.bell"; printf '%s\n' "$@" >>"$tmp/all.bell"; run -f "$tmp/all.bell"; }

lab '@a run ping -c 1 -W 0.3 -q 10.0.0.2'
has "apart without it" "$status:$out" "1:*0 received*"
lab 'vxlan vxl id 42 remote 192.0.2.2 dev left:eth0 bridge brl' 'vxlan vxr id 42 remote 192.0.2.1 dev right:eth0 bridge brr' \
	'@a run ping -c 1 -W 5 -q 10.0.0.2' '@a run ping -c 1 -W 5 -q fd00::2' "@a run -d $PROBE serve 7 'through the tunnel'" "@b run $PROBE ask 10.0.0.1 7" \
	'@left run ip -s link show eth0' '@left run ip -o link' 'links lab' '@left unlink lab:vxl' '!echo CUT' 'links lab'
is "it holds" "$status:$err" "0:"
is "IPv4 and IPv6 cross" "$(echo "$out" | grep -c '1 received')" 2
has "TCP crosses" "$out" "*through the tunnel*"
has "its links are ports of the bridges" "$out" "*lab *vxl *vxlan *up *brl*lab *vxr *vxlan *up *brr*"
hasnt "nothing of it is in the machine's own namespace" "$(echo "$out" | grep '^[0-9]*: ')" '*vxl*'
hasnt "unlinked" "$(echo "$out" | sed -n '/^CUT/,$p')" '*vxl *vxlan*'
lab 'vxlan vxl id 7 remote 2001:db8::2 dev left:eth0 bridge brl port 5000' 'vxlan vxr id 7 remote 2001:db8::1 dev right:eth0 bridge brr port 5000' \
	'@b run ping -c 1 -W 5 -q 10.0.0.1'
has "over IPv6 and another port" "$status:$out" "0:*1 received*"
lab 'vxlan vxl id 7 group 239.1.1.1 dev left:eth0 bridge brl' 'vxlan vxr id 7 group 239.1.1.1 dev right:eth0 bridge brr' '@b run ping -c 1 -W 5 -q 10.0.0.1'
has "by a multicast group" "$status:$out" "0:*1 received*"
lab 'vxlan vxl id 42 remote 192.0.2.2 dev left:eth0 bridge brl' 'undo' 'links lab'
hasnt "undone" "$status:$out" '*vxl *vxlan*'
session
type "source $tmp/lab.bell" 'vxlan vxl id 42 remote 192.0.2.2 dev left:eth0 bridge brl' 'rm left' '!echo REMOVED'
within 100 seen REMOVED
asked=0
gone()
{
	asked=$((asked + 1))
	type "!echo ask $asked" 'links lab' "!echo listed $asked"
	within 50 seen "^listed $asked$" && ! sed -n "/^ask $asked$/,\$p" "$tmp/out" | grep -q 'vxl  *vxlan'
}
if within 50 gone; then ok "it goes with the machine that it sends from"; else fail "it goes with the machine that it sends from"; fi
exec 9>&-
wait "$belljar"
run -c 'bridge bjt-vxb host; vxlan bjt-vx id 77 remote 127.0.0.9 dev host:lo bridge bjt-vxb
!ip -o -d link show bjt-vx
explain vxlan bjt-vy id 78 remote 127.0.0.9 dev host:lo bridge bjt-vxb'
has "on the host, over a link that is not ours" "$status:$out" "0:*bjt-vx: *master bjt-vxb*vxlan id 77 remote 127.0.0.9 dev lo *dstport 4789*ip link add bjt-vy netns 1 type vxlan id 78*"
is "and gone with the session" "$(ip -o link | grep -c bjt-)" 0

# Bad input.
while read -r command; do
	read -r want
	lab "$command"
	has "$command" "$status:$err" "$want"
done <<'END'
vxlan vxl id 0 remote 192.0.2.2 dev left:eth0 bridge brl
2:*id 0: not a number from 1 to 16777215*
vxlan vxl id 16777216 remote 192.0.2.2 dev left:eth0 bridge brl
2:*id 16777216: not a number*
vxlan vxl id 1 remote 239.1.1.1 dev left:eth0 bridge brl
2:*239.1.1.1 is a multicast address*try: group 239.1.1.1*
vxlan vxl id 1 group 192.0.2.2 dev left:eth0 bridge brl
2:*192.0.2.2 is no multicast address*try: remote 192.0.2.2*
vxlan vxl id 1 remote 192.0.2.2 dev left:eth7 bridge brl
1:*left: no link eth7 (ENODEV)*
vxlan vxl id 1 remote 192.0.2.2 dev host:bjt-none bridge brl
1:*host: no link bjt-none (ENODEV)*
vxlan vxl id 1 remote 192.0.2.2 dev left:eth0 bridge brx
1:*no sandbox and no bridge is called brx*
vxlan a.eth0 id 1 remote 192.0.2.2 dev left:eth0 bridge brl
1:*lab: there is a link a.eth0 already*
vxlan a-name-of-16-byte id 1 remote 192.0.2.2 dev left:eth0 bridge brl
2:*1 to 15 bytes*
vxlan vxl id 1 remote here dev left:eth0 bridge brl
2:*here is not an address*
vxlan vxl id 1 remote 192.0.2.2 dev left:eth0 bridge brl port 70000
2:*70000 is not a port*
vxlan vxl id 1 remote 192.0.2.2 dev left:eth0 bridge a
1:*
END
lab 'vxlan vxl id 5 remote 192.0.2.2 dev left:eth0 bridge brl' 'vxlan vxm id 5 remote 192.0.2.2 dev left:eth0 bridge brl'
has "the same id twice" "$status:$err" "1:*its name, or its id 5 on port 4789 over left:eth0, is taken (EEXIST)*"
done_testing
