#!/bin/bash
# The kill test: belljar, or one of its processes, is killed at a random moment of a mixed script, 200 times; then nothing is left, and the
# same names can be used again.
#
# usage: kill.sh [ROUNDS [SEED]]
set -u
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
rounds=${1:-200} RANDOM=${2:-$$}
echo "# seed ${2:-$$}"
dir=$(mktemp -d /tmp/bjkill.XXXXXX)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/script" <<'S'
bridge br0 10.0.0.1/24
new a
unshare docker
root busybox
limit memory 64M pids 32
link a br0 10.0.0.2/24
run -d sleep 60
run true
new b
unshare net uts
link b br0 10.0.0.3/24
run -d sh -c 'sleep 60 & setsid sleep 60'
run true
new c like a
run -d sleep 60
rm b
unshare user
@a run true
S
"$AROUND" -- "$BELLJAR" -f "$dir/script" >"$dir/out" 2>&1 </dev/null || { echo "not ok - the script works: $(cat "$dir/out")"; exit 1; }
failed=0
for ((i = 0; i < rounds; i++)); do
	: >"$dir/left"
	# Half the time belljar itself, else one of its processes.
	victim=0
	[ $((RANDOM % 2)) = 0 ] || victim=$((RANDOM % 6))
	"$AROUND" -t 30 -k $((RANDOM * 3)):$victim -r "$dir/left" -- "$BELLJAR" -k -f "$dir/script" >"$dir/out" 2>&1 </dev/null
	status=$?
	[ ! -s "$dir/left" ] || { failed=$((failed + 1)); echo "  round $i (process $victim): $(head -3 "$dir/left")"; }
	[ $status != 124 ] || { failed=$((failed + 1)); echo "  round $i: hung"; }
done
[ $failed = 0 ] && echo "ok - $rounds kills left nothing" || echo "not ok - $failed of $rounds kills"
[ $failed = 0 ]
