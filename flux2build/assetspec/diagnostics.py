"""Faults of a spec as problems, with places, source lines and the marked words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.spec_text import SpecText
from flux2build.errors import Place, Problem, SpecError
from flux2build.model import AssetName
from flux2build.storage.project_files import Kind, ProjectFiles

MOST_PROBLEMS: Final = 50
_BLOCK: Final = 64 * 1024
_WORD: Final = r"`([^`]+)`"


def problems(text: SpecText, tree: ProjectFiles, faults: Faults) -> list[Problem]:
    """Every fault as a problem, in the order of places; of very many, the first."""
    every = [(_problem(text, *each), each[0]) for each in faults.assets.items()]
    every.sort(key=lambda each: _order(each[0]))
    framed = [_framed(tree, *each) for each in every[:MOST_PROBLEMS]]
    framed.sort(key=_order)
    if len(every) <= MOST_PROBLEMS:
        return framed
    more = Problem(f"{len(every) - MOST_PROBLEMS:,} more problems", Place(text.file))
    return [*framed, more]


def _order(problem: Problem) -> tuple[Place, str]:
    return problem.place or Place(""), problem.message


def _problem(text: SpecText, fault: Fault, assets: Sequence[AssetName]) -> Problem:
    """A fault with its place, the spec's line there, and the assets that have it."""
    rows = (*_asset_row(assets, fault), *fault.rows)
    problem = Problem(fault.message, rows=rows, hint=fault.hint)
    problem = text.located(problem, fault.key, name=fault.name)
    if fault.place is not None:
        used = (("used at", str(problem.place)),) if assets else ()
        return replace(problem, place=fault.place, rows=(*rows, *used), excerpt=None, width=1)
    return _inside(text, problem, fault.line) if fault.line else problem


def _framed(tree: ProjectFiles, problem: Problem, fault: Fault) -> Problem:
    """A problem with its source line, also of another file, and at its word."""
    place = fault.place
    if place is not None and tree.kind(place.file) is Kind.FILE:
        with suppress(SpecError):  # the file is too large, which may be the problem itself
            problem = replace(problem, excerpt=source_line(tree.read(place.file), place.line))
    return _at_word(fault, problem)


def _asset_row(assets: Sequence[AssetName], fault: Fault) -> tuple[tuple[str, str], ...]:
    """The assets that have a fault, unless its place names them already."""
    if not assets or (len(assets) == 1 and fault.key[:2] == ("asset", assets[0])):
        return ()
    more = f" and {len(assets) - 1:,} more" if len(assets) > 1 else ""
    return (("asset", f"{assets[0]}{more}"),)


def _inside(text: SpecText, problem: Problem, line: int) -> Problem:
    """A problem moved to a line of the text that it stands at; `line` counts from 1.

    Only a text in triple quotes has several lines. It starts in the line of its
    quotes, or in the next one if nothing follows them.
    """
    place = problem.place or Place(text.file)
    first = (problem.excerpt or "")[place.column - 1 :]
    down = line - 1 + (len(first.rstrip()) == 3)
    if not first.startswith(('"""', "'''")) or not down:
        return problem
    place = Place(place.file, place.line + down, 1)
    excerpt = text.excerpt(place)
    return replace(problem, place=place, excerpt=excerpt, width=len(excerpt or " "))


def _at_word(fault: Fault, problem: Problem) -> Problem:
    """A problem moved to the word that its message is about, if only its line is known.

    That is the last word in backticks of a message about a template, and the first
    one of a message about a data file.
    """
    place, excerpt = problem.place, problem.excerpt
    if place is None or excerpt is None or not (fault.template or place.column == 0):
        return problem
    words = re.findall(_WORD, fault.message)
    for word in reversed(words) if fault.template else words:
        at = excerpt.find(word, max(0, place.column - 1))
        if at >= 0:
            return replace(problem, place=replace(place, column=at + 1), width=len(word))
    return replace(problem, place=replace(place, column=place.column or 1))


def source_line(data: bytes, number: int) -> str | None:
    """A line of a file by its number from 1; None if there is no such line."""
    if number < 1:
        return None
    start, before = 0, number - 1
    while before and start < len(data):  # whole blocks first: a file may have millions of lines
        count = data.count(b"\n", start, start + _BLOCK)
        if count >= before:
            for _ in range(before):
                start = data.index(b"\n", start) + 1
            count = before
        else:
            start += _BLOCK
        before -= count
    if before:
        return None
    end = data.find(b"\n", start)
    return data[start : end if end >= 0 else None].decode(errors="replace").rstrip("\r")
