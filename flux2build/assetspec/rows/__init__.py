"""Data files: one row is one member of a family."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from flux2build.assetspec.rows.data_file import (
    MOST_FAULTS,
    Cells,
    DataFile,
    Record,
    TooMuchError,
    normal,
)
from flux2build.assetspec.rows.objects import of_json, of_lines, of_toml
from flux2build.assetspec.rows.separated import separated
from flux2build.assetspec.rows.shaping import Shape, shaped
from flux2build.errors import Place, Problem, SpecError, brief, did_you_mean
from flux2build.storage import paths
from flux2build.storage.project_files import ProjectFiles
from flux2build.storage.text_files import read_text, unseen

MOST_MIB: Final = 32
MOST_PROBLEMS: Final = 20
_MOST_LINE_ENDS: Final = 4_000_000
"""Every line of Windows counts twice."""


@dataclass(frozen=True, slots=True)
class Row(Mapping[str, object]):
    """One row as a mapping of its cells, with its place in the file."""

    names: tuple[str, ...]
    """The values of the columns that name it."""
    cells: Cells
    """Trimmed cells by column, without blank ones."""
    place: Place
    columns: frozenset[str]
    """Every column of the file, including those that are blank in this row."""

    @property
    def key(self) -> str:
        """What messages call it."""
        return ", ".join(self.names)

    def __getitem__(self, column: str) -> object:
        return self.cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def why_absent(self, column: str) -> tuple[str, str | None]:
        """The reason why a cell is missing, and a hint."""
        if column in self.columns:
            where = f"{self.place.file} line {self.place.line}"
            return f"column `{column}` is blank in {where}", "use `default` if that is meant"
        return f"{self.place.file} has no column `{column}`", _meant(column, self.columns)


def _meant(column: str, known: Iterable[str]) -> str | None:
    """A hint for a column that there is not, which tells what nobody sees in the nearest one."""
    hint = did_you_mean(column, known)
    names = [name for letter in hint or "" if (name := unseen(letter))]
    return f"{hint} it has {names[0]} in it" if names else hint


def read(tree: ProjectFiles, file: str, shape: Shape) -> tuple[Row, ...]:
    """The rows of a CSV, TSV, JSON, JSON Lines or TOML file, each named by its key columns.

    Raises:
        SpecError: with every problem of the file.
    """
    suffix = posixpath.splitext(file)[1].lower()
    reader = _READERS.get(suffix)
    if reader is None:
        known = ", ".join(f"`{suffix}`" for suffix in _READERS)
        raise SpecError(f"`{file}` is not a data file that can be read", hint=f"known: {known}")
    source, rows = DataFile(file, _text(tree, file), normal(shape.keys[0])), tuple[Row, ...]()
    with suppress(TooMuchError):
        columns = reader(source)
        _stop(source)
        records = shaped(source, columns, shape)
        _stop(source)
        rows = _keyed(source, columns, records, [normal(key) for key in shape.keys])
    _stop(source)
    return rows


def _stop(source: DataFile) -> None:
    if not source.problems:
        return
    shown, more = source.problems[:MOST_PROBLEMS], len(source.problems) - MOST_PROBLEMS
    if more > 0:
        least = "at least " if len(source.problems) == MOST_FAULTS else ""
        shown.append(Problem(f"{least}{more} more problems like these", Place(source.file)))
    raise SpecError(*shown)


def _text(tree: ProjectFiles, file: str) -> str:
    text = read_text(tree, file, MOST_MIB, "data file")
    if text.count("\n") + text.count("\r") > _MOST_LINE_ENDS:
        raise SpecError(Problem("this data file has more than 2,000,000 lines", Place(file)))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SpecError(Problem("a NUL character in a data file", Place(file, line)))
    return text


def _keyed(
    source: DataFile, columns: frozenset[str], records: Sequence[Record], keys: Sequence[str]
) -> tuple[Row, ...]:
    lacking = [key for key in keys if key not in columns]
    if lacking and (columns or records):
        for key in lacking:
            hint = _meant(key, columns)
            source.wrong(f"there is no column `{key}` to name the rows by", 1, hint=hint)
        return ()
    rows: list[Row] = []
    first: dict[tuple[str, ...], Row] = {}
    for line, cells in records:
        names = [_name(source, line, cells, key) for key in keys]
        known = tuple(name for name in names if name is not None)
        if len(known) < len(names):
            continue
        row = Row(known, cells, Place(source.file, line), columns)
        earlier = first.setdefault(tuple(map(paths.fold, known)), row)
        if earlier is row:
            rows.append(row)
        else:
            _clash(source, "`, `".join(keys), earlier, row)
    return tuple(rows)


def _name(source: DataFile, line: int, cells: Cells, key: str) -> str | None:
    value = cells.get(key)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    why = "is blank" if value is None else "must be a text or a whole number"
    hint = "every row needs a key of its own" if value is None else None
    source.wrong(f"the key `{key}` {why}", line, hint=hint)
    return None


def _clash(source: DataFile, key: str, earlier: Row, row: Row) -> None:
    same = f"`{key}` is `{brief(row.key)}`"
    if earlier.key != row.key:
        same += f", the same as `{brief(earlier.key)}` for some file systems,"
    source.wrong(
        f"{same} on line {earlier.place.line} and again on line {row.place.line}", row.place.line
    )


_READERS: Final[Mapping[str, Callable[[DataFile], frozenset[str]]]] = {
    ".csv": separated,
    ".tsv": partial(separated, delimiter="\t"),
    ".json": of_json,
    ".jsonl": of_lines,
    ".ndjson": of_lines,
    ".toml": of_toml,
}
