#!/bin/sh
# What can't be is refused with words that help, and changes nothing. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

base='bridge br0 10.0.0.1/24; new web; unshare net; link web br0 10.0.0.2/24; new plain; '

# refuses COMMAND STATUS PATTERN: as COMMAND is given in the lab of $base, and what links say before and after
refuses()
{
	run -k -c "$base links all > $tmp/before; @web route > $tmp/routes; $1; links all > $tmp/after; @web route > $tmp/routes2"
	# A bridge has its carrier a moment after its first port.
	sed -i 's/no carrier/up/; s/  */ /g' "$tmp/before" "$tmp/after"
	has "$1" "$status:$err" "$2:$3"
	cmp -s "$tmp/before" "$tmp/after" && cmp -s "$tmp/routes" "$tmp/routes2"
	is "  changes nothing" $? 0
}

refuses 'bridge br0' 1 '*there is a link br0 already (EEXIST)*'
refuses 'bridge 1234567890123456' 2 '*1 to 15 bytes, this one 16*'
refuses 'bridge "a b"' 2 "*a b can't name a link*"
refuses 'bridge a/b' 2 "*a/b can't name a link*"
refuses 'bridge "br%d"' 2 "*can't name a link*"
refuses 'bridge ..' 2 "*can't name a link*"
refuses 'bridge web' 2 '*web is the name of a sandbox*'
refuses 'bridge lo host' 1 '*host: there is a link lo already (EEXIST)*this session did not make it*'
refuses 'bridge br1 10.0.0.1/33' 2 '*at most 32*'
refuses 'bridge br1 10.0.0.9/16' 1 '*overlapping subnets*'
refuses 'bridge br1 224.0.0.1/8' 2 '*no address that one link can have*multicast*'
refuses 'link plain br0' 1 '*plain: no network namespace of its own*try: unshare net*'
refuses 'link web web' 1 '*both ends of the link would be in it*'
refuses 'link host host' 1 '*both ends of the link would be in it*'
refuses 'link web nope' 1 '*no sandbox and no bridge is called nope*try: new nope, or bridge nope*'
refuses 'link web lab' 2 "*can't end in the lab itself*"
refuses 'link web web.eth0' 1 '*web.eth0 is no bridge*'
refuses 'link lab:br0 br0' 1 '*both bridges*(ELOOP)*'
refuses 'link web:eth0 br0' 1 '*web: there is a link eth0 already (EEXIST)*'
refuses 'link web:lo br0' 1 '*web: there is a link lo already (EEXIST)*'
refuses 'link web:eth0123456789abc br0' 2 '*1 to 15 bytes*'
refuses 'link web host:lo' 1 '*lo can*t move into a sandbox*'
refuses 'link br0 host:lo' 1 '*host: there is a link lo already (EEXIST)*this session did not make it*'
refuses 'link web br0 mtu 67' 2 '*mtu 67: no link has that*'
refuses 'link web br0 mtu 70000' 1 '*(EINVAL)*mtu greater than device maximum*'
refuses 'link web br0 mac 01:00:00:00:00:01' 2 '*address of a group*'
refuses 'link web br0 mac nonsense' 2 '*no hardware address*'
refuses 'link web host 10.7.0.1 peer fd00::1' 2 '*not of one family*'
refuses '@web addr eth0 10.7.0.1 peer fd00::1' 2 '*not of one family*'
refuses 'link web br0 10.0.0.3/24 10.0.0.4/24' 2 '*takes one address*addr lab:br0 10.0.0.4/24*'
refuses 'link web br0 10.0.0.3/24 10.0.0.4/24 10.0.0.5/24' 2 '*expected mtu, mac or the end*'
refuses 'link web host 10.7.0.1/24 10.7.0.1/24' 2 '*both ends would have the address*'
refuses 'link web br0 10.0.0.3' 2 '*expected peer after 10.0.0.3*10.0.0.3 is not complete*try: 10.0.0.3/24*'
refuses '@web addr eth0 10.0.0.2/24' 1 '*has the address 10.0.0.2/24 already (EEXIST)*'
refuses '@web addr del eth0 10.0.0.9/24' 1 '*has no address 10.0.0.9/24 (EADDRNOTAVAIL)*'
refuses '@web addr eth7 10.0.0.9/24' 1 '*web: no link eth7 (ENODEV)*'
refuses '@plain addr lo 10.0.0.9/24' 1 '*plain: no network namespace of its own*'
refuses '@web route default via 192.168.1.1' 1 "*can't be reached directly*Nexthop has invalid gateway*"
refuses '@web route default' 2 '*a route goes by a gateway or over a link*'
refuses '@web route 10.0.0.1/8 via 10.0.0.1' 2 '*bits behind its prefix*try: 10.0.0.0/8*'
refuses '@web route fd00::1/64 dev eth0' 2 '*try: fd00::/64*'
refuses '@web route 10.0.0.0/8 via fd00::1' 2 '*not of one family*'
refuses '@web route 10.0.0.0/8 dev eth9' 1 '*no link eth9 (ENODEV)*'
refuses '@web route del 10.77.0.0/16' 1 '*no such route*(ESRCH)*'
refuses '@web unlink lo' 1 "*lo can't be deleted*"
refuses 'unlink host:lo' 1 '*this session has made no link lo there*'
refuses 'down host:lo' 1 '*this session has made no link lo there*'
refuses 'up nope:eth0' 1 '*no sandbox nope*'
refuses '@web down eth9' 1 '*web: no link eth9 (ENODEV)*'

# Each step of a network script failed in turn: all is taken back, on the host too.
script='bridge br0 10.0.0.1/24; new a; unshare net; link a br0 10.0.0.2/24; new b; unshare net; link a b 10.1.0.1/24 10.1.0.2/24;
bridge bjt-br0 10.254.77.1/28 host; link b bjt-br0 10.254.77.2/28; link a host:bjt-c 10.254.77.17/28 10.254.77.18/28; @a route default via 10.0.0.1;
@a addr del eth0 10.0.0.2/24; @b down eth0; unlink b:eth1; unlink bjt-br0'
n=1
while BELLJAR_FAULT=$n:ENOMEM "$BELLJAR" -c "$script" 2>"$tmp/err" >/dev/null; [ $? -ne 0 ] && [ $n -lt 100 ]; do
	grep -q ENOMEM "$tmp/err" || is "step $n: its error is told" "$(cat "$tmp/err")" "... (ENOMEM)"
	ip -o link show | grep -q bjt- && is "step $n: the host is clean" "$(ip -o link show | grep bjt-)" ""
	n=$((n + 1))
done
is "so many steps failed, each cleanly" "$([ $n -gt 25 ] && [ $n -lt 100 ] && echo many)" many
run -c "$script"
is "and the script works" "$status:$err" "0:"
done_testing
