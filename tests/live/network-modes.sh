#!/bin/sh
# Pools of addresses, the four modes, and names that resolve inside. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

# Addresses are handed out, without the user's, the bridge's own, the network's and the broadcast address.
run -k -c 'bridge br0 10.7.0.1/29; new a; unshare net; link a br0; link a br0 10.7.0.3/29; link a br0 noaddr; link a br0; link a br0
link a br0; link a br0; links a > '"$tmp"'/all; unlink a:eth1; link a br0; links a'
is "five of six are left, and no more" "$(grep -o '10\.7\.0\.[0-9]*' "$tmp/all" | tr '\n' ' ')" "10.7.0.2 10.7.0.3 10.7.0.4 10.7.0.5 10.7.0.6 "
has "then the pool is used up" "$status:$err" "1:*br0: no address of 10.7.0.0/29 is free (ENOSPC)*all 6 are taken*"
has "what is given back serves again" "$out" "*10.7.0.3/29*"
run -c 'bridge br0 10.7.0.1/31; new a; unshare net; link a br0; run ping -c 1 -W 5 -q 10.7.0.1'
is "a subnet of two addresses" "$status:$(echo "$out" | grep -c '0.0 1 rec\|1 received')" "0:1"
run -c 'bridge br0 10.7.0.1/24; addr br0 fd07::1/64; new a; unshare net; link a br0; new b; unshare net; link b br0
run ping -6 -c 1 -W 5 -q fd07::2; @a run ip -o addr show eth0'
has "one of each subnet, IPv6 the same" "$status:$out" "0:*1 received*10.7.0.2/24*fd07::2/64*"

# network bridge, seen from outside and inside. (Not by cat: it splices pages into the pipe, which show what becomes of the file later.)
box='unshare mnt net; root busybox'
run -c "new web; $box; network bridge; new db; $box; network bridge; run ping -c 1 -W 5 -q web; @web run ping -c 1 -W 5 -q db
@web run nslookup localhost || true; run grep . /etc/hosts; run sh -c 'echo 9.9.9.9 web >> /etc/hosts' || true"
has "names of the others resolve both ways" "$out" "*1 packets received*1 packets received*"
run -c "new web; $box; network bridge; new db; network bridge; run cat /proc/net/route; links all; route"
has "an address, the default route" "$status:$out" "0:*172.*.0.1/16*lab:db.eth0*default *172.*.0.1 *eth0*"
run -c "new web; $box; network bridge; run sh -c 'echo 9.9.9.9 db >> /etc/hosts'"
has "nobody inside writes the names" "$status:$err" "*Read-only file system*"
run -c "new web; $box; network bridge; undo; run grep . /etc/hosts; links all; !ls /run/belljar/*/hosts.* 2>/dev/null | wc -l"
has "undo takes back all of it" "$status:$err:$out" "1:*grep . /etc/hosts: exit status 1*took back: network bridge*"
run -c "new web; $box; network bridge; new db; network bridge; rename base; @web run grep . /etc/hosts; rm base; @web run grep . /etc/hosts" 
is "names follow rename and rm" "$(echo "$out" | grep -c ' base$'):$(echo "$out" | grep -c ' db$'):$(echo "$out" | grep -c ' web$')" "1:0:2"
run -c "bridge one 10.1.0.1/24; bridge two 10.2.0.1/24; new mid; $box; network bridge one; network bridge two; new a; $box; network bridge one
new b; $box; network bridge two; @mid run ping -c 1 -W 5 -q a; @mid run ping -c 1 -W 5 -q b; run grep . /etc/hosts; route"
has "who is on two bridges sees the names of both" "$status:$out" "0:*1 packets received*1 packets received*10.2.0.2 mid*10.2.0.3 b*"
hasnt "and the others only their own" "$out" "* a
*"

