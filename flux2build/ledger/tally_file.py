"""A tally of a ledger's first lines, in a file of its own that may be deleted at any time.

It identifies the lines by their end and their digest. It is valid only for a ledger that begins
with exactly these lines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.ledger import beside
from flux2build.ledger.tally import Section, Tally

_FORMAT: Final = 1
_DIGITS: Final = 64


class KeptTally(Struct, frozen=True):
    """A tally whose sections are read when they are needed."""

    end: int
    """The end of the lines, in bytes."""
    digest: str
    """SHA-256 of these bytes."""
    begun: int
    places: dict[tuple[str, str], tuple[int, int]]
    """The start and the end of each section."""
    body: bytes
    pictures: int
    """The start of the list of paid pictures."""

    @property
    def projects(self) -> list[str]:
        """The projects in the tally."""
        return list(dict.fromkeys(project for project, _ in self.places))

    def section(self, project: str, by: str) -> Section:
        """The amounts of a project, grouped."""
        start, end = self.places.get((project, by), (0, 0))
        section = json.loads(self.body[start:end] or b"{}")
        return {name: Counter(counts) for name, counts in section.items()}

    @property
    def paid(self) -> Iterator[Digest]:
        """The paid pictures, some of them several times."""
        names = self.body[self.pictures :].hex()
        starts = range(0, len(names), _DIGITS)
        return map(Digest, [f"sha256:{names[at : at + _DIGITS]}" for at in starts])

    def whole(self) -> Tally:
        """The whole tally."""
        sections = {key: self.section(*key) for key in self.places}
        return Tally(sections, self.begun, Counter(self.paid))


def kept(end: int, digest: str, tally: Tally) -> KeptTally:
    """Return a tally of some lines in the form of the file."""
    places, parts, at = dict[tuple[str, str], tuple[int, int]](), list[bytes](), 0
    for key, section in tally.sections.items():
        amounts = {name: +counts for name, counts in section.items() if any(counts.values())}
        parts.append(json.dumps(amounts).encode())
        places[key] = at, at + len(parts[-1])
        at += len(parts[-1])
    raw = [bytes.fromhex(each.removeprefix("sha256:")) for each in tally.paid.elements()]
    return KeptTally(end, digest, tally.begun, places, b"".join([*parts, *raw]), at)


def save(path: Path, tally: KeptTally) -> None:
    """Write a tally for `load`; errors of the disk are ignored."""
    places = [[*key, *place] for key, place in tally.places.items()]
    head = [_FORMAT, tally.end, tally.digest, tally.begun, tally.pictures, places]
    beside.save(path, head, tally.body)


def load(path: Path) -> KeptTally | None:
    """The tally in a file; None if there is none, or it is damaged."""
    if (contents := beside.load(path)) is None:
        return None
    head, body = contents
    try:
        number, end, digest, begun, pictures, places = head
        if number != _FORMAT:
            return None
        spans = {(project, by): (first, last) for project, by, first, last in places}
        return KeptTally(end, digest, begun, spans, body, pictures)
    except (ValueError, TypeError):
        return None
