#!/bin/sh
# Options of the command line, and the exit status of each front end.
. "$(dirname "$0")/front.inc"

run -c 'echo one; echo two'
is "-c runs commands" "$status:$out:$err" "0:one
two:"
feed 'echo from stdin\n'
is "standard input is a script when it is no terminal" "$status:$out" "0:from stdin"
echo 'echo from file' >"$tmp/a.bell"
run -f "$tmp/a.bell"
is "-f runs a file" "$status:$out" "0:from file"
feed 'echo from stdin\n' -c 'echo first' -f "$tmp/a.bell" -f - -c 'echo last'
is "-c and -f mix in order, - is standard input" "$status:$out" "0:first
from file
from stdin
last"
run echo 'a  b' '$HOME' ';' '#'
is "one command: its words are taken as they are" "$status:$out" '0:a  b $HOME ; #'
run -- echo -k
is "-- ends the options" "$status:$out" "0:-k"
run echo -k --help
is "options stop at the first word" "$status:$out" "0:-k --help"
run -c ''
is "nothing to do" "$status:$out$err" "0:"
feed ''
is "an empty script" "$status:$out$err" "0:"
run -xc 'echo a'
is "letters can be joined, -x echoes" "$status:$out:$err" "0:a:+ echo a"
run '-cecho joined'
is "a value may be joined to its letter" "$status:$out" "0:joined"

run --help
has "--help" "$status:$out" "0:usage: belljar*--dry-run*--color*"
run --version
has "--version" "$status:$out" "0:belljar *"
run --no-such
has "an unknown option" "$status:$err" "2:belljar: unknown option --no-such*try: belljar --help"
run -q
has "an unknown letter" "$status:$err" "2:belljar: unknown option -q*"
run -c
has "a missing value" "$status:$err" "2:belljar: -c needs a TEXT*"
run --color
has "a missing value of a long option" "$status:$err" "2:belljar: --color needs a WHEN*"
run --color=blue -c ''
has "a wrong colour" "$status:$err" "2:belljar: --color is auto, always or never, not \"blue\""
run --json=1
has "a value too much" "$status:$err" "2:*takes no value"
run -c 'echo a' echo b
has "a command after -c" "$status:$out:$err" "2::*can't follow*"
run -f "$tmp/none.bell"
has "a script that is not there" "$status:$err" "1:belljar: can't open $tmp/none.bell (ENOENT)"
run -f "$tmp"
has "a script that is a directory" "$status:$err" "1:$tmp: can't read (EISDIR)"

run -c 'sleep nonsense'
is "usage error: 2" "$status" 2
run -c 'use nothing'
is "failed command: 1" "$status" 1
run -c '!exit 7'
is "a program's own status" "$status" 7
run -c '!kill -9 $$'
has "a program killed by a signal: 128 + n" "$status:$err" "137:*signal 9*"
run -k -c 'use nothing
!exit 7
echo reached'
is "-k: the status of the first failure" "$status:$out" "1:reached"
run -c 'echo a
use nothing
echo not reached'
is "without -k a script stops at its first error" "$status:$out" "1:a"
run -k -c '!exit 3' -c 'echo second'
is "-k goes on with the next -c" "$status:$out" "3:second"
run -c '!exit 3' -c 'echo second'
is "without it the next -c is not run" "$status:$out" "3:"
run -c 'echo a; quit; echo b' -c 'echo c'
is "quit ends all of it, with status 0" "$status:$out" "0:a"

run --color=always -c 'nosuch'
has "--color=always" "$err" "*$(printf '\033')*"
run --color=never -c 'nosuch'
hasnt "--color=never" "$err" "*$(printf '\033')*"
run -c 'nosuch'
hasnt "no colour when it is no terminal" "$err" "*$(printf '\033')*"

if [ "$(id -u)" = 0 ]; then
	cp "$BELLJAR" "$tmp/setuid"
	chmod 4755 "$tmp" "$tmp/setuid"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/setuid" -c 'echo a' 2>&1)
	status=$?
	has "set-user-ID is refused" "$status:$out" "1:belljar: belljar must not be set-user-ID*"
	chown root:daemon "$tmp/setuid"
	chmod 2755 "$tmp/setuid"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/setuid" -c 'echo a' 2>&1)
	status=$?
	has "set-group-ID is refused" "$status:$out" "1:belljar: belljar must not be set-user-ID*"
fi
done_testing
