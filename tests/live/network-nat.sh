#!/bin/sh
# Ways out and in: nat, published ports, walls; that all of it goes, killed or not. The host here is a net namespace of the test's own, with a
# world beyond it. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"
[ -n "${BJ_NAT:-}" ] || { rm -rf "$tmp"; BJ_NAT=1 exec unshare -n "$0"; }

ip link set lo up
unshare -n sleep 600 &
world=$!
trap 'kill $world; rm -rf "$tmp"' EXIT
within 50 sh -c "[ \"\$(readlink /proc/$world/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
ip link add w0 type veth peer name w0 netns $world
ip addr add 192.0.2.1/24 dev w0
ip addr add 2001:db8::1/64 dev w0 nodad
ip link set w0 up
world() { nsenter -n -t $world "$@"; }
world ip addr add 192.0.2.2/24 dev w0
world ip addr add 2001:db8::2/64 dev w0 nodad
world ip link set w0 up
world ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
before=$(ip -o addr | grep -v fe80)
clean() { [ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr -d '\n')" = 00 ] && ! ip -o link show | grep -q uplink; }
rules() { command -v nft >/dev/null && nft list ruleset | grep -c "${1:-belljar}"; }

base='bridge br0 10.7.0.1/24; addr br0 fd07::1/64; new web; network bridge br0; new db; network bridge br0'

# Out.
run -k -c "$base; run ping -c 1 -W 1 -q 192.0.2.2; nat br0; run ping -c 1 -W 5 -q 192.0.2.2; run ping -6 -c 1 -W 5 -q 2001:db8::2
!cat /proc/sys/net/ipv4/ip_forward
@web run ping -c 1 -W 5 -q 10.7.0.3; nat"
has "nobody answers without nat, the world does with it, of both families" "$out" "* 0 received*note: the host forwards*1 received*1 received*
1
*1 received*br0*"
clean
is "then the host is as it was" "$?:$(ip -o addr | grep -v fe80)" "0:$before"
run -k -c "bridge one 10.7.0.1/24; bridge two 10.8.0.1/24; new a; network bridge one; new b; network bridge two; nat one; nat two
run ping -c 1 -W 5 -q 10.7.0.2; nat del one; nat; undo; nat"
has "two bridges reach each other through the lab" "$out" "*1 received*BRIDGE
two*took back: nat del one*BRIDGE*one*"
run -c "bridge bjt-br 10.7.0.1/24 host; new a; network bridge bjt-br; nat bjt-br; run ping -c 1 -W 5 -q 192.0.2.2"
has "a bridge on the host" "$status:$out" "0:*1 received*"
run -c "$base; nat br0; undo; !cat /proc/sys/net/ipv4/ip_forward; ip -o link show | grep -c uplink || true"
has "undo takes back the switch, the cable and the rules" "$status:$out" "0:*took back: nat br0
0
0"
"$BELLJAR" -s bjt-nat -c "$base; nat br0" >/dev/null
run -k -s bjt-nat -c 'nat; nat br0'
has "another belljar of a named session knows it" "$out:$err" "BRIDGE
br0:*that holds already*"
run -s bjt-nat -c 'nat del br0; nat'
is "and takes it back" "$status:$out" "0:BRIDGE"
run -c 'end bjt-nat'
clean
is "and all goes with the session" "$?:$(rules)" "0:$(rules nothing)"
echo 1 >/proc/sys/net/ipv4/ip_forward
run -c "bridge br0 10.7.0.1/24; new a; network bridge br0; nat br0"
is "what was on stays on, without a note" "$status:$out:$(cat /proc/sys/net/ipv4/ip_forward)" "0::1"
echo 0 >/proc/sys/net/ipv4/ip_forward

# In.
session -k
type "$base" "publish 18080:80" "publish 127.0.0.1:18081:80" 'publish [2001:db8::1]:18082:80' '!echo published' publish
within 100 seen '18082/tcp'
type "run -d $PROBE serve 80 hello 7" '!echo serving'
within 100 seen serving
ask() { timeout 20 "$@" 2>&1; }
is "from the world" "$(ask nsenter -n -t $world "$PROBE" ask 192.0.2.1 18080)" hello
is "from the host by its address" "$(ask "$PROBE" ask 192.0.2.1 18080)" hello
is "from the host as localhost" "$(ask "$PROBE" ask 127.0.0.1 18080)" hello
is "at one address of the host" "$(ask "$PROBE" ask 127.0.0.1 18081)" hello
timeout 1 nsenter -n -t $world "$PROBE" ask 192.0.2.1 18081 >/dev/null 2>&1
isnt "and at no other" $? 0
is "from another sandbox of the bridge" "$(ask nsenter -n -t "$(holder web)" "$PROBE" ask 192.0.2.1 18080)" hello
is "of IPv6" "$(ask nsenter -n -t $world "$PROBE" ask 2001:db8::1 18082)" hello
type 'path web 192.0.2.1 18080' 'path web 192.0.2.1 18081' '!echo walked'
within 200 seen walked
has "path goes through a published port" "$(cat "$tmp/out")" '*web *route *to 192.0.2.1 over eth0*
host *rule *"publish db *:18080/tcp 80" sends it on to 10.7.0.3:80
host *route *to 10.7.0.3 over *
lab *bridge *br0 to db.eth0*db *address *10.7.0.3 is its own*192.0.2.1 port 18080 answers*192.0.2.1 is its own*18081 refuses*'
kill -9 $belljar
wait $belljar 2>/dev/null
exec 9>&-
within 100 clean
is "killed: forwarding, cable and rules are gone" "$?:$(rules)" "0:$(rules nothing)"

run -k -c "$base; publish 18080:80; rm db; publish"
is "ports go with their sandbox" "$status:$(echo "$out" | grep -c 18080)" "0:0"

# Two sessions want the host to forward: the last one puts it off.
session -k
type "$base" 'nat br0' '!echo first'
within 100 seen first
run -c 'bridge br9 10.9.0.1/24; new a; network bridge br9; nat br9'
is "the other session leaves, and forwarding stays" "$status:$(cat /proc/sys/net/ipv4/ip_forward)" "0:1"
type quit
exec 9>&-
wait $belljar
clean
is "until the last one leaves" $? 0

# Walls.
run -k -c "$base; firewall br0; run ping -c 1 -W 1 -q 10.7.0.2; run ping -c 1 -W 5 -q 10.7.0.1; new late; network bridge br0
run ping -c 1 -W 1 -q 10.7.0.2; firewall; firewall del br0; run ping -c 1 -W 5 -q 10.7.0.2"
is "a wall between all, those to come too, but the bridge is reached" "$(echo "$out" | grep -o '[01] received' | tr '\n' ' ')" \
	"0 received 1 received 0 received 1 received "
run -k -c "$base; firewall web db; new x; network bridge br0; run ping -c 1 -W 5 -q 10.7.0.2; @db run ping -c 1 -W 1 -q 10.7.0.2; firewall del web db
@db run ping -c 1 -W 5 -q 10.7.0.2"
is "a wall between two" "$(echo "$out" | grep -o '[01] received' | tr '\n' ' ')" "1 received 0 received 1 received "

# A router.
run -k -c "new r; unshare net; new a; unshare net; link a r 10.1.0.2/24 10.1.0.1/24; route default via 10.1.0.1; new b; unshare net
link b r 10.2.0.2/24 10.2.0.1/24; route default via 10.2.0.1; @r forward off; run ping -c 1 -W 1 -q 10.1.0.2; @r forward; run ping -c 1 -W 5 -q 10.1.0.2"
is "forward makes a router" "$(echo "$out" | grep -o '[01] received' | tr '\n' ' ')" "0 received 1 received "

# What can't be. Nothing in it is another kernel's.
[ -z "${PREFIX:-}" ] || done_testing
refused()
{
	run -k -c "$base; bridge bare; new lone; unshare net; link lone br0; $1"
	has "$1" "$status:$err" "$2"
}
refused 'nat nope' '1:*nope*(ENODEV)*'
refused 'nat bare' '1:*bare has no address*'
refused 'nat br0; nat br0' '1:*nat br0: that holds already (EEXIST)*'
refused 'nat del br0' '1:*br0 has no nat*'
refused 'bridge big 192.0.0.1/16; nat big' '1:*overlapping subnets*'
refused 'publish 80' '2:*not ports*8080:80*'
refused 'publish 0:80' '2:*not ports*'
refused 'publish 8080:70000' '2:*not ports*'
refused 'publish 8080:80/icmp' '2:*not ports*'
refused 'publish 1.2.3:8080:80' '2:*not ports*'
refused '@web publish 18080:80; @db publish 18080:81' '1:*port 18080/tcp of the host is published already, for web*'
refused 'publish 18080:80' '1:*lone: it has no default route*'
refused 'new p; publish 18080:80' '1:*p: no network namespace of its own*'
refused 'new p; unshare net; publish 18080:80' '1:*p: it has no IPv4 address on a bridge*'
refused 'publish del 18080' '1:*nothing is published at \*:18080/tcp*'
refused 'firewall nope' '1:*nope*'
refused 'new p; unshare net; firewall p web' '1:*not on one bridge*'
refused 'firewall del br0' '1:*no such wall*'
"$PROBE" serve 18090 x >/dev/null 2>&1 &
server=$!
within 50 sh -c 'grep -q ":46AA " /proc/net/tcp'
refused '@web publish 18090:80' '1:*port 18090/tcp of the host is taken by a program (EADDRINUSE)*'
kill $server
done_testing
