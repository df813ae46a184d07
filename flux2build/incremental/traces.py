"""The inputs of a spec's recipes, as the baseline keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from flux2build.assetspec.spec import Spec
from flux2build.digest import half, of_bytes
from flux2build.model import Generate, Recipe, Write

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row, Table
    from flux2build.assetspec.spec_digests import SpecDigests
    from flux2build.assetspec.spec_text import SpecText

Rows = dict[str, str]
"""The columns and cells of each row of a family's data, by the names of the row."""


class Contents(TypedDict):
    """The data to keep."""

    members: dict[str, list[str]]
    """The names of each table's assets, with the tables in their order."""
    listed: list[str]
    """The families that a list of pictures contains as a whole."""
    data: dict[str, list[str]]
    """The families that a data file has rows for, by its path."""
    rows: dict[str, Rows]
    """The rows of each family, if lines of its data cannot be read by themselves."""
    texts: dict[str, str]
    """The texts of the other data files."""
    specs: dict[str, list[str]]
    """Every word in apparent markup, even in a comment, by the file of the spec."""
    said: SpecDigests
    """The digests of the spec's tables."""
    hidden: list[str]
    """The words that do not refer to variables."""
    templates: dict[str, list[str]]
    """The assets whose texts are made of a template or a catalogue, by its path."""
    catalogs: list[str]
    """The catalogues of translations among them."""
    words: dict[str, list[str]]
    """Every word in the markup of a template, by its path."""
    room: tuple[int, int, int, int]
    """The remaining limits of the spec's templates, and its remaining quota."""
    elsewhere: dict[str, Mapping[str, Sequence[str]]]
    """The paths of each asset's files in those profiles that may have collisions of their own."""
    requests: dict[str, int]
    """The number of members of a family with the same request, by request."""
    documents: bool
    """Whether there are documents about pictures."""


def contents(spec: Spec) -> Contents | None:
    """Return the inputs of a spec's recipes; None if every edit needs the whole spec."""
    if not spec.trace.whole:
        return None
    # Lazy: tables are compared only if a spec has been read.
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
    """Every word in the markup of each file of a spec."""
    # Lazy: markup is read only if a spec has been read.
    from flux2build.assetspec import markup

    return {file.name: sorted(markup.words([file.text])) for file in text.files}


def plain_rows(rows: Sequence[Row]) -> Rows:
    """Rows as texts; equal texts mean equal cells, on any lines."""
    columns = {
        each: of_bytes(repr(sorted(each)).encode("utf-8", "surrogatepass"))[7:15]
        for each in {row.columns for row in rows}
    }
    return {repr(row.names): f"{columns[row.columns]} {row.cells!r}" for row in rows}


def request(recipe: Recipe) -> str:
    """The digest by which two requests of a family are the same, even with other parameters."""
    task = recipe.task
    parts: tuple[object, ...] = ()
    if isinstance(task, Generate):
        parts = (task.model, task.prompt, task.take, *map(str, recipe.inputs))
    return half(of_bytes(repr((recipe.key, parts)).encode()))


def without(requests: Mapping[str, int], *gone: str) -> Counter[str]:
    """The remaining requests after some are removed."""
    remaining = Counter(requests)
    remaining.subtract(gone)
    return remaining
