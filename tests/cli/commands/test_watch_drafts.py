"""`flux2build watch` with open weights: sketches stand in while pictures are rendered.

The worker is the real program, with a model of a few lines in it that waits at a gate before it renders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import pytest
from PIL import Image

from flux2build.errors import Exit
from flux2build.lockfile import loads
from tests.conftest import Site
from tests.purchasing.weights.made_up import weights
from tests.spawned import Process, flux2build

WATCHING: Final = "watching; Ctrl-C ends"
MODEL: Final = """\
import sys
if "flux2build.purchasing.weights.worker" in sys.orig_argv:
    import io, os, types
    from PIL import Image

    class Failure(Exception):
        def __init__(self, fault, message):
            super().__init__(message)
            self.fault = fault

    def note(line):
        with open(os.environ["ASKED"], "a") as log:
            log.write(f"{os.getpid()} {line}\\n")

    def rendered(facts, references, on_step):
        asked = facts["arguments"]
        note(asked["prompt"])
        with open(os.path.join(os.environ["GATES"], asked["prompt"])) as gate:
            gate.read()
        on_step(1, 2)
        if "nothing" in asked["prompt"]:
            raise Failure("odd", "it is black all over")
        note(asked["prompt"] + ", finished")
        file = io.BytesIO()
        Image.new("RGB", (asked["width"], asked["height"]), "teal").save(file, "PNG")
        return file.getvalue(), "a model of a few lines"

    model = types.ModuleType("flux2build.purchasing.weights.pipelines")
    model.Failure, model.rendered = Failure, rendered
    sys.modules[model.__name__] = model
"""
SPEC: Final = """\
[project]
name = "acme"
output = "img"
[defaults]
provider = "local"
width = 64
height = 64
[asset.fox]
prompt = "a fox"
alt = "A fox."
[[asset.fox.deliver]]
path = "fox.webp"
widths = [32]
"""


class Easel:
    """A site with pictures that wait at a gate before they are rendered."""

    def __init__(self, site: Site) -> None:
        self.site, self.gates, self.asked = site, site.folder / "gates", site.folder / "asked"
        self.gates.mkdir()
        for prompt in ("a fox", "a cat", "nothing"):
            os.mkfifo(self.gates / prompt)
        folder = weights(site.folder / "weights")
        config = f'[local.models.flux-2-klein-4b]\npath = "{folder}"\n'
        Path(os.environ["FLUX2BUILD_CONFIG"]).write_text(config, "utf-8")
        site.write("beside/sitecustomize.py", MODEL)
        site.write("assets.toml", SPEC)

    def hold(self, prompt: str) -> TextIO:
        """The gate of a picture that is being rendered, which is finished once this is closed."""
        return self.gates.joinpath(prompt).open("w")

    def finish(self, prompt: str) -> None:
        """Let a picture be finished, once it is being rendered."""
        self.hold(prompt).close()

    def rendered(self) -> bool:
        """Whether the picture at hand came from the model, as did what is derived from it."""
        kinds = []
        for name in ("fox.png", "fox.webp"):
            with Image.open(self.site.folder / "img" / name) as image:
                colours = bytes(image.convert("RGB").resize((1, 1)).tobytes())
            away = max(abs(a - b) for a, b in zip(colours, (0, 128, 128), strict=True))
            kinds.append(away < 9)
        assert kinds[0] == kinds[1]
        return kinds[0]

    @property
    def lock(self) -> bytes:
        """The lock's text; empty if there is none."""
        path = self.site.folder / "assets.lock"
        return path.read_bytes() if path.exists() else b""

    @property
    def prompt(self) -> str:
        """The prompt that the lock's picture was rendered for."""
        [block] = loads(self.lock.decode(), "assets.lock").blocks.values()
        assert block.generated
        return block.generated.prompt

    def noted(self) -> list[str]:
        """What the model was asked for, and what it finished; all in one process."""
        lines = [line.partition(" ") for line in self.asked.read_text("utf-8").splitlines()]
        assert len({process for process, _, _ in lines}) == 1
        return [line for _, _, line in lines]


@pytest.fixture
def easel(empty: Site) -> Easel:
    """A site that renders with open weights."""
    return Easel(empty)


@pytest.fixture
def process(easel: Easel) -> Iterator[Process]:
    """A watch of that site, which renders its first picture."""
    path = [str(easel.site.folder / "beside"), *filter(None, [os.environ.get("PYTHONPATH")])]
    with flux2build(
        easel.site.folder,
        "watch",
        PYTHONPATH=os.pathsep.join(path),
        GATES=str(easel.gates),
        ASKED=str(easel.asked),
    ) as process:
        yield process


