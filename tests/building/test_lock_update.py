"""The lock as a build goes along: entries of one profile, everything else untouched."""

from __future__ import annotations

from msgspec.structs import replace

from flux2build.building.lock_update import LockUpdate
from flux2build.digest import Digest
from flux2build.images.encode import versions
from flux2build.lockfile import Lockfile
from flux2build.model import Asset, AssetName, Receipt, Recipe
from flux2build.planning.verdict import Action, Verdict
from tests.snapshots import PROFILE, d, deliverable, derived, generated, locked, master, output

FOX, CUT = master(), deliverable()
NAME = AssetName("fox")
OWL = AssetName("owl")
METAS = {NAME: Asset(NAME, "fox", {}, alt="A fox").meta, OWL: Asset(OWL, "owl", {}).meta}


def updating(lock: Lockfile | None = None) -> LockUpdate:
    """An update of the draft profile."""
    return LockUpdate(lock or Lockfile(), PROFILE, METAS)


def enter(update: LockUpdate, recipe: Recipe, data: str, receipt: Receipt | None = None) -> None:
    """Enter a picture as a build does."""
    row = generated(recipe, data=data)
    verdict = Verdict(Action.RENDER, (), row.key, row.output.sha256, receipt)
    update.enter(recipe, (), output(recipe.output, data), verdict)


def entered(update: LockUpdate) -> Lockfile:
    """The lock as it would be written."""
    return update.without(())


def test_a_picture() -> None:
    """What was asked and what came out stand in one row, beside what is said of the asset."""
    update = updating()
    enter(update, FOX, "picture", Receipt("bfl", "task-1"))
    block = entered(update).block(NAME, PROFILE)

    assert block is not None
    assert block.meta == METAS[NAME]
    row = replace(generated(FOX, data="picture"), receipt=Receipt("bfl", "task-1"))
    assert block.generated == row
    assert update.output(FOX) == output(FOX.output, "picture")


def test_deliverables_are_sorted_and_replaced() -> None:
    """A file that is entered again takes the place of its old row."""
    update, picture = updating(), d("picture")
    other = deliverable(path="img/a.webp", size=9)
    for recipe, data in ((CUT, "old"), (other, "x"), (CUT, "new")):
        row = derived(recipe, [picture])
        written = output(recipe.output, data)
        update.enter(recipe, row.inputs, written, Verdict(Action.DERIVE, (), row.key))
    block = entered(update).block(NAME, PROFILE)

    assert block is not None
    assert [(r.output.path, r.output.sha256) for r in block.derived] == [
        ("img/a.webp", d("x")),
        ("img/fox.webp", d("new")),
    ]
    assert {r.encoder for r in block.derived} == {versions("png")}


def test_known_bytes_keep_their_colours() -> None:
    """Whoever derives a file again, to the same bytes, leaves the lock as it was."""
    update, row = updating(), derived(CUT, [d("picture")])
    verdict = Verdict(Action.DERIVE, (), row.key)
    for data, counted in (("x", "9% #aaaaaa"), ("x", "8% #bbbbbb"), ("y", "7% #cccccc")):
        update.enter(CUT, row.inputs, replace(output(CUT.output, data), colours=counted), verdict)
        entry = update.output(CUT)
        assert entry is not None
        assert entry.colours == ("7% #cccccc" if data == "y" else "9% #aaaaaa")


def test_other_profiles_stay() -> None:
    """Nothing of another profile is touched, whatever happens in this one."""
    final = locked((FOX, generated(FOX)), profile="final")
    update = updating(final)
    enter(update, FOX, "picture")
    update.supersede({FOX.output: OWL})

    assert entered(update).block(NAME, "final") == final.block(NAME, "final")


def test_unchanged() -> None:
    """Entering a row that is there already changes nothing."""
    row = generated(FOX, data="picture")
    lock = locked((FOX, row))
    lock = Lockfile({key: replace(block, meta=METAS[NAME]) for key, block in lock.blocks.items()})
    update = updating(lock)
    update.touch(NAME)
    enter(update, FOX, "picture", row.receipt)

    assert entered(update) == lock


def test_words_beside_the_picture() -> None:
    """A kept asset gets what is said of it now, and keeps its rows."""
    lock = locked((FOX, generated(FOX)))
    update = updating(lock)
    update.touch(NAME)
    block = entered(update).blocks[(NAME, PROFILE)]

    assert entered(update) != lock
    assert block == replace(lock.blocks[(NAME, PROFILE)], meta=METAS[NAME])


def test_superseded_rows() -> None:
    """Rows of files that another asset has now are dropped, and blocks that are empty then."""
    owl = master("owl")
    lock = locked((FOX, generated(FOX)), (CUT, derived(CUT, [d("x")])), (owl, generated(owl)))
    update = updating(lock)
    update.supersede({FOX.output: OWL, owl.output: OWL})
    assert entered(update).blocks[(NAME, PROFILE)].generated is None
    assert len(entered(update).blocks[(NAME, PROFILE)].derived) == 1

    update.supersede({CUT.output: OWL})

    assert list(entered(update).blocks) == [(OWL, PROFILE)]


def test_without_pictures() -> None:
    """Pictures that were lost on the way can be left out; what was derived stays."""
    update = updating(locked((FOX, generated(FOX)), (CUT, derived(CUT, [Digest(d("x"))]))))
    left = update.without([NAME]).blocks[(NAME, PROFILE)]

    assert (left.generated, len(left.derived)) == (None, 1)
    assert updating(locked((FOX, generated(FOX)))).without([NAME]).blocks == {}
