#!/bin/sh
# What the front ends do around sandboxes: rollback, undo, explain, dry run, expect on the kernel's state, @NAME. Needs root.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
cd "$tmp" || exit 1

run -c 'new web; expect sandbox web; expect not sandbox db; expect not own uts; unshare uts; expect own uts; expect not own net
expect same net host; expect not same uts host; expect not running; new db; join uts of web; expect same uts web'
is "expect asks the kernel" "$status:$err" "0:"
run -c 'new web; expect own uts'
has "own: what is so instead" "$status:$err" "1:*not as expected: uts is the host's"
run -c 'new web; expect not sandbox web'
has "sandbox" "$status:$err" "1:*there is a sandbox web"
run -c 'new web; unshare uts; expect same uts host'
has "same" "$status:$err" "1:*web has uts:\[*\] and host has uts:\[*\]"
run -c 'new web; unshare mnt pid; run -d sleep 30; expect running; expect mounted /proc; expect mounted /proc proc; expect mounted /proc tmpfs'
has "running and mounted" "$status:$err" "1:*a file system of type tmpfs is not mounted at /proc"
run -c 'new web; unshare net; expect link lo; expect not link eth0; expect link eth0'
has "link" "$status:$err" "1:*there is no link eth0"
run -c 'new web; expect own nonsense'
has "a kind that is none" "$status:$err" "2:*nonsense is no kind of namespace*"

inside='run cat /proc/sys/kernel/hostname'
run -c "new web; unshare uts; hostname one; hostname two; $inside; undo; $inside; undo; undo; expect not own uts; undo; expect not sandbox web; undo"
has "undo takes back one command after the other" "$status:$out:$err" "1:two
took back: hostname two
one
took back: hostname one
took back: unshare uts
took back: new web:belljar: undo: nothing to take back"
run -c 'new web; unshare uts; hostname one; ls > /dev/null; set a b; echo c > /dev/null; undo'
is "looking is not counted" "$out" "took back: hostname one"
run -c 'new web; rm web; undo'
has "what can't be taken back is said" "$status:$err" "1:*rm web*can't be taken back*"
i=0
{
	echo 'new web; unshare uts'
	while [ $i -lt 120 ]; do
		i=$((i + 1))
		echo "hostname n$i"
	done
	i=0
	while [ $i -lt 100 ]; do
		i=$((i + 1))
		echo undo
	done
	echo "$inside"
	echo undo
} >many.bell
run -f many.bell
has "the last hundred commands are remembered" "$status:$out:$err" "1:took back: hostname n120*took back: hostname n21
n20:many.bell:*nothing to take back"

# A command fails at its first, second, ... step: the sandbox is as before.
printf 'new web\nunshare uts net ipc pid mnt\n' >fail.bell
n=1
while [ $n -lt 20 ]; do
	BELLJAR_FAULT=$n:ENOMEM run -k -f fail.bell -c 'expect not own uts net ipc pid mnt' -c 'undo'
	case $err in
	# The steps of undo come next.
	*undo:*"failed on purpose"*) break ;;
	*"failed on purpose"*) ;;
	*) break ;;
	esac
	if [ $n -gt 1 ]; then
		hasnt "step $n fails: nothing of the command stays" "$err" "*not as expected*"
		is "step $n fails: undo takes back the command before it" "$out" "took back: new web"
	fi
	n=$((n + 1))
done
is "steps were there to fail" "$((n > 2))" 1

run -c 'new web; explain unshare uts; expect not own uts; explain new db; expect not sandbox db'
has "explain COMMAND changes nothing" "$status:$out" "0:*kernel: *unshare(*CLONE_NEWUTS*"
run -c 'new web; explain unshare nonsense'
has "explain of a mistake" "$status:$err" "2:*nonsense is no kind of namespace*"
run -c 'explain on; new web; explain off; unshare uts; explain'
has "explain on" "$status:$out" "0:*kernel: *explain is off"
hasnt "and off" "$out" "*CLONE_NEWUTS*"
run -n -c 'new web; unshare uts net; hostname web; expect own uts; expect works limit pids 10; run touch made; show > made; ls | tee made
!touch made'
has "a dry run tells all" "$status:$out:$err" "0:*CLONE_NEWUTS*sethostname*run a command of the host
    shell:  touch made:"
is "and does nothing" "$(ls made 2>/dev/null)" ""
if command -v strace >/dev/null; then
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=clone,clone3,vfork,unshare,setns,mkdir,mkdirat,socket "$BELLJAR" -n -c 'new web; unshare uts net; limit pids 10' >/dev/null
	is "the kernel is not asked to change anything" "$(grep -E 'clone|fork|unshare|setns|mkdir|socket' trace)" ""
fi
run --explain -c 'new web' -c 'unshare uts'
has "--explain tells and does" "$status:$out" "0:*CLONE_NEWUTS*"

run -c 'new a; unshare uts; hostname inner; new b; @a run cat /proc/sys/kernel/hostname; show > shown; @a show > shown2'
is "@NAME acts on another" "$status:$out" "0:inner"
has "and does not switch" "$(cat shown):$(cat shown2)" "b:*a:*"
run -c 'new a; new b; @b rm b; expect not sandbox b; @a rm a; new a'
is "@NAME rm NAME" "$status:$err" "0:"
run -c 'new a; @a quit'
has "@NAME where it means nothing" "$status:$err" "2:*@NAME before it means nothing"
run -c 'new a; run sh -c "exit 3"'
has "a program's status stops a script" "$status:$err" "3:belljar: run: sh -c \"exit 3\": exit status 3"
printf 'new a\nrun sh -c "exit 3"\necho not reached\n' >status.bell
run -f status.bell
has "with the line" "$status:$out:$err" "3::status.bell:2: run: sh -c \"exit 3\": exit status 3"
run -c 'new a; expect status 3 run sh -c "exit 3"; expect prints hello run echo hello; run echo one > file; run echo two | tr a-z A-Z'
is "programs' output goes where the command's does" "$status:$out:$(cat file)" "0:TWO:one"
run -c 'new a; echo 1; run echo 2; echo 3; run echo 4'
is "in order" "$out" "1
2
3
4"
run -c 'new a; use nothing'
run -k -c 'new a; frobnicate; use nothing'

session=front$$
run -s $session new web
is "a session with a name" "$status:$err" "0:"
run --complete -s $session use ''
is "completion knows its sandboxes" "$out" web
run --complete -s $session @
is "and @NAME" "$out" @web
run --complete -s ${session%?}
has "and its name" "$out" "*$session*"
run --complete -s no$session use ''
is "completion makes no session" "$out:$(ls -d /run/belljar/no$session 2>/dev/null)" ":"
run -s $session end
is "its end" "$status:$err" "0:"

"$BELLJAR" -c 'new a
run -d sleep 30
sleep 30' &
belljar=$!
sleep 0.5
holder=$(pgrep -P "$belljar" -f belljar-holder | head -n 1)
isnt "a holder is there" "$holder" ""
kill -TERM "$belljar"
wait "$belljar"
is "SIGTERM: status" "$?" 143
is "its holder is gone" "$(ls -d "/proc/$holder" 2>/dev/null)" ""
is "its control groups are gone" "$(ls -d /sys/fs/cgroup/belljar.$belljar.* /sys/fs/cgroup/*/belljar.$belljar.* 2>/dev/null)" ""
done_testing
