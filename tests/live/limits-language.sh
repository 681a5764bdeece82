#!/bin/sh
# Every word of limit is in the kernel's file in the words of the version that is here; max lifts; undo takes back. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

# either CONTROLLER V2-FILE V2-VALUE V1-FILE V1-VALUE: what one of them says, whichever version has the controller
either()
{
	if v1_controller "$1"; then
		is "$4 is $5" "$(control "$4")" "$5"
	else
		is "$2 is $3" "$(control "$2")" "$3"
	fi
}

session -k
type 'new web' 'limit memory 64M memory-low 1M cpu 0.5 cpu-weight 50 cpu-burst 20ms pids 32'
done_so_far
either memory memory.max 67108864 memory.limit_in_bytes 67108864
either memory memory.low 1048576 memory.soft_limit_in_bytes 1048576
either cpu cpu.max '50000 100000' cpu.cfs_quota_us 50000
either cpu cpu.weight 50 cpu.shares 512
either cpu cpu.max.burst 20000 cpu.cfs_burst_us 20000
either pids pids.max 32 pids.max 32
type 'limit cpu 10% cpu-burst 5ms'
done_so_far
either cpu cpu.max.burst 5000 cpu.cfs_burst_us 5000
type 'limit cpu max cpu-weight max cpu-burst max memory-low max memory max'
done_so_far
either cpu cpu.max 'max 100000' cpu.cfs_quota_us -1
either cpu cpu.weight 100 cpu.shares 1024
either cpu cpu.max.burst 0 cpu.cfs_burst_us 0
type 'limit cpu-weight 200' 'limit cpu-weight 300' 'undo'
done_so_far
either cpu cpu.weight 200 cpu.shares 2048
if v1_controller memory; then
	type 'limit oom off'
	done_so_far
	has "oom off is in the file" "$(control memory.oom_control)" "oom_kill_disable 1*"
	type 'undo'
	done_so_far
	has "and taken back" "$(control memory.oom_control)" "oom_kill_disable 0*"
else
	type 'limit oom group memory-high 32M'
	done_so_far
	is "oom group is in the file" "$(control memory.oom.group)" 1
	is "memory-high is in the file" "$(control memory.high)" 33554432
	type 'undo'
	done_so_far
	is "and taken back" "$(control memory.oom.group):$(control memory.high)" 0:max
fi
if has_controller cpuset; then
	type 'limit mems 0 cpus 0'
	done_so_far
	is "mems are in the file" "$(control cpuset.mems):$(control cpuset.cpus)" 0:0
fi
if has_controller hugetlb; then
	type 'limit hugetlb 2M 64M'
	done_so_far
	either hugetlb hugetlb.2MB.max 67108864 hugetlb.2MB.limit_in_bytes 67108864
fi
# Any control file by its name.
if v1_controller memory; then raw=memory.swappiness value=10; else raw=memory.high value=20971520; fi
type "limit $raw $value"
done_so_far
is "a control file by its name" "$(control $raw)" "$value"
type undo
done_so_far
hasnt "is set back by undo" "$(control $raw)" "$value"
type 'limit pids.max 7' 'new other like web' 'limit'
done_so_far
is "the same file as limit pids" "$(control pids.max)" 7
has "another like it has the same limits" "$(tail -30 "$tmp/out")" "*pids *7 *0, 0%*"
exec 9>&-
wait "$belljar"
is "no group is left" "$(groups "$belljar")" ""

# Either version's words are told.
run -c 'new web; explain limit memory 32M'
has "both versions' words" "$out" "*memory.*(version [12]: memory.*"
run -c 'new web; limit pids 100; limit pids 5 memory 1M; run -d sleep 60; limit'
has "how close it is" "$out" "*pids *5 *1, 20% *5 *"

# What can't be had says why.
if v1_controller memory; then bad='limit memory-high 5M'; else bad='limit oom off'; fi
run -c "new web; $bad"
has "what this version has not is refused" "$status:$err" "1:*can't be *version*"
has_controller hugetlb || {
	run -c 'new web; limit hugetlb 2M 5M'
	has "a controller that is missing" "$status:$err" "1:*hugetlb can't be limited here*hugetlb*"
}
run -c 'new web; limit cpu 10% cpu-burst 50ms'
has "a burst longer than the share" "$status:$err" "1:*burst*can't be longer*"
run -k --json -c 'new web; limit cpu 10%; limit cpu 20% cpu-burst 50ms; limit'
has "all or none" "$out" '*"limit":"cpu","value":"10%"*'
while read -r want bad; do
	run -c "new web; limit $bad"
	is "limit $bad" "$status" "$want"
	has "limit $bad says why" "$err" "*belljar: limit: *"
done <<'END'
2 memory 0
2 memory -1
2 memory 99999999999999999999
2 memory 5Q
2 cpu-weight 0
2 cpu-weight 10001
2 cpu-burst -5ms
2 oom maybe
2 io / rbps=0
2 io / rbps
2 io / speed=5
2 io /
1 io /no/such/file rbps=1M
1 io /dev/null rbps=1M
1 io 250:77 rbps=1M
1 io /proc rbps=1M
1 hugetlb 3M 5M
1 cpus 0-99999
1 mems 7,9
2 speed 5
2 memory.high
1 memory.nosuchfile 5
1 cgroup.procs 1
1 pids.max many
2 ../pids.max 5
END
is "nothing is left at all" "$(groups "$belljar")" ""

exit $((failed > 0))
