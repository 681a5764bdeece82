# bash completion for belljar: the program itself says what could stand there

_belljar()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local words=() i line=

	# bash splits words at : and = as well; put them together as belljar reads them.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		if [[ $i -gt 1 && ( ${COMP_WORDS[i]} == [:=]* || ${COMP_WORDS[i-1]} == *[:=] ) && ${#words[@]} -gt 0 ]]; then
			words[${#words[@]}-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
	done
	COMPREPLY=()
	if [[ $previous == -f ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	# What stands before the last : or = is on the line already.
	local word=${words[${#words[@]}-1]} fixed=
	[[ $word == *[:=]* && $COMP_WORDBREAKS == *[:=]* ]] && fixed=${word%"${word##*[:=]}"}
	while IFS= read -r line; do
		COMPREPLY+=("${line#"$fixed"}")
	done < <("${COMP_WORDS[0]}" --complete "${words[@]}" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=:] ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _belljar belljar
