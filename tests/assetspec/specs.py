"""Specs in memory: a tree of a few files, and a few models, operations and checks to ask for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from PIL import Image

from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.reader import load
from flux2build.assetspec.spec import Spec
from flux2build.checks import CHECKS
from flux2build.errors import Place, Problem, SpecError
from flux2build.images.ops.contract import File, Inputs, Op, Params, Picture
from flux2build.model import Derive, Generate, Recipe
from flux2build.providers.capabilities import FREE, Card
from flux2build.providers.cards import Models
from flux2build.storage.project_files import LARGEST, Kind, too_large
from flux2build.tables.table import Field, rule


@dataclass
class MemoryTree:
    """Files by path; folders are where files are; everything else is stated."""

    files: Mapping[str, str | bytes]
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def kind(self, path: str) -> Kind:
        """What lies at a path."""
        if path in self.kinds:
            return self.kinds[path]
        if path in self.files:
            return Kind.FILE
        below = path == "." or any(name.startswith(f"{path}/") for name in self.files)
        return Kind.FOLDER if below else Kind.MISSING

    def names(self, folder: str) -> list[str]:
        """The names in a folder."""
        return names_in(self.files, folder)

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """The names in a folder, and whether they are folders."""
        return entries_in(self.files, folder)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """The bytes of a file."""
        text = self.files[path]
        data = text.encode() if isinstance(text, str) else text
        if len(data) > most:
            raise SpecError(Problem(too_large(len(data), most), Place(path)))
        return data


def names_in(files: Iterable[str], folder: str) -> list[str]:
    """The names in a folder, given the paths of all files."""
    parts = [] if folder == "." else folder.split("/")
    split = (file.split("/") for file in files)
    inside = {each[len(parts)] for each in split if each[: len(parts)] == parts != each}
    return sorted(inside)


def entries_in(files: Iterable[str], folder: str) -> list[tuple[str, bool]]:
    """The names in a folder that are not hidden, each with whether it is a folder."""
    known, above = frozenset(files), "" if folder == "." else f"{folder}/"
    names = names_in(known, folder)
    return [(name, above + name not in known) for name in names if not name.startswith(".")]


class FakeOp(Op):
    """An operation that is only written in specs."""

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture as it is."""
        return image


class FakeCrop(FakeOp):
    """A fake `crop`."""

    name = "crop"
    version = 3

    ratio: str = Field(description="shape")
    anchor: Literal["center", "top"] = Field(default="center", description="what is kept")


class FakeResize(FakeOp):
    """A fake `resize`."""

    name = "resize"
    version = 2
    synonyms = ("thumbnail",)

    width: int | None = Field(default=None, ge=1, description="width")
    height: int | None = Field(default=None, ge=1, description="height")

    @rule
    def _sized(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError("give `width` or `height`")


class FakeOverlay(FakeOp):
    """A fake `overlay`."""

    name = "overlay"
    synonyms = ("watermark",)

    source: Picture
    mask: Picture | None = Field(default=None, description="a mask")


class FakeText(FakeOp):
    """A fake `text`."""

    name = "text"

    text: str = Field(description="what to write")
    font: File | None = Field(default=None, description="a font")
    size: int = Field(default=10, description="height of letters")


class FakeSheet(FakeOp):
    """A fake `sheet`."""

    name = "sheet"

    pictures: Annotated[list[Picture], Field(min_length=1)]


class CheckOptions(Params):
    """Options of the fake checks."""

    severity: Literal["error", "warning", "off"] = "off"
    colours: list[str] = Field(default=[])


@dataclass(frozen=True)
class FakeCheck:
    """A check that is only named in specs."""

    options: type[Params] = CheckOptions


@dataclass(frozen=True)
class FakeProvider:
    """A provider that is only named in specs."""

    default_model: str


_PIXELS = frozenset({"width", "height", "seed", "format"})
SKETCH = Card(
    model="sketch",
    params=_PIXELS,
    ignores=frozenset({"aspect_ratio", "steps", "guidance", "disable_pup"}),
    references=16,
    formats=("png", "jpeg", "webp"),
    price=FREE,
    source_type="algorithmicMedia",
)
PRO = Card(
    model="flux-2-pro",
    params=_PIXELS | {"disable_pup", "safety_tolerance"},
    references=3,
    formats=("jpeg", "png"),
    multiple=16,
    min_side=64,
    max_side=2048,
    max_pixels=2048 * 1024,
    ranges={"seed": (0, 4294967295), "safety_tolerance": (0, 5)},
    defaults={"disable_pup": True},
)
FLEX = Card(
    model="flux-2-flex",
    params=_PIXELS | {"steps", "guidance"},
    references=3,
    multiple=16,
    ranges={"steps": (1, 50), "guidance": (1.5, 10)},
)
THREE = Card(
    model="flux-3-image",
    params=frozenset({"aspect_ratio"}),
    references=3,
    formats=("jpeg",),
    choices={"aspect_ratio": ("1:1", "16:9")},
)
CAPABILITIES = Capabilities(
    cards={
        "sketch": {"sketch": SKETCH},
        "bfl": {card.model: card for card in (PRO, FLEX, THREE)},
    },
    checks={"alt": FakeCheck(), "palette": FakeCheck()},
    providers={"sketch": FakeProvider("sketch"), "bfl": FakeProvider("flux-2-pro")},
    ops={op.name: op for op in (FakeCrop, FakeResize, FakeOverlay, FakeText, FakeSheet)},
)
SHIPPED = Capabilities(Models(), CHECKS)
"""What comes with flux2build."""


def tree(spec: str | bytes, files: Mapping[str, str | bytes] | None = None) -> MemoryTree:
    """A spec beside the files that it names."""
    text = textwrap.dedent(spec).removeprefix("\n") if isinstance(spec, str) else spec
    return MemoryTree({"assets.toml": text, **(files or {})})


def read(
    spec: str, files: Mapping[str, str | bytes] | None = None, profile: str | None = None
) -> Spec:
    """A spec without mistakes."""
    return load(tree(spec, files), "assets.toml", profile, CAPABILITIES)


def problems(
    spec: str | bytes | MemoryTree, files: Mapping[str, str | bytes] | None = None
) -> list[Problem]:
    """What is wrong with a spec."""
    found = spec if isinstance(spec, MemoryTree) else tree(spec, files)
    try:
        load(found, "assets.toml", None, CAPABILITIES)
    except SpecError as error:
        return list(error.problems)
    return []


def headlines(
    spec: str | bytes | MemoryTree, files: Mapping[str, str | bytes] | None = None
) -> list[str]:
    """The headlines of what is wrong, each with its place."""
    return [f"{problem.place}: {problem.message}" for problem in problems(spec, files)]


def orders(spec: Spec) -> dict[str, Generate]:
    """What is ordered, by asset."""
    return {
        recipe.asset: recipe.task for recipe in spec.recipes if isinstance(recipe.task, Generate)
    }


def derived(spec: Spec) -> dict[str, tuple[Recipe, Derive]]:
    """What is derived, by output."""
    return {
        recipe.output: (recipe, recipe.task)
        for recipe in spec.recipes
        if isinstance(recipe.task, Derive)
    }
