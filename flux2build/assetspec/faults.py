"""The faults of a spec by key: collected while reading, and located at the end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct, field

from flux2build.errors import Place, SpecError
from flux2build.model import AssetName, Key

MOST_FAULTS: Final = 500


class Fault(Struct, frozen=True):
    """One mistake in a spec, not yet located.

    `diagnostics` makes a problem of it, with the source line that `key` or `place` says.
    """

    key: Key
    message: str
    hint: str | None = None
    rows: tuple[tuple[str, str], ...] = ()
    name: bool = False
    """Whether the key itself is wrong, not its value."""
    template: bool = False
    """Whether it is about a word of a template of which only the line is known."""
    line: int = 0
    """The line in a text of several lines, from 1; 0 means unknown."""
    place: Place | None = None
    """A place outside the spec: in a template or a data file."""


class FaultyError(Exception):
    """Faults that make the rest of a step pointless; readers of parts of a spec raise it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


class TooManyError(Exception):
    """A spec asks for so much, or has so many faults, that reading it ends here."""


class Faults(Struct):
    """The faults of one reading; one fault in many members of a family counts once."""

    assets: dict[Fault, list[AssetName]] = field(default_factory=dict)
    """Each fault, with the assets that have it."""

    def add(self, fault: Fault, asset: AssetName | None = None) -> None:
        """Note a fault and the asset that has it.

        Raises:
            TooManyError: there are too many to read.
        """
        if len(self.assets) >= MOST_FAULTS and fault not in self.assets:
            raise TooManyError
        self.assets.setdefault(fault, []).extend(() if asset is None else (asset,))

    def add_file(self, key: Key, error: SpecError) -> None:
        """Note the problems of a file that a key names."""
        for it in error.problems:
            self.add(Fault(key, it.message, it.hint, it.rows, place=it.place))

    def outside(self, keys: Collection[Key]) -> Faults:
        """The faults outside some tables and values."""
        inside = {f for f in self.assets if any(f.key[: len(key)] == key for key in keys)}
        return Faults({f: assets for f, assets in self.assets.items() if f not in inside})

    def collecting(self, asset: AssetName | None = None) -> Collecting:
        """A context that ends at the first `FaultyError`, and notes its faults."""
        return Collecting(self, asset)


class Collecting(Struct, frozen=True):
    """The block of `Faults.collecting`."""

    faults: Faults
    asset: AssetName | None

    def __enter__(self) -> None:
        """Start the block."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Note the faults of a `FaultyError`; other exceptions pass."""
        if not isinstance(error, FaultyError):
            return False
        for fault in error.faults:
            self.faults.add(fault, self.asset)
        return True
