#!/bin/sh
# A limit that bites is told: which, by whom, how often. Programs are frozen, thawed, and killed while they fork. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

run -c 'new web; limit memory 20M; run sh -c "head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null"'
has "killed for memory" "$status:$err" "137:*web: killed for memory: [12] program*limit memory 20M*"
run -c "new web; limit cpu 20%; run $PROBE burn 1000"
has "slowed for processor time" "$err" "*web: slowed for processor time: programs waited *limit cpu 20%*"
run -c "new web; limit pids 4; run $PROBE fork 20"
has "forks refused" "$err" "*web: no more processes: refused *limit pids 4*"
run -c "new web; limit pids 40 memory 60M cpu 90%; run true"
is "nothing is said when nothing bit" "$status:$err" "0:"
if ! v1_controller memory; then
	# Without swap there is nothing to take back, and the kernel lets it wait up to 2 s for each piece: it would take minutes.
	run -c 'new web; limit memory-high 10M; run sh -c "head -c 30000000 /dev/zero | timeout -s KILL 1 tail -c 30000000 >/dev/null"'
	has "slowed for memory" "$err" "*web: slowed for memory: *limit memory-high 10M*"
	is "and its end is its own, or that of its time" "$([ "$status" = 0 ] || [ "$status" = 137 ] && echo so)" so
fi
run -k --json -c "new web; limit pids 4 memory 20M; run $PROBE fork 20; usage"
is "usage counts refused forks" "$([ "$(json forks_refused "$out")" -ge 1 ] && echo counted)" counted

session -k
type 'new web' "run -d $PROBE burn 60000" 'freeze'
done_so_far
burner=$(members "$belljar" | head -1)
used() { awk '{ print $14 + $15 }' "/proc/$burner/stat"; }
before=$(used)
sleep 0.3
is "frozen: no processor time" "$(used)" "$before"
type 'run true' 'usage'
done_so_far
has "no program begins in it, and that is said" "$(cat "$tmp/out")" "*it is frozen*try: thaw*frozen*"
type 'thaw'
done_so_far
more() { [ "$(used)" -gt "$before" ]; }
is "thawed: it goes on" "$(within 50 more && echo on)" on
type 'freeze' 'kill all'
done_so_far
is "kill all ends frozen ones too" "$(within 50 gone "$burner" && echo gone)" gone
type 'run echo still here'
done_so_far
has "and programs can be started again" "$(cat "$tmp/out")" "*still here*"
# Forking as fast as it can: a signal to each by number would never catch up.
type 'limit pids 60' "run -d sh -c 'f() { f & f & wait; }; f'" 'sleep 200ms' 'kill all' 'usage'
done_so_far
is "a fork bomb ends with kill all" "$(members "$belljar" | wc -l)" 0
type 'freeze' 'undo' 'run echo not frozen'
done_so_far
has "undo thaws" "$(cat "$tmp/out")" "*not frozen*"
type 'run -d sleep 60' 'freeze' 'rm web'
done_so_far
is "a frozen sandbox is removed" "$(members "$belljar")" ""
exec 9>&-
wait "$belljar"
is "nothing is left" "$(groups "$belljar")" ""

# Full of forking processes, killed from outside, frozen by somebody else: the groups go all the same.
session
type 'new web' 'limit pids 60' "run -d sh -c 'f() { f & f & wait; }; f'" 'run -d sleep 60' '!echo full'
within 50 seen full
for dir in $(groups "$belljar"); do
	[ ! -e "$dir/web/cgroup.freeze" ] || echo 1 >"$dir/web/cgroup.freeze"
done
kill -9 "$belljar"
wait "$belljar" 2>/dev/null
exec 9>&-
is "all gone after kill -9" "$(within 150 no_groups "$belljar" && echo gone)" gone

exit $((failed > 0))
