#!/bin/sh
# The labs of examples/ can be built, and their far ends reach each other: 500 sandboxes on one bridge, 50 routers in a line. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/network.inc"
[ -d "${SRCDIR:-}/examples" ] || { echo "skipped: needs the examples"; exit 77; }

# example NAME N: its commands, from the standard input as they are meant to be used
example()
{
	out=$(sh "$SRCDIR/examples/$1" "$2" | "$BELLJAR" 2>&1)
	status=$?
}
sandboxes=500 routers=50
[ -z "${PREFIX:-}" ] || sandboxes=20 routers=8
example line-of-routers $routers
has "$routers routers in a line" "$status:$out" "0:*1 received*"
example one-bridge $sandboxes
has "$sandboxes sandboxes on one bridge" "$status:$out" "0:*1 received*"
has "not as many as that" "$(sh "$SRCDIR/examples/line-of-routers" 0 2>&1)" "usage: *"

# What a router of the line forgets, path finds.
sh "$SRCDIR/examples/line-of-routers" 5 | sed '$d' >"$tmp/line.bell"
printf '%s\n' '@r3 forward off' 'path left right' >>"$tmp/line.bell"
run -f "$tmp/line.bell"
has "where the line is broken" "$status:$err" "1:*stops at r3: 10.0.5.2 is not its own, and it does not forward*"
done_testing
