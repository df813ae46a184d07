
_flux2build_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" current before found kind value
    current="${line##*[[:space:]]}" before=""
    # bash splits words at `=` and `:`, which members and selections have in them.
    case "$current" in
        [\"\']*) ;;
        *[=:]*) before="${current%"${current##*[=:]}"}" ;;
    esac
    COMPREPLY=()
    while IFS= read -r found; do
        kind="${found%%,*}" value="${found#*,}"
        value="${value%%$'\t'*}"
        if [[ $kind == file ]]; then
            compopt -o default 2>/dev/null
        elif [[ $kind == plain ]]; then
            COMPREPLY+=("${value#"$before"}")
        fi
    done < <(env COMP_WORDS="$line" COMP_CWORD="$current" \
        _FLUX2BUILD_COMPLETE=fish_complete "$1")
}
complete -o nosort -F _flux2build_completion flux2build 2>/dev/null ||
    complete -F _flux2build_completion flux2build
