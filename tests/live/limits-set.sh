#!/bin/sh
# Limits are in the kernel's files, all or none, also for what runs already, and can be taken back.
. "$(dirname "$0")/front.inc"
anybody=yes
. "$(dirname "$0")/limits.inc"
able 'limit memory 64M pids 32 cpu 50%'

run -c 'new web; limit memory 64M pids 32 cpu 50%; limit'
has "limits are listed" "$status:$out" "0:*memory  64M *cpu     50% *pids    32 *"

session
type 'new web' 'limit memory 64M pids 32' '!echo ready'
within 50 seen ready
is "memory is in the kernel's file" "$(memory_is "$belljar" 67108864 && echo set)" set
type 'run -d sleep 60' 'limit cpu 50% cpus 0' '!echo again'
within 50 seen again
sleeper=$(members "$belljar")
is "one program runs inside" "$(echo "$sleeper" | wc -w)" 1
where=$(cat "/proc/$sleeper/cgroup")
case $(awk '/ - cgroup / && /cpuset/' /proc/self/mountinfo) in
"") has "it is in the group" "$where" "0::*belljar.$belljar.*/web" ;;
*) has "limits that come later hold for it too" "$where" "*cpuset:*/belljar.$belljar.*/web*" ;;
esac
has "allowed processors changed while it runs" "$(grep Cpus_allowed_list "/proc/$sleeper/status")" "*[!0-9-]0"
type 'limit memory 32M' 'undo' 'limit' '!echo undone'
within 50 seen undone
is "undo sets the old value" "$(memory_is "$belljar" 67108864 && echo old)" old
is "and the program still runs" "$(gone "$sleeper" || echo runs)" runs
exec 9>&-
wait "$belljar"
is "in order" $? 0
is "no group is left" "$(groups "$belljar")" ""
is "no process is left" "$(gone "$sleeper" && echo gone)" gone
is "no directory is left" "$(ls -d "/run/belljar/$belljar".* 2>/dev/null)" ""

run -k -c 'new web; limit memory 64M pids 10; limit memory 32M cpus 4000; limit'
has "all or none" "$out" "*memory  64M *pids    10 *"
has "a processor that is not there" "$err" "*cpus*4000*the group above has only the processors *"
run -c 'new web; limit cpus 0; limit cpus all; run grep Cpus_allowed_list: /proc/self/status'
is "all processors again" "${out##*	}" "$(sed -n 's/^Cpus_allowed_list:	//p' /proc/self/status)"
run -c 'new web; limit memory max'
is "lifting what was not set" "$status:$err" "0:"
run -c 'new web; limit memory 64M; limit memory max; limit'
has "lifted" "$out" "*memory  max *"
run -c 'new web; limit memory 64M swap 1M; limit memory 32M; limit memory 128M; limit'
case "$err" in
*"does not account for swap"*) echo "ok - swap: refused where the kernel does not count it" ;;
*) has "swap stays what it is when memory changes" "$status:$out" "0:*memory  128M *swap    1M *" ;;
esac

run -c 'new web; unshare cgroup; limit pids 9; run -d sleep 60; limit memory 60M; run cat /proc/self/cgroup; limit memory 50M; kill all'
if v1_controller memory && v1_controller pids && [ "$status" = 0 ]; then
	is "programs of before are in a namespace of before, and that is said once" "$(echo "$err" | grep -c "its cgroup namespace was made again, .*stay in the old one")" 1
	has "those of after see themselves at the root" "$out" "*memory:/
*"
else
	hasnt "one tree, one namespace" "$err" "*made again*"
fi
run -c 'new web; limit memory 8T pids 4194304 cpu 6400%; limit'
has "above what the machine has: it never bites" "$status:$err" "0:memory 8T: the machine has no more than *this limit never bites*cpu 6400%: the machine has no more than *"
has "and less is effective" "$out" "*memory  8T *, *% *of the machine*cpu     6400% *of the machine*"

for bad in 'limit memory' 'limit memory 12Q' 'limit pids 0' 'limit pids -1' 'limit pids 9999999' 'limit cpu 0' 'limit cpu 0.001' 'limit speed 5' \
	'limit memory 1M memory 2M'; do
	jar -c "new web; $bad"
	is "usage error: $bad" "$status" 2
	is "nothing is left: $bad" "$(groups "$belljar")" ""
done

# Names that are names of control files, and a group whose sandbox has another name now.
run -c 'new tasks; limit pids 5; run echo in tasks; new memory.max; limit pids 5 memory 64M; run echo in memory.max; new cgroup.procs; limit pids 5; run echo in procs'
is "names of control files" "$status:$err" "0:"
jar -c 'new a; limit pids 5; rename b; new a; limit pids 7; @b limit; @a limit; rm b; run echo still'
has "a renamed sandbox keeps its group" "$status:$out" "0:*pids    5 *pids    7 *still"
is "nothing is left at all" "$(groups "$belljar")" ""

exit $((failed > 0))
