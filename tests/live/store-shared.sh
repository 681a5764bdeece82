#!/bin/sh
# Named sessions with several belljars, without their keeper, in a dry run, and half kept. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

name=test-shared-$$
trap 'exec 9>&-; "$BELLJAR" end "$name" 2>/dev/null; rm -rf "$tmp"' EXIT
keeper() { "$BELLJAR" --json sessions | tr '{' '\n' | sed -n "s/.*\"name\":\"$name\".*\"keeper\":\([0-9]*\).*/\1/p"; }
guard() { cat "/proc/$1/task/$1/children" 2>/dev/null | tr -d ' '; }
another_guard() { [ -n "$(guard "$1")" ] && [ "$(guard "$1")" != "$2" ]; }
no_session() { [ ! -e "/run/belljar/$name" ]; }

# A name is given last: what fails before leaves an unnamed session, which ends with its belljar.
(
	trap '' XFSZ
	ulimit -f 1000
	long=$(head -c 350000 /dev/zero | tr '\0' x)
	printf '%s\n' 'new web' "env A=$long B=$long" "env C=$long D=$long" "keep $name" | "$BELLJAR" 2>"$tmp/err"
)
is "a state that can't be written is an error" $? 1
has "by its name" "$(cat "$tmp/err")" "*/state: can't be written (EFBIG)*"
is "and leaves no session" "$(no_session && echo none):$("$BELLJAR" sessions)" "none:"

# While one belljar waits in the session, others work in it.
run -s "$name" 'new' web
is "made" "$status:$err" "0:"
session -s "$name" -f -
type "echo begun" "sleep 1m"
within 50 seen begun
is "another command beside sleep" "$(timeout 20 "$BELLJAR" -s "$name" run echo in 2>&1)" in
kill "$belljar"
exec 9>&-
wait "$belljar" 2>/dev/null
mkfifo "$tmp/script"
"$BELLJAR" -s "$name" source "$tmp/script" >"$tmp/out" 2>&1 &
belljar=$!
exec 9>"$tmp/script"
type 'echo begun' 'new db'
within 50 seen begun
is "and beside source" "$(timeout 20 "$BELLJAR" -s "$name" -c 'new third; run echo in' 2>&1)" in
type '@third run echo seen'
exec 9>&-
wait "$belljar"
is "whose commands see what others did" "$?:$(tail -1 "$tmp/out")" "0:seen"

# A dry run begins with what the session has, and changes none of it.
run -n -s "$name" -c '@web unshare uts; @web hostname jar; rm third; new fourth'
is "a dry run of a named session" "$status:$err" "0:"
has "tells its steps" "$out" "*end third's first process*"
run -n -s "$name" @nobody unshare uts
has "and knows whom there is not" "$status:$err" "1:*no sandbox nobody*"
run -n end "$name"
has "the end is only told" "$status:$out" "0:*end*web*"
run -n -s "$name" end
has "and from inside" "$status:$out" "0:*end*web*"
run -s "$name" ls
is "all are there" "$(echo "$out" | grep -cE '(web|db|third) ')" 3
hasnt "and none more" "$out" "*fourth*"
is "as they were" "$("$BELLJAR" -s "$name" @web run uname -n)" "$(uname -n)"

# Without the keeper it ends, and nobody has to come and clear up.
run -s "$name" -c 'use web; limit pids 20; run -d sleep 60'
groups=$(sed -n 's/^cgroup //p' "/run/belljar/$name/ledger" | while read -r dir; do [ ! -d "$dir" ] || echo "$dir"; done)
keeper=$(keeper)
isnt "there are groups" "$groups" ""
guard=$(guard "$keeper")
kill -9 "$guard"
is "a killed guard is replaced" "$(within 50 another_guard "$keeper" "$guard" && echo replaced)" replaced
is "and the session lives" "$("$BELLJAR" -s "$name" @web run echo in)" in
guard=$(guard "$keeper")
kill -9 "$keeper"
is "the guard clears up" "$(within 100 no_session && echo none)" none
is "its groups too" "$(for dir in $groups; do [ ! -d "$dir" ] || echo "$dir"; done)" ""
is "and goes" "$(within 50 gone "$guard" && echo gone)" gone

exit $((failed > 0))
