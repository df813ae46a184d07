"""Print a shell's completion script."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

_BASH: Final = r"""
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
"""

_FISH: Final = r"""
function _flux2build_completion
    set -lx _FLUX2BUILD_COMPLETE fish_complete
    set -lx COMP_WORDS (commandline -cp)
    set -lx COMP_CWORD (commandline -t)
    for found in (flux2build)
        set -l parts (string split -m 1 , -- $found)
        if test "$parts[1]" = file
            __fish_complete_path $parts[2]
        else if test "$parts[1]" = plain
            echo $parts[2]
        end
    end
end
complete --no-files --command flux2build --arguments "(_flux2build_completion)"
"""

_OWN: Final = {"bash": _BASH, "fish": _FISH}
"""Where click's own script breaks names that have `=` or `,` in them."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell's completion script.

    It completes commands, options, profiles and the names of assets. Put a line
    into the shell's start-up file:

    \b
      ~/.bashrc                    eval "$(flux2build completion bash)"
      ~/.zshrc, after `compinit`   eval "$(flux2build completion zsh)"
      ~/.config/fish/config.fish   flux2build completion fish | source
    """  # noqa: D301 - `\b` is a mark for click
    click.echo(_OWN.get(shell) or _clicks(shell), nl=False)


def _clicks(shell: str) -> str:
    kind = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    return kind(root, {}, "flux2build", "_FLUX2BUILD_COMPLETE").source() if kind else ""


COMMAND: Final[click.Command] = completion
