"""Faults framed: each gets its place, its source line, and the word that it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.spec_text import SpecText
from flux2build.errors import Place, Problem
from flux2build.model import AssetName
from flux2build.storage.project_files import Kind, ProjectFiles

MOST_PROBLEMS: Final = 50
_WORD: Final = re.compile(r"`([^`]+)`")


def problems(document: SpecText, tree: ProjectFiles, faults: Faults) -> list[Problem]:
    """Every fault as a problem, in the order of places, each place and message once."""
    found = [problem(document, fault, assets, tree) for fault, assets in faults.found.items()]
    found.sort(key=lambda problem: (problem.place or Place(""), problem.message))
    if len(found) <= MOST_PROBLEMS:
        return found
    more = Problem(f"{len(found) - MOST_PROBLEMS:,} more problems", Place(document.file))
    return [*found[:MOST_PROBLEMS], more]


def problem(
    document: SpecText,
    fault: Fault,
    assets: Sequence[AssetName],
    tree: ProjectFiles,
) -> Problem:
    """A fault with its place, its source line, and the assets that have it."""
    rows = (*_who(assets, fault), *fault.rows)
    place, width = document.point(fault.key, name=fault.name)
    excerpt = document.excerpt(place)
    if fault.place is not None:
        if assets:
            rows = (*rows, ("used at", str(place)))
        place, width = fault.place, 1
        excerpt = _line(tree, place)
    elif fault.line:
        place, width, excerpt = _within(document, place, width, fault.line)
    place, width = _word(fault, place, width, excerpt)
    return Problem(fault.message, place, rows, fault.hint, excerpt, width)


def _who(assets: Sequence[AssetName], fault: Fault) -> tuple[tuple[str, str], ...]:
    """The assets that have a fault, when the place does not say it already."""
    if not assets or (len(assets) == 1 and fault.key[:2] == ("asset", assets[0])):
        return ()
    more = f" and {len(assets) - 1:,} more" if len(assets) > 1 else ""
    return (("asset", f"{assets[0]}{more}"),)


def _line(tree: ProjectFiles, place: Place) -> str | None:
    if tree.kind(place.file) is not Kind.FILE:
        return None
    return source_line(tree.read(place.file), place.line)


def source_line(data: bytes, number: int) -> str | None:
    """A line of a file by its number from 1; None if there is no such line."""
    lines = data.decode(errors="replace").split("\n")
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else None


def _within(
    document: SpecText, start: Place, width: int, line: int
) -> tuple[Place, int, str | None]:
    """A line of a text that starts at a place: only texts in triple quotes have several."""
    first = (document.excerpt(start) or "")[start.column - 1 :]
    if not first.startswith(('"""', "'''")):
        return start, width, document.excerpt(start)
    down = line - 1 + (len(first.rstrip()) == 3)
    if not down:
        return start, width, document.excerpt(start)
    place = Place(start.file, start.line + down, 1)
    excerpt = document.excerpt(place)
    return place, len(excerpt or " "), excerpt


def _word(fault: Fault, place: Place, width: int, excerpt: str | None) -> tuple[Place, int]:
    """The word that a message speaks of, where all that is known is a line.

    What a template's message ends with is what is wrong; what a data file's
    begins with is what stands there.
    """
    if excerpt is None or not (fault.template or place.column == 0):
        return place, width
    words = _WORD.findall(fault.message)
    for word in reversed(words) if fault.template else words:
        at = excerpt.find(word, max(0, place.column - 1))
        if at >= 0:
            return Place(place.file, place.line, at + 1), len(word)
    return Place(place.file, place.line, place.column or 1), width
