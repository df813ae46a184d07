"""The contract of a command: a module that ends in `COMMAND: Final[click.Command] = …`.

Every option has an environment variable, `FLUX2BUILD_` and its name. A
command's function takes the `CommonOptions` that all commands share, then its own
options, and returns an exit code, or None for `Exit.DONE`.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any, Final

import click

from flux2build.cli.call import choice_of, common_options
from flux2build.cli.completers import COMPLETERS
from flux2build.errors import Exit, Flux2BuildError
from flux2build.registry import Family
from flux2build.session.command_lines import Context
from flux2build.session.common_options import Choice

Function = Callable[..., Exit | None]


class Option(click.Option):
    """An option whose environment variable is `FLUX2BUILD_` and its long name.

    The metavar decides how a shell completes its value.
    """

    def __init__(self, names: Sequence[str], **settings: Any) -> None:
        long = next(name for name in names if name.startswith("--"))
        settings["envvar"] = "FLUX2BUILD_" + long.removeprefix("--").replace("-", "_").upper()
        settings["shell_complete"] = COMPLETERS.get(settings.get("metavar", ""))
        super().__init__(names, show_envvar=True, **settings)


class Command(click.Command):
    """A command that refuses two values for one option, because one of them would be lost."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words; `UsageError` if an option that takes one value has several, or an option."""
        self._refuse_options_as_values(ctx, args)
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for param, times in Counter(given).items():
            if isinstance(param, click.Option) and times > 1 and _takes_one_value(param):
                word = max(param.opts, key=len)
                raise click.UsageError(f"'{word}' is given {times} times and takes one value", ctx)
        return super().parse_args(ctx, args)

    def _refuse_options_as_values(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Refuse `--force --dry-run`, which click reads as a value; `--note=--force` means it."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        flags = {name for each in options if each.is_flag or each.count for name in each.opts}
        names = {name for each in options for name in each.opts}
        for word, following in itertools.pairwise(itertools.takewhile("--".__ne__, args)):
            if word in names - flags and following in names:
                raise click.UsageError(f"option '{word}' requires an argument", ctx)


def _takes_one_value(param: click.Option) -> bool:
    return not (param.multiple or param.is_flag or param.count)


class _Specs(click.ParamType[str]):
    """The path of a spec; a variable has several as PATH has folders."""

    name = "file"
    envvar_list_splitter = os.pathsep

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path as it is."""
        del param, ctx
        return value


option: Final = functools.partial(click.option, cls=Option)


class Listing(click.Group):
    """The group that lists when nothing else is asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The group alone, or with options only, means its command `list`."""
        bare = not args and not ctx.resilient_parsing
        if bare or (args and args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


_SHARED: Final = (
    Option(["-f", "--file"], metavar="FILE", help="The spec; default: assets.toml here or above."),
    Option(["-p", "--profile"], metavar="PROFILE", help="The profile, such as draft or final."),
    Option(["--json"], is_flag=True, help="Print JSON on stdout."),
    Option(["-q", "--quiet"], is_flag=True, help="Print only problems."),
    Option(["-v", "--verbose"], count=True, help="Say more; twice for even more."),
    Option(
        ["--color"],
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour; NO_COLOR and FORCE_COLOR are heeded too.",
    ),
    Option(
        ["--env-file"], metavar="FILE", help="Read API keys from this file of NAME=VALUE lines."
    ),
)
_SEVERAL: Final = (
    Option(
        ["-f", "--file"],
        type=_Specs(),
        multiple=True,
        metavar="FILE",
        help="The spec, or several; default: assets.toml here or above.",
    ),
    Option(["--all"], is_flag=True, help="Every assets.toml in this folder and below."),
)
_SELECTION: Final = (
    click.Argument(
        ["selection"], nargs=-1, metavar="[SELECTION]...", shell_complete=COMPLETERS["SELECTION"]
    ),
    Option(
        ["--exclude"], multiple=True, metavar="SELECTION", help="Leave these out of the selection."
    ),
)


def command_first(words: Sequence[str], commands: Container[str]) -> list[str]:
    """The words with the command in front, even if shared options stand before it."""
    takes_value = {name: not (each.is_flag or each.count) for each in _SHARED for name in each.opts}
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


def command(
    name: str, *, selects: bool = False, many: bool = False, without: Container[str] = ()
) -> Callable[[Function], click.Command]:
    """Make a command of a function that takes a `CommonOptions`, then its own options.

    One that selects gets a `choice` of assets; it has no shared option that it is `without`,
    because it would not heed it. One for `many` takes several specs, one after the other. The
    function's docstring is the command's help; its module's first line is the summary in the list
    of commands.
    """

    def wrap(function: Function) -> click.Command:
        @functools.wraps(function)
        def run(**values: Any) -> Exit | None:
            if not many:
                return once(**values)
            named, every = tuple(dict.fromkeys(values.pop("file"))), values.pop("all")
            if len(named) < 2 and not every:
                return once(**values, file=next(iter(named), None))

            from flux2build.cli import several

            return several.each(several.below(named) if every else named, once, values)

        def once(**values: Any) -> Exit | None:
            options, choice = common_options(values), Choice()
            if selects:
                values["choice"] = choice = choice_of(values)
            called = click.get_current_context()
            called.obj = Context(options, choice)
            try:
                return function(options, **values)
            except Flux2BuildError as error:
                called.obj.complete_error(error)
                raise

        unwanted = {"file"} if many else without
        shared = [each for each in _SHARED if each.name not in unwanted]
        shared += _SEVERAL if many else ()
        params: list[click.Parameter] = [*(_SELECTION if selects else ()), *shared]
        return click.command(name, Command, params=params, help=function.__doc__)(run)

    return wrap


COMMANDS: Final = Family[click.Command]("flux2build.cli.commands", "COMMAND")


def variables() -> frozenset[str]:
    """The environment variables of all options; every command is imported to know them."""
    names: set[str] = set()
    todo: list[click.Command] = list(COMMANDS.values())
    for each in todo:
        todo += each.commands.values() if isinstance(each, click.Group) else ()
        names |= {str(param.envvar) for param in each.params if isinstance(param, Option)}
    return frozenset(names)
