"""Parses the command line, runs a command, and turns every outcome into an exit code."""

from __future__ import annotations

import errno
import io
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from flux2build import __version__
from flux2build.cli.command import COMMANDS, command_first, variables
from flux2build.cli.usage_errors import usage_error
from flux2build.errors import Exit, Flux2BuildError, SystemFault, UsageError, brief

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
    """What a command does, in one line; reading it does not import the command."""
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


def run(words: Sequence[str]) -> int:  # noqa: PLR0911 - one return for each outcome
    """Parse the words, run the command, and turn every outcome into an exit code."""
    try:
        _escape_unencodable()
        _require_folder()
        if _HELP_FLAGS.isdisjoint(words):
            _refuse_unknown_variables()
        return int(MAIN.main(args=list(words), prog_name="flux2build", standalone_mode=False) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        return _fail(words, usage_error(wrong, f"flux2build {_named(words)}"))
    except Flux2BuildError as error:
        return _fail(words, error)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ninterrupted; what was submitted is recorded and resumes\n")
        return Exit.INTERRUPTED
    except SystemExit:
        # click exits by itself when the reader of its help is gone (`flux2build --help | head -1`).
        return Exit.DONE
    except OSError as error:
        return _refused(words, error)
    except Exception as bug:  # noqa: BLE001 - the one broad except: a bug becomes a report
        return _bug(words, bug)


def _escape_unencodable() -> None:
    """Escape characters that a stream's encoding lacks (`PYTHONIOENCODING=ascii`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_FULL_TABLE: Final = frozenset({errno.EMFILE, errno.ENFILE})
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


def _require_folder() -> None:
    """Make sure that the current folder exists.

    Raises:
        SystemFault: it was removed.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise SystemFault("the folder you are in is gone", hint="`cd` to one that is") from error


def _refuse_unknown_variables() -> None:
    """Refuse variables that are named like ours, so that a slip in a limit is not overlooked.

    Raises:
        UsageError: there are some.
    """
    if any(name.startswith("FLUX2BUILD_") for name in os.environ):
        from flux2build.session.variables import refuse_unknown

        refuse_unknown(os.environ, variables)


def _refused(words: Sequence[str], error: OSError) -> Exit:
    """Report what the system refused to do for reasons that are not ours."""
    if error.errno in _FULL_TABLE:
        hint = "`ulimit -n 1024` lets a process have more of them"
        return _fail(words, SystemFault((error.strerror or "").lower(), hint=hint))
    if error.errno == errno.ENAMETOOLONG:
        return _fail(words, UsageError(f"`{brief(str(error.filename))}` is too long a file name"))
    if error.errno not in _FULL_DISK:
        return _bug(words, error)
    from flux2build.console.console import silence

    silence(sys.stdout)  # at exit, nothing is written again
    return _fail(words, SystemFault(f"cannot write: {(error.strerror or '').lower()}"))


def _bug(words: Sequence[str], bug: Exception) -> Exit:
    sys.stderr.write(_report(bug, words))
    return Exit.BUG


def _fail(words: Sequence[str], error: Flux2BuildError) -> Exit:
    """Print an error, and say what to exit with."""
    from flux2build.console.console import Console

    Console(_color(words)).fail(error)
    return error.exit


def _color(words: Sequence[str]) -> str:
    """The value of `--color` or its variable, even if the words cannot be parsed."""
    color = os.environ.get("FLUX2BUILD_COLOR", "")
    for word, following in itertools.pairwise([*words, ""]):
        name, joined, value = word.partition("=")
        if name == "--color":
            color = value if joined else following
    return color if color in {"always", "never"} else "auto"


def _named(words: Sequence[str]) -> str:
    """The command that the words name, even if they cannot be parsed."""
    known = MAIN.list_commands(click.Context(MAIN))
    return next((word for word in command_first(words, known)[:1] if word in known), _DEFAULT)


def _report(bug: Exception, words: Sequence[str]) -> str:
    """A report to paste: the traceback, without the values of variables.

    Its lines are set off, for the last ones may be somebody's text.
    """
    import platform
    import traceback

    from flux2build.console.escaping import clean

    trace = "".join(traceback.format_exception(type(bug), bug, bug.__traceback__))
    report = "".join(
        (
            "\nThis is a bug in flux2build; please report it with the text below.\n\n",
            f"flux2build {__version__}, Python {platform.python_version()}, ",
            f"{platform.system()} {platform.machine()}\n",
            f"command: {_named(words)}\n\n",
            *(f"| {clean(line)}\n" for line in trace.rstrip("\n").split("\n")),
        )
    )
    # A process that has read a key has imported this module, which can take keys out of a text.
    http = sys.modules.get("flux2build.purchasing.http")
    return str(http.unkeyed(report)) if http else report
