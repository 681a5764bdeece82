#!/bin/sh
# Links, bridges, addresses and routes are in the kernel, carry traffic, can be taken back, and go with the session. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

lab
type 'links all' '!echo end of list'
within 50 seen 'end of list'

# What the kernel says, from outside.
is "the address is inside" "$(in_box web ip -o -4 addr show eth0 | awk '{ print $4 }')" 10.0.0.2/24
is "the link is up" "$(in_box web ip -o link show eth0 | grep -c ',UP')" 1
is "one queue each way, to save memory and time" "$(in_box web ip -d -o link show eth0 | grep -o 'num[tr]xqueues [0-9]*' | xargs)" "numtxqueues 1 numrxqueues 1"
is "no bridge is on the host" "$(ip -o link show type bridge | grep -c ' br0')" 0
is "no end of a link is on the host" "$(ip -o link show type veth | grep -c 'web\|db')" 0

# Traffic.
type '@web run ping -c 1 -W 5 -q 10.0.0.3' '@web run ping -c 1 -W 5 -q 10.0.0.1' '!echo PINGED'
within 100 seen PINGED
is "pings cross the bridge and reach it" "$(grep -c '1 received' "$tmp/out")" 2
if command -v python3 >/dev/null; then
	type "@db run -d python3 -c 'import socket; s = socket.create_server((\"10.0.0.3\", 7)); c, a = s.accept(); c.sendall(c.recv(99) + a[0].encode())'"
	type "@web run python3 -c 'import socket, time
for i in range(100):
    try: s = socket.create_connection((\"10.0.0.3\", 7), 5); break
    except OSError: time.sleep(0.05)
s.sendall(b\"over TCP from \"); print(s.recv(99).decode())'"
	within 100 seen 'over TCP from 10.0.0.2'
	is "TCP crosses the bridge" "$(grep -c 'over TCP from 10.0.0.2' "$tmp/out")" 1
fi

# A cable between two, and one to the host.
type 'link web db 10.1.0.1/24 10.1.0.2/24' 'link web host:bjt-cable 10.254.77.2/30 10.254.77.1/30' '@db run ping -c 1 -W 5 -q 10.1.0.1' '!echo CABLED'
within 100 seen CABLED
is "a cable carries" "$(grep -c '1 received' "$tmp/out")" 3
is "the host's end is there" "$(ip -o -4 addr show bjt-cable | awk '{ print $4 }')" 10.254.77.1/30
is "the host reaches in" "$(ping -c 1 -W 5 -q 10.254.77.2 | grep -c '1 received')" 1
type 'unlink host:bjt-cable' '!echo CUT'
within 50 seen CUT
is "deleting one end deletes the other" "$(in_box web ip -o link show | grep -c eth2)" 0

# Routes; what going down takes away, undo brings back.
type '@web route default via 10.0.0.1' '@web route 10.9.0.0/16 via 10.1.0.2' '@web addr eth1 fd00::2/64' '!echo ROUTED'
within 50 seen ROUTED
is "routes are in the kernel" "$(in_box web ip route show | grep -c 'default via 10.0.0.1 dev eth0\|10.9.0.0/16 via 10.1.0.2 dev eth1')" 2
is "an IPv6 address is ready at once" "$(in_box web ip -6 -o addr show dev eth1 | grep fd00::2/64 | grep -c tentative)" 0
type '@web down eth1' '!echo DOWN'
within 50 seen DOWN
is "down takes the route away" "$(in_box web ip route show | grep -c 10.9.0.0)" 0
type undo '!echo BACK'
within 50 seen BACK
is "undo brings the route back" "$(in_box web ip route show | grep -c '10.9.0.0/16 via 10.1.0.2 dev eth1')" 1
is "and the IPv6 address" "$(in_box web ip -6 -o addr show dev eth1 | grep -c fd00::2/64)" 1
type '@web addr del eth1 10.1.0.1/24' undo '!echo AGAIN'
within 50 seen AGAIN
is "an address and its route come back" "$(in_box web ip -o route show | grep -c '10.1.0.0/24\|10.9.0.0/16')" 2
type 'link web br0' undo 'links web' '!echo UNDONE'
within 50 seen UNDONE
is "undo of link leaves no end" "$(in_box web ip -o link show | grep -c eth2)" 0

# Two that need no subnet, with an MTU and a hardware address.
type 'link web:p2p db:p2p 10.6.0.1 peer 10.6.0.2 mtu 1400 mac 02:00:00:00:00:0a' '@db run ping -c 1 -W 5 -q 10.6.0.1' '!echo PEERED'
within 100 seen PEERED
is "peer addresses reach each other" "$(grep -c '1 received' "$tmp/out")" 4
has "as it was asked for" "$(in_box web ip addr show dev p2p)" "*mtu 1400*link/ether 02:00:00:00:00:0a*inet 10.6.0.1 peer 10.6.0.2/32*"
has "and so the other end" "$(in_box db ip addr show dev p2p)" "*mtu 1400*inet 10.6.0.2 peer 10.6.0.1/32*"
type 'addr web:p2p fd06::1 peer fd06::2' 'addr del web:p2p 10.6.0.1/32' 'addr del web:p2p fd06::1/128' undo undo '!echo UNPEERED'
within 50 seen UNPEERED
is "deleted and brought back with their peers" "$(in_box web ip -o addr show dev p2p | grep -c 'peer 10.6.0.2/32\|peer fd06::2/128')" 2

# A sandbox that goes takes its links with it, though the journal knows them; its name serves again.
type 'rm db' 'new db' 'unshare net' 'link db br0 10.0.0.3/24' '!echo renewed' 'links all' '!echo LISTED'
within 50 seen LISTED
has "the port's name serves again" "$(sed -n '/renewed/,$p' "$tmp/out")" "*db   *eth0 *veth *up *10.0.0.3/24 *lab:db.eth0*"

exec 9>&-
wait "$belljar"
is "in order" $? 0
is "nothing on the host" "$(ip -o link show | grep -c 'br0\|web\|bjt-')" 0
done_testing
