#!/bin/bash
# The fault sweep: each step of each script in tests/script/sweep fails, with two errors, once together with the step that would take back
# what came before (BACK), and once belljar is killed in front of it. Each time: an error in words and a status that is not 0, and a clean
# machine; and the same script works after each failure with EPERM.
#
# usage: sweep.sh [SCRIPT]...
set -u
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
dir=$(mktemp -d /tmp/bjsweep.XXXXXX)
trap 'rm -rf "$dir"' EXIT
export BELLJAR_CACHE=$dir/cache BELLJAR_VOLUMES=$dir/volumes
failed=0

# once FAULT SCRIPT: status in $status, what it said in $dir/out, what it left in $dir/left
once()
{
	: >"$dir/left"
	# A session that was given its name lasts, as it should; it is listed, and can be ended. The link that lend.bell borrows must be home.
	BELLJAR_FAULT=$1 "$AROUND" -t 60 -r "$dir/left" -- sh -c 'lent=$(grep -c host:bj-lent "$1")
		[ $lent = 0 ] || ip link add bj-lent type veth peer name bj-lent2
		"$BELLJAR" -f "$1"; status=$?; unset BELLJAR_FAULT
		! "$BELLJAR" sessions | grep -q bj-sweep || "$BELLJAR" end bj-sweep
		for i in $(seq 50); do
			[ $lent = 0 ] || ip link del bj-lent 2>/dev/null || { sleep 0.1; continue; }
			exit $status
		done
		echo bj-lent is not home >>"$2"; ip link del bj-lent2; exit $status' sh "$2" "$dir/home" >"$dir/out" 2>&1 </dev/null
	status=$?
	[ ! -e "$dir/home" ] || { cat "$dir/home" >>"$dir/left"; rm "$dir/home"; }
	# Half a layer, or half a file that was being written.
	find "$BELLJAR_CACHE" "$BELLJAR_CACHE.in" "$BELLJAR_VOLUMES" -maxdepth 2 -name '.belljar.*' >>"$dir/left" 2>/dev/null
}

# sweep KIND SCRIPT STEPS: count what goes wrong
sweep()
{
	local kind=$1 script=$2 n false=0 mute=0 crash=0 hang=0 left=0 again=0 fault
	for ((n = 1; n <= $3; n++)); do
		fault=$n:$kind
		once "$fault" "$script"
		case $status in
		0) false=$((false + 1)) ;;
		124) hang=$((hang + 1)) ;;
		137) [ "$kind" = KILL ] || crash=$((crash + 1)) ;;
		13[0-9]) crash=$((crash + 1)) ;;
		*) grep -q 'belljar\|:' "$dir/out" || mute=$((mute + 1)) ;;
		esac
		[ ! -s "$dir/left" ] || { left=$((left + 1)); echo "  $(basename "$script") $fault: $(head -3 "$dir/left")"; }
		[ "$status" != 0 ] || echo "  $(basename "$script") $fault: status 0"
		[ "$kind" = EPERM ] || [ $n = "$3" ] || continue
		once '' "$script"
		[ "$status" = 0 ] || { again=$((again + 1)); echo "  $(basename "$script") after $fault:"; cat "$dir/out"; }
	done
	local sum=$((false + mute + crash + hang + left + again))
	[ $sum = 0 ] && printf ok || { printf 'not ok'; failed=1; }
	echo " - $(basename "$script") $kind, $3 steps: $false false, $mute mute, $crash crashed, $hang hung, $left left something, $again failed next"
}

[ $# -gt 0 ] || set -- "$SRCDIR"/tests/script/sweep/*.bell
for script; do
	once '' "$script"
	[ "$status" = 0 ] && [ ! -s "$dir/left" ] || { echo "not ok - $script: $(cat "$dir/out" "$dir/left")"; failed=1; continue; }
	steps=$("$AROUND" -- sh -c '! grep -q host:bj-lent "$1" || ip link add bj-lent type veth peer name bj-lent2
		"$BELLJAR" --explain -f "$1"; ip link del bj-lent' sh "$script" 2>/dev/null </dev/null | grep -c '^    kernel:')
	for kind in EPERM ENOMEM BACK KILL; do
		sweep $kind "$script" "$steps"
	done
done
exit $failed
