"""What people see: two streams, frames with a caret, and nothing that steers a terminal."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.building.report import Event
from flux2build.checks.finding import Finding
from flux2build.console.console import Console, frame
from flux2build.console.escaping import clean, in_json, whole_line
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.console.findings.contract import CheckReport
from flux2build.console.progress import BuildProgress
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import Place, Problem, SpecError
from flux2build.planning.verdict import Action, Verdict
from tests.golden import text
from tests.hostile import steers
from tests.paid_provider import recipe


def framed(problem: Problem, label: str = "error") -> str:
    """A problem as plain text."""
    return "".join(f"{line.plain}\n" for line in frame(problem, label))


def test_frame() -> None:
    """Headline, place, the source line with a caret under the word, facts, and the way out."""
    problem = Problem(
        "`brnd` is not defined",
        Place("assets.toml", 12, 10),
        rows=(("asset", "mascot"), ("profile", "final")),
        hint="did you mean `brand`?",
        excerpt='prompt = "{{ brnd }}"',
        width=4,
    )

    assert framed(problem) == text("""
        error: `brnd` is not defined
          --> assets.toml:12:10
           |
        12 | prompt = "{{ brnd }}"
           |          ^^^^
           = asset: mascot
           = profile: final
           hint: did you mean `brand`?
        """)


def test_a_problem_without_a_place() -> None:
    """What stands nowhere has a headline and a hint only."""
    assert framed(Problem("no key", hint="set one"), "warning") == (
        "warning: no key\n  hint: set one\n"
    )


@pytest.mark.parametrize(("column", "width"), [(1, 3), (150, 3), (290, 30), (300, 1), (400, 9)])
def test_long_lines_are_shortened_around_the_caret(column: int, width: int) -> None:
    """The part of a long line around the word is shown, with the caret under the word."""
    line = "".join(chr(97 + n % 26) for n in range(300))
    problem = Problem("x", Place("a", 1, column), excerpt=line, width=width)

    source, carets = framed(problem).splitlines()[3:5]

    assert len(source) <= 104
    assert carets.rstrip().endswith("^")
    at = carets.index("^")
    if column <= len(line):
        assert source[at] == line[column - 1]
    assert carets.count("^") <= width


@given(st.text(max_size=120), st.integers(0, 130), st.integers(1, 40))
def test_any_line_can_be_framed(line: str, column: int, width: int) -> None:
    """Whatever stands in a file, its frame has a caret and holds no control character."""
    shown = framed(Problem("x", Place("a", 7, column), excerpt=line, width=width))

    assert "^" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x08", "\r", "\u202e", "\u2066", "\x9b"}


@given(st.text())
def test_clean_text_is_left_alone(words: str) -> None:
    """Only what steers is spelled out; cleaning twice is cleaning once."""
    assert clean(clean(words)) == clean(words)
    if words.isascii() and words.isprintable():
        assert clean(words) == words


@given(st.text())
def test_a_whole_line_is_spelled_out_once(words: str) -> None:
    """What is spelled out already is left alone."""
    assert whole_line(whole_line(words)) == whole_line(words)


@given(st.recursive(st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)))
def test_json_reads_as_what_was_said(value: Json) -> None:
    """Escaping is JSON's own: the document is harmless, and its value is the same."""
    document = in_json(json.dumps(value, ensure_ascii=False))

    assert json.loads(document) == value
    assert not any(steers(character) for character in document)


LEAVES = (
    st.text()
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(
    st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(st.text(), each)),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_json_is_laid_out_as_python_does(value: Json, encoding: str) -> None:
    """What is printed is what `json` makes of a value with an indent, but for the escapes."""
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written, encoding, newline="\n")):
        Console("never").json(value)

        document = json.dumps(value, indent=2, ensure_ascii=encoding == "ascii")
        assert written.getvalue().decode() == in_json(document) + "\n"


