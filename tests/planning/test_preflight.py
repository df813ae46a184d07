"""What cannot be derived is said before the picture that it would be derived from is paid for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import pytest
from PIL import Image

from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

HEAD: Final = """\
[project]
name = "acme"
[defaults]
width = 1024
height = 512
[profile.draft]
provider = "sketch"
output = "comps"
[profile.final]
provider = "bfl"
model = "flux-2-pro"
[budget]
per_run = 100.0
"""
HERO: Final = """\
[asset."NAME"]
prompt = "a fox"
[[asset."NAME".deliver]]
path = "NAME-{{ locale }}.jpg"
matrix = { locale = ["de", "ja"] }
"""
WORDS: Final = '{ op = "text", text = "Willkommen in der Stadt", size = 60 }'
TOP: Final = WORDS.replace("size", 'anchor = "top", size')
CASES: Final = {
    "too-few-pixels": (
        '{ op = "resize", width = 2048 }',
        "1024x512 pixels are too few for 2048x1024",
    ),
    "outside": ('{ op = "crop", width = 1200, height = 100 }', "cannot crop 1200x100"),
    "small-canvas": (
        '{ op = "pad", width = 600, height = 600 }',
        "a canvas of 600x600 is too small",
    ),
    "after-a-crop": (
        '{ op = "crop", ratio = "1:1" }, { op = "resize", width = 700 }',
        "512x512 pixels are too few for 700x700",
    ),
    "no-room": (WORDS.replace("60", "200"), "`Willkommen in der Stadt` does not fit"),
    "no-glyph": (WORDS.replace("Willkommen", "東京"), "no font has a glyph for U+6771"),
    "no-font": (WORDS.replace("size", 'font = "brand.ttf", size'), "`brand.ttf` is not a font"),
    "letters-cut": (WORDS + ', { op = "crop", ratio = "1:2" }', "letters would be cut off"),
    "letters-filled": (
        WORDS + ', { op = "resize", width = 100, height = 400, mode = "fill" }',
        "put `text` behind what cuts",
    ),
    "label-cut": (
        '{ op = "label" }, { op = "crop", ratio = "1:2" }',
        "put `label` behind what cuts",
    ),
}
SOUND: Final = (
    WORDS,
    f'{WORDS}, {{ op = "crop", ratio = "2:1" }}',
    f'{{ op = "crop", ratio = "2:1" }}, {WORDS}, {{ op = "pad", border = 9 }}',
    f'{TOP}, {{ op = "crop", height = 256, anchor = "top" }}',
    f'{WORDS}, {{ op = "resize", width = 300, height = 200, mode = "fit" }}',
    f'{WORDS}, {{ op = "rotate", degrees = 90 }}, {{ op = "crop", ratio = "1:1" }}',
)


def _spec(every: Iterable[tuple[str, str]]) -> str:
    """A spec with an asset for each name, and its operations."""
    return HEAD + "".join(f"{HERO.replace('NAME', name)}ops = [{ops}]\n" for name, ops in every)


def test_what_a_build_would_refuse_is_refused_by_the_plan(empty: Site) -> None:
    """Every command says it in the same words, with asset, file and place, and nothing is bought."""
    empty.write("assets.toml", _spec((name, ops) for name, (ops, _) in CASES.items()))
    empty.write("brand.ttf", "<html>404</html>")

    commands = ("plan", "-p", "final"), ("check", "-p", "final"), ("build", "-p", "final", "-y")
    ran = [empty.run(*words) for words in (*commands, ("build", "-p", "draft"))]

    for each in ran:
        problems = [part for part in each.err.split("error: ") if part]
        assert (each.code, len(problems)) == (2, len(CASES))
        for problem, (name, (_, said)) in zip(problems, CASES.items(), strict=True):
            assert said in problem
            assert f"asset: {name}\n" in problem
            assert f"{name}-de.jpg and 1 more" in problem
            assert "--> assets.toml:" in problem
    assert not list(empty.folder.rglob("*.jpg"))


def test_what_can_be_derived_is_planned_and_made(empty: Site) -> None:
    """What the plan does not refuse comes out, with all its letters."""
    empty.write("assets.toml", _spec((f"hero{at}", ops) for at, ops in enumerate(SOUND)))

    assert empty.run("build", "-p", "draft").code == 0
    assert len(list(empty.folder.rglob("*.jpg"))) == 2 * len(SOUND)


def test_a_preset_never_cuts_letters(empty: Site) -> None:
    """A preset crops to its own shape; words that this would cut are refused, with the remedy."""
    head = HEAD.replace("width = 1024", "width = 2048")
    story = f'{head}[asset.a]\nprompt = "a fox"\n[[asset.a.deliver]]\npreset = "story"\nupscale = true\n'

    empty.write("assets.toml", f"{story}ops = [{WORDS}]\n")
    refused = empty.run("plan")
    empty.write("assets.toml", f"{story}finish = [{WORDS}]\n")

    assert "letters would be cut off" in refused.err
    assert "`finish`" in refused.err
    assert empty.run("build").code == 0
    empty.write("assets.toml", f'{story}finish = [{{ op = "slice", columns = 2 }}]\n')
    assert "`slice` makes several files: put it into `ops`" in empty.run("plan").err


def test_letters_are_set_once(empty: Site) -> None:
    """What was laid out is remembered by its words, its fonts and its size; the next plan is quick."""
    empty.write("assets.toml", _spec([("hero", WORDS)]))

    def known() -> int:
        return len(Project.open(CommonOptions()).judged.feasible)

    assert known() == 0
    assert json.loads(empty.run("plan", "--json").out)["summary"]
    assert known() == 1


def test_what_a_format_cannot_hold_is_refused_by_the_plan(empty: Site) -> None:
    """Each format has a longest side, and an icon is a square: nothing is bought for it."""
    files = (
        ('path = "a.webp"', "a picture of 17000x40 pixels cannot be webp", "16,383 pixels a side"),
        ('formats = ["ico"]', "a picture of 17000x40 pixels cannot be this ico", "crop it"),
    )
    Image.new("RGB", (17000, 40)).save(empty.folder / "wide.png")
    spec = '[asset."a{}"]\nsource = "wide.png"\n[[asset."a{}".deliver]]\n{}\n'
    empty.write(
        "assets.toml", "".join(spec.format(at, at, each[0]) for at, each in enumerate(files))
    )

    planned, built = empty.run("plan"), empty.run("build")

    for ran in (planned, built):
        assert ran.code == 2
        for _, message, more in files:
            assert message in ran.err
            assert more in ran.err
    assert not list(empty.folder.rglob("*.webp"))


@pytest.mark.parametrize(
    ("ops", "frames", "message"),
    [
        ("", "", "`a.png` is not an atlas: it has no `grid`"),
        (
            '{ op = "grid", sources = ["b.png"], columns = 2 }',
            ', names = ["x"]',
            "1 names for 2 frames",
        ),
    ],
)
def test_a_document_about_what_there_is_not_is_refused_by_the_plan(
    empty: Site, ops: str, frames: str, message: str
) -> None:
    """What a document would refuse is said before the pictures that it is about are bought."""
    for name in ("s.png", "b.png"):
        Image.new("RGB", (64, 64)).save(empty.folder / name)
    document = f'{{ document = "frames", path = "f.json"{frames} }}'
    deliver = f'[[asset.a.deliver]]\npath = "a.png"\nops = [{ops}]\ndocuments = [{document}]\n'
    empty.write("assets.toml", f'[asset.a]\nsource = "s.png"\n{deliver}')

    for command in ("plan", "build"):
        ran = empty.run(command)
        assert ran.code == 2
        assert message in ran.err
        assert "--> assets.toml:6:44" in ran.err
    assert not empty.folder.joinpath("a.png").exists()


def test_masters_that_no_format_can_hold_are_not_bought(empty: Site) -> None:
    """The size follows from the order, before there is a picture."""
    spec = HEAD + HERO.replace("NAME", "hero").replace(".jpg", ".ico").replace("ja", "fr")
    empty.write("assets.toml", spec)

    for words in (("plan", "-p", "final"), ("build", "-p", "final", "-y")):
        ran = empty.run(*words)
        assert (ran.code, "1024x512 pixels cannot be this ico" in ran.err) == (2, True)
