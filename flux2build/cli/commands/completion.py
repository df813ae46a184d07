"""Print a shell's completion script."""

from __future__ import annotations

from importlib import resources
from typing import Final

import click
from click.shell_completion import ZshComplete


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell's completion script.

    It completes commands, options, profiles, selections, presets, codes and orders. Put a line
    into the shell's start-up file:

    \b
      ~/.bashrc                    eval "$(flux2build completion bash)"
      ~/.zshrc, after `compinit`   eval "$(flux2build completion zsh)"
      ~/.config/fish/config.fish   flux2build completion fish | source
    """  # noqa: D301 - `\b` is a mark for click
    if shell == "zsh":
        root = click.get_current_context().find_root().command
        script = ZshComplete(root, {}, "flux2build", "_FLUX2BUILD_COMPLETE").source()
    else:  # click's own scripts break names that have `=` or `,` in them
        own = resources.files("flux2build.cli").joinpath("shells", f"completion.{shell}")
        script = own.read_text("utf-8")
    click.echo(script, nl=False)


COMMAND: Final[click.Command] = completion
