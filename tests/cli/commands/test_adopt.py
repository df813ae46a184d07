"""`adopt`: a picture that exists becomes the locked output, and nothing is paid for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from flux2build.errors import Exit
from tests.conftest import Site
from tests.simulated import charges, order_from, serving

SPEC: Final = """\
[defaults]
provider = "bfl"
width = 64
height = 64
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox.webp"
[asset.friend]
prompt = "its friend"
refs = [{ asset = "fox" }]
"""


def picture(path: Path, size: tuple[int, int] = (64, 64), colour: str = "teal") -> bytes:
    """A picture in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path.read_bytes()


def test_it_costs_nothing_and_stays(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is current, what is made of it is made of it, and what it replaced can be brought back."""
    empty.write("assets.toml", SPEC)
    retouched = picture(empty.folder / "retouched" / "fox.png")
    with serving() as server:
        order_from(server.base_url, monkeypatch)
        assert empty.run("build", "--yes", "fox").code == Exit.DONE
        assert empty.run("adopt", "fox", "retouched/fox.png").code == Exit.DONE

        assert empty.folder.joinpath("fox.png").read_bytes() == retouched
        assert empty.run("build", "--yes").code == Exit.DONE
        assert empty.run("check").code == Exit.DONE
        assert charges(server) == 2  # the fox, before, and its friend
        for name in ("fox.png", "retouched/fox.png"):
            empty.folder.joinpath(name).unlink()
        assert empty.run("build", "--yes").code == Exit.DONE
        assert empty.folder.joinpath("fox.png").read_bytes() == retouched
        empty.edit("assets.toml", '"a fox"', '"a red fox"')
        assert "1 to render" in empty.run("plan", "fox").out
    lock = empty.folder.joinpath("assets.lock").read_text("utf-8")
    assert 'receipt.provider = "adopted"' in lock


def test_it_stays_in_the_place_of_a_further_candidate(empty: Site) -> None:
    """An earlier pick does not bring back the model's picture."""
    empty.write("assets.toml", SPEC.replace('"bfl"', '"sketch"'))
    assert empty.run("build").code == Exit.DONE
    assert empty.run("reroll", "fox").code == Exit.DONE
    assert empty.run("pick", "fox", "2").code == Exit.DONE
    retouched = picture(empty.folder / "retouched.png")
    assert empty.run("adopt", "fox", "retouched.png").code == Exit.DONE

    assert empty.run("build").code == Exit.DONE
    assert empty.folder.joinpath("fox.png").read_bytes() == retouched
    assert empty.run("check").code == Exit.DONE
    rows = json.loads(empty.run("candidates", "fox", "--json").out)["candidates"]
    assert [row["state"] for row in rows] == ["candidate", "candidate"]
    assert empty.run("pick", "fox", "2").code == Exit.DONE
    rows = json.loads(empty.run("candidates", "fox", "--json").out)["candidates"]
    assert [row["state"] for row in rows] == ["candidate", "picked"]


def test_what_differs_is_said(empty: Site) -> None:
    """A picture of another size is taken all the same."""
    empty.write("assets.toml", SPEC)
    picture(empty.folder / "large.png", (80, 64))
    ran = empty.run("adopt", "fox", "large.png")
    assert (ran.code, "width 80, ordered 64" in ran.err) == (Exit.DONE, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fox", "retuched.png"), "did you mean `retouched.png`?"),
        (("fox", "broken.png"), "broken.png"),
        (("fox", "fox.jpg"), "`fox.jpg` is not what `fox.png` is"),
        (("fix", "retouched.png"), "did you mean `fox`?"),
        (("friend", "retouched.png"), "what `friend` is made of is not there yet"),
        (("fox", "."), "cannot read"),
    ],
)
def test_what_cannot_be_taken_is_refused(empty: Site, words: tuple[str, str], message: str) -> None:
    """Nothing is changed then."""
    empty.write("assets.toml", SPEC)
    empty.write("broken.png", "no picture")
    picture(empty.folder / "retouched.png")
    picture(empty.folder / "fox.jpg")
    before = empty.files()

    ran = empty.run("adopt", *words)
    assert ran.code in {Exit.USAGE, Exit.SYSTEM}
    assert message in ran.err
    assert empty.files() == before


def test_a_lost_picture_is_not_rendered_in_its_place(
    empty: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No order can bring it back, so a machine without its bytes asks."""
    empty.write("assets.toml", SPEC)
    picture(empty.folder / "own.png")
    assert empty.run("adopt", "fox", "own.png").code == Exit.DONE
    for name in ("own.png", "fox.png"):
        empty.folder.joinpath(name).unlink()
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another"))
    with serving() as server:
        order_from(server.base_url, monkeypatch)
        assert empty.run("build", "--yes", "fox").code == Exit.DECIDE
        assert charges(server) == 0
