"""Data files: messy exports become rows, and every problem has its line."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec import rows
from flux2build.assetspec.rows import Row
from flux2build.assetspec.rows.shaping import Shape
from flux2build.errors import Place, Problem, SpecError
from flux2build.storage import paths
from flux2build.storage.project_files import LARGEST, Kind, too_large
from tests.assetspec.specs import entries_in, names_in


@dataclass
class Files:
    """A tree of one folder, in memory."""

    files: dict[str, bytes]
    kinds: dict[str, Kind] = field(default_factory=dict)

    def kind(self, path: str) -> Kind:
        """What the test has put there."""
        known = Kind.FILE if path in self.files else Kind.MISSING
        return self.kinds.get(path, known)

    def names(self, folder: str) -> list[str]:
        """The names in a folder."""
        return names_in(self.files, folder)

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """The names in a folder, and whether they are folders."""
        return entries_in(self.files, folder)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """The bytes of a file."""
        if (size := len(self.files[path])) > most:
            raise SpecError(Problem(too_large(size, most), Place(path)))
        return self.files[path]


def read(text: str | bytes, file: str = "p.csv", key: str = "sku", **shape: Any) -> tuple[Row, ...]:
    """The rows of one file."""
    data = text.encode() if isinstance(text, str) else text
    return rows.read(Files({file: data}), file, Shape((key,), **shape)).rows


def problems(text: str | bytes, file: str = "p.csv", key: str = "sku") -> list[str]:
    """What is wrong with a file: `place: message` of each problem."""
    with pytest.raises(SpecError) as caught:
        read(text, file, key)
    return [f"{problem.place}: {problem.message}" for problem in caught.value.problems]


def test_messy_export() -> None:
    """Padding, a BOM, CRLF, empty lines, quoted line ends and empty columns do not matter."""
    text = '\ufeff sku , name ,notes,\r\n\r\nA-1, Mug ,"two\r\nlines",\r\n,,,\r\nA-2,  ,x,\r\n'

    first, second = read(text)

    assert dict(first) == {"sku": "A-1", "name": "Mug", "notes": "two\nlines"}
    assert (first.key, first.place.file, first.place.line) == ("A-1", "p.csv", 3)
    assert dict(second) == {"sku": "A-2", "notes": "x"}
    assert second.place.line == 6
    assert second.columns == {"sku", "name", "notes"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("p.csv", "sku,name\nA,Mug\nB,Cup\n"),
        ("p.tsv", "sku\tname\nA\tMug\nB\tCup\n"),
        ("p.json", '[\n {"sku": "A", "name": " Mug"},\n {"sku": "B", "name": "Cup"}]'),
        ("p.jsonl", '{"sku": "A", "name": "Mug"}\n\n{"sku": "B", "name": "Cup"}\r\n'),
        ("P.NDJSON", '{"sku": "A", "name": "Mug"}\n{"sku": "B", "name": "Cup"}'),
        ("p.yaml", "- sku: A\n  name: ' Mug'\n- {sku: B, name: Cup}\n"),
    ],
)
def test_formats(file: str, text: str) -> None:
    """Each format says the same."""
    found = read(text, file)

    assert [dict(row) for row in found] == [
        {"sku": "A", "name": "Mug"},
        {"sku": "B", "name": "Cup"},
    ]


def test_json_keeps_types_and_lines() -> None:
    """JSON values keep their types, nulls are blank, and each item knows its line."""
    text = '[\n\n {"sku": 7, "n": 1.5, "tags": ["a"], "none": null},\n {"sku": "B",\n "n": ""}\n]\n'

    first, second = read(text, "p.json")

    assert dict(first) == {"sku": 7, "n": 1.5, "tags": ["a"]}
    assert (first.key, first.place.line) == ("7", 3)
    assert (second.place.line, "n" in second) == (4, False)


def test_row_says_what_it_lacks() -> None:
    """A blank cell is distinguished from a column that does not exist."""
    (row,) = read("sku,material\nA,\n")

    assert row.why_absent("material")[0] == "column `material` is blank in p.csv line 2"
    assert row.why_absent("materiel") == (
        "p.csv has no column `materiel`",
        "did you mean `material`?",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sku,a,a\n", ["p.csv:1: columns 2 and 3 are both named `a`"]),
        (
            "sku,a\nA\nB,1,2\n",
            [
                "p.csv:2: this row has 1 cells, the header has 2",
                "p.csv:3: this row has 3 cells, the header has 2",
            ],
        ),
        ("sku,a\n,1\n", ["p.csv:2: the key `sku` is blank"]),
        ("sku,\nA,x\n", ["p.csv:2: `x` stands in a column without a name"]),
        ("skuu\nA\n", ["p.csv:1: there is no column `sku` to name the rows by"]),
        ("a,b\n", ["p.csv:1: there is no column `sku` to name the rows by"]),
        ("", ["p.csv:1: the data file is empty"]),
        ("sku\nA\nB\nA\n", ["p.csv:4: `sku` is `A` on line 2 and again on line 4"]),
        (
            "sku\nStra\u00dfe\nSTRASSE\n",
            [
                "p.csv:3: `sku` is `STRASSE`, the same as `Stra\u00dfe` for some file systems, on line 2 and again on line 3"
            ],
        ),
        (b"sku\nA\n\xe9\n", ["p.csv:3:1: byte 0xe9 is not UTF-8"]),
        (b"sku\nA\x00\n", ["p.csv:2: a NUL character in a data file"]),
    ],
)
def test_wrong_tables(text: str | bytes, expected: list[str]) -> None:
    """Every fault of a table is reported at once, with its line."""
    assert problems(text) == expected


def test_lone_quote() -> None:
    """A quote that is never closed is reported with the line on which its row starts."""
    (problem,) = problems('sku,a\nA,1\nB,"x\n\n')

    assert problem.startswith("p.csv:3: this is not a table")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"sku"', "p.json:1:1: this is not JSON: expecting a list of objects"),
        ('{"sku": 1}', "p.json:1: every item must be an object, this is a whole number"),
        ('{"rows": [{}, 3]}', "p.json:1: every item must be an object, this is a whole number"),
        ('{"rows": [{}}', "p.json:1:13: this is not JSON: expecting ',' delimiter"),
        ('[\n {"sku": 1},\n {"sku" 2}]', "p.json:3:9: this is not JSON: expecting ':' delimiter"),
        ('[{"sku": 1}', "p.json:1:12: this is not JSON: expecting `,` or `]`"),
        ('[{"sku": 1}] x', "p.json:1:14: this is not JSON: nothing may follow the list"),
        ("[1]", "p.json:1: every item must be an object, this is a whole number"),
        ('[\n\n{"a": 1, "a": 2}]', "p.json:3: `a` is given twice in one object"),
        ('[{"sku": NaN}]', "p.json:1: `NaN` is not a number of JSON's"),
        ('[{"sku": 1e999}]', "p.json:1: `1e999` is not a number of JSON's"),
        ('[{"sku": true}]', "p.json:1: the key `sku` must be a text or a whole number"),
        ('[{"sku": "A", "sku ": "B"}]', "p.json:1: two fields of this object have the same name"),
        ("[" * 100_000, "p.json:1: this is nested too deeply"),
        (f"[{{}}, {'9' * 5000}]", "p.json:1: a number has too many digits"),
    ],
)
def test_wrong_json(text: str, expected: str) -> None:
    """Each fault of a JSON file is reported with its line, and its column if that is known."""
    assert problems(text, "p.json")[0] == expected


def test_wrong_json_lines() -> None:
    """Every faulty line of a JSON Lines file is reported."""
    assert problems('{"sku": "A"}\n{"sku"\n[]\n', "p.jsonl") == [
        "p.jsonl:2:7: this is not JSON: expecting ':' delimiter",
        "p.jsonl:3: every item must be an object, this is a list",
    ]


def test_floods_are_cut() -> None:
    """Twenty of a thousand faults are reported, and reading ends after five hundred."""
    value = problems("sku,a\n" + "A\n" * 1000)

    assert len(value) == rows.MOST_PROBLEMS + 1
    assert value[-1] == "p.csv: at least 480 more problems like these"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FILE])
def test_not_a_file(kind: Kind) -> None:
    """Only regular files inside the project are read."""
    with pytest.raises(SpecError, match=r"data file `p\.csv`"):
        rows.read(Files({}, {"p.csv": kind}), "p.csv", Shape(("sku",)))


def test_unknown_format() -> None:
    """A file of another kind is refused with the kinds that are known."""
    with pytest.raises(SpecError) as caught:
        read("", "p.xlsx")

    assert (
        caught.value.problems[0].hint
        == "known: `.csv`, `.tsv`, `.json`, `.jsonl`, `.ndjson`, `.toml`, `.yaml`, `.yml`, `.md`, "
        "`.mdx`, `.markdown`, `.po`"
    )


def test_too_large() -> None:
    """A data file that is too large is not even decoded."""
    assert problems(b"\xff" * (rows.MOST_MIB * 1024 * 1024 + 1)) == [
        "p.csv: it is 33,554,433 bytes; 32 MiB is the most"
    ]


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"), max_size=8)
TABLES = st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), max_size=6)


@given(TABLES)
def test_csv_and_json_agree(table: list[dict[str, str]]) -> None:
    """The same table means the same rows, whatever it is written in."""
    numbered = [{"sku": str(n), **row} for n, row in enumerate(table)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["sku", "a", "b"])
    writer.writeheader()
    writer.writerows(numbered)

    from_csv = read(text.getvalue())
    from_json = read(json.dumps(numbered), "p.json")
    from_lines = read("\n".join(map(json.dumps, numbered)), "p.jsonl")
    from_yaml = read(yaml.safe_dump(numbered), "p.yaml")

    assert [dict(row) for row in from_csv] == [dict(row) for row in from_json]
    assert [dict(row) for row in from_csv] == [dict(row) for row in from_lines]
    assert [dict(row) for row in from_csv] == [dict(row) for row in from_yaml]


@given(
    st.lists(st.text(st.characters(categories=("L", "Nd"), codec="utf-8"), min_size=1, max_size=3))
)
def test_keys_are_unique_files(keys: list[str]) -> None:
    """Rows are read exactly when no two keys would be one file somewhere."""
    text = json.dumps([{"sku": key} for key in keys])
    if len({paths.fold(key) for key in keys}) == len(keys):
        assert [row.key for row in read(text, "p.json")] == keys
    else:
        assert problems(text, "p.json")


@given(st.binary(max_size=60), st.sampled_from(["p.csv", "p.tsv", "p.json", "p.jsonl", "p.yaml"]))
def test_any_bytes(data: bytes, file: str) -> None:
    """Whatever bytes come, there are rows or a SpecError, and nothing else."""
    with contextlib.suppress(SpecError):
        read(data, file)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('sku , options\nA1  ,"red, round"   \n', "red, round"),
        ('sku,options\nA1,  "red ""x"" , round"  \n', 'red "x" , round'),
        ('sku,options\r\nA1 , "red\r\n, round" \r\n', "red\n, round"),
        ("sku;options\nA1;red, round\n", "red, round"),
        ('"sku" ; "options" \nA1;"red; round"\n', "red; round"),
        ("sku\toptions\nA1\tred, round\n", "red, round"),
        ('sku,options\nA1,6" round\n', '6" round'),
    ],
)
def test_tables_as_shops_export_them(text: str, cells: str) -> None:
    """Blanks around quotes, semicolons and tabs do not matter, and no cell loses any of its own."""
    (row,) = read(text)

    assert dict(row) == {"sku": "A1", "options": cells}


@given(
    st.lists(
        st.text(st.sampled_from('ab,;" \n'), max_size=6).map(str.strip), min_size=1, max_size=4
    )
)
def test_padding_around_quotes_changes_nothing(cells: list[str]) -> None:
    """A quoted cell means the same with blanks before and after it, whatever it holds."""
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    header = ",".join(f"c{at}" for at in range(len(cells)))

    def found(line: str) -> dict[str, object]:
        (row,) = read(f"sku,{header}\nA,{line}\n")
        return dict(row)

    assert found(",".join(quoted)) == found(" , ".join(f"  {cell}  " for cell in quoted))


def test_blanks_are_filled_from_above_where_asked() -> None:
    """Rows of variants repeat what their product says; other columns stay blank."""
    text = "sku,name,note\nA1,Mug,new\nA2,,\nB1,Cup,\nB2,,\n"

    found = read(text, fill=("name",))

    assert [row.get("name") for row in found] == ["Mug", "Mug", "Cup", "Cup"]
    assert [row.get("note") for row in found] == ["new", None, None, None]


def test_lists_in_a_cell_are_split_where_asked() -> None:
    """Items are trimmed, and blank ones left out."""
    (row,) = read("sku,options,path\nA1, red | round ||,a|b\n", split={"options": "|"})

    assert dict(row) == {"sku": "A1", "options": ["red", "round"], "path": "a|b"}


@pytest.mark.parametrize("shape", [{"fill": ("nam",)}, {"split": {"nam": "|"}}])
def test_columns_that_are_not_there(shape: dict[str, Any]) -> None:
    """What is said of a column is said of one that exists."""
    with pytest.raises(SpecError, match="there is no column `nam`"):
        read("sku,name\nA,Mug\n", **shape)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("p.json", '{"products": [{"sku": "A", "name": "Mug"},\n {"sku": "B", "name": "Cup"}]}'),
        ("p.json", '{"A": {"name": "Mug"},\n "B": {"name": "Cup", "sku": "B"}}'),
        ("p.toml", '[[product]]\nsku = "A"\nname = "Mug"\n[[product]]\nsku = "B"\nname = "Cup"\n'),
        ("p.toml", '[product.A]\nname = "Mug"\n[product.B]\nname = "Cup"\n'),
        ("p.toml", '[A]\nname = "Mug"\n[B]\nname = "Cup"\n'),
        ("p.yml", "products:\n- sku: A\n  name: Mug\n- sku: B\n  name: Cup\n"),
        ("p.yaml", "A:\n  name: Mug\nB:\n  name: Cup\n"),
        ("p.yaml", "product:\n  A: {name: Mug}\n  B: {name: Cup}\n"),
    ],
)
def test_objects_by_their_keys(file: str, text: str) -> None:
    """An object of objects names its rows itself; TOML has arrays of tables, or tables."""
    found = read(text, file)

    assert [dict(row) for row in found] == [
        {"sku": "A", "name": "Mug"},
        {"sku": "B", "name": "Cup"},
    ]


@pytest.mark.parametrize("text", ["a = 1\n", "x = [1]\n", "[a]\nb = 1\n[c]\n[[d]]\n", "a = \n"])
def test_toml_that_holds_no_rows(text: str) -> None:
    """Anything else in TOML is refused with its place."""
    assert problems(text, "p.toml")[0].startswith("p.toml:")


def test_a_key_of_several_columns() -> None:
    """Rows differ in one of the columns at least."""

    def named(text: str) -> list[tuple[str, ...]]:
        rows_ = rows.read(Files({"p.csv": text.encode()}), "p.csv", Shape(("sku", "size"))).rows
        return [row.names for row in rows_]

    assert named("sku,size\nA,S\nA,M\n") == [("A", "S"), ("A", "M")]
    with pytest.raises(SpecError, match="`sku`, `size` is `A, S` on line 2 and again on line 4"):
        named("sku,size\nA,S\nA,M\na,s\n".replace("a,s", "A,S"))
    with pytest.raises(SpecError, match="the key `size` is blank"):
        named("sku,size\nA,\n")
