"""What the recipes of a spec were made of, as the baseline keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from flux2build.assetspec.spec import Spec
from flux2build.digest import of_bytes
from flux2build.model import Generate, Recipe, Write

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row, Table
    from flux2build.assetspec.spec_digests import SpecDigests
    from flux2build.assetspec.spec_text import SpecText

Rows = dict[str, str]
"""The columns and cells of each row of a family's data, by the names of the row."""


class Contents(TypedDict):
    """What is kept."""

    members: dict[str, list[str]]
    """The names of each table's assets; the tables in their order, too."""
    listed: list[str]
    """The families that a list of pictures holds as a whole."""
    data: dict[str, list[str]]
    """The families that a data file has rows for, by its path."""
    rows: dict[str, Rows]
    """The rows of each family, if lines of its data cannot be read by themselves."""
    texts: dict[str, str]
    """The texts of the other data files."""
    specs: dict[str, list[str]]
    """Every word inside of what looks like markup, even in a comment, by the file of the spec."""
    said: SpecDigests
    """What the tables of the spec say."""
    hidden: list[str]
    """The words that no variable is meant by."""
    templates: dict[str, list[str]]
    """The assets whose texts are made of a template or a catalogue, by its path."""
    catalogs: list[str]
    """Those of them that are catalogues of translations."""
    words: dict[str, list[str]]
    """Every word inside of the markup of a template, by its path."""
    room: tuple[int, int, int, int]
    """What the templates of the spec may still do, and how much more it may ask for."""
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
    from flux2build.assetspec.spec_digests import digests_of

    data, rows, texts = read_of(spec.trace.rows)
    return Contents(
        members={name: [*each] for name, each in spec.trace.members.items()},
        listed=[*spec.trace.listed],
        data=data,
        specs=spec_words(spec.text),
        said=digests_of(spec.text.data, spec.profile),
        hidden=sorted(spec.trace.hidden),
        rows=rows,
        texts=texts,
        templates={path: list(assets) for path, assets in spec.trace.templates.items()},
        catalogs=[*spec.trace.catalogs],
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


def read_of(
    tables: Mapping[str, Table],
) -> tuple[dict[str, list[str]], dict[str, Rows], dict[str, str]]:
    """Return the families by their data files; then the rows of families, or the texts of files."""
    data: dict[str, list[str]] = {}
    for family, table in tables.items():
        for path in table.files:
            data.setdefault(path, []).append(family)
    texts = {table.files[0]: table.text for table in tables.values() if table.text}
    for table in tables.values():
        if not table.text:
            texts = {path: text for path, text in texts.items() if path not in table.files}
    rows = {
        family: plain_rows(table.rows)
        for family, table in tables.items()
        if texts.keys().isdisjoint(table.files)
    }
    return data, rows, texts


def spec_words(text: SpecText) -> dict[str, list[str]]:
    """Every word inside of the markup of each file of a spec."""
    # Lazy: what reads markup is there only where a spec has been read.
    from flux2build.assetspec import markup

    return {file.name: sorted(markup.words([file.text])) for file in text.files}


def plain_rows(rows: Sequence[Row]) -> Rows:
    """Rows as texts; equal texts stand for equal cells, whatever lines they are from."""
    columns = {
        each: of_bytes(repr(sorted(each)).encode("utf-8", "surrogatepass"))[7:15]
        for each in {row.columns for row in rows}
    }
    return {repr(row.names): f"{columns[row.columns]} {row.cells!r}" for row in rows}


def request(recipe: Recipe) -> str:
    """What makes two requests of a family the same, whatever their parameters are."""
    task = recipe.task
    parts: tuple[object, ...] = ()
    if isinstance(task, Generate):
        parts = (task.model, task.prompt, task.take, *map(str, recipe.inputs))
    return of_bytes(repr((recipe.key, parts)).encode())[7:39]


def without(requests: Mapping[str, int], *gone: str) -> Counter[str]:
    """The requests that are left when some are not asked for any more."""
    remaining = Counter(requests)
    remaining.subtract(gone)
    return remaining
