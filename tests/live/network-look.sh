#!/bin/sh
# Addresses, routes and neighbours are listed as the kernel has them; the graph shows every sandbox, link, bridge and address, and names from
# inside can't break out of it. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"

cat >"$tmp/lab.bell" <<'END'
bridge br0 10.0.0.1/24
new web
unshare net
link web br0 10.0.0.2/24
new db
unshare net
link db br0 10.0.0.3/24
addr eth0 fd00::3/64
link web:lan db:lan 10.1.0.1/24 10.1.0.2/24
link web host:bjt-look 10.254.78.1/30 10.254.78.2/30
new lonely
unshare net
new bare
use web
route default via 10.0.0.1
route 10.9.0.0/16 via 10.1.0.2
END
lab() { cp "$tmp/lab.bell" "$tmp/all.bell"; printf '%s\n' "$@" >>"$tmp/all.bell"; run -f "$tmp/all.bell"; }

lab 'routes' 'run ip route'
for route in 'default *10.0.0.1 *eth0 *- *unicast *boot' '10.9.0.0/16 *10.1.0.2 *lan *- *unicast *boot' '10.0.0.0/24 *- *eth0 *10.0.0.2 *unicast *kernel'; do
	has "routes: $route" "$status:$(echo "$out" | grep "^web *$route")" "0:web*"
done
is "as many as ip counts" "$(echo "$out" | grep '^web' | grep -vc ::)" "$(echo "$out" | grep -c '^[0-9d].*dev')"
lab '@web run ip route add blackhole 10.77.0.0/16' routes
has "a route that swallows" "$out" "*web *10.77.0.0/16 *blackhole*"
lab 'routes host' 'addrs host' 'neighbours host'
is "of the host only what is the session's" "$status:$(echo "$out" | grep -v 'bjt-look\|SANDBOX')" "0:"
has "that is there" "$out" "*host *10.254.78.0/30 *bjt-look *10.254.78.2 *unicast *kernel*host *bjt-look *10.254.78.2/30 *user*"
lab 'addrs all'
has "addresses, one a line" "$out" "*lab *br0 *10.0.0.1/24 *user*web *eth0 *10.0.0.2/24 *user*db *eth0 *fd00::3/64 *user*host*"
lab '@db run ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0' 'run ping -c 1 -W 5 -q 10.0.0.3' 'neighbours' 'neighbours db'
has "neighbours" "$out" "*web *eth0 *10.0.0.3 *??:??:??:??:??:?? *db *eth0 *10.0.0.77 *02:00:00:00:00:77 *permanent*"
run --json -c 'new web; unshare net; bridge br0; link web br0 10.0.0.2/24; addrs; routes; neighbours'
is "JSON" "$status:$(echo "$out" | head -2 | grep -c '"address":"10.0.0.2/24","peer":null,"by":"user","secondary":false\|"to":"10.0.0.0/24","via":null,"dev":"eth0"'):$(echo "$out" | tail -1)" "0:2:[]"

# Bad input.
for command in addrs routes neighbours; do
	lab "$command bare"
	has "$command: without a network of its own" "$status:$err" "1:*bare: no network namespace of its own (EINVAL)*try: unshare net*"
	lab "$command nobody"
	has "$command: an unknown name" "$status:$err" "1:*no sandbox nobody*"
done

# The graph.
lab graph
is "graph as text" "$status:$out" "0:br0 10.0.0.1/24, bridge in the lab
|-- web eth0 10.0.0.2/24
\`-- db  eth0 10.0.0.3/24 fd00::3/64
web:lan 10.1.0.1/24 --- db:lan 10.1.0.2/24
web:eth1 10.254.78.1/30 --- host:bjt-look 10.254.78.2/30
lonely: no links"
lab 'down lan' graph
has "what is down is said to be" "$out" "*web:lan 10.1.0.1/24 down --- db:lan 10.1.0.2/24 no carrier*"
lab 'run ip link set lan down' "run ip link set lan name '\"]<b>&\\\\'" "run ip link add '$(printf 'br\033x')' type bridge" graph 'graph dot' 'graph svg'
is "control characters are shown, not sent" "$status:$(echo "$out" | grep -c "$(printf '\033')")" "0:0"
has "a name from inside in DOT" "$out" '*\"]<b>&\\*'
hasnt "and in SVG" "$(echo "$out" | sed -n '/<svg/,$p')" '*<b>*'
echo "$out" | sed -n '/<svg/,$p' >"$tmp/a.svg"
echo "$out" | sed -n '/^graph belljar/,/^}/p' >"$tmp/a.dot"
if command -v python3 >/dev/null; then
	is "the SVG is XML with every box and cable" "$(python3 - "$tmp/a.svg" <<'END'
import sys, xml.etree.ElementTree as E
t = E.parse(sys.argv[1]).getroot(); n = '{http://www.w3.org/2000/svg}'
boxes = [tuple(int(r.get(k)) for k in ('x', 'y', 'width', 'height')) for r in t.iter(n + 'rect')]
apart = all(a == b or a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1] for a in boxes for b in boxes)
inside = all(b[0] >= 0 and b[1] >= 0 and b[0] + b[2] <= int(t.get('width')) and b[1] + b[3] <= int(t.get('height')) for b in boxes)
print(len(boxes), len(list(t.iter(n + 'line'))), apart, inside)
END
)" "6 4 True True"
	run --json -c "$(cat "$tmp/lab.bell")
graph"
	is "the graph as JSON" "$(echo "$out" | python3 -c "
import json, sys
g = json.load(sys.stdin)
print(sorted(n['id'] for n in g['nodes']), sorted((e['from'], e['from_link'], e['to'], e['to_link'], e['up']) for e in g['edges'])[0])")" \
		"['db', 'host', 'lab:br0', 'lonely', 'web'] ('lab:br0', 'db.eth0', 'db', 'eth0', True)"
fi
if command -v dot >/dev/null; then
	is "graphviz takes the DOT" "$(dot -Tplain "$tmp/a.dot" 2>&1 | grep -c '^edge')" 4
fi
run -c 'graph; graph dot; graph svg'
has "nothing yet" "$status:$out" '0:graph belljar {*}*<svg*</svg>'
run -c 'graph png'
has "an unknown form" "$status:$err" "2:*png*"
done_testing