def test_a_sketch_stands_in_until_the_picture_is_rendered(easel: Easel, process: Process) -> None:
    """It is there at once, with what is derived from it; the lock knows nothing but the picture."""
    for prompt, following in (("a fox", "a cat"), ("a cat", "a dog")):
        before = easel.lock
        process.until("sketch   img/fox.webp")
        assert not easel.rendered()
        easel.finish(prompt)
        talk = process.until(WATCHING)
        assert "kept what was" not in talk
        assert easel.rendered()
        assert (easel.lock != before, easel.prompt) == (True, prompt)
        assert easel.site.run("check").code == Exit.DONE
        easel.site.edit("assets.toml", prompt, following)

    assert easel.noted() == ["a fox", "a fox, finished", "a cat", "a cat, finished"]


def test_an_edit_takes_the_place_of_what_is_rendered(easel: Easel, process: Process) -> None:
    """Its sketch is there at once; the model stays in memory, and renders nothing that is not wanted."""
    process.until("sketch   img/fox.webp")
    easel.site.edit("assets.toml", "a fox", "a cat")
    process.until("Edited meanwhile")
    process.until("sketch   img/fox.webp")
    assert not easel.lock
    easel.finish("a fox")
    easel.finish("a cat")
    process.until(WATCHING)

    assert easel.rendered()
    assert easel.prompt == "a cat"
    assert easel.noted() == ["a fox", "a cat", "a cat, finished"]


def test_an_edit_of_something_else_lets_it_go_on(easel: Easel, process: Process) -> None:
    """What is still wanted is not begun again."""
    process.until("sketch   img/fox.webp")
    easel.site.edit("assets.toml", "A fox.", "A red fox.")
    process.until("Edited meanwhile")
    process.until("sketch   img/fox.webp")
    easel.finish("a fox")
    process.until(WATCHING)

    assert easel.rendered()
    assert easel.noted() == ["a fox", "a fox, finished"]
    assert easel.site.run("check").code == Exit.DONE


def test_a_failure_leaves_the_sketch_and_says_so(easel: Easel, process: Process) -> None:
    """The lock stays as it is, and going back brings the picture of before back."""
    process.until("sketch   img/fox.webp")
    easel.finish("a fox")
    process.until(WATCHING)
    picture, before = easel.site.folder.joinpath("img/fox.png").read_bytes(), easel.lock
    easel.site.edit("assets.toml", "a fox", "nothing")
    process.until("sketch   img/fox.webp")
    easel.finish("nothing")
    talk = process.until(WATCHING)

    assert "no picture came of `fox`: it is black all over" in talk
    assert "sketches stand in for pictures that were not rendered: `img/fox.png`" in talk
    assert not easel.rendered()
    assert easel.lock == before
    assert easel.site.run("check").code == Exit.DRIFT

    easel.site.edit("assets.toml", "nothing", "a fox")
    talk = process.until(WATCHING)
    assert easel.site.folder.joinpath("img/fox.png").read_bytes() == picture
    assert "kept what was" not in talk
    assert easel.site.run("check").code == Exit.DONE
    assert easel.noted() == ["a fox", "a fox, finished", "nothing"]


def test_a_build_that_an_interrupt_leaves_whole_ends_a_watch(
    easel: Easel, process: Process
) -> None:
    """Ctrl-C ends the session with 130 even if nothing was left to be given up."""
    easel.finish("a fox")
    process.until(WATCHING)
    easel.site.write("assets.toml", SPEC.partition("[[")[0].replace("a fox", "a cat"))
    with easel.hold("a cat"):
        process.interrupt()
        process.until("Ctrl-C again")

    assert process.ended() == Exit.INTERRUPTED
    assert easel.prompt == "a cat"


def test_what_a_watch_has_left_is_replaced_without_a_word(easel: Easel, process: Process) -> None:
    """The next build knows a sketch that stands in by its bytes; what somebody drew there is kept."""
    process.until("sketch   img/fox.webp")
    with easel.hold("a fox"):
        process.interrupt()
        process.until("Ctrl-C again")
        process.interrupt()
        assert process.ended() == Exit.INTERRUPTED
    sketch = easel.site.folder.joinpath("img/fox.png").read_bytes()
    assert not easel.rendered()
    easel.site.edit("assets.toml", '"local"', '"sketch"')
    easel.site.edit("assets.toml", "a fox", "a cat")

    assert "kept what was" not in easel.site.run("build").err
    Image.new("RGB", (64, 64), "red").save(easel.site.folder / "img/fox.png")
    easel.site.edit("assets.toml", "a cat", "a dog")
    assert "kept what was at img/fox.png" in easel.site.run("build").err
    assert easel.site.folder.joinpath("img/fox.png").read_bytes() != sketch
