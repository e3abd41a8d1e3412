	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i given=() command= rest= key next
	COMPREPLY=()
	# bash takes "=" for a word of its own, or the end of one.
	if [[ $word == = ]]; then word= i=1; elif [[ $before == = ]]; then i=2; else i=0; fi
	if [[ $i -gt 0 && ${COMP_WORDS[COMP_CWORD - i - 1]} =~ ^(-s|--set)$ ]]; then
		key=${COMP_WORDS[COMP_CWORD - i]}=
		for next in $settings; do
			[[ $next != "$key$word"* || $next == "$key" ]] || COMPREPLY+=("${next#"$key"}")
		done
		return
	fi
	if [[ -n $settings && $before =~ ^(-s|--set)$ ]]; then
		for next in $settings; do
			[[ $next != "$word"* || " ${COMPREPLY[*]} " == *" ${next%%=*}= "* ]] || COMPREPLY+=("${next%%=*}=")
		done
		compopt -o nospace 2>/dev/null
		return
	fi
	if [[ $takes_file == *" $before "* ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	[[ $takes_value != *" $before "* ]] || return

	# The words before this one that are neither options nor their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ $takes_value == *" ${COMP_WORDS[i]} "* ]]; then
			((i++))
		elif [[ ${COMP_WORDS[i]} != -* ]]; then
			given+=("${COMP_WORDS[i]}")
		fi
	done
	for key in "${!arguments_of[@]}"; do
		[[ "${given[*]} " != "$key "* || ${#key} -le ${#command} ]] || command=$key
	done
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$global ${command:+${options_of[$command]}}" -- "$word" | sort -u)
		return
	fi
	if [[ -z $command ]]; then
		for key in "${!arguments_of[@]}"; do
			[[ "$key " == "${given[*]:+${given[*]} }"* ]] || continue
			rest=${key#"${given[*]:+${given[*]} }"}
			[[ ${rest%% *} != "$word"* ]] || COMPREPLY+=("${rest%% *}")
		done
		[[ ${#COMPREPLY[@]} -eq 0 ]] || mapfile -t COMPREPLY < <(printf '%s\n' "${COMPREPLY[@]}" | sort -u)
	fi
	if [[ $free_file || ( -n $command && ${arguments_of[$command]} =~ FILE|PATH ) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
