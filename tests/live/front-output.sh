#!/bin/sh
# Output: where it goes, in which order, and what happens when it can't be written.
. "$(dirname "$0")/front.inc"
cd "$tmp" || exit 1

run -c 'echo hello > one.txt; echo more >> one.txt; echo shown'
is "> and >>" "$status:$out:$(cat one.txt)" "0:shown:hello
more"
run -c 'echo other > one.txt'
is "> replaces" "$(cat one.txt)" "other"
run -c 'echo a > "two words.txt"'
is "a quoted file name" "$(cat 'two words.txt')" "a"
run -c 'echo hello | tr a-z A-Z
echo after'
is "| host command" "$status:$out" "0:HELLO
after"
run -c 'echo hello | exit 4'
has "its status counts" "$status:$err" "4:belljar: echo: exit 4: exit status 4"
run -c 'help | true
echo after'
is "a reader that does not read is no error" "$status:$out:$err" "0:after:"
run -c 'echo a > /nonexistent/b'
has "a file that can't be opened" "$status:$err" "1:belljar: echo: can't write to /nonexistent/b (ENOENT)"
run -c 'help > /dev/full
echo after'
has "a full disk" "$status:$out:$err" "1::belljar: help: can't write to /dev/full (ENOSPC)"

"$BELLJAR" -c 'echo a' >/dev/full 2>err
has "standard output on a full disk" "$?:$(cat err)" "1:belljar: *standard output can't be written (ENOSPC)"
"$BELLJAR" -c 'echo a' >&- 2>err
has "standard output closed" "$?:$(cat err)" "1:belljar: *standard output can't be written (EBADF)"
"$BELLJAR" --help >/dev/full 2>err
has "--help on a full disk" "$?:$(cat err)" "1:belljar: *standard output can't be written (ENOSPC)"
{ "$BELLJAR" -c 'sleep 300ms
echo a
echo b' 2>err; echo $? >status; } | true
has "standard output is a closed pipe" "$(cat status):$(cat err)" "1:belljar: *standard output can't be written (EPIPE)"
python3 -c 'print("echo " + "x" * 99 + "\n" * 1, end="")' >line.bell
i=0
while [ $i -lt 11 ]; do cat line.bell line.bell >double; mv double line.bell; i=$((i + 1)); done
echo '!touch reached' >>line.bell
"$BELLJAR" -f line.bell >/dev/full 2>err
has "a script stops when its output can't be written" "$?:$(ls reached 2>/dev/null)" "1:"
"$BELLJAR" -c '' <&-
is "standard input closed" "$?" 0
"$BELLJAR" -c 'nosuch' 2>&-
is "standard error closed" "$?" 2

run -c 'echo 1
!echo 2
echo 3
echo 4 | cat
echo 5
!echo 6'
is "output is in order" "$out" "1
2
3
4
5
6"
"$BELLJAR" -k -x -c 'echo 1
nosuch
echo 2' >both 2>&1
is "and so is it with errors and echo in the same file" "$(cat both)" "+ echo 1
1
+ nosuch
belljar: unknown command nosuch
  nosuch
  ^
  try: help, or run nosuch for a program in the sandbox, or !nosuch for one of the host
+ echo 2
2"
mkfifo in out
"$BELLJAR" <in >out &
exec 3>in 4<out
echo 'echo answer' >&3
answer=$(timeout 5 head -n 1 <&4)
exec 3>&- 4<&-
wait $!
is "through pipes each command is answered at once" "$?:$answer" "0:answer"

# Descriptors of belljar's caller do not get into programs.
exec 7<"$here/front.inc"
run -c '!ls /proc/self/fd | tr "\n" " "'
is "programs get descriptors 0 to 2 only" "$out" "0 1 2 3 "
exec 7<&-
for signal in PIPE INT QUIT TERM HUP; do
	run -c "!kill -$signal \$\$"
	[ "$status" -gt 128 ]
	is "SIG$signal ends programs" "$?" 0
done
done_testing
