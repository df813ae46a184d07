"""The shell's completion script."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from flux2build.errors import Exit, UsageError


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> Exit:
    """Print the completion script of a shell.

    Put `eval "$(flux2build completion bash)"` into your shell's start-up file.
    """
    root = click.get_current_context().find_root()
    found = get_completion_class(shell)
    if found is None:  # pragma: no cover - the choices above are the classes click has
        raise UsageError(f"click knows no completion for `{shell}`")
    click.echo(found(root.command, {}, "flux2build", "_FLUX2BUILD_COMPLETE").source())
    return Exit.DONE


COMMAND: Final[click.Command] = completion
