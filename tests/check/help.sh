#!/bin/bash
# Every command explains itself, its examples run as they stand and leave nothing behind, and the manual pages are clean.
set -u
failed=0
bad() { echo "not ok - $*"; failed=1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
commands=$("$BELLJAR" help | sed -n 's/^    \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 40 ] || bad "help lists only $commands"
for command in $commands; do
	"$BELLJAR" help "$command" >"$dir/help" || bad "help $command"
	head -1 "$dir/help" | grep -q "^$command" || bad "help $command does not begin with its usage"
	sed -n '/^Examples:/,$p' "$dir/help" | sed '1d; s/^    //' >"$dir/example"
	case $command in
	history) continue ;;   # at the prompt only
	esac
	[ -s "$dir/example" ] || { bad "$command has no example"; continue; }
	[ "$(id -u)" = 0 ] || continue
	"$AROUND" -t 60 -r "$dir/left" -- "$BELLJAR" -f "$dir/example" >"$dir/out" 2>&1 </dev/null ||
		bad "the example of $command: $(cat "$dir/out")"
	[ ! -s "$dir/left" ] || bad "the example of $command left behind: $(cat "$dir/left")"
done
echo "ok - commands and their examples"
if command -v mandoc >/dev/null; then
	"$BELLJAR" --man >"$dir/belljar.1"
	for page in "$dir/belljar.1" "$SRCDIR"/man/*.5; do
		lint=$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'referenced manual not found')
		[ -z "$lint" ] || bad "$lint"
	done
	for command in $commands; do
		grep -qw "$command" "$dir/belljar.1" || bad "belljar.1 does not know $command"
	done
	echo "ok - manual pages"
fi
exit $failed
