"""The contract of a command: a module that ends in `COMMAND: Final[click.Command] = …`.

Every option has an environment variable, `FLUX2BUILD_` and its name. A
command's function takes the `CommonOptions` that all commands share, then its own
options, and returns an exit code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Sequence
from typing import Any, Final

import click

from flux2build.cli.completers import COMPLETERS
from flux2build.errors import Exit
from flux2build.registry import Family
from flux2build.session.common_options import CommonOptions

Function = Callable[..., Exit]


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """An option whose environment variable is `FLUX2BUILD_` and its long name.

    The metavar decides how a shell completes its value.
    """
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "FLUX2BUILD_" + long.removeprefix("--").replace("-", "_").upper()
    if (completer := COMPLETERS.get(settings.get("metavar", ""))) is not None:
        settings["shell_complete"] = completer
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def command_first(words: Sequence[str], commands: Container[str]) -> list[str]:
    """The words with the command in front, even if shared options stand before it."""
    takes_value = {
        name: not (each.is_flag or each.count) for each in _shared() for name in each.opts
    }
    at = 0
    while at < len(words) and words[at].startswith("-"):
        name, joined, _ = words[at].partition("=")
        if not name.startswith("--"):
            name, joined = words[at][:2], words[at][2:]
        if name not in takes_value:
            return list(words)
        at += 2 if takes_value[name] and not joined else 1
    if at < len(words) and words[at] in commands:
        return [words[at], *words[:at], *words[at + 1 :]]
    return list(words)


_SHARED = (
    option("-f", "--file", metavar="FILE", help="The spec; default: assets.toml here or above."),
    option("-p", "--profile", metavar="PROFILE", help="The profile, such as draft or final."),
    option("--json", is_flag=True, help="Print JSON on stdout."),
    option("-q", "--quiet", is_flag=True, help="Print only problems."),
    option("-v", "--verbose", count=True, help="Say more; twice for even more."),
    option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour; NO_COLOR and FORCE_COLOR are heeded too.",
    ),
    option("--env-file", metavar="FILE", help="Read API keys from this file of NAME=VALUE lines."),
)


@functools.cache
def _shared() -> list[click.Option]:
    """The options that all commands have."""

    def bare() -> None: ...

    for decorator in _SHARED:
        decorator(bare)
    options: list[click.Option] = bare.__click_params__  # type: ignore[attr-defined] # click's own
    return options


def command(name: str, *, selects: bool = False) -> Callable[[Function], click.Command]:
    """Make a command of a function that takes a `CommonOptions`, then its own options.

    The function's docstring is the command's help; its module's first line is
    the summary in the list of commands.
    """

    def wrap(function: Function) -> click.Command:
        @functools.wraps(function)
        def run(**values: Any) -> Exit:
            quiet, verbose = values.pop("quiet"), values.pop("verbose")
            shared = {
                key: values.pop(key) for key in ("file", "profile", "json", "color", "env_file")
            }
            options = CommonOptions(**shared, verbosity=-1 if quiet else verbose)
            return function(options, **values)

        wrapped: Any = run
        for decorator in reversed(_SHARED):
            wrapped = decorator(wrapped)
        if selects:
            wrapped = _selection(wrapped)
        return click.command(name, help=function.__doc__)(wrapped)

    return wrap


def _selection(function: Any) -> Any:
    """The selection grammar's argument and `--exclude`."""
    function = option(
        "--exclude",
        multiple=True,
        metavar="SELECTION",
        help="Leave these out of the selection.",
    )(function)
    return click.argument(
        "selection", nargs=-1, metavar="[SELECTION]...", shell_complete=COMPLETERS["SELECTION"]
    )(function)


COMMANDS: Final = Family[click.Command]("flux2build.cli.commands", "COMMAND")
