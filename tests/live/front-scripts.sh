#!/bin/sh
# Scripts: #!, source, variables, expect, echo, and what commands read.
. "$(dirname "$0")/front.inc"
cd "$tmp" || exit 1

printf '#!%s -f\necho I am a script\n' "$BELLJAR" >script
chmod +x script
is "#! scripts" "$(./script 2>&1)" "I am a script"
printf '\357\273\277echo bom\r\necho crlf\r\n' >dos.bell
run -f dos.bell
is "a byte order mark and carriage returns" "$status:$out" "0:bom
crlf"
printf 'echo no newline at the end' >end.bell
run -f end.bell
is "the last line needs no newline" "$status:$out" "0:no newline at the end"
feed '!cat\necho not eaten\n'
is "host commands do not read the script" "$status:$out" "0:not eaten"

printf 'set inner 1\necho in $outer\n' >inner.bell
run -c 'set outer 2; source inner.bell; echo $inner'
is "source shares variables" "$status:$out" "0:in 2
1"
printf 'echo a\nnosuch\necho b\n' >bad.bell
printf 'echo 1\nsource bad.bell\necho 2\n' >top.bell
run -f top.bell
has "an error in a sourced file has its own place" "$status:$out:$err" "2:1
a:bad.bell:2:1: unknown command nosuch*"
hasnt "and is told once" "$err" "*top.bell*"
run -k -f top.bell
is "-k holds for sourced files" "$status:$out" "2:1
a
b
2"
run -x -f top.bell
has "-x shows the depth" "$err" "+ echo 1
+ source bad.bell
++ echo a
++ nosuch*"
run -c 'source none.bell'
has "a file that is not there" "$status:$err" "1:belljar: source: can't open none.bell (ENOENT)*"

run -c 'set a "x  y"; echo $a "$a" ${a}z '"'"'$a'"'"
is "variables are never split" "$out" 'x  y x  y x  yz $a'
run -c 'set a 1; set b "it'"'"'s"; set'
is "set lists what could be typed again" "$out" "set a 1
set b 'it'\\''s'"
VAR=outside run -c 'echo $VAR; set VAR inside; echo $VAR; unset VAR; echo $VAR; set VAR'
is "session variables hide the environment's" "$out" "outside
inside
outside
outside"
run --json -c 'set a 1; set'
is "set as JSON" "$out" '{"a":"1"}'
run -c 'set -k; nosuch; echo on; set +k; nosuch; echo not reached'
is "set -k and set +k" "$status:$out" "2:on"
run -c 'set -x; echo a; set +x; echo b'
is "set -x and set +x" "$err" "+ echo a
+ set +x"

run -c 'expect works echo a; expect fails use nothing; expect not fails echo b; expect status 5 !exit 5; expect prints hel echo hello'
is "expect: what is as expected" "$status:$out:$err" "0:a
b:"
run -c 'expect works use nothing'
has "expect works" "$status:$err" "1:belljar: expect: expected to work, but failed with status 1: use nothing
  why: no sandbox nothing*"
run -c 'expect fails echo a'
has "expect fails" "$status:$err" "1:belljar: expect: expected to fail, but worked: echo a"
run -c 'expect fails nosuch'
has "a mistake is not an expected failure" "$status:$err" "2:*unknown command nosuch*"
run -c 'expect fails !exit 2'
is "but a program's own status 2 is one" "$status:$err" "0:"
run -c 'expect status 4 !exit 5'
has "expect status" "$status:$err" "1:belljar: expect: expected status 4, got 5: !exit 5*"
run -c 'expect prints bye echo hello'
has "expect prints" "$status:$out:$err" "1::belljar: expect: expected \"bye\" in the output of: echo hello
  why: it printed: hello"
run -c 'expect not prints hell echo hello'
has "expect not prints" "$status:$err" "1:*expected no \"hell\"*"
run -c 'expect prints host !echo host'
is "expect prints of a host command" "$status:$err" "0:"
run -c 'expect works source bad.bell'
has "an error shown already is not lost" "$status:$err" "1:bad.bell:2:*expected to work*"

start=$(date +%s%N)
run -c 'sleep 300ms'
is "sleep waits" "$status:$((($(date +%s%N) - start) / 300000000 > 0))" "0:1"
"$BELLJAR" -c 'echo before
sleep 20
echo after' >out 2>err &
sleep 0.3
kill -TERM $!
wait $!
is "SIGTERM ends a script in good order" "$?:$(cat out)" "143:before"
run -n -c 'sleep 100'
is "a dry run does not sleep" "$status" 0
run -c help
has "help lists all" "$out" "*echo*quit*"
run -c 'help echo'
has "help of one" "$out" "echo \[TEXT...\]*"
run -c 'help nosuch'
has "help of nothing" "$status:$err" "2:belljar: help: unknown command nosuch*"
done_testing
