"""`expect_text` says which words a picture has to show, and the check `text` compares."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PIL import Image

from flux2build.checks.text import CHECK, TextOptions
from flux2build.images import reading
from flux2build.lockfile import Generated
from tests.checks.in_memory import SPEC as IN_MEMORY
from tests.checks.in_memory import facts, lock
from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

SPEC = """\
[defaults]
width = 512
height = 320

[asset.fox]
prompt = "a friendly fox"
expect_text = "a friendly fox"
"""
EXPECTING = IN_MEMORY.replace('"a fox"\n', '"a fox"\nexpect_text = "GRAND Opening!"\n', 1)
"""The fox of the facts in memory, on which words are expected."""

needs_the_extra = pytest.mark.skipif(
    not reading.installed(), reason="the extra `ocr` is not installed"
)


def messages(*lines: str, expected: str = "GRAND Opening!") -> dict[str, str]:
    """The messages about a picture in which some lines were read, by their codes."""
    held, text = lock(), "\n".join(lines)
    (key, block) = next(iter(held.blocks.items()))
    row = block.generated
    assert isinstance(row, Generated)
    row = replace(row, output=replace(row.output, text=text))
    held = replace(held, blocks={**held.blocks, key: replace(block, generated=row)})
    findings = CHECK.findings(
        facts(EXPECTING.replace("GRAND Opening!", expected), held=held), TextOptions()
    )
    return {finding.code: finding.problem.message for finding in findings}


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (("0.99 GRAND OPENING",), set()),
        (("0.99 Grand", "0.98 opening"), set()),
        (("0.97 GRANDOPENING",), set()),
        (("0.99 GRAND OPENNING",), {"text-misspelt"}),
        (("0.99 OPENING",), {"text-missing"}),
        (("0.99 GRUND",), {"text-misspelt", "text-missing"}),
        (("0.99 GRAND", "0.30 OPENING"), {"text-missing"}),
        ((), {"text-missing"}),
    ],
)
def test_words_are_missing_misspelt_or_there(lines: tuple[str, ...], codes: set[str]) -> None:
    """Case, punctuation and spaces do not count, and a line that is unsure was not read."""
    assert set(messages(*lines)) == codes


@pytest.mark.parametrize(
    ("expected", "read", "shown"),
    [
        ("20% off", "200% off", False),
        ("open", "Reopening soon", False),
        ("art", "START", False),
        ("Sale 50%", "SALE50%", True),
        ("50%", "Sale -50%!", True),
        ("50%", "Sale/50%", True),
        ("Grand-Opening", "GRAND OPENING", True),
        ("sunflower", "sun flower", True),
        ("don't", "DONT", True),
        ("&", "Salt & Pepper", True),
        ("a", "banana a", True),
        ("\u5f00\u4e1a", "\u76db\u5927\u5f00\u4e1a\u5927\u5409", True),
    ],
)
def test_part_of_another_word_is_no_word(expected: str, read: str, *, shown: bool) -> None:
    """A wrong number is not passed because it begins with the right one."""
    assert (not messages(f"0.99 {read}", expected=expected)) == shown


def test_messages_say_what_was_read_and_how_sure_that_is() -> None:
    """Each wrong word is named, with what stands in its place."""
    told = messages("0.97 GRAND OPENNING")
    assert told["text-misspelt"] == "`Opening!` reads `OPENNING` (97% sure)"
    told = messages("0.97 GRAND")
    assert told["text-missing"] == "`Opening!` is missing; the picture reads `GRAND`"
    told = messages()
    assert told["text-missing"] == ("`GRAND`, `Opening!` are missing; no words are in the picture")


@needs_the_extra
def test_a_build_reads_the_picture_once(empty: Site) -> None:
    """What was read is in the lock, and what is expected may change without rendering anything."""
    build(empty, spec=SPEC)
    locked = (empty.folder / "assets.lock").read_text("utf-8")
    assert "output.text = " in locked
    assert "friendly fox" in locked.partition("output.text = ")[2].partition("\n")[0]
    assert paths(check_json(empty), "text-missing") == []

    empty.edit("assets.toml", 'expect_text = "a friendly fox"', 'expect_text = "a sly fox"')
    assert paths(check_json(empty), "text-missing") == ["fox.png"]
    assert "Nothing to do" in empty.run("build").err
    assert (empty.folder / "assets.lock").read_text("utf-8") == locked


@needs_the_extra
def test_a_picture_from_before_is_read_by_the_check(empty: Site) -> None:
    """Where the lock does not say what a picture reads, its pixels do."""
    without = SPEC.replace('expect_text = "a friendly fox"\n', "")
    build(empty, spec=without)
    empty.write("assets.toml", SPEC)
    assert paths(check_json(empty), "text-missing") == []
    empty.edit("assets.toml", 'expect_text = "a friendly fox"', 'expect_text = "Grand Opening"')
    assert paths(check_json(empty), "text-missing") == ["fox.png"]


def test_what_nobody_can_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the words are unread, and the finding says what adds it."""
    known = facts(EXPECTING)
    monkeypatch.setattr(reading, "installed", lambda: False)
    (finding,) = CHECK.findings(known, TextOptions())
    assert finding.code == "text-unread"
    assert "[ocr]" in (finding.problem.hint or "")


def test_words_of_a_source_are_not_asked_for(empty: Site) -> None:
    """The key is about what is rendered; beside a `source` it is refused."""
    Image.new("RGB", (64, 64)).save(empty.folder / "pic.png")
    spec = '[asset.fox]\nsource = "pic.png"\nexpect_text = "hi"\ndeliver = [{ path = "a.webp" }]\n'
    empty.write("assets.toml", spec)
    refused = empty.run("build")
    assert refused.code == 2
    assert "assets.toml:3" in refused.err
