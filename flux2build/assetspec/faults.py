"""What is wrong with a spec, by key: collected while reading, given places at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from flux2build.errors import Place
from flux2build.model import AssetName, Key


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake; `key` says where in the spec, unless `place` does."""

    key: Key
    message: str
    hint: str | None = None
    rows: tuple[tuple[str, str], ...] = ()
    name: bool = False
    """The key itself is wrong, not its value."""
    template: bool = False
    """It is about a word of a template, which only knows lines."""
    line: int = 0
    """Line inside a text of several lines, from 1."""
    place: Place | None = None
    """A place outside the spec: a template, a data file."""


class FaultyError(Exception):
    """Raised where faults make the rest of a step pointless; never leaves the reading."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


@dataclass(slots=True)
class Faults:
    """All faults of one reading: the same one in many members of a family counts once."""

    found: dict[Fault, list[AssetName]] = field(default_factory=dict)

    def add(self, fault: Fault, asset: AssetName | None = None) -> None:
        """Notes a fault, and the asset that it was found in."""
        assets = self.found.setdefault(fault, [])
        if asset is not None:
            assets.append(asset)

    def collecting(self, asset: AssetName | None = None) -> Collecting:
        """A block that ends at its first fault, which is noted with those found beside it."""
        return Collecting(self, asset)


@dataclass(frozen=True, slots=True)
class Collecting:
    """The block of `Faults.collecting`."""

    faults: Faults
    asset: AssetName | None

    def __enter__(self) -> None:
        """Nothing is wrong yet."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Notes faults, and lets everything else through."""
        if not isinstance(error, FaultyError):
            return False
        for fault in error.faults:
            self.faults.add(fault, self.asset)
        return True
