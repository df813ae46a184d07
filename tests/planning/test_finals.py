"""No comp takes the place of a paid final, however the file that is there came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from flux2build.digest import Digest, of_bytes
from flux2build.lockfile import Block, Derived, Generated, LockedInput, Lockfile
from flux2build.model import AssetName, Derive, Generate, MasterOf, Output, Receipt, Recipe
from flux2build.planning.finals import Owner, owners

FOX: Final = AssetName("fox")
COMP, FINAL, THUMB, EDITED = (
    of_bytes(name.encode()) for name in ("comp", "final", "thumb", "edit")
)
RECIPES: Final = (
    Recipe(FOX, Generate("sketch", "sketch", "a fox", {}), (), "fox.png"),
    Recipe(FOX, Derive((), {"format": "webp"}), (MasterOf(FOX),), "fox.webp"),
)


def output(path: str, digest: Digest) -> Output:
    """A file with these bytes."""
    return Output(path, digest, 1)


def block(profile: str, master: Digest, thumb: Digest, source: str) -> Block:
    """A picture and its deliverable as a profile made them."""
    receipt = Receipt("any", cost_source=source)
    made = Generated(
        master, 1, "any", "any", "a fox", {}, 1, (), output("fox.png", master), receipt
    )
    inputs = (LockedInput("asset:fox", master),)
    derived = Derived(thumb, 1, (), {}, inputs, output("fox.webp", thumb))
    return Block(FOX, profile, master, made, (derived,))


def lock(*blocks: Block) -> Lockfile:
    """A lock of these blocks."""
    return Lockfile({(each.asset, each.profile): each for each in blocks})


DRAFT: Final = block("draft", COMP, COMP, "free")
PAID: Final = block("final", FINAL, THUMB, "settled")
OTHER: Final = block("other", EDITED, EDITED, "free")


@pytest.mark.parametrize(
    ("blocks", "files", "expected"),
    [
        ((DRAFT, PAID), {"fox.png": FINAL, "fox.webp": THUMB}, {"fox.png": True, "fox.webp": True}),
        ((PAID,), {"fox.png": FINAL}, {"fox.png": True}),
        ((DRAFT, PAID), {"fox.png": EDITED}, {"fox.png": True}),
        ((DRAFT, PAID), {"fox.png": COMP, "fox.webp": COMP}, {}),
        ((DRAFT, PAID), {}, {}),
        ((DRAFT, OTHER), {"fox.png": EDITED}, {"fox.png": False}),
        ((DRAFT, OTHER, PAID), {"fox.png": EDITED}, {"fox.png": False}),
        ((DRAFT,), {"fox.png": EDITED}, {}),
    ],
)  # fmt: skip
def test_what_a_comp_may_not_replace(
    blocks: tuple[Block, ...], files: Mapping[str, Digest], expected: Mapping[str, bool]
) -> None:
    """A paid final and what is made of it stay, retouched or not; a free profile's files do not."""
    there = owners(RECIPES, lambda _recipe: False, lock(*blocks), "draft", files)

    assert {path: owner.final for path, owner in there.items()} == expected


def test_a_paid_picture_may_replace_a_paid_final() -> None:
    """What is paid for may take its turn; the plan only says whose file it replaces."""
    files = {"fox.png": FINAL, "fox.webp": THUMB}

    there = owners(RECIPES, lambda _recipe: True, lock(PAID), "max", files)

    assert there == dict.fromkeys(files, Owner("final", final=False))
