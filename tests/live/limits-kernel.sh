#!/bin/sh
# The kernel keeps the limits: it kills what wants too much memory, stops forks, and holds back the processor. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

# Sixty million bytes in a shell variable's place: tail has to hold them all.
eater='run sh -c "head -c 60000000 /dev/zero | tail -c 60000000 | wc -c"'
run -c "new web; limit memory 200M; $eater"
is "enough memory: it runs" "$status:$out" "0:60000000"
run -k --json -c "new web; limit memory 20M; run sh -c 'head -c 60000000 /dev/zero | exec tail -c 60000000 >/dev/null; exit \$?'; usage"
kills=$(json oom_kills "$out")
is "too little: the kernel kills and counts" "$([ "${kills:-0}" -ge 1 ] && echo killed)" killed
peak=$(json memory_peak "$out")
is "the peak is within the limit" "$([ "${peak:-99999999}" -le 20971520 ] && echo within)" within
run -c 'new web; limit memory 20M; run sh -c "head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null"'
is "a killed program's status" "$status" 137

run -c 'new web; limit pids 8; run sh -c "i=0; while [ \$i -lt 50 ]; do sleep 5 & i=\$((i + 1)); done 2>/dev/null; echo all"'
hasnt "a fork loop is stopped" "$out" "*all*"
run -k --json -c 'new web; unshare pid; limit pids 8; run sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done; wait" >/dev/null; usage'
is "no more processes than allowed" "$([ "$(json pids "$out")" -le 8 ] && echo fewer)" fewer

# The share within 10%, by the kernel's own count: each period in which it was throttled it had all it may have, and it never had more than
# that in any; both numbers are of the same periods, so it does not matter what else the machine does. The file is cpu.stat in both versions.
session
type 'new web' 'limit cpu 10%' "run $PROBE burn 4000"
done_so_far
spent=$(control cpuacct.usage)
[ "$spent" != - ] && spent=$((spent / 1000)) || spent=$(control cpu.stat | tr ', ' '\n ' | sed -n 's/^usage_usec //p')
stat=$(control cpu.stat | tr , '\n')
periods=$(echo "$stat" | sed -n 's/^nr_periods //p') throttled=$(echo "$stat" | sed -n 's/^nr_throttled //p')
is "throttled again and again" "$([ "$throttled" -ge 10 ] && echo often || echo "$throttled of $periods")" often
is "a tenth of a processor, within 10%" \
	"$([ "$spent" -ge $((throttled * 9000)) ] && [ "$spent" -le $(((periods + 1) * 11000)) ] && echo so || echo "$spent us in $periods periods, $throttled throttled")" so

# Where programs really run: field 39 of stat is the processor they were last on.
if [ "$(nproc)" -ge 2 ]; then
	type 'limit cpu max cpus 1' "run -d $PROBE burn 600000" "run -d $PROBE burn 600000"
	done_so_far
	on()
	{
		for pid in $(members "$belljar"); do
			sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 37
		done
	}
	many() { for _ in 1 2 3 4 5; do on; sleep 0.05; done | sort -u | tr '\n' ' '; }
	is "two busy programs run on processor 1" "$(many)" "1 "
	type 'limit cpus 0'
	done_so_far
	moved() { [ "$(many)" = "0 " ]; }
	is "and then on 0" "$(within 30 moved && echo moved)" moved
	type ps
	done_so_far
	is "ps shows where they may be and where they are" "$(sed -n '/ALLOWED/,$p' "$tmp/out" | grep -c '[RS] *0 *0 *[12]  .*burn 600000')" 2
fi
exec 9>&-
wait "$belljar"

run -c 'new web; limit cpus 0; run sh -c "grep Cpus_allowed_list: /proc/self/status"'
has "only the processor that is allowed" "$status:$out" "0:*[!0-9-]0"

exit $((failed > 0))
