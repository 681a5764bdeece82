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

# Two seconds of a busy loop with a fifth of a processor are at most 0.4 seconds; the probe measures both itself.
run -k --json -c "new web; limit cpu 20%; run $PROBE burn 2000; usage"
used=$(echo "$out" | head -1)
is "the processor is held back" "$([ "${used:-9999}" -le 700 ] && [ "$used" -ge 50 ] && echo held || echo "$used")" held
is "held back by throttling" "$([ "$(json throttled_periods "$out")" -ge 5 ] && echo throttled)" throttled

run -c 'new web; limit cpus 0; run sh -c "grep Cpus_allowed_list: /proc/self/status"'
has "only the processor that is allowed" "$status:$out" "0:*[!0-9-]0"

exit $((failed > 0))
