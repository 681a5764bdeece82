#!/bin/sh
# watch says when a limit bites, and ends when it was told to; top shows all sandboxes. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

run -c "new web; limit cpu 10%; run -d $PROBE burn 30000; watch cpu times 1 for 60s; kill all"
has "held back from the processor" "$status:$out" "0:*web: slowed for processor time: programs waited *limit cpu 10%*"
run -c "new web; limit memory 20M; run -d sh -c 'sleep 1; head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null'; watch memory times 1 for 60s"
# On a slow machine the kernel may have to kill twice.
has "killed for memory" "$status:$out" "0:*web: killed for memory: * program*limit memory 20M*"
run -c "new web; limit pids 4; run -d sh -c 'sleep 1; exec $PROBE fork 20'; watch pids times 1 for 60s; kill all"
has "processes refused" "$status:$out" "0:*web: no more processes: refused *limit pids 4*"
run -c 'new web; limit pids 4; watch pids times 1 for 200ms'
has "nothing happened in time" "$status:$err" "1:*0 of 1 events came in time*"
run -c 'new web; limit pids 4; watch for 200ms; watch times 0 for 100ms'
is "no events asked for: time is up, and that is all" "$status:$out$err" "0:"
for bad in 'watch moon' 'watch times' 'watch for -1s' 'watch times -1'; do
	run -c "new web; $bad"
	is "usage error: $bad" "$status" 2
done

session
type 'new web' 'limit pids 10' 'watch state times 2 for 60s'
dir=
there() { dir=$(groups "$belljar" | head -1); [ -n "$dir" ] && [ -d "$dir/web" ]; }
within 100 there
if dir=$(groups "$belljar" | while read -r d; do [ -e "$d/web/cgroup.freeze" ] && echo "$d/web" && break; done) && [ -n "$dir" ]; then
	sleep 0.5
	echo 1 >"$dir/cgroup.freeze"
	is "frozen from outside is seen" "$(within 100 seen 'web: frozen' && echo seen)" seen
	echo 0 >"$dir/cgroup.freeze"
	is "and thawed" "$(within 100 seen 'web: thawed' && echo seen)" seen
else
	kill -INT "$belljar"
fi
exec 9>&-
wait "$belljar"

run -c 'new web; new db; limit memory 64M pids 9; run -d sleep 60; top; @web top'
has "top lists all" "$out" "*db *64M *1 *runs*web *"
run --json -c 'new web; limit memory 64M; top'
has "top for programs" "$out" '*"sandbox":"web"*"memory_limit":"64M"*'

# On a terminal: keys sort, choose, freeze, leave, and the terminal is as before.
command -v python3 >/dev/null && python3 - "$BELLJAR" <<'END' && echo "ok - top on a terminal" || fail "top on a terminal"
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], '-c', 'new web; new db; top; usage all; echo the end'])
out = b''
def until(text):
    global out
    end = time.time() + 60
    while text not in out and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                out += os.read(fd, 65536)
            except OSError:
                break
    assert text in out, out[-600:]
    out = out[out.index(text) + len(text):]
until(b'\x1b[?1049h')
until(b'sorted by processor')
os.write(fd, b'n')
until(b'sorted by name')
until(b'\x1b[7mweb')
os.write(fd, b'k')
until(b'\x1b[7mdb')
os.write(fd, b'f')
until(b'frozen')
os.write(fd, b'q')
until(b'\x1b[?25h\x1b[?1049l')
until(b'frozen')
until(b'the end')
END
exit $((failed > 0))
