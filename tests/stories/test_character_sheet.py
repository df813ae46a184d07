"""An illustrator draws a character sheet, and twelve scenes of it."""

from __future__ import annotations

import ast
import base64
import io
import json
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from flux2build.errors import Exit
from tests.conftest import Site
from tests.laws.recording_server import recording
from tests.odd_pictures import odd_pictures
from tests.repositories import NEEDS_GIT
from tests.simulated import charges, order_from, scenario

pytestmark = NEEDS_GIT

SPEC: Final = """\
[project]
output = "img"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[profile.comp]
provider = "sketch"
output = "comps"
[asset.sheet]
prompt = "a fox, character sheet"
seed = 7
refs = ["refs/ink.png"]
[asset.scene]
matrix = { n = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
prompt = "scene {{ n }} with the fox of image 1, painted as image 2"
refs = [{ asset = "sheet" }, "refs/paper.png"]
[asset.logo]
prompt = "a logo"
"""
SCENES: Final = [f"scene[n={n}]" for n in range(1, 13)]


@pytest.fixture
def book(project: Site) -> Site:
    """The book before its first build."""
    project.write("assets.toml", SPEC)
    project.draw("refs/ink.png", "navy")
    project.draw("refs/paper.png", "ivory")
    return project


@pytest.fixture
def drawn(book: Site) -> Site:
    """The book with all of its pictures."""
    assert book.run("build", "--yes").code == Exit.DONE
    return book


def due(site: Site, *words: str) -> list[str]:
    """The assets that would be rendered, or may be."""
    steps: list[dict[str, Any]] = json.loads(site.run("plan", "--json", *words).out)["steps"]
    return [step["asset"] for step in steps if step["action"] == "render"]


