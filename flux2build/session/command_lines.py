"""Completes the command lines in messages with the options of the call, so that they can be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.errors import Flux2BuildError, Problem
from flux2build.session.common_options import Choice, CommonOptions

_LINE: Final = r"`flux2build((?: [^`]+)?)`"
_SELECTING: Final = frozenset({"", "build", "check", "plan"})
_OF_NO_PROJECT: Final = frozenset(
    {"completion", "init", "models", "presets", "schema", "simulate", "--help", "--version"}
)
_OF_NO_PROFILE: Final = frozenset({"cost", "orders", "receive", "store"})
_OF_NO_FILE: Final = frozenset({"receive", "store gc", "store serve", "store verify"})
_TAKING_A_VALUE: Final = frozenset(
    {"-p", "--profile", "-f", "--file", "--env-file", "--exclude", "--force", "--max-cost", "-o"}
    | {"--reopen", "--note", "--sort"}
)


class Context(Struct, frozen=True):
    """The options of a call that a command about the same project must repeat."""

    options: CommonOptions = field(default_factory=CommonOptions)
    choice: Choice = field(default_factory=Choice)

    def complete(self, text: str) -> str:
        """A text, with its command lines about the same spec, profile and selection."""
        return re.sub(_LINE, lambda line: f"`flux2build{self._completed(line[1])}`", text)

    def problem(self, problem: Problem) -> Problem:
        """A problem whose hint has complete command lines."""
        return replace(problem, hint=self.complete(problem.hint)) if problem.hint else problem

    def complete_error(self, error: Flux2BuildError) -> None:
        """Complete the command lines in the hints of an error."""
        error.problems = tuple(map(self.problem, error.problems))

    def _completed(self, line: str) -> str:
        try:
            words = shlex.split(line)
        except ValueError:
            return line
        name = words[0] if words and not words[0].startswith("-") else ""
        if "--help" in words or not _OF_NO_PROJECT.isdisjoint(words[:1]):
            return line
        missing = [*self._options(words, name), *self._selection(words, name)]
        return line + "".join(f" {shlex.quote(word)}" for word in missing)

    def _options(self, words: Sequence[str], name: str) -> Iterator[str]:
        """The shared options that a command line lacks."""
        options, options_in_line = self.options, {word.partition("=")[0] for word in words}
        profile = None if name in _OF_NO_PROFILE else options.profile
        file = None if {name, " ".join(words[:2])} & _OF_NO_FILE else options.file
        for short, long, value in (
            ("-p", "--profile", profile),
            ("-f", "--file", file),
            ("", "--env-file", options.env_file),
        ):
            if value is not None and not options_in_line & {short, long}:
                yield from (short or long, value)

    def _selection(self, words: Sequence[str], name: str) -> Iterator[str]:
        """The choice of assets that a command line lacks, if it can have one and has none."""
        pairs = zip(["", *words], words, strict=False)
        named = (
            not word.startswith("-") and before not in _TAKING_A_VALUE for before, word in pairs
        )
        if name not in _SELECTING or "--exclude" in words or sum(named) > bool(name):
            return
        for excluded in self.choice.exclude:
            yield from ("--exclude", excluded)
        yield from self.choice.selection
