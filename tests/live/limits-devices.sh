#!/bin/sh
# Devices are allowed and denied to the programs of a sandbox, tried from inside: by a program on version 2, by its files on version 1.
# Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

session -k
type 'new web' 'limit pids 90' "run -d sh -c 'exec 3<>/dev/zero; : >$tmp/opened; while sleep 0.1; do [ ! -e $tmp/look ] || head -c 1 <&3 >$tmp/still; done'"
done_so_far
within 100 [ -e "$tmp/opened" ]
type 'device deny all' 'run head -c 1 /dev/null' 'run head -c 1 /dev/urandom'
done_so_far
has "all are denied" "$(cat "$tmp/out")" "*/dev/null*Operation not permitted*/dev/urandom*Operation not permitted*"
head -c 1 /dev/urandom >"$tmp/one"
is "but not to the host" "$(wc -c <"$tmp/one")" 1
touch "$tmp/look"
is "what is open stays open" "$(within 100 [ -s "$tmp/still" ] && echo open)" open
type 'device allow usual' "run sh -c 'head -c 7 /dev/zero | wc -c; echo x >/dev/null && echo written'" 'device deny /dev/zero for w' \
	"run sh -c 'head -c 8 /dev/zero | wc -c'" "run sh -c 'echo x >/dev/zero'" "run mknod $tmp/node c 1 3" "run mknod $tmp/bad c 1 1"
done_so_far
has "the usual ones are allowed" "$(cat "$tmp/out")" "*7*written*8*"
has "reading, not writing" "$(cat "$tmp/out")" "*/dev/zero: Operation not permitted*"
is "a node may be made where that is allowed" "$([ -c "$tmp/node" ] && echo made):$([ -e "$tmp/bad" ] && echo made)" made:
type 'device' 'undo' "run sh -c 'echo x >/dev/zero && echo again'"
done_so_far
has "undo takes the rule back" "$(cat "$tmp/out")" "*deny *c:1:5 *w*again*"
if v1_controller devices; then
	has "the lines of version 1" "$(control devices.list)" "*c 1:3 rwm*c 136:[*] rwm*"
	type 'device allow c:1:*' 'device deny c:1:3'
	done_so_far
	has "what version 1 can't say" "$(cat "$tmp/out")" "*version 1 can't deny c 1:3*"
else
	type 'device allow c:1:*' 'device deny c:1:5' "run sh -c 'head -c 1 /dev/urandom | wc -c; head -c 1 /dev/zero'"
	done_so_far
	has "an exception from many" "$(tail -4 "$tmp/out")" "*1*/dev/zero*not permitted*"
fi
type 'device free' 'device' "run sh -c 'head -c 9 /dev/full | wc -c'"
done_so_far
has "free" "$(tail -4 "$tmp/out")" "*allow*all*9*"
exec 9>&-
wait "$belljar"
is "nothing is left" "$(groups "$belljar")" ""

run -s "dev$$" -c 'new web; device deny c:1:5'
run -s "dev$$" -c 'device allow c:1:7; device; run head -c 1 /dev/zero'
has "a named session remembers its rules" "$status:$out:$err" "1:*allow *c:1:7 *deny *c:1:5 *not permitted*"
run -s "dev$$" end

while read -r want bad; do
	run -c "new web; device $bad"
	is "device $bad" "$status" "$want"
	has "device $bad says why" "$err" "*belljar: device: *"
done <<'END'
1 deny /no/such/device
1 deny /etc
2 deny c:4096:1
2 deny c:1
2 deny c:1:1048576
2 deny b:-1:1
2 deny c:1:3:4
2 deny
2 deny all for x
2 deny all for
2 forbid all
END
exit $((failed > 0))
