"""Runs `build`, `plan`, `check` or `list` for a plain command line, without the parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flux2build.cli.call import choice_of, common_options
from flux2build.cli.outcome import concluded
from flux2build.errors import Exit, Flux2BuildError
from flux2build.session.command_lines import Context
from flux2build.storage.index import Index


def run(
    words: Sequence[str], command: str, values: Mapping[str, Any], index: Index | None = None
) -> int:
    """Run a command with the values that its words gave, and return an exit code.

    Commands that only read continue from an index that has just been read.
    """
    values = {**values, "index": index} if command in {"plan", "check"} else {**values}
    return concluded(words, lambda _: command, lambda _: _called(command, values))


def _called(command: str, values: dict[str, Any]) -> Exit:
    options, choice = common_options(values), choice_of(values)
    try:
        return function_of(command)(options, choice=choice, **values)
    except Flux2BuildError as error:
        Context(options, choice).complete_error(error)
        raise


def function_of(command: str) -> Callable[..., Exit]:
    """The function that carries a command out."""
    if command == "plan":
        from flux2build.cli.run_plan import show_plan

        return show_plan
    if command == "check":
        from flux2build.cli.run_check import check

        return check
    if command == "list":
        from flux2build.cli.run_list import list_assets

        return list_assets
    from flux2build.cli.run_build import build

    return build
