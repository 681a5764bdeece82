#!/bin/sh
# How errors look, and that bad input ends in one and in nothing else.
. "$(dirname "$0")/front.inc"

printf 'echo fine\n\n  sleep  nonsense # comment\n' >"$tmp/lab.bell"
cd "$tmp" || exit 1
run -f lab.bell
is "file, line, column, command; the source with a caret" "$status:$err" "2:lab.bell:3:10: sleep: nonsense is not a time: use a number with ms, s, m, h or d, such as 1.5h
  sleep  nonsense
         ^"
run -c 'echo a; sleep nonsense'
has "-c: without a place" "$err" "belljar: sleep: nonsense is not a time*
  sleep nonsense
        ^"
run sleep nonsense
has "one command: without a place" "$err" "belljar: sleep: nonsense is not a time*"
feed 'echo a\nnosuch b\n'
has "standard input has a name" "$status:$out:$err" "2:a:standard input:2:1: unknown command nosuch*"
run -c 'ecko hello'
has "did you mean" "$err" "*did you mean echo?*"
run -c 'ech hello'
is "no abbreviations in scripts" "$status:$out" "2:"
run -c 'use nothing'
has "what to type instead" "$err" "belljar: use: no sandbox nothing
  try: new nothing"
run -c 'echo $no_such_variable'
has "an unset variable" "$status:$err" "2:*no_such_variable is not set*
       ^
  try: set no_such_variable VALUE"
printf 'sleep \303\244\303\244 x\n' >utf8.bell
run -f utf8.bell
has "the caret counts characters" "$err" "utf8.bell:1:7:*
        ^"
printf 'set x a\\\n b c\n' >two.bell
run -f two.bell
has "an error on a continued line" "$status:$err" "2:two.bell:1*"

printf 'sleep "\033]0;title\007\342\200\256"\n' >hostile.bell
run -f hostile.bell
hasnt "control characters in errors are made visible" "$err" "*$(printf '\033')*"
has "as escapes" "$err" '*\\x1b\]0;title\\x07\\u{202e}*'
run "$(printf 'no\033[31msuch')"
hasnt "and in unknown words" "$err" "*$(printf '\033')*"
run "--$(printf 'no\033[31msuch')"
hasnt "and in unknown options" "$err" "*$(printf '\033')*"

feed 'echo a\n\0echo b\n'
has "a NUL byte" "$status:$out:$err" "2:a:*NUL*"
feed 'echo \377\n'
has "bytes that are not UTF-8" "$status:$out:$err" "2::*UTF-8*"
feed 'echo "a\nb'
has "a script that ends inside a quote" "$status:$out:$err" '2::*unterminated "*'
feed 'echo a \\'
has "a script that ends after a backslash" "$status:$err" "2:*"
head -c 2000000 /dev/zero | tr '\0' x >long.bell
run -f long.bell
has "a line of two megabytes" "$status:$out:$err" "2::*longer than*"
hasnt "is not shown whole" "${#err}" "?????*"
{ echo 'echo before'; head -c 1100000 /dev/zero | tr '\0' x; echo; echo 'echo after'; } >long.bell
run -k -f long.bell
is "-k goes on behind it" "$status:$out" "2:before
after"
i=0
nested=echo
while [ $i -lt 60 ]; do
	nested="expect works $nested"
	i=$((i + 1))
done
run -c "$nested x"
has "commands within commands end somewhere" "$status:$err" "[12]:*commands within commands*"
echo "source self.bell" >self.bell
run -f self.bell
has "a file that sources itself ends somewhere" "$status:$err" "1:*files deep"
run -c 'history'
has "prompt commands in scripts" "$status:$err" "2:belljar: history: only at the prompt*"
run -c '@nothing ls'
has "@NAME of nothing" "$status:$err" "1:belljar: *no sandbox nothing*"
run -c '@nothing'
has "@NAME alone" "$status" "[12]"
run -c 'set 1x y'
has "a variable's name" "$status:$err" "2:*1x can't name a variable*"
run -c 'unset nothing'
has "unset of nothing" "$status:$err" "1:*nothing is not set*"
run -c 'nosuch' -c why
is "why without -k is not reached" "$out" ""
run -k -c 'use nothing' -c why
has "why tells the last error again" "$out" "use nothing
  no sandbox nothing*try: new nothing"
done_testing
