"""The two output streams: data goes to stdout, messages go to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import IO, Final

from msgspec import DecodeError, Struct, field
from msgspec.json import format as indented

from flux2build.console.columns import folded
from flux2build.console.escaping import clean, in_json, whole_line
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import Flux2BuildError, Place, Problem
from flux2build.session.command_lines import Context
from flux2build.session.common_options import Choice, CommonOptions

FORMAT_VERSION: Final = "1.0"
"""The version of the JSON that commands print."""
_COLUMNS: Final = 80
"""The width of a terminal that does not report one."""


class _Stream:
    """A stream whose reader may go away; the work goes on and keeps its exit code."""

    def __init__(self, file: IO[str], color: str) -> None:
        self.file, self._color, self._given_up = file, color, False
        self.above: Callable[[str], None] | None = None
        """Shows a line above a progress bar, while there is one; on Windows, shows every line."""

    @cached_property
    def is_terminal(self) -> bool:
        """Whether the stream's reader understands escape sequences; variables may overrule this."""
        if self._color != "auto":
            return self._color == "always"
        if (setting := os.environ.get("TTY_COMPATIBLE")) in {"0", "1"}:
            return setting == "1"
        forced = os.environ.get("FORCE_COLOR")
        return self.file.isatty() if forced is None else bool(forced)

    @cached_property
    def coloured(self) -> bool:
        """Whether it shows colours beside bold and dim."""
        return self._color == "always" or not (self._color == "never" or os.environ.get("NO_COLOR"))

    @cached_property
    def _styled(self) -> bool:
        dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
        return self.is_terminal and not dumb

    def put(self, text: str | Text, style: str = "") -> None:
        """Print one line; no control character in it reaches the reader, newlines included."""
        self.put_all([text], style)

    def put_all(self, texts: Iterable[str | Text], style: str = "") -> None:
        """Print lines likewise, all at once."""
        self._write([self._shown(text, style) for text in texts])

    def _shown(self, text: str | Text, style: str) -> str:
        plain = str(text)
        harmless = whole_line(plain)
        if not self._styled:
            return harmless
        line = text if isinstance(text, Text) and harmless == plain else Text(harmless, style)
        return line.rendered(coloured=self.coloured)

    def _write(self, lines: Sequence[str]) -> None:
        if self._given_up or not lines:
            return
        if self.above is None and self._styled and os.name == "nt":
            from flux2build.console.terminal import printer, terminal

            self.above = printer(terminal(self.file, coloured=self.coloured))
        if self.above:
            for line in lines:
                self.above(line)
            return
        try:
            self.file.write("\n".join((*lines, "")))
            self.file.flush()
        except BrokenPipeError:
            self.give_up()

    def give_up(self) -> None:
        """Print nothing more."""
        self._given_up = True
        silence(self.file)


class _Messages(_Stream):
    """The stream of messages; if they cannot be written, the work goes on without them.

    A log on a full disk must not come between an order and the note that it was sent.
    """

    def put(self, text: str | Text, style: str = "") -> None:
        """Print one line if that is possible."""
        try:
            super().put(text, style)
        except OSError:
            self.give_up()


