"""Data files: one row is one member of a family."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from flux2build.assetspec.rows.data_file import (
    MOST_FAULTS,
    Cells,
    DataFile,
    Record,
    Records,
    TooMuchError,
    normal,
)
from flux2build.assetspec.rows.shaping import Shape, shaped
from flux2build.errors import Place, Problem, SpecError, brief, did_you_mean
from flux2build.storage import globs, paths, whereabouts
from flux2build.storage.project_files import Kind, ProjectFiles
from flux2build.storage.text_files import read_text, refuse_conflict, unseen

MOST_MIB: Final = 32
MOST_PROBLEMS: Final = 20
_IN_LINES: Final = (".csv", ".tsv")
_MOST_LINE_ENDS: Final = 4_000_000
"""Line ends of Windows count twice."""


class Row(Mapping[str, object]):
    """One row as a mapping of its cells, with its place in the file."""

    __slots__ = ("cells", "columns", "names", "place")

    def __init__(
        self, names: tuple[str, ...], cells: Cells, place: Place, columns: frozenset[str]
    ) -> None:
        """The row with these `names`, which are the values of the columns that name it.

        Its `cells` are trimmed, and blank ones are left out; `columns` are all columns of its file.
        """
        self.names, self.cells, self.place, self.columns = names, cells, place, columns

    @property
    def key(self) -> str:
        """Its name for messages."""
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


def _meant(column: str, columns: Iterable[str]) -> str | None:
    """A hint for a missing column, which names invisible characters in the nearest one."""
    hint = did_you_mean(column, columns)
    names = [name for letter in hint or "" if (name := unseen(letter))]
    return f"{hint} it has {names[0]} in it" if names else hint


class Table(Struct, frozen=True):
    """The rows of one data file, or of all files that a pattern names."""

    files: tuple[str, ...]
    rows: tuple[Row, ...]
    text: str = ""
    """The text of a file in which each line is a row; empty for any other file."""


def read(tree: ProjectFiles, written: str, shape: Shape) -> Table:
    """Read a data file, or every file that matches a pattern; key columns name the rows.

    Raises:
        SpecError: with every problem of the files.
    """
    records, keys = Records(), [normal(key) for key in shape.keys]
    files, several = _files(tree, written)
    rows, text = tuple[Row, ...](), ""
    with suppress(TooMuchError):
        text = _read_all(tree, files, records, keys[0], several=several)
        _stop(records, written)
        shaped_rows = shaped(records, Place(files[0], 1), shape)
        _stop(records, written)
        rows = _keyed(records, Place(files[0], 1), shaped_rows, keys)
    _stop(records, written)
    lines = not (several or shape.fill or '"' in text or "\r" in text)
    return Table(files, rows, text if lines and files[0].lower().endswith(_IN_LINES) else "")


def _files(tree: ProjectFiles, written: str) -> tuple[tuple[str, ...], bool]:
    """The files in the order of their paths, and whether a pattern names them."""
    path = paths.join("", written)
    if not globs.is_pattern(written) or tree.kind(path) is Kind.FILE:
        if absence := whereabouts.absence(tree, written):
            raise SpecError(f"data file {absence[0]}", hint=absence[1])
        return (path,), False
    if matches := globs.matching(tree, written):
        return tuple(matches), True
    message, hint = whereabouts.unmatched(tree, written)
    raise SpecError(f"data files: {message}", hint=hint)


def _read_all(
    tree: ProjectFiles, files: Sequence[str], records: Records, key: str, *, several: bool
) -> str:
    """Read the records of files, which share the size limit of one file.

    Return the text of the last one.
    """
    text, remaining = "", MOST_MIB * 1024 * 1024
    for file in files:
        suffix = posixpath.splitext(file)[1].lower()
        reader = _READERS.get(suffix)
        if reader is None:
            suffixes = ", ".join(f"`{suffix}`" for suffix in _READERS)
            raise SpecError(
                f"`{file}` is not a data file that can be read", hint=f"known: {suffixes}"
            )
        text = text_of(tree, file)
        remaining -= len(text)
        source = DataFile(file, text, records, key, is_row=several)
        if remaining < 0:
            source.refuse(f"the data files have more than {MOST_MIB} MiB together", 1)
        reader(source)
    return text


def _stop(records: Records, written: str) -> None:
    if not records.problems:
        return
    problems, more = records.problems[:MOST_PROBLEMS], len(records.problems) - MOST_PROBLEMS
    if more > 0:
        least = "at least " if len(records.problems) == MOST_FAULTS else ""
        place = Place(written) if globs.is_pattern(written) else records.problems[0].place
        file = place.file if place else written
        problems.append(Problem(f"{least}{more} more problems like these", Place(file)))
    raise SpecError(*problems)


def text_of(tree: ProjectFiles, file: str) -> str:
    """Return the text of a data file.

    Raises:
        SpecError: it cannot be read, or is not text.
    """
    text = read_text(tree, file, MOST_MIB, "data file")
    if text.count("\n") + text.count("\r") > _MOST_LINE_ENDS:
        raise SpecError(Problem("this data file has more than 2,000,000 lines", Place(file)))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SpecError(Problem("a NUL character in a data file", Place(file, line)))
    if _READERS.get(posixpath.splitext(file)[1].lower()) is not _page:
        refuse_conflict(text, file)
    return text


def _keyed(
    records: Records, start: Place, shaped_rows: Sequence[Record], keys: Sequence[str]
) -> tuple[Row, ...]:
    columns = frozenset(records.columns)
    lacking = [key for key in keys if key not in columns]
    if lacking and (columns or shaped_rows):
        for key in lacking:
            message = f"there is no column `{key}` to name the rows by"
            records.wrong(message, start, _meant(key, columns))
        return ()
    rows: list[Row] = []
    first: dict[tuple[str, ...], Row] = {}
    for place, cells in shaped_rows:
        names = [_name(records, place, cells, key) for key in keys]
        if None in names:
            continue
        identity = tuple([name for name in names if name is not None])
        own = frozenset(cells) if place.file in records.whole else columns
        row = Row(identity, cells, place, own)
        earlier = first.setdefault(tuple(map(paths.fold, identity)), row)
        if earlier is row:
            rows.append(row)
        else:
            _clash(records, "`, `".join(keys), earlier, row)
    return tuple(rows)


def _name(records: Records, place: Place, cells: Cells, key: str) -> str | None:
    value = cells.get(key)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    why = "is blank" if value is None else "must be a text or a whole number"
    hint = "every row needs a key of its own" if value is None else None
    records.wrong(f"the key `{key}` {why}", place, hint)
    return None


def _clash(records: Records, key: str, earlier: Row, row: Row) -> None:
    same = f"`{key}` is `{brief(row.key)}`"
    if earlier.key != row.key:
        same += f", the same as `{brief(earlier.key)}` for some file systems,"
    if earlier.place.file == row.place.file:
        where = f"on line {earlier.place.line} and again on line {row.place.line}"
    else:
        where = f"in `{earlier.place.file}` and again in `{row.place.file}`"
    records.wrong(f"{same} {where}", row.place)


def _commas(file: DataFile, delimiter: str | None = None) -> None:
    from flux2build.assetspec.rows.separated import separated

    separated(file, delimiter=delimiter)


def _tabs(file: DataFile) -> None:
    _commas(file, "\t")


def _json(file: DataFile) -> None:
    from flux2build.assetspec.rows.json_data import of_json

    of_json(file)


def _json_lines(file: DataFile) -> None:
    from flux2build.assetspec.rows.json_data import of_lines

    of_lines(file)


def _toml(file: DataFile) -> None:
    from flux2build.assetspec.rows.toml_data import of_toml

    of_toml(file)


def _yaml(file: DataFile) -> None:
    from flux2build.assetspec.rows.yaml_data import of_yaml

    of_yaml(file)


def _page(file: DataFile) -> None:
    from flux2build.assetspec.rows.front_matter import of_page

    of_page(file)


def _messages(file: DataFile) -> None:
    from flux2build.assetspec.rows.catalogue import of_messages

    of_messages(file)


_READERS: Final[Mapping[str, Callable[[DataFile], None]]] = {
    ".csv": _commas,
    ".tsv": _tabs,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".md": _page,
    ".mdx": _page,
    ".markdown": _page,
    ".po": _messages,
}