# The other modes.
run -c 'new a; unshare net; new b; network container:a
!readlink /proc/self/ns/net
run readlink /proc/self/ns/net; @a run readlink /proc/self/ns/net
network host; run readlink /proc/self/ns/net; network none; run ip -o link show'
is "container: one network; host: the host's" "$(echo "$out" | sed -n '2p')$(echo "$out" | sed -n '1p')" "$(echo "$out" | sed -n '3p')$(echo "$out" | sed -n '4p')"
is "none: only lo" "$(echo "$out" | tail -1 | cut -d: -f2) $(echo "$out" | grep -c '^[0-9]*: ')" " lo 1"
run -c 'bridge br0 10.7.0.1/24; new a; unshare net; link a br0; link a br0; network none; links all'
is "none where there were links" "$status:$(echo "$out" | grep -c veth)" "0:0"

# Recipes are told as commands.
run -n -c 'new a; network bridge'
is "the recipe of bridge" "$(echo "$out" | grep '^#' | tr '\n' ' ')" "# unshare net # bridge br0 172.17.0.1/16 # link a br0 # route default via 172.17.0.1 # names br0 "

# Another belljar in the session goes on where the last one was.
run -s bjt-modes -c "new a; unshare net; network bridge"
run -s bjt-modes -c "new b; unshare net; network bridge; links all; !cat /run/belljar/bjt-modes/hosts.br0"
has "a named session" "$status:$out" "0:*172.*.0.2/16*172.*.0.3/16*0.2 a*0.3 b*"
run end bjt-modes
is "ends with its files" "$status:$(ls -d /run/belljar/bjt-modes 2>/dev/null)" "0:"

# What can't be.
refused()
{
	run -k -c "bridge br0 10.7.0.1/24; bridge bare; new a; unshare net; link a br0 10.7.0.9/24; new b; $1"
	has "$1" "$status:$err" "$2"
}
refused 'bridge br1 10.7.0.200/25' '1:*10.7.0.200/25 and 10.7.0.1/24 of br0 are overlapping subnets (EEXIST)*'
refused 'bridge br1 10.0.0.1/8' '1:*overlapping subnets*'
refused 'addr bare 10.7.0.5/24' '1:*overlapping subnets*'
refused 'unshare net; link b br0 10.7.0.9/24' '1:*br0: a:eth0 has the address 10.7.0.9 already (EADDRINUSE)*'
refused 'unshare net; link b br0; addr eth0 10.7.0.9/24' '1:*a:eth0 has the address 10.7.0.9 already (EADDRINUSE)*'
refused 'network bridge a' '2:*a is a sandbox, no bridge*'
refused 'network bridge bare' '1:*bare has no address*try: addr lab:bare*'
refused 'network bridge a.eth0' '1:*a.eth0 is no bridge*'
refused 'network container:nope' '1:*no sandbox nope*'
refused 'network container:b' '2:*has its own network already*'
refused 'use a; network container:b' '1:*b: no network namespace of its own*'
refused 'network host' "1:*shares the host's already*"
refused 'network nat' '2:*'
refused 'names br0' '1:*b: no network namespace of its own*'
refused 'unshare net; names br0' '1:*b: it has no address in a subnet of br0*'
# A name stands only for addresses that its sandbox has.
run -c "bridge br0 10.7.0.1/24; new web; $box; network bridge; new db; $box; network bridge; @web run grep -c db /etc/hosts; network none; @web run sh -c 'grep -c db /etc/hosts || true'
network bridge; @web run grep -c db /etc/hosts; addr del eth0 10.7.0.4/24; @web run sh -c 'grep -c db /etc/hosts || true'; undo
@web run grep -c db /etc/hosts; unlink lab:db.eth0; @web run sh -c 'grep -c db /etc/hosts || true'
@db network bridge; @web run grep -c db /etc/hosts; @db network host; @web run sh -c 'grep -c db /etc/hosts || true'"
is "who leaves a network leaves its names" "$status:$(echo "$out" | grep -x '[01]' | tr '\n' ' '):$err" "0:1 0 1 0 1 0 1 0 :"

run -c "bridge br0 10.7.0.1/24; new web; unshare mnt; network bridge; root busybox; new db; $box; network bridge; @web run grep db /etc/hosts
@web run sh -c 'test -s /etc/resolv.conf'"
has "another root shows the names too" "$status:$out" "0:*10.7.0.3 db*"

done_testing
