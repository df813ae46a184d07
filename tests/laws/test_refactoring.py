"""The law of refactoring: a spec that asks for the same pictures in other words renders nothing.

Whole commands, real files: a site is built, its spec is rewritten by some of
these refactorings in any order, and built again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Site

Refactoring = Callable[[Site], None]

DEEP: Final = "FLUX2BUILD_DEEP" in os.environ

SPEC: Final = """\
[project]
output = "img"
templates = "templates"

[vars]
brand = { name = "Acme", primary = "#0A84FF" }
tone = "calm"

[defaults]
width = 64
height = 48

[style.felt]
prompt_suffix = "cut from {{ tone }} felt"

[asset.mascot]
prompt = "a fox in a {{ brand.primary }} scarf"
seed = 42

[asset.scene]
rows = { file = "scenes.csv", key = "id" }
template = "scene.j2"
style = "felt"
refs = [{ asset = "mascot" }, "desk.png"]

[[asset.scene.deliver]]
path = "scene-{{ id }}-{{ width }}.{{ format }}"
widths = [16, 32]
formats = ["webp"]

[asset.poster]
refs = ["desk.png"]

[asset.poster.prompt]
scene = "a {{ tone }} desk"
style = "linocut"
"""
SCENE: Final = '{{ ref("mascot") }} {{ row.place }}, {{ tone }}'


def rewrite(site: Site, change: Callable[[str], str]) -> None:
    """Rewrite the spec; a change that changes nothing proves nothing."""
    old = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write("assets.toml", change(old))


def blocks(spec: str) -> list[str]:
    """The tables of a spec, sub-tables kept with theirs."""
    return re.split(r"\n(?=\[(?:project|vars|defaults|style\.|asset\.\w+\]))", spec)


def reorder(site: Site) -> None:
    """Turn the order of tables around, and that of keys inside them."""
    rewrite(site, lambda old: "\n".join(blocks(old)[::-1]) + "\n")
    rewrite(
        site,
        lambda old: (
            re.sub(r"(width = 64)\n(height = 48)", r"\2\n\1", old)
            if "width = 64\n" in old
            else re.sub(r"(height = 48)\n(width = 64)", r"\2\n\1", old)
        ),
    )


def rename_variable(site: Site) -> None:
    """Call a variable something else, everywhere."""
    other = {"tone": "mood", "mood": "tone"}
    new = next(n for o, n in other.items() if f"\n{o} = " in _spec(site))
    old = other[new]
    rewrite(site, lambda text: re.sub(rf"\b{old}\b", new, text))
    for path in site.folder.rglob("*.j2"):
        path.write_text(re.sub(rf"\b{old}\b", new, path.read_text("utf-8")), "utf-8")


def move_template(site: Site) -> None:
    """Move a template into a folder, and include it from where it was."""
    folder = site.folder / "templates"
    name = f"part{len(list(folder.rglob('*.j2')))}.j2"
    folder.joinpath("deep").mkdir(exist_ok=True)
    folder.joinpath("scene.j2").rename(folder / "deep" / name)
    folder.joinpath("scene.j2").write_text(f'{{% include "deep/{name}" %}}', "utf-8")


def rename_asset(site: Site) -> None:
    """Give an asset another name, wherever it is spoken of."""
    old, new = ("mascot", "fox") if "[asset.mascot]" in _spec(site) else ("fox", "mascot")
    rewrite(
        site,
        lambda text: text.replace(f"[asset.{old}]", f"[asset.{new}]").replace(
            f'asset = "{old}"', f'asset = "{new}"'
        ),
    )
    for path in site.folder.rglob("*.j2"):
        path.write_text(path.read_text("utf-8").replace(f'"{old}"', f'"{new}"'), "utf-8")


def move_output(site: Site) -> None:
    """Let all outputs lie in another folder."""
    old, new = ("img", "public/pictures") if '"img"' in _spec(site) else ("public/pictures", "img")
    rewrite(site, lambda text: text.replace(f'output = "{old}"', f'output = "{new}"'))


def move_reference(site: Site) -> None:
    """Move a reference."""
    old = "desk.png" if '"desk.png"' in _spec(site) else "refs/table.png"
    new = "refs/table.png" if old == "desk.png" else "desk.png"
    site.folder.joinpath(new).parent.mkdir(exist_ok=True)
    site.folder.joinpath(old).rename(site.folder / new)
    rewrite(site, lambda text: text.replace(old, new))


def reorder_rows(site: Site) -> None:
    """Sort the table of rows the other way round, its columns too."""
    lines = site.folder.joinpath("scenes.csv").read_text("utf-8").splitlines()
    swapped = [",".join(line.split(",")[::-1]) for line in (lines[0], *lines[:0:-1])]
    site.write("scenes.csv", "\n".join(swapped) + "\n")


def reorder_prompt(site: Site) -> None:
    """Swap the keys of a structured prompt."""
    rewrite(site, lambda text: re.sub(r"(scene = .*)\n(style = \"lino.*)", r"\2\n\1", text))


def spell_out(site: Site) -> None:
    """Say at an asset what the defaults say anyway."""
    if "seed = 42\nwidth" not in _spec(site):
        rewrite(site, lambda text: text.replace("seed = 42", "seed = 42\nwidth = 64"))


def retag(site: Site) -> None:
    """Say other things beside the picture."""
    count = _spec(site).count("alt = ")
    rewrite(site, lambda text: text.replace("[asset.poster]", f'[asset.poster]\ntags = ["t{count}"]', 1)
            if "tags = " not in text else re.sub(r'tags = \["t(\d*)"\]', r'tags = ["t\g<1>1"]', text))  # fmt: skip


def _spec(site: Site) -> str:
    return site.folder.joinpath("assets.toml").read_text("utf-8")


REFACTORINGS: Final = (
    reorder, rename_variable, move_template, rename_asset, move_output,
    move_reference, reorder_rows, reorder_prompt, spell_out, retag,
)  # fmt: skip


def actions(site: Site, *words: str) -> dict[str, str]:
    """What a build did, by output."""
    ran = site.run("build", "--json", *words)
    assert ran.code == 0, ran.err
    return {row["output"]: row["action"] for row in json.loads(ran.out)["done"]}


def pictures(site: Site) -> list[bytes]:
    """Every delivered byte that is current, whatever it is called."""
    value = json.loads(site.run("plan", "--json").out)
    return sorted(site.folder.joinpath(s["output"]).read_bytes() for s in value["steps"])


@settings(
    max_examples=60 if DEEP else 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(REFACTORINGS), min_size=1, max_size=4))
def test_refactoring_renders_nothing(empty: Site, changes: list[Refactoring]) -> None:
    """Reordered, renamed, moved, spelled out: not one picture is rendered, and all stay the same."""
    for path in empty.folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    empty.write("assets.toml", SPEC)
    empty.write("templates/scene.j2", SCENE)
    empty.write("scenes.csv", "id,place\ndawn,at dawn\nrain,in the rain\nferry,on a ferry\n")
    empty.draw("desk.png")
    actions(empty)
    before = pictures(empty)

    for change in changes:
        change(empty)
        done = actions(empty)
        assert {"render", "derive"} & set(done.values()) == set(), change.__name__

    assert pictures(empty) == before
    empty.run("prune", "--yes")
    assert empty.run("check").code == 0


@pytest.mark.parametrize("edit", [("a fox", "a red fox"), ("64", "80"), ("linocut", "woodcut")])
def test_reverting_brings_the_same_bytes(empty: Site, edit: tuple[str, str]) -> None:
    """Going back to what was there before brings the old pictures back; sketches are drawn again."""
    empty.write("assets.toml", SPEC)
    empty.write("templates/scene.j2", SCENE)
    empty.write("scenes.csv", "id,place\ndawn,at dawn\n")
    empty.draw("desk.png")
    actions(empty)
    before = {p: d for p, d in empty.files().items() if p.startswith("img")}
    old, new = edit
    rewrite(empty, lambda text: text.replace(old, new, 1))
    assert "render" in actions(empty).values()
    rewrite(empty, lambda text: text.replace(new, old, 1))

    actions(empty)

    assert {p: d for p, d in empty.files().items() if p.startswith("img")} == before


def test_an_edit_that_matters_does_render(empty: Site) -> None:
    """The same harness sees renders where there are some."""
    empty.write("assets.toml", SPEC)
    empty.write("templates/scene.j2", SCENE)
    empty.write("scenes.csv", "id,place\ndawn,at dawn\nrain,in the rain\n")
    empty.draw("desk.png")
    actions(empty)
    empty.write("scenes.csv", "id,place\ndawn,at dusk\nrain,in the rain\n")

    done = actions(empty)

    assert [path for path, action in done.items() if action == "render"] == ["img/scene-dawn.png"]
