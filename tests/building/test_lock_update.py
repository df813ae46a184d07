"""The lock as a build goes along: entries of one profile, everything else untouched."""

from __future__ import annotations

from dataclasses import replace

from flux2build.building.lock_update import Entry, LockUpdate
from flux2build.digest import Digest
from flux2build.lockfile import Lockfile
from flux2build.model import Asset, AssetName, Receipt, Recipe
from flux2build.planning.verdict import Action, Verdict
from tests.snapshots import PROFILE, d, deliverable, derived, generated, locked, master, output

FOX, CUT = master(), deliverable()
NAME = AssetName("fox")
ASSETS = {NAME: Asset(NAME, "fox", {}, alt="A fox"), AssetName("owl"): Asset(AssetName("owl"), "owl", {})}  # fmt: skip


def register(lock: Lockfile | None = None) -> LockUpdate:
    """A register of the draft profile."""
    return LockUpdate(lock or Lockfile(), PROFILE, ASSETS)


def enter(book: LockUpdate, recipe: Recipe, data: str, receipt: Receipt | None = None) -> None:
    """Enter a picture as a build does."""
    row = generated(recipe, data=data)
    verdict = Verdict(Action.RENDER, (), row.key, row.output.sha256, receipt)
    book.enter(recipe, Entry((), output(recipe.output, data)), verdict)


def entered(book: LockUpdate) -> Lockfile:
    """The lock as it would be written."""
    return book.without(())


def test_a_picture() -> None:
    """What was asked and what came out stand in one row, beside what is said of the asset."""
    book = register()
    enter(book, FOX, "picture", Receipt("bfl", "task-1"))
    block = entered(book).block(NAME, PROFILE)

    assert block is not None
    assert block.meta == ASSETS[NAME].meta
    made = replace(generated(FOX, data="picture"), receipt=Receipt("bfl", "task-1"))
    assert block.generated == made
    assert book.output(FOX) == output(FOX.output, "picture")


def test_deliverables_are_sorted_and_replaced() -> None:
    """A file that is entered again takes the place of its old row."""
    book, picture = register(), d("picture")
    other = deliverable(path="img/a.webp", size=9)
    for recipe, data in ((CUT, "old"), (other, "x"), (CUT, "new")):
        row = derived(recipe, [picture])
        made = Entry(row.inputs, output(recipe.output, data), "encoder 1")
        book.enter(recipe, made, Verdict(Action.DERIVE, (), row.key))
    block = entered(book).block(NAME, PROFILE)

    assert block is not None
    assert [(r.output.path, r.output.sha256) for r in block.derived] == [
        ("img/a.webp", d("x")),
        ("img/fox.webp", d("new")),
    ]
    assert {r.encoder for r in block.derived} == {"encoder 1"}


def test_other_profiles_stay() -> None:
    """Nothing of another profile is touched, whatever happens in this one."""
    final = locked((FOX, generated(FOX)), profile="final")
    book = register(final)
    enter(book, FOX, "picture")
    book.supersede({FOX.output: AssetName("owl")})

    assert entered(book).block(NAME, "final") == final.block(NAME, "final")


def test_unchanged() -> None:
    """Entering what stands there already is no change."""
    row = generated(FOX, data="picture")
    lock = locked((FOX, row))
    block = replace(lock.blocks[(NAME, PROFILE)], meta=ASSETS[NAME].meta)
    lock = lock.with_block(block)
    book = register(lock)
    book.touch(NAME)
    enter(book, FOX, "picture", row.receipt)

    assert entered(book) == lock


def test_words_beside_the_picture() -> None:
    """A kept asset gets what is said of it now, and keeps its rows."""
    lock = locked((FOX, generated(FOX)))
    book = register(lock)
    book.touch(NAME)
    block = entered(book).blocks[(NAME, PROFILE)]

    assert entered(book) != lock
    assert block == replace(lock.blocks[(NAME, PROFILE)], meta=ASSETS[NAME].meta)


def test_superseded_rows() -> None:
    """Rows of files that another asset has now are dropped, and blocks that are empty then."""
    owl = master("owl")
    lock = locked((FOX, generated(FOX)), (CUT, derived(CUT, [d("x")])), (owl, generated(owl)))
    book = register(lock)
    book.supersede({FOX.output: AssetName("owl"), owl.output: AssetName("owl")})
    assert entered(book).blocks[(NAME, PROFILE)].generated is None
    assert len(entered(book).blocks[(NAME, PROFILE)].derived) == 1

    book.supersede({CUT.output: AssetName("owl")})

    assert list(entered(book).blocks) == [(AssetName("owl"), PROFILE)]


def test_without_pictures() -> None:
    """Pictures that were lost on the way can be left out; what was derived stays."""
    book = register(locked((FOX, generated(FOX)), (CUT, derived(CUT, [Digest(d("x"))]))))
    left = book.without([NAME]).blocks[(NAME, PROFILE)]

    assert (left.generated, len(left.derived)) == (None, 1)
    assert register(locked((FOX, generated(FOX)))).without([NAME]).blocks == {}
