#!/bin/sh
# Programs: exit statuses, what they get and what they must not get, jobs, signals, orphans.
. "$(dirname "$0")/front.inc"
able
: "${PROBE:?}"
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }

# status EXPECTED COMMANDS
status() { run -c "new a; $2"; is "status of: $2" "$status" "$1"; }
status 0 "run true"
status 3 "run sh -c 'exit 3'"
status 127 "run nosuchprogram"
status 127 "run /no/such/program"
status 126 "run /etc/passwd"
status 126 "run /tmp"
status 137 "run sh -c 'kill -9 \$\$'"
status 143 "unshare pid; run sh -c 'kill \$\$'"
status 0 "unshare docker; root busybox; run sh -c 'exit 0'"
status 127 "unshare docker; root busybox; run bash"

# Descriptors: only three come in, whatever belljar has.
exec 7</ 8</etc/passwd
run -c "new a; run $PROBE facts"
is "descriptors" "$(printf '%s\n' "$out" | grep -c '^fd\.')" 3
run -c "new a; unshare docker; root busybox; bind $PROBE /probe; run /probe facts"
is "descriptors in an own root" "$(printf '%s\n' "$out" | grep -c '^fd\.')" 3
exec 7<&- 8<&-
is "signals are at their defaults" "$(fact status.SigBlk)$(fact status.SigIgn)" 00000000000000000000000000000000
is "the working directory is the root" "$(fact cwd)" /
has "pid 1 runs from memory" "$(fact init.exe)" "*memfd:*"
is "pid 1 stands in the sandbox's root" "$(fact init.cwd)" /
run -c "new a; unshare docker; root busybox; bind $PROBE /probe; run sh -c 'for p in /proc/[0-9]*; do readlink \$p/exe; done'"
case $out in */tmp/* | */build/* | *"$BELLJAR"*) fail "a path of the host inside: $out" ;; *) ok "no path of the host is anybody's program" ;; esac
run -c "new a; run sh -c 'echo \$BELLJAR_SANDBOX; echo \$HOSTSECRET'"
is "the environment is a small one" "$out" a
HOSTSECRET=1 run -c "new a; env X='two words'; run sh -c 'echo \$X\$HOSTSECRET'"
is "env" "$out" "two words"

# Standard input, output and redirections.
out=$(echo typed | "$BELLJAR" -c 'new a; run cat')
is "standard input" "$out" typed
out=$(printf 'new a\nrun cat\necho after\n' | "$BELLJAR")
is "a script on standard input is not the program's" "$out" after
run -c "new a; run echo one > $tmp/file; run -d sh -c 'echo two' >> $tmp/file; wait"
is "output to a file" "$(cat "$tmp/file")" "one
two"
run -c "new a; run echo a b | tr a-z A-Z"
is "output to a program of the host" "$out" "A B"

# Jobs.
run -c "new a; unshare pid; run -d sleep 60; ps; kill all; wait 1"
is "a job that was killed" "$status" 137
has "ps" "$out" "*sleep 60*"
run -c "new a; unshare pid; run -d sh -c 'exit 4'; wait 1"
is "the status of a job" "$status" 4
run -c "new a; wait 7"
is "no such job" "$status" 1
run -c "new a; run -d sleep 60; kill 1"
is "kill of a process that is not inside" "$status" 1

# Orphans: reaped by the holder, and ended with the sandbox, with and without an own pid namespace.
for ns in "unshare pid" "unshare uts"; do
	run -c "new a; $ns; run sh -c '(sleep 61 & sleep 61 & setsid sleep 61 &) >/dev/null 2>&1'; ps; rm a; ls"
	is "$ns: works" "$status" 0
	has "$ns: orphans are the sandbox's" "$out" "*sleep 61*"
done
# around, which runs this test, would name a process that stayed.

# Signals from inside do nothing to PID 1.
run -c "new a; unshare docker; root busybox; run sh -c 'kill -9 1; kill -TERM 1; kill -HUP 1; kill -INT 1; echo alive'; run echo still"
is "pid 1 withstands signals from inside" "$out" "alive
still"

# A holder that comes to nothing for a while, as on a busy machine: how the program ended is waited for, and not made up.
status 7 "run sh -c '{ sleep 2; kill -CONT \$PPID; } >/dev/null 2>&1 & kill -STOP \$PPID; exit 7'"

# A holder killed from outside.
out=$(printf '%s\n' 'new a' 'unshare pid' "!kill -9 \$(pgrep -P \$PPID -x belljar-holder)" 'run true' | "$BELLJAR" -k 2>&1)
has "a killed holder is said" "$out" "*has ended*"
exit $((failed > 0))
