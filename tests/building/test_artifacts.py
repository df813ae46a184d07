"""Where bytes are had: from the tree while it holds them, from the store for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.building.artifacts import Artifacts
from flux2build.digest import of_bytes
from flux2build.errors import SystemFault
from flux2build.storage.store import Store

OLD, NEW = b"old", b"new"


@pytest.fixture
def stock(tmp_path: Path) -> Artifacts:
    """A tree with one file, and an empty store."""
    folder = tmp_path / "site"
    folder.mkdir()
    folder.joinpath("a.png").write_bytes(OLD)
    return Artifacts(folder, Store(tmp_path / "store"), {of_bytes(OLD): "a.png"})


def test_bytes_of_the_tree_are_had_without_the_store(stock: Artifacts) -> None:
    """What the tree holds need not be in the store."""
    assert stock.has(of_bytes(OLD))
    assert stock.get(of_bytes(OLD)) == OLD
    assert not stock.has(of_bytes(NEW))


def test_bytes_are_hashed_again_when_they_are_had(stock: Artifacts) -> None:
    """A file that is another one by now is not handed out; the store helps, else it is said."""
    stock.folder.joinpath("a.png").write_bytes(NEW)
    with pytest.raises(SystemFault, match=r"`a\.png` changed while building"):
        stock.get(of_bytes(OLD))

    stock.store.put(OLD)

    assert stock.get(of_bytes(OLD)) == OLD


def test_what_is_replaced_is_kept(stock: Artifacts) -> None:
    """Whatever stood there is in the store before it is gone from the tree."""
    assert stock.replace("a.png", NEW) == of_bytes(NEW)

    assert stock.folder.joinpath("a.png").read_bytes() == NEW
    assert stock.store.get(of_bytes(OLD)) == OLD
    assert stock.get(of_bytes(NEW)) == NEW


def test_what_is_removed_is_kept(stock: Artifacts) -> None:
    """The same holds for a file that goes; one that is not there is no trouble."""
    stock.remove("a.png")
    stock.remove("a.png")

    assert not stock.folder.joinpath("a.png").exists()
    assert stock.get(of_bytes(OLD)) == OLD


def test_what_can_be_derived_again_is_not_kept(stock: Artifacts) -> None:
    """A derived file costs nothing, and the store is for what does."""
    free = Artifacts(stock.folder, stock.store, stock.paths, frozenset({of_bytes(OLD)}))

    free.replace("a.png", NEW)

    assert list(stock.store.digests()) == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_what_a_link_points_to_is_not_ours_to_keep(stock: Artifacts, tmp_path: Path) -> None:
    """A link in the place of an output is replaced; what it points to stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"private")
    stock.folder.joinpath("b.png").symlink_to(elsewhere)

    stock.replace("b.png", NEW)

    assert elsewhere.read_bytes() == b"private"
    assert not stock.folder.joinpath("b.png").is_symlink()
    assert list(stock.store.digests()) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=3)), max_size=8))
def test_nothing_that_ever_stood_in_the_tree_is_lost(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[str, bytes]]
) -> None:
    """However files are replaced, every content that was there can still be had."""
    tmp = tmp_path_factory.mktemp("stock")
    stock = Artifacts(tmp, Store(tmp / "store"), {})

    for name, data in writes:
        stock.replace(name, data)

    for _, data in writes:
        assert stock.get(of_bytes(data)) == data
