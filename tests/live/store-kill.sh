#!/bin/sh
# belljar, its keeper, or both are killed: nothing stays. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

keeper_of() { pgrep -P "$1" -f belljar-keeper; }
start()
{
	session
	type 'new web' 'unshare pid mnt' 'limit memory 64M pids 32' 'run -d sleep 60' 'run -d sh -c "trap : TERM HUP; while :; do sleep 1; done"' \
		'new db' 'limit pids 20' 'run -d sh -c "setsid sleep 60 & wait"' '!echo ready'
	within 50 seen ready
	within 20 enough
	inside=$(members "$belljar")
	keeper=$(keeper_of "$belljar")
}
enough() { [ "$(members "$belljar" | wc -l)" -ge 4 ]; }
stop()
{
	exec 9>&-
	wait "$belljar" 2>/dev/null
}
nobody() { for pid in $inside; do gone "$pid" || return 1; done; }

start
is "there is something to lose" "$([ "$(echo "$inside" | wc -l)" -ge 4 ] && [ -n "$keeper" ] && echo yes)" yes
has "the ledger names its owner" "$(head -1 "/run/belljar/$belljar".*/ledger)" "belljar 1 * $belljar *"
is "only root may look" "$(stat -c %a "/run/belljar/$belljar".*)" 700
kill -9 "$belljar"
within 10 no_groups "$belljar"
is "kill -9 of belljar: no group after a second" "$(groups "$belljar")" ""
within 10 nobody
is "no process" "$(nobody && echo none)" none
within 5 no_directory "$belljar"
is "no directory" "$(ls -d "/run/belljar/$belljar".* 2>/dev/null)" ""
within 5 gone "$keeper"
is "no keeper" "$(gone "$keeper" && echo gone)" gone
stop

start
kill -TERM "$keeper"; kill -HUP "$keeper"; kill -INT "$keeper"
sleep 0.1
is "the keeper is deaf to the terminal's signals" "$(gone "$keeper" || echo there)" there
kill -9 "$keeper"
stop
is "without its keeper belljar clears up itself" "$(groups "$belljar")$(ls -d "/run/belljar/$belljar".* 2>/dev/null)" ""

start
kill -9 "$keeper" "$belljar"
dead=$belljar
stop
is "both are killed: the ledger is there" "$(ls "/run/belljar/$dead".*)" ledger
session
type 'new other' 'limit pids 10' '!echo ready'
within 50 seen ready
is "the next belljar clears up" "$(groups "$dead")$(ls -d "/run/belljar/$dead".* 2>/dev/null)" ""
is "but not a living one's" "$([ -n "$(groups "$belljar")" ] && echo there)" there
run -c 'new x; limit pids 3'
is "nor does another" "$([ -n "$(groups "$belljar")" ] && ls "/run/belljar/$belljar".*)" ledger
stop
is "now all is gone" "$(groups "$belljar")$(ls -d "/run/belljar/$belljar".* 2>/dev/null)" ""

# A ledger that lies: somebody else's groups and processes are left alone.
mkdir -m 700 /run/belljar 2>/dev/null
mkdir -m 700 /run/belljar/1.1
printf 'belljar 1 %s %s 1 1\ncgroup /sys/fs/cgroup\ncgroup /proc/self\nlink lo 1\nnonsense\n' "$(cat /proc/sys/kernel/random/boot_id)" \
	"$(readlink /proc/self/ns/pid | tr -dc 0-9)" >/run/belljar/1.1/ledger
run -c 'new x; limit pids 3'
is "a ledger that lies" "$status:$err" "0:"
is "is kept, for it could not be cleared" "$(ls /run/belljar/1.1)" ledger
rm -r /run/belljar/1.1
rmdir /run/belljar 2>/dev/null

# At random moments.
n=0
while [ $n -lt 20 ]; do
	"$BELLJAR" -c 'new web; limit pids 20 memory 64M; run -d sleep 60; new db; limit pids 9; run -d sleep 60; rm web; run true' >/dev/null 2>&1 &
	belljar=$!
	sleep "0.0$((n * 4 % 100 / 10))$((n * 4 % 10))"
	kill -9 "$belljar" 2>/dev/null
	wait "$belljar" 2>/dev/null
	within 10 no_groups "$belljar" && within 5 no_directory "$belljar" || break
	n=$((n + 1))
done
is "killed at twenty moments" "$n" 20

exit $((failed > 0))
