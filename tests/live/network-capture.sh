#!/bin/sh
# What capture writes is what passed: read again here, by tcpdump where there is one; it ends by number, by time and by a signal. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"
command -v python3 >/dev/null || { echo "skipped: needs python3"; exit 77; }

cat >"$tmp/lab.bell" <<'END'
bridge br0 10.0.0.1/24
new web
unshare net
link web br0 10.0.0.2/24
run -d ping -i 0.02 -s 100 10.0.0.1
END
lab() { cp "$tmp/lab.bell" "$tmp/all.bell"; printf '%s\n' "$@" >>"$tmp/all.bell"; run -f "$tmp/all.bell"; }

# show FILE: link type and name, then a line for each packet: direction, sizes, protocol
cat >"$tmp/show.py" <<'END'
import struct, sys
d, at, last = open(sys.argv[1], 'rb').read(), 0, 0
while at < len(d):
    kind, size = struct.unpack_from('=II', d, at)
    assert size % 4 == 0 and struct.unpack_from('=I', d, at + size - 4)[0] == size, 'sizes'
    body = d[at + 8:at + size - 4]
    def options(rest):
        found = {}
        while True:
            code, n = struct.unpack_from('=HH', rest)
            if code == 0:
                assert n == 0 and len(rest) == 4, 'end of options'
                return found
            found[code] = rest[4:4 + n]
            rest = rest[4 + (n + 3 & ~3):]
    if at == 0:
        assert kind == 0x0a0d0d0a and struct.unpack_from('=IHHq', body) == (0x1a2b3c4d, 1, 0, -1), 'section'
    elif kind == 1:
        o = options(body[8:])
        assert o[9] == b'\x09', 'nanoseconds'
        print('link', struct.unpack_from('=H', body)[0], o[2].decode())
    elif kind == 6:
        _, high, low, n, whole = struct.unpack_from('=IIIII', body)
        ns = high << 32 | low
        assert ns >= last and ns > 10**18, 'time'
        last = ns
        flags = struct.unpack('=I', options(body[20 + (n + 3 & ~3):])[2])[0]
        p = body[20:20 + n]
        print(['?', 'in', 'out'][flags & 3], n, whole, 'icmp' if p[12:14] == b'\x08\x00' and p[23] == 1 else p[12:14].hex())
    at += size
assert at == len(d)
END
show() { python3 "$tmp/show.py" "$tmp/a.pcap" 2>&1; }

lab "capture eth0 $tmp/a.pcap count 24"
is "as many as were asked for" "$status:$(show | grep -c '^in\|^out')" "0:24"
has "of the link that was named" "$(show)" "link 1 eth0*"
has "both ways" "$(show | grep icmp)" "*out 142 142 icmp*in 142 142 icmp*"
has "they are counted" "$out" "*a.pcap *24 *0"
is "only for its owner" "$(stat -c %a "$tmp/a.pcap")" 600
if command -v tcpdump >/dev/null; then
	has "tcpdump reads it" "$(tcpdump -nn -r "$tmp/a.pcap" icmp 2>/dev/null)" "*IP 10.0.0.2 > 10.0.0.1: ICMP echo request*IP 10.0.0.1 > 10.0.0.2: ICMP echo reply*"
fi
lab "capture lab:web.eth0 $tmp/a.pcap count 24"
has "the other end sees it the other way round" "$(show | grep icmp)" "*in 142 142 icmp*out 142 142 icmp*"
lab "capture lab:web.eth0 $tmp/a.pcap for 0.3s"
has "for a while" "$status:$(show)" "0:link 1 web.eth0*"
run -c "new a; unshare net; capture lo $tmp/a.pcap for 10ms"
is "nothing passed" "$status:$(show)" "0:link 1 lo"
run -c "new a; unshare net; run ip link add v0 type veth peer name v1; run ip link set v0 up; run ip link set v1 up; run ip link add link v0 name v0.7 type vlan id 7
run ip link set v0.7 up; run ip addr add 10.3.0.1/24 dev v0.7; run -d ping -i 0.2 -c 50 10.3.0.2; capture v1 $tmp/a.pcap count 9"
if [ $status = 0 ]; then has "VLAN tags are there" "$(show)" "*8100*"; else echo "skip - no vlan"; fi
run -c "new a; unshare net; run ip tuntap add dev t0 mode tun; run ip link set t0 up; capture t0 $tmp/a.pcap for 10ms"
if [ $status = 0 ]; then has "bare IP" "$(show)" "link 101 t0*"; else echo "skip - no tun"; fi
run --json -c "new a; unshare net; capture lo $tmp/a.pcap for 10ms"
is "JSON" "$out" "[{\"file\":\"$tmp/a.pcap\",\"packets\":0,\"lost\":0}]"
rm -f "$tmp/a.pcap"
run -n -c "new a; unshare net; capture lo $tmp/a.pcap"
is "a dry run writes no file" "$status:$(ls "$tmp" | grep -c pcap)" "0:0"

# Without an end it goes on until belljar is asked to stop; then the file is whole.
session
type "source $tmp/lab.bell" "capture eth0 $tmp/a.pcap"
some() { [ "$(cat "$tmp/a.pcap" 2>/dev/null | wc -c)" -gt 300 ]; }
if within 100 some; then ok "it is written as it passes"; else fail "it is written as it passes"; fi
kill -TERM "$belljar"
wait "$belljar"
exec 9>&-
has "and whole after a signal" "$(show)" "link 1 eth0*icmp*"

# Bad input.
while read -r command; do
	read -r want
	run -c "new a; unshare net; $command"
	has "$command" "$status:$err" "$want"
done <<END
capture eth9 $tmp/b.pcap count 1
1:*a: no link eth9 (ENODEV)*
capture lo $tmp/none/b.pcap count 1
1:*none/b.pcap: can't be written (ENOENT)*
capture lo $tmp count 1
1:*can't be written (EISDIR)*
capture lo /dev/full for 10ms
1:*/dev/full: can't be written (ENOSPC)*
capture lo $tmp/b.pcap count 0
2:*count: more than 0*
capture lo $tmp/b.pcap for 0s
2:*for: more than 0*
capture lo $tmp/b.pcap count many
2:*many is not a number*
capture host:lo $tmp/b.pcap count 1
1:*this session has made no link lo there*
capture lo
2:*
END
is "no file is left where nothing was captured" "$(ls "$tmp" | grep -c b.pcap)" 0
done_testing