@pytest.mark.parametrize("form", ["json", "junit"])
def test_streams_that_lack_characters(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Documents stay well formed where the encoding of stdout is not UTF-8."""
    out = io.BytesIO()
    stream = io.TextIOWrapper(out, "ascii", errors="backslashreplace", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    finding = Finding("orphan", Problem("käse \U0001f98a", Place("ä.toml", 1)))
    report = CheckReport([finding], None, "1")
    OUTPUT_FORMATS[form].show(Console("never"), report)
    text = out.getvalue().decode("ascii")

    if form == "json":
        assert json.loads(text)["findings"][0]["message"] == "käse \U0001f98a"
    else:
        failure = ET.fromstring(text).find(".//failure")
        assert failure is not None
        assert failure.attrib["message"] == "käse \U0001f98a"


def test_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for goes to stdout, everything else to stderr."""
    console = Console("never")
    console.data("data")
    console.json({"a": "ä"})
    console.say("talk")
    console.warn("careful", "look")
    console.fail(SpecError(Problem("one"), Problem("two")))
    out, err = capsys.readouterr()

    assert out == 'data\n{\n  "a": "ä"\n}\n'
    assert err == ("talk\nwarning: careful\n  hint: look\nerror: one\nerror: two\n2 problems\n")


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet keeps data, warnings and errors."""
    console = Console("never", verbosity=-1)
    console.data("data")
    console.say("talk")
    console.warn("careful")
    console.fail(SpecError("wrong"))

    assert capsys.readouterr() == ("data\n", "warning: careful\nerror: wrong\n")


def test_long_lines_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    """What a program or grep reads is one line, however narrow the terminal."""
    Console("never").data("x" * 500)

    assert capsys.readouterr().out == "x" * 500 + "\n"


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets of members are no markup, and colons no emoji."""
    Console("never").data("hero[theme=dark] [red]x[/red] :fox:")

    assert capsys.readouterr().out == "hero[theme=dark] [red]x[/red] :fox:\n"


@pytest.mark.parametrize(
    ("color", "no_color", "coloured"),
    [("always", None, True), ("always", "1", True), ("never", None, False), ("auto", None, False)],
)
def test_colour(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    color: str,
    no_color: str | None,
    *,
    coloured: bool,
) -> None:
    """Colour is for terminals, unless it is asked for or refused outright."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    Console(color).data(Text("word", "red"))

    assert ("\x1b[" in capsys.readouterr().out) is coloured


def test_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A progress bar moves on terminals only; elsewhere it prints nothing."""
    console = Console()
    with BuildProgress(console, 2, lambda _: None) as progress:
        progress.on_event(done("fox"))

    assert not console.live
    assert capsys.readouterr() == ("", "")


def done(asset: str, *, begun: bool = False) -> Event:
    """A picture that was rendered, or is about to be."""
    return Event(recipe(asset), Verdict(Action.RENDER), begun=begun)


def test_the_bar_names_what_is_under_way() -> None:
    """It names the first asset that is being made, and counts the others."""
    told: list[Event] = []
    progress = BuildProgress(Console(), 3, told.append)
    names = [progress.description]

    for event in (done("fox", begun=True), done("owl", begun=True), done("fox"), done("owl")):
        progress.on_event(event)
        names.append(progress.description)

    assert names == ["building", "fox", "fox and 1 more", "owl", "building"]
    assert told == [done("fox"), done("owl")]


def test_the_bar_shows_how_far_a_long_step_is() -> None:
    """The parts of what takes minutes count up, until they are all done or it has ended."""
    progress = BuildProgress(Console(), 3, lambda _: None)
    progress.on_event(done("fox", begun=True))
    shown = []
    for part in (1, 2, 3):
        progress.on_step("upscale", part, 3)
        shown.append(progress.description)
    progress.on_step("fox", 1, 9)
    progress.on_event(done("fox"))

    assert shown == ["upscale 1/3", "upscale 2/3", "fox"]
    assert progress.description == "building"


@pytest.mark.parametrize(("term", "verbosity", "live"), [("xterm", 0, True), ("dumb", 0, False), ("xterm", -1, False)])  # fmt: skip
def test_live(monkeypatch: pytest.MonkeyPatch, term: str, verbosity: int, *, live: bool) -> None:
    """A bar moves on a terminal that can move, unless quiet."""
    monkeypatch.setenv("TERM", term)

    assert Console("always", verbosity).live is live


def test_one_line_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Documents that follow each other are a line each."""
    console = Console("never", one_line=True)
    console.json({"a": [1]})
    console.json({"b": None})

    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"a": [1]},
        {"b": None},
    ]


def test_a_reader_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nobody reads any more, the work goes on in silence."""
    reading, writing = os.pipe()
    stream = io.TextIOWrapper(io.FileIO(writing, "w"), write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    console = Console("never")
    os.close(reading)

    console.data("first")
    console.raw("second")
    console.json({"third": 3})

    stream.close()
