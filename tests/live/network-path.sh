#!/bin/sh
# path names the first place where a packet stops, whatever it is that stops it, and real packets agree. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

# Two bridges with a router between them, and a neighbour of web's.
cat >"$tmp/lab.bell" <<'END'
bridge left 10.1.0.1/24
bridge right 10.2.0.1/24
new r
unshare net
link r:one left 10.1.0.9/24
link r:two right 10.2.0.9/24
addr one fd01::9/64
addr two fd02::9/64
forward
new web
unshare net
link web left 10.1.0.2/24
addr eth0 fd01::2/64
route default via 10.1.0.9
route default via fd01::9
new db
unshare net
link db right 10.2.0.2/24
addr eth0 fd02::2/64
route default via 10.2.0.9
route default via fd02::9
new pc
unshare net
link pc left 10.1.0.3/24
END
# at WANT NAME COMMANDS: what path says when those have been given
at()
{
	want=$1 name=$2
	shift 2
	cp "$tmp/lab.bell" "$tmp/all.bell"
	printf '%s\n' "$@" >>"$tmp/all.bell"
	run -f "$tmp/all.bell"
	has "$name" "$status:$out:$err" "$want"
}

settle='run sh -c "until ! ip -6 addr show tentative | grep -q .; do sleep 0.1; done"'

at '0:*web *route *to 10.2.0.2 over eth0 via 10.1.0.9, from 10.1.0.2
web *link *eth0 to lab:web.eth0
lab *bridge *left from web.eth0 to r.one*
r *route *to 10.2.0.2 over two
r *link *two to lab:r.two
lab *bridge *right from r.two to db.eth0*
db *address *10.2.0.2 is its own
web *probe *10.2.0.2 answers after*' 'it arrives' 'path web db'
at '0:*lab *bridge *left from web.eth0 to lab itself
lab *address *10.1.0.1 is its own
web *probe *10.1.0.1 answers*' 'at the bridge itself' 'path web 10.1.0.1'
at '0:*web *route *to fd02::2 over eth0 via fd01::9*r *route *db *address *fd02::2 is its own*fd02::2 answers*' 'IPv6' \
	"$settle" "@r $settle" "@db $settle" 'path web fd02::2'
at "0:*10.2.0.2 port 80 answers*" 'a port' "@db run -d $PROBE serve 80 hello 9" \
	"@web run $PROBE ask 10.2.0.2 80" 'path web db 80'
at '1:*10.2.0.2 port 81 refuses: it is reached, and no program listens there*' 'nobody listens' 'path web db 81'

# Nothing in these is another kernel's.
everywhere=at
[ -z "${PREFIX:-}" ] || everywhere=:
at '1:*stops at r: 10.2.0.2 is not its own, and it does not forward*' 'a router that does not forward' '@r forward off' 'path web db'
$everywhere '1:*Network is unreachable*stops at web: to 10.2.0.2: there is no route*' 'no route' '@web route del default via 10.1.0.9' 'path web db'
$everywhere '1:*stops at pc: to 10.2.0.2: there is no route*' 'no route at another' 'path pc db'
$everywhere '1:*10.1.0.9 answers for it: Permission denied*stops at r: to 10.2.0.2: the route says prohibited*' 'a route that refuses' \
	'@r run ip route add prohibit 10.2.0.2' 'path web db'
$everywhere '1:*stops at web: the other end of eth0, lab:web.eth0, is down*' 'a link that is down' 'down lab:web.eth0' 'path web db'
$everywhere '1:*stops at lab: nobody at right has the address 10.2.0.7*' 'nobody there' 'path web 10.2.0.7'
$everywhere '1:*stops at lab: right is down*' 'a bridge that is down' 'down lab:right' 'path web db'
$everywhere '1:*stops at lab: right: the port db.eth0 is down*' 'a port that is down' 'down lab:db.eth0' 'path web db'
$everywhere '1:*stops at r: it was here before, so it goes round in circles*' 'round in circles' '@r route 10.9.0.0/24 via 10.1.0.3' \
	'@pc forward' '@pc route default via 10.1.0.9' 'path web 10.9.0.1'

# Rules, of belljar's and of anybody.
at '1:*no answer of 10.1.0.3*stops at lab: it is dropped by "firewall web pc"*' 'a wall' 'firewall web pc' 'path web pc'
if command -v nft >/dev/null; then
	rules='nft table inet filter { chain input { type filter hook input priority 0\; tcp dport 81 drop\; icmp type echo-request counter drop\; }\; }'
	at '1:*stops at db: it is dropped by the rule with handle * of chain input, table inet filter*' 'a rule of the target' \
		"@db run $rules" 'path web db'
	at '1:*stops at r: the answer is dropped by the policy of chain forward, table ip t*' 'a policy, of the answer' \
		'@r run nft table ip t { chain forward { type filter hook forward priority 0\; policy drop\; iifname "one" accept\; }\; }' 'path web db'
	at '1:*stops at web: it is dropped by *chain output*' 'the own rules' \
		'@web run nft table ip t { chain output { type filter hook output priority 0\; ip daddr 10.2.0.2 drop\; }\; }' 'path web db'
	at '0:*
0:' 'nothing of it stays' 'path web db' 'run sh -c "nft list ruleset | grep -c trace || true"'
else
	echo "skip - no nft"
fi

# As documents, and as a plan.
run --json -c "$(cat "$tmp/lab.bell")
path web pc"
has "JSON" "$status:$out" '0:*{"where":"web","asked":"route","answer":"to 10.1.0.3 over eth0, from 10.1.0.2","stops":false}*'
run -n -c "$(cat "$tmp/lab.bell")
path web pc"
has "a plan sends nothing" "$status:$out" '0:*send one packet from web*'

# Bad input.
[ -z "${PREFIX:-}" ] || done_testing
while read -r command; do
	read -r want
	run -c "new a; unshare net; new b; $command"
	has "$command" "$status:$err" "$want"
done <<'END'
path
2:*
path a
2:*
path a nobody
2:*nobody is neither a sandbox nor an address*
path nobody a
1:*nobody*
path a b
1:*b has no address*
path b a
1:*b: no network namespace of its own*
path a 10.0.0.1 0
2:*
path a 300.0.0.1
2:*neither*
END
done_testing
