#!/bin/sh
# Groups inside a sandbox's: who is in which, limits of their own below those of the sandbox, the rule of version 2 that a group has processes
# or controllers, what a cgroup namespace shows, and programs that ran before there was a group. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

# place PID: its path in the tracking hierarchy, from the sandbox's group on
place() { sed -n 's|^0::.*/web|web|p' "/proc/$1/cgroup"; }
# in_group FILE: as control, of the group inside
in_group() { control "../web/$1"; }

session -k
type 'new web' 'unshare pid cgroup' 'run -d sleep 60' 'limit pids 50'
done_so_far
first=$(members "$belljar" | head -1)
is "who ran before the group is in it" "$(place "$first")" web
is "and counted" "$(control pids.current)" 1

type 'group batch' 'group batch/night' 'run -d --group batch sleep 60' 'group'
done_so_far
second=$(members "$belljar" | tail -1)
is "a program begins in the group" "$(place "$second")" web/batch
has "groups are listed" "$(cat "$tmp/out")" "*batch *1 *batch/night *0 *"
type 'limit in batch pids 4 memory 20M' 'run --group batch cat /proc/self/cgroup' 'run cat /proc/self/cgroup' 'limit in batch'
done_so_far
is "its limits are in the kernel's files" "$(in_group batch/pids.max):$(in_group batch/pids.current)" 4:1
has "they are listed" "$(cat "$tmp/out")" "*memory  20M *pids    4 *1, 25% *"
is "a namespace shows the sandbox's own tree" "$(grep -cE '^[0-9]+:(pids:|:)/batch(/main)?$' "$tmp/out" | sed 's/2/1/')" 1
hasnt "and nothing above it" "$(grep -E '^[0-9]+:(pids|memory|):' "$tmp/out")" "*belljar.*"
if v1_controller memory; then
	is "version 1: who belongs to the sandbox stays" "$(place "$first")" web
else
	is "version 2: who belongs to the sandbox went into main" "$(place "$first"):$(control cgroup.procs)" web/main:-
	has "the controllers are given on" "$(control cgroup.subtree_control)" "*memory*pids*"
	type 'limit in batch/night pids 2'
	done_so_far
	is "one level deeper too" "$(place "$second"):$(in_group batch/night/pids.max)" web/batch/main:2
	type 'new late' 'group a' 'limit in a pids 3' 'unshare cgroup' 'use web'
	done_so_far
	has "too late for a namespace" "$(cat "$tmp/out")" "*can't be the root of a namespace*try: unshare cgroup first*"
fi
# Four with sleep and the probe itself.
type "run --group batch $PROBE fork 20"
done_so_far
has "the limit bites and is named" "$(cat "$tmp/out")" "*web: no more processes: refused *(limit in batch pids 4)*"

type 'move 2 to batch'
done_so_far
has "moved" "$(place "$first")" web/batch*
is "counted there" "$(in_group batch/pids.current)" 2
type 'undo'
done_so_far
isnt "undo brings it back" "$(place "$first")" "$(place "$second")"
type 'move 2 to batch' 'move 2'
done_so_far
isnt "to the sandbox's own" "$(place "$first")" "$(place "$second")"
type 'group del batch' 'group'
done_so_far
has "without the group its programs go up" "$(gone "$second" && echo ended; place "$second")" "web*"
is "the directories are gone" "$(find $(groups "$belljar") -name batch)" ""
type 'group other' 'run -d --group other sleep 60' 'undo' 'kill all'
done_so_far
is "kill all reaches all of them" "$(members "$belljar")" ""
type 'group full' 'limit in full pids 30' "run -d --group full sh -c 'f() { f & f & wait; }; f'" 'rm web'
done_so_far
is "a sandbox goes with a group full of forking programs" "$(members "$belljar"; find $(groups "$belljar") -name web)" ""
exec 9>&-
wait "$belljar"
is "nothing is left" "$(groups "$belljar")" ""

run -n -c 'new web; group batch; limit in batch memory 20M; run --group batch true; move 7 to batch; group del batch'
is "a dry run knows what would be there" "$status:$err" "0:"
has "and says it" "$out" "*move process 7 to*remove the control group*goes to the one above*"

while read -r want bad; do
	jar -c "new web; $bad"
	is "$bad" "$status" "$want"
	has "$bad says why" "$err" "*belljar: *"
	is "nothing is left: $bad" "$(groups "$belljar")" ""
done <<'END'
2 group main
2 group ../x
2 group a//b
2 group tasks
2 group pids.max
1 group other/x
2 group web/
1 group a; group a
1 group del nothing
1 run --group nothing true
1 limit in nothing pids 5
1 usage in nothing
1 move 99999
1 move 1 to nothing
2 move -5
2 move 0
END

# A group that somebody else removed, froze or filled meanwhile; another session's groups are not ours.
session -k
type 'new web' 'unshare pid' 'limit pids 20' 'group gone' 'group kept' 'limit in kept pids 5' 'run -d --group kept sleep 60'
done_so_far
for dir in $(find $(groups "$belljar") -name gone); do rmdir "$dir"; done
"$BELLJAR" -c 'new web; limit pids 10; group kept; run sleep 0; rm web' >/dev/null 2>&1
is "another belljar leaves it alone" "$(in_group kept/pids.current)" 1
type 'run --group gone true' 'group del gone' 'group kept/deep'
done_so_far
is "what is gone is said" "$(grep -c 'no group gone in it' "$tmp/out")" 2
for dir in $(find $(groups "$belljar") -name kept); do
	for file in cgroup.freeze:1 freezer.state:FROZEN; do
		[ ! -e "$dir/${file%:*}" ] || echo "${file#*:}" >"$dir/${file%:*}"
	done
done
kill -9 "$belljar"
wait "$belljar" 2>/dev/null
exec 9>&-
is "all gone after kill -9, the frozen group too" "$(within 150 no_groups "$belljar" && echo gone)" gone

exit $((failed > 0))