def test_scenes_are_made_of_the_sheet(
    book: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sheet comes first, and what is sent with a scene is the picture that the lock has."""
    assert due(book)[0] == "sheet"
    assert book.run("build", "sheet", "logo", "--yes").code == Exit.DONE
    with recording() as elsewhere:
        order_from(elsewhere.base, monkeypatch)
        book.run("build", "scene[n=1]", "--yes")
    [order] = [each for each in elsewhere.requests if each.startswith("POST")]
    sent = json.loads(ast.literal_eval(order.rpartition("\n")[2]))
    for name, path in (("input_image", "img/sheet.png"), ("input_image_2", "refs/paper.png")):
        with (
            Image.open(io.BytesIO(base64.b64decode(sent[name]))) as received,
            Image.open(book.folder / path) as ours,
        ):
            assert received.tobytes() == ours.tobytes()
    assert charges(server) == 2


def test_scenes_wait_for_the_approval(book: Site, server: httpx.Client) -> None:
    """The sheet is rendered, twelve scenes wait, and after the approval they are rendered."""
    book.edit("assets.toml", "seed = 7\n", 'seed = 7\nreview = "required"\n')
    built = book.run("build", "--yes")
    assert (built.code, charges(server)) == (Exit.DECIDE, 2)
    assert "`sheet` waits for approval; 12 assets wait for it" in built.err
    assert book.run("approve", "sheet").code == Exit.DONE
    assert due(book) == SCENES
    assert book.run("build", "--yes").code == Exit.DONE
    assert charges(server) == 14


def test_an_edit_reaches_what_is_made_of_it(drawn: Site) -> None:
    """The sheet reaches all, a scene itself, a picture of a style its users; so does their order."""
    drawn.edit("assets.toml", "a fox,", "a vixen,")
    assert sorted(due(drawn)) == sorted(["sheet", *SCENES])
    drawn.edit("assets.toml", "a vixen,", "a fox,")

    prompt = '"scene {{ n }} with'
    drawn.edit("assets.toml", prompt, "\"{{ 'sad ' if n == '3' }}scene {{ n }} with")
    assert due(drawn) == ["scene[n=3]"]
    drawn.edit("assets.toml", "\"{{ 'sad ' if n == '3' }}scene {{ n }} with", prompt)

    drawn.draw("refs/paper.png", "beige")
    assert due(drawn) == SCENES
    drawn.draw("refs/paper.png", "ivory")
    assert due(drawn) == []

    drawn.edit(
        "assets.toml",
        '[{ asset = "sheet" }, "refs/paper.png"]',
        '["refs/paper.png", { asset = "sheet" }]',
    )
    plan = json.loads(drawn.run("plan", "--json").out)
    reasons = {r for step in plan["steps"] if step["action"] == "render" for r in step["reasons"]}
    assert reasons == {"ref-order-changed"}


def test_an_equal_sheet_leaves_the_scenes(book: Site) -> None:
    """A sheet that is rendered again and comes out the same changes nothing that is made of it."""
    assert book.run("build", "-p", "comp").code == Exit.DONE
    built = json.loads(book.run("build", "-p", "comp", "--force", "sheet", "--json").out)
    rendered = [each["asset"] for each in built["done"] if each["action"] == "render"]
    assert (rendered, len(built["done"])) == (["sheet"], 14)
    assert book.run("check", "-p", "comp").code == Exit.DONE


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('refs = ["refs/ink.png"]', 'refs = [{ asset = "scene[n=1]" }]', "`sheet` -> `scene[n=1]` -> `sheet`"),
        ('asset = "sheet"', 'asset = "sheeet"', "did you mean `sheet`?"),
        ('["refs/ink.png"]', f"{['refs/ink.png'] * 9}", "takes 8 at most"),
        ("as image 2", "as image 4", "image 4"),
        ("image 1", "{{ ref('desk') }}", "desk"),
    ],
    ids=["a cycle", "a typing error", "too many", "an image too far", "not a reference"],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_bought(
    book: Site, server: httpx.Client, old: str, new: str, told: str
) -> None:
    """Each is named with what was meant."""
    book.edit("assets.toml", old, new)
    planned = book.run("plan")
    assert told in planned.err + planned.out
    if planned.code == Exit.DONE:
        assert told in book.run("check").out
    else:
        assert planned.code == Exit.USAGE
    assert charges(server) == 0


def test_references_that_are_too_large_together(book: Site, server: httpx.Client) -> None:
    """More megapixels than the model takes are an error in the plan."""
    names = [f"refs/big-{n}.png" for n in range(3)]
    for name in names:
        Image.new("RGB", (2048, 2048), "teal").save(book.folder / name)
    book.edit("assets.toml", '["refs/ink.png"]', str(names))
    refused = book.run("plan", "sheet")
    assert refused.code == Exit.USAGE
    assert "takes 9 megapixels" in refused.err
    assert charges(server) == 0


def test_a_moderated_sheet_blocks_its_scenes_alone(book: Site, server: httpx.Client) -> None:
    """The provider's reason is told, twelve wait, the logo is made, and nothing is tried again."""
    scenario(
        server,
        {"stage": "submit", "fault": "outcome", "status": "Request Moderated", "prompt": "sheet"},
    )
    built = book.run("build", "--yes", "--json")
    told = json.loads(built.out)
    assert built.code == Exit.INCOMPLETE
    assert [each["asset"] for each in told["failed"]] == ["sheet"]
    assert "moderat" in told["failed"][0]["message"].casefold()
    assert sorted(each["asset"] for each in told["blocked"]) == sorted(SCENES)
    assert [each["asset"] for each in told["done"]] == ["logo"]
    posts = [
        each for each in server.get("/_sim/requests").json()["requests"] if each["method"] == "POST"
    ]
    assert len(posts) == 2
    assert book.run("build", "--yes").code == Exit.INCOMPLETE
    assert charges(server) == 1


def test_what_is_no_still_picture_is_refused_by_name(book: Site, server: httpx.Client) -> None:
    """A reference that is cut off, animated, a bomb or a phone's own format is named before anything is bought."""
    odd = odd_pictures()
    for name in ("cut.jpeg", "moving.gif", "bomb.png", "phone.jpg"):
        book.folder.joinpath("refs/ink.png").write_bytes(odd[name][0])
        refused = book.run("build", "--yes")
        assert (refused.code, "refs/ink.png" in refused.err) == (Exit.USAGE, True)
    assert charges(server) == 0
