"""Parses the command line, and runs a command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import click
from click.shell_completion import CompletionItem

from flux2build import __version__
from flux2build.cli.command import COMMANDS, command_first, variables
from flux2build.cli.outcome import concluded
from flux2build.cli.usage_errors import usage_error
from flux2build.errors import Exit

_DEFAULT: Final = "build"
_HELP_FLAGS: Final = {"--help", "-h", "--version"}


class CommandGroup(click.Group):
    """The commands of the package, each imported only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands; summaries are read without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """One command by its name."""
        return COMMANDS.get(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`flux2build` alone, or with options only, means `flux2build build`."""
        words = command_first(args, self.list_commands(ctx))
        bare = not words and not ctx.resilient_parsing
        if bare or (words and words[0].startswith("-") and words[0] not in _HELP_FLAGS):
            words = [_DEFAULT, *words]
        return super().parse_args(ctx, words)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, without importing them; or the options of `build`, which needs no name."""
        if incomplete.startswith("-"):
            return COMMANDS[_DEFAULT].shell_complete(ctx, incomplete)
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=_summary(name)) for name in names]


def _summary(name: str) -> str:
    """The summary of a command in one line; reading it does not import the command."""
    return COMMANDS.summary(name).rstrip(".")


MAIN: Final = CommandGroup(
    "flux2build",
    help="The build system for images that cost money.\n\n"
    "`flux2build` alone builds what is out of date.\n\n"
    "\b\n"
    "Exit codes: 0 done or clean, 1 drift or findings, 2 usage, spec or lock\n"
    "error, 3 incomplete, 4 budget, 5 a person must decide, 6 the environment,\n"
    "70 a bug, 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=False,
)
click.version_option(__version__, prog_name="flux2build", message="%(prog)s %(version)s")(MAIN)


def run(words: Sequence[str]) -> int:
    """Parse the words, run the command, and turn every outcome into an exit code."""
    return concluded(words, _named, _parsed)


def _parsed(words: Sequence[str]) -> int:
    """Parse the words and run the command.

    Raises:
        UsageError: the words cannot be parsed.
        KeyboardInterrupt: a person asked to stop.
    """
    if _HELP_FLAGS.isdisjoint(words):
        _refuse_unknown_variables()
    try:
        return int(MAIN.main(args=list(words), prog_name="flux2build", standalone_mode=False) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        raise usage_error(wrong, f"flux2build {_named(words)}") from wrong
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:
        # click exits by itself when the reader of its help is gone (`flux2build --help | head -1`).
        return Exit.DONE


def _refuse_unknown_variables() -> None:
    """Refuse unknown `FLUX2BUILD_` variables, so that a slip in a limit is not overlooked.

    Raises:
        UsageError: there are such variables.
    """
    if any(name.startswith("FLUX2BUILD_") for name in os.environ):
        from flux2build.session.variables import refuse_unknown

        refuse_unknown(os.environ, variables)


def _named(words: Sequence[str]) -> str:
    """The command that the words name, even if they cannot be parsed."""
    commands = MAIN.list_commands(click.Context(MAIN))
    return next((word for word in command_first(words, commands)[:1] if word in commands), _DEFAULT)
