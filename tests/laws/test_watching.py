"""Whatever happens under `watch`, what it leaves is what builds that know nothing leave."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from PIL import Image

from flux2build.cli.commands.watch import Session
from flux2build.cli.entry import main
from flux2build.cli.run_build import BuildRun
from flux2build.console.console import Console
from flux2build.errors import Exit
from flux2build.incremental.brief import Brief
from flux2build.incremental.ongoing import Ongoing
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms
from flux2build.session.project import Project
from flux2build.session.sources import Watched
from flux2build.session.watch import Watcher
from tests.conftest import Site

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
SPEC: Final = """\
[project]
name = "shop"
output = "img"

[style.calm]
prompt_suffix = "in calm light"

[defaults]
width = 16
height = 16

[asset.shot]
style = "calm"
rows = { file = "products.csv", key = "sku" }
template = "{{ row.sku }}.j2"
refs = ["refs/desk.png"]

[[asset.shot.deliver]]
path = "{{ row.sku }}.webp"

[asset.scene]
prompt = "a scene"
refs = [{ asset = "shot[sku=A1]" }]

[manifest]
path = "pictures.json"
"""
ROWS: Final = "sku,name\nA1,cup\nA2,jug\n"
COLOURS: Final = ("teal", "red", "navy")


def _paint(number: int) -> None:
    Image.new("RGB", (8, 8), COLOURS[number]).save("refs/desk.png")


def _edited(name: str, old: str, *new: str) -> Callable[[int], None]:
    """An edit that gives a text one of its forms, wherever a file has it."""

    def edit(number: int) -> None:
        text = Path(name).read_text("utf-8")
        for each in sorted((old, *new), key=len, reverse=True):
            text = text.replace(each, "\0")
        Path(name).write_text(text.replace("\0", (old, *new)[number]), "utf-8")

    return edit


def _forget(_number: int) -> None:
    shutil.rmtree(".flux2build", ignore_errors=True)


def _switch(number: int) -> None:
    """Everything at once, as when a branch is switched."""
    for name in ("row", "template", "style", "reference", "prompt"):
        EDITS[name](number)


EDITS: Final[dict[str, Callable[[int], object]]] = {
    "row": _edited("products.csv", "cup", "mug", "pot"),
    "rows": lambda number: Path("products.csv").write_text(ROWS + "A3,pan\n" * (number % 2)),
    "template": lambda number: Path("templates/A1.j2").write_text(f"a {{{{ row.name }}}} {number}"),
    "style": _edited("assets.toml", "in calm light", "in warm light", "in red light"),
    "prompt": _edited("assets.toml", "a scene", "a table", "a stage"),
    "reference": _paint,
    "broken": _edited("assets.toml", "prompt =", "promt =", "prompt = ="),
    "no template": lambda _: Path("templates/A2.j2").unlink(missing_ok=True),
    "a template": lambda _: Path("templates/A2.j2").write_text("a {{ row.name }}"),
    "no output": lambda _: Path("img/A1.webp").unlink(missing_ok=True),
    "another output": lambda number: Path("img/scene.png").write_bytes(b"%d" % number),
    "switch": _switch,
    "forget": _forget,
    "touch": lambda _: Path("assets.toml").touch(),
}
MOMENTS: Final = ("quiet", "at once", "while it is written", "while it is built", "elsewhere")


class Step(Struct, frozen=True):
    """Some edits, and when they are made."""

    edits: Sequence[tuple[str, int]]
    moment: str

    def __call__(self) -> None:
        """Make the edits."""
        for name, number in self.edits:
            EDITS[name](number)


REPAIR: Final = Step([("broken", 0), ("a template", 0)], "at once")


class Script(Watcher):
    """Edits as they come, in the place of the files that are watched; then Ctrl-C."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self._steps = iter(steps)
        self.next = next(self._steps, None)

    aimed = True

    def aim(self, _watched: Watched, _root: Path) -> bool:
        """Watch nothing."""
        return False

    def also(self, _watched: Watched) -> bool:
        """Watch nothing more, either."""
        return True

    def wait(self, idle: Callable[[], None], _spoilt: Callable[[], set[str]]) -> set[str]:
        """Make the next edits, at their moment."""
        step = self.next
        if step is None:
            idle()
            raise KeyboardInterrupt
        self.next = next(self._steps, None)
        if step.moment in {"quiet", "elsewhere"}:
            idle()
        step()
        if step.moment == "elsewhere":
            main(["build"])
        if step.moment == "while it is written":
            idle()
        return {name for name, _ in step.edits}


class Hurried(Ongoing):
    """Makes the next edits between plan and build, if that is their moment."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def brief(self, project: Project) -> Brief | None:
        """The plan in brief, and then the edits."""
        known = super().brief(project)
        step = self._script.next
        if known and step is not None and step.moment == "while it is built":
            step()
        return known


def watched(steps: Sequence[Step]) -> Exit:
    """What `watch` comes to in this folder."""
    options, script = CommonOptions(), Script(steps)
    ongoing = Hurried(script)
    run = BuildRun(
        Project.open(options), Console.of(options), Choice(), Terms(), naming=True, ongoing=ongoing
    )
    return Session(run, ongoing, script).run(None)


@contextmanager
def _restored(folder: Path) -> Iterator[None]:
    """The folder as it was, afterwards."""
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside)
    try:
        yield
    finally:
        shutil.rmtree(folder)
        aside.rename(folder)
        os.chdir(folder)


STEPS: Final = st.lists(
    st.builds(
        Step,
        st.lists(st.tuples(st.sampled_from([*EDITS]), st.integers(0, 2)), min_size=1, max_size=3),
        st.sampled_from(MOMENTS),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def shop(empty: Site) -> Site:
    """A project with rows, a template for each, a style, a reference and a manifest, as built."""
    empty.write("assets.toml", SPEC)
    empty.write("products.csv", ROWS)
    empty.write("templates/A1.j2", "a {{ row.name }}")
    empty.write("templates/A2.j2", "a {{ row.name }}")
    empty.write("templates/A3.j2", "a {{ row.name }}")
    empty.draw("refs/desk.png")
    assert empty.run("build").code == Exit.DONE
    return empty


@settings(
    max_examples=100 if DEEP else 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS)
@example([Step([("row", 1)], "quiet"), Step([("row", 0)], "quiet"), Step([("row", 2)], "at once")])
@example([Step([("template", 1)], "quiet"), Step([("template", 2)], "while it is built")])
@example([Step([("broken", 1)], "quiet"), Step([("broken", 0), ("reference", 1)], "at once")])
@example(
    [Step([("rows", 1)], "quiet"), Step([("row", 1)], "at once"), Step([("rows", 1)], "quiet")]
)
@example([Step([("switch", 1)], "elsewhere"), Step([("no template", 0)], "quiet")])
def test_what_watch_leaves_is_what_builds_leave(shop: Site, steps: list[Step]) -> None:
    """Tree, lock and plan are those of builds without any memory, after the same edits.

    In the end the spec is right: a build that an edit has disturbed leaves the rest to the next one.
    """
    steps = [*steps, REPAIR]
    with _restored(shop.folder):
        assert watched(steps) is Exit.DONE
        after, said = shop.files(), shop.run("plan")
        warm = shop.run("check")
    with _restored(shop.folder):
        for step in steps:
            step()
            _forget(0)
            main(["build"])
        _forget(0)
        assert after == shop.files()
        assert said == shop.run("plan")
        assert warm == shop.run("check")
