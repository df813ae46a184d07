"""A table of which fields are read and written by themselves is the table that was kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.storage import fields, sealed
from flux2build.storage.fields import Fields

NAMES = st.sampled_from("abcdef")
ATOMS = st.one_of(st.integers(), st.text(max_size=3), st.binary(max_size=3), st.none())
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(NAMES, inner, max_size=6),
        st.tuples(inner, inner),
    ),
    max_leaves=20,
)
TABLES = st.dictionaries(NAMES, VALUES, min_size=1)
BULK = {"bulk": "x" * 4000}
"""So much that what is different is written by itself."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder, for a while."""
    with TemporaryDirectory() as name:
        yield Path(name)


def loaded(place: Path) -> dict[str, Any]:
    """What is kept in a folder."""
    table = fields.load(place, "table")
    assert table is not None
    return dict(table)


def edited(value: Any, another: Any, data: st.DataObject) -> Any:
    """A value that is the same but for one of its items, if it has any, or for a further one."""
    if isinstance(value, dict) and value:
        key = data.draw(st.sampled_from(sorted({*value, "new"})))
        return {**value, key: edited(value.get(key), another, data)}
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value)))
        before = value[at] if at < len(value) else None
        return [*value[:at], edited(before, another, data), *value[at + 1 :]]
    return another


@settings(max_examples=150, deadline=None)
@given(table=TABLES, others=st.lists(VALUES, max_size=4), data=st.data(), again=st.booleans())
def test_what_is_kept_is_what_is_loaded(
    table: dict[str, Any], others: list[Any], data: st.DataObject, *, again: bool
) -> None:
    """Whatever is changed in it, by one process or many, and whichever fields they have read."""
    with folder() as place:
        kept = Fields(table | BULK)
        kept.keep(place, "table")
        for other in others:
            if again:
                kept = fields.load(place, "table") or Fields({})
            field = data.draw(st.sampled_from(sorted(table)))
            before = table[field] if data.draw(st.booleans()) else kept[field]
            earlier, table = table, table | {field: edited(before, other, data)}
            mine, kept = kept, kept.copy()
            kept[field] = table[field]
            kept.keep(place, "table")
            assert loaded(place) == table | BULK
            if data.draw(st.booleans()):
                assert {**kept} == table | BULK
                assert {**mine} == earlier | BULK


def test_a_small_change_writes_little(tmp_path: Path) -> None:
    """One item of many is written beside them; many changes are written as a whole."""
    numbers = {str(n): n for n in range(2000)}
    Fields({"numbers": numbers, "texts": [*numbers], "more": 0}).keep(tmp_path, "table")
    own = tmp_path / ".flux2build"
    whole = (own / "table").read_bytes()
    table = fields.load(tmp_path, "table")
    assert table is not None

    table["numbers"] = {**table["numbers"], "7": 8, "new": 9}
    table["texts"] = [*table["texts"][:3], "owl", *table["texts"][4:], "end"]
    table.keep(tmp_path, "table")

    assert (own / "table").read_bytes() == whole
    assert (own / "table-changes").stat().st_size < 300
    assert loaded(tmp_path)["numbers"] == {**numbers, "7": 8, "new": 9}
    table["numbers"] = {name: -n for name, n in numbers.items()}
    table.keep(tmp_path, "table")
    assert (own / "table").read_bytes() != whole
    assert loaded(tmp_path)["texts"][3] == "owl"


def test_what_is_damaged_or_of_another_writing_is_not_read(tmp_path: Path) -> None:
    """A damaged table is none; changes that are damaged, lost or of another table are none either."""
    own = tmp_path / ".flux2build"
    Fields({"a": 1, **BULK}).keep(tmp_path, "table")
    table = fields.load(tmp_path, "table")
    assert table is not None
    table["a"] = 2
    table.keep(tmp_path, "table")
    whole, changes = (own / "table").read_bytes(), (own / "table-changes").read_bytes()

    for at in range(len(changes)):
        for damaged in (changes[:at], changes[:at] + bytes([changes[at] ^ 1]) + changes[at + 1 :]):
            (own / "table-changes").write_bytes(damaged)
            assert loaded(tmp_path)["a"] == 1
    (own / "table-changes").write_bytes(changes)
    assert loaded(tmp_path)["a"] == 2
    for at in range(0, len(whole), 40):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            (own / "table").write_bytes(damaged)
            assert fields.load(tmp_path, "table") is None
    Fields({"a": 3, **BULK}).keep(tmp_path, "table")
    assert loaded(tmp_path)["a"] == 3
    (own / "table-changes").unlink(missing_ok=True)
    assert loaded(tmp_path)["a"] == 3


def test_two_processes_do_not_mix_their_changes(tmp_path: Path) -> None:
    """The last one that writes decides for all, and never for a part."""
    Fields({"a": 1, "b": 1, **BULK}).keep(tmp_path, "table")
    one, other, third = (fields.load(tmp_path, "table") or Fields({}) for _ in range(3))
    one["a"], other["b"] = 2, 2
    one.keep(tmp_path, "table")
    other.keep(tmp_path, "table")
    assert {**loaded(tmp_path), "bulk": ""} == {"a": 1, "b": 2, "bulk": ""}
    third["bulk"] = "y" * 4000
    third.keep(tmp_path, "table")
    one.keep(tmp_path, "table")
    assert loaded(tmp_path) == {"a": 1, "b": 1, "bulk": "y" * 4000}


@pytest.mark.parametrize("value", [None, 0, {}, [1], "text"])
def test_a_field_is_replaced_without_being_read(tmp_path: Path, value: object) -> None:
    """Whatever it was, it is what it was given."""
    Fields({"a": [1], **BULK}).keep(tmp_path, "table")
    table = fields.load(tmp_path, "table")
    assert table is not None

    table["a"] = value
    table.keep(tmp_path, "table")

    assert loaded(tmp_path)["a"] == value


@pytest.mark.parametrize("value", [{"a": 1}, (1, {"a": b"1"}), b"", [], "text"])
def test_another_format_is_not_read(tmp_path: Path, value: object) -> None:
    """What an earlier version has kept under the name counts for nothing."""
    sealed.keep(tmp_path, "table", value)

    assert fields.load(tmp_path, "table") is None


def test_a_copy_elsewhere_is_not_read(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither a table nor its changes are believed in a tree that was copied."""
    Fields({"a": 1, **BULK}).keep(tmp_path, "table")
    copy = tmp_path_factory.mktemp("copy") / "tree"
    shutil.copytree(tmp_path, copy)

    assert fields.load(copy, "table") is None
    Fields({"a": 2, **BULK}).keep(copy, "table")
    assert loaded(copy)["a"] == 2


def test_more_than_plain_data_is_refused(tmp_path: Path) -> None:
    """A value that cannot be kept leaves what was kept before."""
    Fields({"a": 1, **BULK}).keep(tmp_path, "table")
    table = fields.load(tmp_path, "table")
    assert table is not None
    table["a"] = object()

    with pytest.raises(ValueError, match="unmarshallable"):
        table.keep(tmp_path, "table")
    assert loaded(tmp_path)["a"] == 1
    with pytest.raises(TypeError):
        del table["a"]
