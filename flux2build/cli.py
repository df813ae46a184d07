"""The parser, built from the command family; the one broad except; the exit codes."""

from __future__ import annotations

import gc
import importlib
import platform
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from flux2build import __version__, commands, registry
from flux2build.errors import Exit, Flux2BuildError, UsageError, did_you_mean

_DEFAULT: Final = "build"
_HELP_FLAGS: Final = {"--help", "-h", "--version"}


class Family(click.Group):
    """The commands of the package, each imported only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return [name.replace("_", "-") for name in registry.names(commands)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands; summaries are read without importing the commands."""
        names = self.list_commands(ctx)
        rows = [(name, registry.summary(commands, _module(name)).rstrip(".")) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command by its name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found = registry.member(commands, _module(cmd_name), "COMMAND")
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; an unknown one gets the nearest as a hint."""
        if self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], self.list_commands(ctx)) or "see `flux2build --help`"
            raise UsageError(f"there is no command `{args[0]}`", hint=hint)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`flux2build` alone, or with options only, means `flux2build build`."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP_FLAGS):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


def _module(name: str) -> str:
    return name.replace("-", "_")


MAIN: Final = Family(
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


def run(words: Sequence[str]) -> int:  # noqa: PLR0911 - one return for each outcome
    """Parse the words, run the command, and turn every outcome into an exit code."""
    # Large projects make many lasting objects at once; looking for cycles among them is in vain.
    gc.set_threshold(50_000, 20, 50)
    try:
        return int(MAIN.main(args=list(words), prog_name="flux2build", standalone_mode=False) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        return _fail(words, _usage(wrong))
    except Flux2BuildError as error:
        return _fail(words, error)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ninterrupted; what was submitted is recorded and resumes\n")
        return Exit.INTERRUPTED
    except SystemExit:
        # click's answer when nobody reads its help any more (`flux2build --help | head -1`).
        return Exit.DONE
    except Exception as bug:  # noqa: BLE001 - the one broad except: a bug becomes a report
        sys.stderr.write(_report(bug, words))
        return Exit.BUG


def _fail(words: Sequence[str], error: Flux2BuildError) -> Exit:
    """Print an error; the console is imported only now, `--help` does without it."""
    console = importlib.import_module("flux2build.console")
    console.Console("never" if "--color=never" in words else "auto").fail(error)
    return error.exit


def _usage(wrong: click.ClickException) -> UsageError:
    """What click found wrong with the words, as every other error reads."""
    path = wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else ""
    message = wrong.format_message().rstrip(".")
    return UsageError(
        message[:1].lower() + message[1:], hint=f"see `{path or 'flux2build'} --help`"
    )


def _report(bug: Exception, words: Sequence[str]) -> str:
    """A paste-ready report; frames only, never the values of variables."""
    lines = traceback.format_exception(type(bug), bug, bug.__traceback__)
    return "".join(
        (
            "\nThis is a bug in flux2build; please report it with the text below.\n\n",
            f"flux2build {__version__}, Python {platform.python_version()}, ",
            f"{platform.system()} {platform.machine()}\n",
            f"command: {words[0] if words else 'build'}\n\n",
            *lines,
        )
    )
