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
def artifacts(tmp_path: Path) -> Artifacts:
    """A tree with one file, and an empty store."""
    folder = tmp_path / "site"
    folder.mkdir()
    folder.joinpath("a.png").write_bytes(OLD)
    return Artifacts(folder, Store(tmp_path / "store"), {of_bytes(OLD): "a.png"})


def test_bytes_of_the_tree_are_had_without_the_store(artifacts: Artifacts) -> None:
    """What the tree holds need not be in the store."""
    assert artifacts.has(of_bytes(OLD))
    assert artifacts.get(of_bytes(OLD)) == OLD
    assert not artifacts.has(of_bytes(NEW))


def test_bytes_are_hashed_again_when_they_are_had(artifacts: Artifacts) -> None:
    """A file that is another one by now is not handed out; the store helps, else it is said."""
    artifacts.folder.joinpath("a.png").write_bytes(NEW)
    with pytest.raises(SystemFault, match=r"`a\.png` changed while building"):
        artifacts.get(of_bytes(OLD))

    artifacts.store.put(OLD)

    assert artifacts.get(of_bytes(OLD)) == OLD


def test_what_is_replaced_is_kept(artifacts: Artifacts) -> None:
    """Whatever stood there is in the store before it is gone from the tree."""
    assert artifacts.replace("a.png", NEW) == of_bytes(NEW)

    assert artifacts.folder.joinpath("a.png").read_bytes() == NEW
    assert artifacts.store.get(of_bytes(OLD)) == OLD
    assert artifacts.get(of_bytes(NEW)) == NEW


def test_what_is_removed_is_kept(artifacts: Artifacts) -> None:
    """The same holds for a file that goes; one that is not there is no trouble."""
    artifacts.remove("a.png")
    artifacts.remove("a.png")

    assert not artifacts.folder.joinpath("a.png").exists()
    assert artifacts.get(of_bytes(OLD)) == OLD


def test_what_can_be_derived_again_is_not_kept(artifacts: Artifacts) -> None:
    """A derived file costs nothing, and the store is for what does."""
    old = of_bytes(OLD)
    free = Artifacts(
        artifacts.folder,
        artifacts.store,
        artifacts.paths,
        frozenset({old}),
        frozenset({("a.png", old)}),
    )

    free.replace("a.png", NEW)

    assert list(artifacts.store.digests()) == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_what_a_link_points_to_is_not_ours_to_keep(artifacts: Artifacts, tmp_path: Path) -> None:
    """A link in the place of an output is replaced; what it points to stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"private")
    artifacts.folder.joinpath("b.png").symlink_to(elsewhere)

    artifacts.replace("b.png", NEW)

    assert elsewhere.read_bytes() == b"private"
    assert not artifacts.folder.joinpath("b.png").is_symlink()
    assert list(artifacts.store.digests()) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=3)), max_size=8))
def test_nothing_that_ever_stood_in_the_tree_is_lost(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[str, bytes]]
) -> None:
    """However files are replaced, every content that was there can still be had."""
    tmp = tmp_path_factory.mktemp("stock")
    artifacts = Artifacts(tmp, Store(tmp / "store"), {})

    for name, data in writes:
        artifacts.replace(name, data)

    for _, data in writes:
        assert artifacts.get(of_bytes(data)) == data
