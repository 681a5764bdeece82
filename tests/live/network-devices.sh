#!/bin/sh
# Links of other kinds are there and work, what is altered is so in the kernel, and undo takes it back. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

if unshare -n ip link add d0 type dummy 2>/dev/null; then
run -c "new a; unshare net; interface d0 dummy; addr d0 10.9.0.1/32; run ip -d link show d0; run ping -c 1 -W 5 -q 10.9.0.1; undo; undo; undo
run sh -c 'ip -o link | grep -c d0 || true'"
has "a dummy, and undone" "$status:$out" "0:*dummy*1 received*
0"
else
	run -c "new a; unshare net; interface d0 dummy"
	has "what this kernel has not is refused by name" "$status:$err" "1:*d0 can't be made (EOPNOTSUPP)*modprobe dummy*"
fi

# macvlan, ipvlan and vlan over a link of another sandbox that plays the host, with a wire to a far machine.
base='new h; unshare net; new far; unshare net; link h far 10.0.0.1/24 10.0.0.2/24; new a; unshare net'
works() { run -k -c "$base; $1"; }
works 'interface m0 macvlan over h:eth0; addr m0 10.0.0.3/24; run ping -c 1 -W 5 -q 10.0.0.2; run ip -d link show m0'
if echo "$err" | grep -q modprobe; then echo "skip - no macvlan"
else has "macvlan reaches the wire" "$out" "*1 received*macvlan*mode bridge*"; fi
works 'interface i0 ipvlan over h:eth0; addr i0 10.0.0.3/24; run ping -c 1 -W 5 -q 10.0.0.2; run ip -d link show i0'
if echo "$err" | grep -q modprobe; then echo "skip - no ipvlan"
else has "ipvlan reaches the wire" "$out" "*1 received*ipvlan*mode l2*"; fi
works 'interface v0 vlan 7 over h:eth0; addr v0 10.7.0.3/24; @far interface v0 vlan 7 over far:eth0; @far addr v0 10.7.0.2/24; run ping -c 1 -W 5 -q 10.7.0.2
run ip -d link show v0'
if echo "$err" | grep -q modprobe; then echo "skip - no vlan"
else has "packets with a tag" "$out" "*1 received*vlan*id 7*"; fi
works 'interface t0 tun; interface t1 tap; run ip -d link show t0; run ip -d link show t1'
if echo "$err" | grep -q /dev/net/tun; then echo "skip - no /dev/net/tun"
else has "tun and tap" "$out" "*t0*tun type tun*t1*tun type tap*"; fi

# Point to point.
run -c 'new a; unshare net; new b; unshare net; link a b 10.0.0.0/31 10.0.0.1/31; run ping -c 1 -W 5 -q 10.0.0.0'
has "/31 at both ends" "$status:$out" "0:*1 received*"

# What is altered.
lab='bridge br0; new a; unshare net; link a br0 10.0.0.2/24; new b; unshare net; link b br0 10.0.0.3/24'
run -c "$lab; alter eth0 mtu 1400; alter eth0 mac 02:00:00:00:00:07; run ip link show eth0; undo; run ip link show eth0; undo; run ip link show eth0"
has "MTU and hardware address, and back" "$status:$out" "0:*mtu 1400 *02:00:00:00:00:07*mtu 1400 *mtu 1500 *"
is "the address is back first, as it was changed last" "$(echo "$out" | grep -c 'ether 02:00:00:00:00:07')" 1
run -c "$lab; down eth0; alter eth0 name wire; up wire; run ping -c 1 -W 5 -q 10.0.0.2; down wire; undo; undo; undo; up eth0; run ip addr show eth0"
has "a name, and back" "$status:$out" "0:*1 received*eth0*10.0.0.3*"
if unshare -n ip link add br0 type bridge vlan_filtering 1 2>/dev/null; then
run -k -c "$lab; vlan lab:a.eth0 7; run ping -c 1 -W 1 -q 10.0.0.2; vlan lab:b.eth0 7; run ping -c 1 -W 5 -q 10.0.0.2; undo; run ping -c 1 -W 1 -q 10.0.0.2
path b a"
is "VLANs are apart" "$(echo "$out" | grep -o '[01] received' | tr '\n' ' ')" "0 received 1 received 0 received "
has "and path knows it" "$err" "*stops at lab: br0: b.eth0 is in VLAN 1, a.eth0 in VLAN 7*"
else
	run -c "$lab; vlan lab:a.eth0 7"
	has "bridges without VLANs" "$status:$err" "1:*br0 can't be changed (EOPNOTSUPP)*know no VLANs*"
fi
run -c "bridge bjt-stp host; alter host:bjt-stp stp on
!ip -d link show bjt-stp | grep -o 'stp_state [01]'
undo
!ip -d link show bjt-stp | grep -o 'stp_state [01]'"
has "STP is on, and off again" "$status:$out" "0:stp_state 1*stp_state 0"

# Bad input.
[ -z "${PREFIX:-}" ] || done_testing
while read -r command; do
	read -r want
	run -c "bridge br0; new a; unshare net; link a br0 10.0.0.2/24; $command"
	has "$command" "$status:$err" "$want"
done <<'END'
interface eth0 dummy
1:*a: there is a link eth0 already (EEXIST)*
interface m0 macvlan
2:*
interface m0 macvlan over eth9
1:*a: no link eth9 (ENODEV)*
interface v0 vlan 4095 over eth0
2:*VLAN 4095: not a number from 1 to 4094*
interface averyverylongname dummy
2:*15 bytes*
alter eth0 mtu 67
2:*mtu 67: no link has that*
alter eth0 mtu 70000
1:*a: eth0 can't be changed (EINVAL)*mtu*
alter eth0 mac 01:00:5e:00:00:01
2:*address of a group*
alter eth0 mac zz
2:*no hardware address*
alter eth0 name lo
1:*there is a link lo already*
alter lab:br0 name br1
1:*keeps its name*
alter eth0 stp on
1:*eth0 is no bridge*
vlan eth0 5
1:*eth0 is no port of a bridge*
vlan lab:a.eth0 0
2:*VLAN 0*
alter host:lo mtu 1500
1:*this session has made no link lo there*
link br0 br0
1:*both bridges (ELOOP)*
END
done_testing
