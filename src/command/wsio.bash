# Completes the commands and options of wsio in bash; installed as …/bash-completion/completions/wsio. What there is to complete
# it reads from the help.

_wsio() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} choices
    if ((COMP_CWORD == 1)); then
        choices=$(wsio --help 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')' --help --version'
    elif [[ $word == -* ]]; then
        # Options stand at the left, before two spaces; there may be more than one in a line, and one in more than one line.
        choices=$(wsio "$command" --help 2>/dev/null | sed -n '/^  -/{s/^  //;s/  .*//;p}' | grep -oE -- '--[a-z-]+' | awk '!seen[$0]++')
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --protocol || ${COMP_WORDS[COMP_CWORD - 1]} == -p ]]; then
        choices='13 8 7 76 75'
    else
        # Of files alone: a command is no folder, even where there is one of its name.
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _wsio wsio
