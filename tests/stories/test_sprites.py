"""A small studio makes a game's sprites of one frozen reference."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
import pytest
from PIL import Image, ImageDraw

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT
from tests.simulated import charges

pytestmark = NEEDS_GIT

ANCHORS: Final = """\
[project]
output = "art"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[asset.frozen]
prompt = "a knight, reference"
review = "required"
[asset.anchor]
matrix = { facing = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] }
prompt = "the knight of image 1 facing {{ facing }}"
refs = [{ asset = "frozen" }]
[asset.board]
matrix = { action = ["walk", "attack"] }
prompt = "six poses of the knight, {{ action }}"
refs = [{ asset = "anchor[facing=e]" }]
deliver = [{ path = "strips/{{ action }}.png", widths = [32] }]
"""
ATLAS: Final = """\
[project]
output = "game"
[asset.walk]
source = "boards/walk.png"
[[asset.walk.deliver]]
path = "walk/{{ cell }}.png"
ops = [{ op = "slice", columns = 6 }, { op = "key", color = "#00ff00", residue = 0.05 }]
[asset.attack]
source = "boards/attack.png"
[[asset.attack.deliver]]
path = "knight.png"
ops = [
  { op = "grid", sources = [{ asset = "walk" }], board = [6, 1], columns = 6, cell = [48, 48], padding = 2, color = "#00ff00" },
  { op = "key", color = "#00ff00" },
  { op = "align", columns = 6, rows = 2, padding = 2, pivot = "bottom" },
]
documents = [{ document = "frames", path = "knight.json" }]
"""


def draw_board(
    site: Site, name: str, *, empty: int = -1, twin: int = -1, ground: str = "#00ff00"
) -> None:
    """Draw six figures in a row on a ground, one of which may be missing or be another one's twin."""
    board = Image.new("RGB", (6 * 48, 48), ground)
    pen = ImageDraw.Draw(board)
    for cell in range(6):
        size = 10 + 3 * (cell - (cell == twin))
        if cell != empty:
            pen.rectangle((cell * 48 + 8, 40 - size, cell * 48 + 8 + size, 40), fill="#b02040")
    path = site.folder / "boards" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    board.save(path)


@pytest.fixture
def game(project: Site) -> Site:
    """Two boards, their frames and their atlas."""
    project.write("assets.toml", ATLAS)
    draw_board(project, "walk")
    draw_board(project, "attack", ground="#00ff00")
    assert project.run("build").code == Exit.DONE
    return project


def test_anchors_are_made_of_the_frozen_reference_alone(
    project: Site, server: httpx.Client
) -> None:
    """Nothing else is an input of them; they wait for its approval, and a board for its own anchor."""
    project.write("assets.toml", ANCHORS)
    explained = project.run("explain", "anchor", "board", "--json").out
    told: list[dict[str, Any]] = json.loads(explained)["assets"]
    made_of = {each["asset"]: each["made_of"] for each in told}
    assert all(made_of[name] == ["frozen"] for name in made_of if name.startswith("anchor"))
    assert made_of["board[action=walk]"] == ["anchor[facing=e]", "frozen"]
    assert project.run("build", "--yes").code == Exit.DECIDE
    assert charges(server) == 1
    assert project.run("approve", "frozen").code == Exit.DONE
    assert project.run("build", "--yes").code == Exit.DONE
    assert charges(server) == 11

    plan = json.loads(project.run("plan", "--force", "board[action=attack]", "--json").out)
    due = [(each["asset"], each["action"]) for each in plan["steps"] if each["action"] != "keep"]
    assert due == [("board[action=attack]", "render"), ("board[action=attack]", "derive")]

    project.edit("assets.toml", "the knight of image 1", "{{ ref('anchor[facing=n]') }}")
    refused = project.run("plan")
    assert refused.code == Exit.USAGE
    assert "anchor" in refused.err


@pytest.mark.parametrize(
    ("fault", "told"),
    [({"empty": 2}, "2"), ({"twin": 3}, "3"), ({"ground": "#3060c0"}, "has the colour"), ({}, "7")],
    ids=["an empty cell", "twins", "a ground that stays", "another grid"],
)
def test_a_board_that_is_none_is_not_published(
    game: Site, fault: dict[str, Any], told: str
) -> None:
    """The frame is named, and the frames that were published stay as they were."""
    before = {name: data for name, data in game.files().items() if name.startswith("game")}
    draw_board(game, "walk", **fault)
    if not fault:
        game.edit("assets.toml", "columns = 6 }, { op", "columns = 7 }, { op")
    built = game.run("build")
    assert built.code in {Exit.INCOMPLETE, Exit.USAGE}
    assert told in built.err
    after = {name: data for name, data in game.files().items() if name.startswith("game")}
    assert all(after[name] == before[name] for name in before if "/walk/" in name)


def test_another_padding_is_free(game: Site) -> None:
    """The atlas and its frames are made anew, and nothing else."""
    game.edit("assets.toml", "padding = 2", "padding = 4")
    plan = json.loads(game.run("plan", "--json").out)
    due = {each["output"]: each["action"] for each in plan["steps"] if each["action"] != "keep"}
    assert due == {"game/knight.png": "derive", "game/knight.json": "derive"}
    assert plan["summary"]["price_max"] == "0"
    assert game.run("build").code == Exit.DONE
    frames = json.loads(game.folder.joinpath("game/knight.json").read_text("utf-8"))["frames"]
    assert len(frames) == 12


def test_an_atlas_that_was_edited_is_kept_aside(game: Site) -> None:
    """A build says what it replaces, and how to bring it back."""
    edited = game.draw("game/knight.png", "red").read_bytes()
    assert "output-modified" in game.run("plan", "--json").out
    built = game.run("build")
    words = built.err.partition("`flux2build restore ")[2].partition("`")[0].split()
    assert game.run("restore", *words).code == Exit.DONE
    assert game.folder.joinpath("game/knight.png").read_bytes() == edited


def test_a_family_of_icons_is_planned_at_once(project: Site, server: httpx.Client) -> None:
    """1,500 items whose names repeat and whose keys do not, with one picture of the style."""
    rows = "".join(f"i{n},{'potion' if n % 3 else 'sword'}\n" for n in range(1500))
    project.write("items.csv", f"id,name\n{rows}")
    project.draw("style.png")
    project.write(
        "assets.toml",
        '[defaults]\nprovider = "bfl"\nwidth = 64\nheight = 64\n[asset.icon]\n'
        'rows = { file = "items.csv", key = "id" }\nprompt = "icon {{ id }}: {{ row.name }}"\n'
        'refs = ["style.png"]\n',
    )
    summary = json.loads(project.run("plan", "--json").out)["summary"]
    assert (summary["render"], summary["price_max"]) == (1500, "67.500")
    assert charges(server) == 0