def silence(stream: IO[str]) -> None:
    """Redirect a stream that cannot be written to, so that flushing it at exit does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


class Console(Struct, eq=False, dict=True):
    """The two streams, and how much is printed on them."""

    color: str = "auto"
    verbosity: int = 0
    """-1 quiet, 0 normal, 1 and more verbose."""
    one_line: bool = False
    """Whether a JSON document is one line, where several follow each other."""
    context: Context = field(default_factory=Context)
    """The options that command lines in messages have to repeat."""

    @cached_property
    def out(self) -> _Stream:
        """The stream of data."""
        return _Stream(sys.stdout, self.color)

    @cached_property
    def err(self) -> _Stream:
        """The stream of messages."""
        return _Messages(sys.stderr, self.color)

    @classmethod
    def of(
        cls, options: CommonOptions, choice: Choice | None = None, *, one_line: bool = False
    ) -> Console:
        """The console of a command with these options, about this choice of assets."""
        context = Context(options, choice or Choice())
        return cls(options.color, options.verbosity, one_line or options.several, context)

    def data(self, *lines: str | Text) -> None:
        """Print lines of data on stdout, folded to the width of a terminal."""
        if (width := self.width) is None:
            self.out.put_all(lines)
            return
        texts = (line if isinstance(line, Text) else Text(clean(line)) for line in lines)
        self.out.put_all(part for text in texts for part in folded(text, width))

    def whole(self, *lines: str | Text) -> None:
        """Print lines of data for programs on stdout, without folding them."""
        self.out.put_all(lines)

    @cached_property
    def width(self) -> int | None:
        """How many cells a line on stdout may have; None where no terminal shows it.

        `COLUMNS` overrules it, as in other programs, for a pipe as well.
        """
        columns = os.environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and int(columns):
            return int(columns)
        if not self.out.is_terminal:
            return None
        for descriptor in (0, 1, 2):
            with suppress(OSError):
                return os.get_terminal_size(descriptor).columns or _COLUMNS
        return _COLUMNS

    def raw(self, text: str) -> None:
        """Print text exactly as it is on stdout: JSON, DOT, a schema."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            silence(sys.stdout)

    def document(self, fields: Mapping[str, Json]) -> None:
        """Print a documented JSON object on stdout, with the version of its format."""
        options = self.context.options
        about: Mapping[str, Json] = {"spec": options.file} if options.several else {}
        self.json({"format_version": FORMAT_VERSION, **about, **fields})

    def json(self, value: Json) -> None:
        """Print one JSON document on stdout."""
        ascii_only = not self.encoding.lower().startswith("utf")
        document = in_json(json.dumps(value, ensure_ascii=ascii_only))
        if not self.one_line:
            try:  # `json` itself indents in Python, which takes six times as long
                document = indented(document)
            except DecodeError:  # half of a surrogate pair, which `json` alone takes
                document = in_json(json.dumps(value, indent=2, ensure_ascii=ascii_only))
        self.raw(document + "\n")

    def say(self, text: str | Text, style: str = "") -> None:
        """Print a line of a message on stderr, unless quiet."""
        if self.verbosity >= 0:
            self.err.put(self.context.complete(text) if isinstance(text, str) else text, style)

    def detail(self, text: str) -> None:
        """Print a line on stderr with `-v` only."""
        if self.verbosity > 0:
            self.say(text, "dim")

    def paragraph(self, lines: str) -> None:
        """Print lines that flux2build itself wrote on stderr, below an empty one, unless quiet."""
        for text in ("", *lines.split("\n")):
            self.say(text)

    def warn(self, text: str, hint: str | None = None) -> None:
        """Print a warning on stderr, even when quiet."""
        self.problem(Problem(text, hint=hint), "warning")

    def caution(self, problems: Iterable[Problem]) -> None:
        """Print problems as warnings on stderr, even when quiet: the command goes on."""
        for problem in problems:
            self.problem(problem, "warning")

    def fail(self, error: Flux2BuildError) -> None:
        """Print every problem of an error on stderr, with its place and its hint."""
        for problem in error.problems:
            self.problem(problem)
        if len(error.problems) > 1:
            self.err.put(Text(f"{len(error.problems)} problems", "bold red"))

    def problem(self, problem: Problem, label: str = "error") -> None:
        """Print one problem on stderr, with its place and its hint."""
        for text in frame(self.context.problem(problem), label):
            self.err.put(text)

    @property
    def encoding(self) -> str:
        """The encoding of stdout, which may lack characters."""
        return sys.stdout.encoding or "utf-8"

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal that can show a progress bar."""
        return self.err.is_terminal and self.verbosity >= 0 and os.environ.get("TERM") != "dumb"


def frame(problem: Problem, label: str = "error") -> Iterable[Text]:
    """The lines of a problem: headline, place, source line with a caret, facts, hint."""
    style = {"error": "bold red", "warning": "bold yellow"}.get(label, "bold")
    yield Text.assemble((label, style), ": ", (clean(problem.message), "bold"))
    margin = " " * len(str(problem.place.line if problem.place else 0))
    if problem.place:
        yield Text.assemble((f"{margin}--> ", "blue"), clean(str(problem.place)))
    if problem.place and problem.excerpt is not None:
        yield from _excerpt(problem, problem.place, margin)
    for name, value in problem.rows:
        yield Text.assemble((f"{margin} = ", "blue"), (f"{clean(name)}: ", "bold"), clean(value))
    if problem.hint:
        yield Text.assemble((f"{margin} hint", "bold cyan"), ": ", clean(problem.hint))


def _excerpt(problem: Problem, place: Place, margin: str) -> Iterable[Text]:
    """The source line, shortened around the caret when it is long."""
    source, start = (problem.excerpt or "").replace("\t", " "), max(place.column - 1, 0)
    cut = max(0, start - 60)
    before, rest = source[cut:start], source[start : cut + 100]
    gap = " " * (len(clean(before)) + start - cut - len(before))
    carets = "^" * max(1, len(clean(rest[: problem.width])))
    yield Text(f"{margin} |", "blue")
    yield Text.assemble((f"{place.line} | ", "blue"), clean(before + rest))
    yield Text.assemble((f"{margin} | ", "blue"), gap, (carets, "bold red"))
