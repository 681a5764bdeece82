#!/bin/sh
# Completion, as belljar --complete and through the shells' files.
. "$(dirname "$0")/front.inc"
completions=$here/../../completions

run --complete ech
is "a command" "$status:$out" "0:echo"
run --complete expect wo
is "a keyword" "$out" "works"
run --complete expect works ech
is "a command within a command" "$out" "echo"
run --complete -k -x ech
is "behind options" "$out" "echo"
run --complete --dry
is "an option" "$out" "--dry-run"
run --complete --color=
is "an option's value" "$out" "--color=auto
--color=always
--color=never"
run --complete nosuch ''
is "behind an unknown command there is nothing" "$status:$out$err" "0:"
run --complete
is "without words there is nothing" "$status:$out$err" "0:"
run --complete ''
has "an empty word: all commands" "$out" "*echo*quit*"

if command -v bash >/dev/null; then
	out=$(bash -c '
		source "$1"/belljar.bash
		COMP_WORDS=("$2" expect wo) COMP_CWORD=2
		_belljar
		echo "${COMPREPLY[*]}"
		COMP_WORDS=("$2" --color = al) COMP_CWORD=3
		_belljar
		echo "${COMPREPLY[*]}"' - "$completions" "$BELLJAR")
	is "bash" "$out" "works
always"
fi
if command -v zsh >/dev/null; then
	zsh -n "$completions/_belljar"
	is "zsh reads its file" "$?" 0
fi
if command -v fish >/dev/null; then
	out=$(fish --no-config -c 'source $argv[1]/belljar.fish; set -p PATH (dirname $argv[2]); complete -C "belljar expect wo"' \
		"$completions" "$BELLJAR")
	is "fish" "$out" "works"
fi
done_testing
