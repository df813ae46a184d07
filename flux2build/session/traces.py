"""What the recipes of a spec were made of, as the baseline keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from flux2build.assetspec.spec import Spec
from flux2build.digest import of_bytes
from flux2build.model import Generate, Recipe, Write

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row
    from flux2build.assetspec.said import Said
    from flux2build.assetspec.spec_text import SpecText

Rows = tuple[str, list[str], list[str]]
"""The columns of a family's data, then the names and the cells of each row."""


class Contents(TypedDict):
    """What is kept."""

    data: dict[str, list[str]]
    """The families that a data file has rows for, by its path."""
    rows: dict[str, Rows]
    """The rows of each family, if lines of its data cannot be read by themselves."""
    texts: dict[str, str]
    """The texts of the other data files."""
    specs: dict[str, list[str]]
    """Every word inside of what looks like markup, even in a comment, by the file of the spec."""
    said: Said
    """What the tables of the spec say."""
    hidden: list[str]
    """The words that no variable is meant by."""
    templates: dict[str, list[str]]
    """The assets whose prompts a template makes, by its path."""
    words: dict[str, list[str]]
    """Every word inside of the markup of a template, by its path."""
    room: tuple[int, int, int]
    """What the templates of the spec may still do."""
    elsewhere: dict[str, Mapping[str, Sequence[str]]]
    """The paths of each asset's files in other profiles, where they may collide there alone."""
    requests: dict[str, int]
    """How many members of a family ask for the same, by what they ask for."""
    documents: bool
    """Whether documents tell of pictures."""


def contents(spec: Spec) -> Contents | None:
    """Return what the recipes of a spec were made of; None if it takes all of it to judge an edit."""
    if not spec.trace.whole:
        return None
    # Lazy: what compares tables is there only where a spec has been read.
    from flux2build.assetspec.said import said

    data: dict[str, list[str]] = {}
    for family, table in spec.trace.rows.items():
        for path in table.files:
            data.setdefault(path, []).append(family)
    tables = spec.trace.rows.items()
    texts = {table.files[0]: table.text for _, table in tables if table.text}
    for table in spec.trace.rows.values():
        if not table.text:
            texts = {path: text for path, text in texts.items() if path not in table.files}
    return Contents(
        data=data,
        specs=spec_words(spec.text),
        said=said(spec.text.data, spec.profile),
        hidden=sorted(spec.trace.hidden),
        rows={
            family: plain_rows(table.rows)
            for family, table in tables
            if texts.keys().isdisjoint(table.files)
        },
        texts=texts,
        templates={path: list(assets) for path, assets in spec.trace.templates.items()},
        words={path: list(words) for path, words in spec.trace.words.items()},
        room=spec.trace.room,
        elsewhere={
            profile: {asset: list(each) for asset, each in paths.items()}
            for profile, paths in spec.trace.elsewhere.items()
        },
        requests=dict(
            Counter(map(request, (r for r in spec.recipes if isinstance(r.task, Generate))))
        ),
        documents=any(isinstance(each.task, Write) for each in spec.recipes),
    )


def spec_words(text: SpecText) -> dict[str, list[str]]:
    """Every word inside of the markup of each file of a spec."""
    # Lazy: what reads markup is there only where a spec has been read.
    from flux2build.assetspec import markup

    return {file.name: sorted(markup.words([file.text])) for file in text.files}


def plain_rows(rows: Sequence[Row]) -> Rows:
    """Rows as texts; equal texts stand for equal cells, whatever lines they are from."""
    columns = sorted({tuple(sorted(columns)) for columns in {row.columns for row in rows}})
    names = [repr(row.names) for row in rows]
    return repr(columns), names, [repr(row.cells) for row in rows]


def request(recipe: Recipe) -> str:
    """What makes two requests of a family the same, whatever their parameters are."""
    task = recipe.task
    said: tuple[object, ...] = ()
    if isinstance(task, Generate):
        said = (task.model, task.prompt, task.take, *map(str, recipe.inputs))
    return of_bytes(repr((recipe.key, said)).encode())[7:39]


def differing(before: Rows, now: Rows) -> list[int] | None:
    """The places of the rows that are others by now; None if there are not the same rows."""
    if before[:2] != now[:2]:
        return None
    pairs = enumerate(zip(before[2], now[2], strict=True))
    return [place for place, (was, cells) in pairs if was != cells]


def without(requests: Mapping[str, int], *gone: str) -> Counter[str]:
    """The requests that are left when some are not asked for any more."""
    left = Counter(requests)
    left.subtract(gone)
    return left
