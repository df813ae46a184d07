"""The candidates of a project's pictures as they are shown, with their states and measures."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flux2build.errors import Flux2BuildError
from flux2build.images.ranking import Merits, measured
from flux2build.lockfile import Candidate
from flux2build.model import AssetName
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.project import Project
from flux2build.session.reviewing import Picture, pictures


class Shown(Struct, frozen=True):
    """One candidate, with its bytes if they are available."""

    asset: AssetName
    candidate: Candidate
    state: str
    """`picked`, `ships` if it ships without being picked, or `candidate`."""
    data: bytes | None
    merits: Merits | None

    @property
    def marked(self) -> bool:
        """Whether it is the one that ships."""
        return self.state != "candidate"

    @property
    def number(self) -> int:
        """The number by which people refer to it."""
        return self.candidate.number

    @property
    def seed(self) -> int | None:
        """The requested seed, or the one that the provider reports."""
        seed = self.candidate.seed
        return self.candidate.receipt.seed if seed is None else seed

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures, in words."""
        if self.merits is None:
            return ()
        words = [f"sharpness {self.merits.sharpness:g}"]
        if self.merits.palette is not None:
            words.append(f"palette {self.merits.palette:g} away")
        return (*words, *(["blank"] if self.merits.blank else []))


def _sharpest(row: Shown) -> float:
    return -(row.merits.sharpness if row.merits else -1)


def _nearest(row: Shown) -> float:
    far = row.merits.palette if row.merits else None
    return float("inf") if far is None else far


SORTS: Final[Mapping[str, Callable[[Shown], float]]] = {
    "number": lambda row: row.number,
    "sharpness": _sharpest,
    "palette": _nearest,
}
"""The orders in which candidates can be shown."""


def shown(project: Project, assets: Container[AssetName], sort: str) -> Iterator[Shown]:
    """The candidates of some assets, asset by asset in the order of the spec."""
    colours = palette(project)
    by_asset = {each.recipe.asset: each for each in pictures(project)}
    artifacts = at_hand(project, project.files())
    chosen = (each for name, each in by_asset.items() if name in assets)
    artifacts.bring(c.output.sha256 for each in chosen for c in each.candidates)
    for name in project.spec.named:
        picture = by_asset.get(name)
        if picture is None or name not in assets:
            continue
        rows = []
        for each in picture.candidates:
            digest = each.output.sha256
            data = artifacts.get(digest) if artifacts.has(digest) else None
            rows.append(Shown(name, each, _state(picture, each), data, _merits(data, colours)))
        yield from sorted(rows, key=SORTS[sort])


def _state(picture: Picture, candidate: Candidate) -> str:
    row = picture.block.generated if picture.block else None
    if row is None or candidate.number != picture.shipped:
        return "candidate"
    return "picked" if row.picked else "ships"


def _merits(data: bytes | None, colours: Sequence[str]) -> Merits | None:
    try:
        return None if data is None else measured(data, colours)
    except Flux2BuildError:
        return None


def palette(project: Project) -> Sequence[str]:
    """The colours of the brand, if the spec has them for the check `palette`."""
    options = project.spec.checks.get("palette")
    return tuple(options.colours) if options is not None else ()
