#!/bin/sh
# The manual page is made from the tables; mandoc must find nothing wrong with it.
. "$(dirname "$0")/front.inc"

run --man
is "belljar --man" "$status:$err" "0:"
printf '%s\n' "$out" >"$tmp/belljar.1"
for section in NAME SYNOPSIS DESCRIPTION LANGUAGE COMMANDS ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
	has "section $section" "$out" "*.Sh $section*"
done
# Every command the program knows is in it.
for command in $("$BELLJAR" --complete ''); do
	has "command $command" "$out" "*.It Ic $command*"
done
if command -v mandoc >/dev/null; then
	# What mandoc's database of other pages has is not this page's matter.
	is "mandoc -T lint" "$(mandoc -T lint "$tmp/belljar.1" 2>/dev/null | grep -v 'referenced manual not found')" ""
fi
done_testing
