# fish completion for belljar: the program itself says what could stand there

function __belljar_candidates
	set -l words (commandline --tokenize --cut-at-cursor --current-process)
	set -l program $words[1]
	set -e words[1]
	$program --complete $words (commandline --current-token --cut-at-cursor) 2>/dev/null
end

complete --command belljar --no-files --arguments '(__belljar_candidates)'
complete --command belljar --short-option f --require-parameter --force-files
