#!/bin/sh
# Named sessions: they last, are shared, end as a whole, and go when their keeper is killed. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

name=test-named-$$
trap '"$BELLJAR" end "$name" 2>/dev/null; "$BELLJAR" end "$name-2" 2>/dev/null; rm -rf "$tmp"' EXIT
keeper() { "$BELLJAR" --json sessions | tr '{' '\n' | sed -n "s/.*\"name\":\"$1\".*\"keeper\":\([0-9]*\).*/\1/p"; }
# All groups that the session's ledger names and that exist.
session_groups()
{
	sed -n 's/^cgroup //p' "/run/belljar/$1/ledger" 2>/dev/null | while read -r dir; do [ ! -d "$dir" ] || echo "$dir"; done
}
inside() { session_groups "$1" | while read -r dir; do find "$dir" -name cgroup.procs -exec cat {} +; done | sort -un; }

run -s "$name" new web
is "made" "$status:$err" "0:"
run -s "$name" limit memory 64M pids 20
is "a limit from another belljar" "$status:$err" "0:"
run -s "$name" run -d sleep 60
sleeper=$(inside "$name")
is "a program that outlives its belljar" "$(echo "$sleeper" | wc -w)" 1
run -s "$name" limit
has "a third one sees the limits" "$out" "*memory  64M *pids    20 *"
has "it is listed" "$("$BELLJAR" sessions)" "*$name *"
run -c "new x; keep $name"
has "the name is taken" "$status:$err" "1:*there is a session $name already (EEXIST)*"
run -c 'new x; keep 12.34'
is "a number is no name" "$status" 2

n=0
while [ $n -lt 10 ]; do
	"$BELLJAR" -s "$name" -c "new box$n; limit pids $((n + 5)); run true" 2>"$tmp/err$n" &
	n=$((n + 1))
done
wait
is "ten belljars at once" "$(cat "$tmp"/err?)" ""
is "all their sandboxes are there" "$("$BELLJAR" -s "$name" ls | grep -c box)" 10
run -s "$name" @box7 limit
has "each with its limit" "$out" "*pids    12 *"

groups=$(session_groups "$name")
keeper=$(keeper "$name")
is "there are groups and a keeper" "$([ -n "$groups" ] && [ -n "$keeper" ] && echo yes)" yes
run end "$name"
is "it ends" "$status:$err" "0:"
is "with its groups" "$(for dir in $groups; do [ ! -d "$dir" ] || echo "$dir"; done)" ""
is "its program" "$(within 10 gone "$sleeper" && echo gone)" gone
is "its keeper" "$(within 10 gone "$keeper" && echo gone)" gone
is "its directory" "$(ls -d "/run/belljar/$name" 2>/dev/null)" ""
run end "$name"
has "and is not there to be ended again" "$status:$err" "1:*no session $name*"

# A session that gets its name later.
run -c "new web; limit pids 9; run -d sleep 60; keep $name-2"
is "kept" "$status:$err" "0:"
run -s "$name-2" -c '@web limit'
has "with what it had" "$out" "*pids    9 *"
sleeper=$(inside "$name-2")
groups=$(session_groups "$name-2")
keeper=$(keeper "$name-2")
kill -9 "$keeper"
is "without its keeper its holders end" "$(within 20 gone "$sleeper" && echo gone)" gone
run sessions
hasnt "it is a session no longer" "$out" "*$name-2*"
is "and what it left was cleared" "$(for dir in $groups; do [ ! -d "$dir" ] || echo "$dir"; done; ls -d "/run/belljar/$name-2" 2>/dev/null)" ""

# Killed while it is made: a whole session or nothing.
n=0
while [ $n -lt 20 ]; do
	"$BELLJAR" -s "$name" -c 'new web; limit pids 7; run -d sleep 60; new db' >/dev/null 2>&1 &
	belljar=$!
	sleep "0.0$((n / 5))$((n * 2 % 10))"
	kill -9 "$belljar" 2>/dev/null
	wait "$belljar" 2>/dev/null
	within 5 no_directory "$belljar" || break
	groups=$(session_groups "$name")
	if [ -d "/run/belljar/$name" ]; then
		"$BELLJAR" -s "$name" -c 'new after; limit pids 5; run true' 2>>"$tmp/after" && "$BELLJAR" end "$name" || break
	fi
	[ -z "$(for dir in $groups $(groups "$belljar"); do [ ! -d "$dir" ] || echo "$dir"; done)" ] && [ ! -e "/run/belljar/$name" ] || break
	n=$((n + 1))
done
is "killed at twenty moments" "$n:$(cat "$tmp/after" 2>/dev/null)" "20:"

exit $((failed > 0))
