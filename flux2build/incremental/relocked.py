"""Updates a baseline after a decision, a merge or another command has changed the lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from flux2build.digest import half, of_bytes
from flux2build.errors import Flux2BuildError
from flux2build.incremental.baseline import Baseline, bounds_of, few
from flux2build.incremental.keeping import mark, plain_orphans
from flux2build.lockfile import Block, dumps
from flux2build.lockfile.parts import Key, Parts, spans, text_of_block
from flux2build.model import AssetName, Recipe
from flux2build.planning.plan import Orphan, orphans
from flux2build.planning.replan import names
from flux2build.session.project import Project


def relocked(project: Project, base: Baseline, state: str) -> Baseline | None:
    """Return a baseline with the current lock; None if the spec must be read.

    The assets of changed blocks are open in it, and so are those that are made from them.
    """
    try:
        data = project.lock_bytes
        places = spans(data) if of_bytes(data) == state else None
        if not places or not base.canonical or [*places] != sorted(places):
            return None
        blocks = Parts(data, project.lock_path.name, places, canonical=True)
        return _Comparison(base, blocks).relocked(state)
    except Flux2BuildError:
        return None  # reading everything reports the error


class _Comparison:
    """Compares the blocks of a lock with those of a baseline."""

    def __init__(self, base: Baseline, blocks: Parts) -> None:
        self._base, self._blocks = base, blocks
        marks = zip(base.places, base.contents["marks"], strict=True)
        self._before = cast("Mapping[Key, str]", dict(marks))
        self._files = frozenset(base.files)
        self._texts = {key: blocks.text[slice(*at)].strip() for key, at in blocks.places.items()}

    def relocked(self, state: str) -> Baseline | None:
        """The baseline with these blocks."""
        base, blocks = self._base, self._blocks
        changed = [*self._changed()]
        if (
            len(changed) > few(len(base.places))
            or not self._canonical()
            or not all(map(self._affects_own_steps_alone, changed))
        ):
            return None
        there = [block for key in changed if (block := blocks.get(key))]
        keys = dict.fromkeys(each for block in there for each in block.keys)
        contents = base.contents.copy()
        contents["states"] = {**base.states, blocks.file: state}
        contents["blocks"] = [(str(asset), of) for asset, of in blocks.places]
        contents["bounds"] = bounds_of(blocks.places)
        contents["marks"] = [
            mark(self._texts[key], blocks[key]) if key in changed else self._before[key]
            for key in blocks.places
        ]
        contents["keys"] = [*contents["keys"], *(each for each in keys if each not in base.keys)]
        assets = {asset for asset, _ in changed}
        contents["orphans"] = plain_orphans(self._orphans(assets, there))
        contents["open"] = sorted({*contents["open"], *self._concerned(assets)})
        return Baseline(contents)

    def _changed(self) -> Iterator[Key]:
        """The keys of the blocks that were changed, added or removed."""
        for key, text in self._texts.items():
            if not self._before.get(key, "").startswith(half(of_bytes(text))):
                yield key
        yield from self._before.keys() - self._texts.keys()

    def _canonical(self) -> bool:
        """Whether writing all blocks gives the same text, except for the content of each block."""
        head = self._blocks.head
        parts = [dumps(head).encode().strip(), *self._texts.values()]
        return not head.older and b"\n\n".join(parts) + b"\n" == self._blocks.text

    def _affects_own_steps_alone(self, key: Key) -> bool:
        """Whether a changed block only affects the steps of its asset."""
        base, block, (asset, profile) = self._base, self._blocks.get(key), key
        if profile != base.profile:
            return False
        digest_known = asset in base.contents["metas"] or not base.steps(asset)
        if block is None:
            return digest_known
        if not digest_known and not self._before.get(key, "").endswith(half(block.meta)):
            return False
        outputs = [row.output for row in block.rows]
        return (
            text_of_block(block).strip() == self._texts[key]
            and all(each.path in self._files and not each.unsigned for each in outputs)
            and all(self._own(asset, each.path) for each in outputs)
        )

    def _own(self, asset: AssetName, path: str) -> bool:
        """Whether no other asset makes a file."""
        maker = self._base.maker(f"output:{path}")
        return maker is None or maker in self._base.steps(asset)

    def _recipes(self, assets: Iterable[AssetName]) -> list[Recipe]:
        return [self._base.recipe(at) for asset in assets for at in self._base.steps(asset)]

    def _orphans(self, assets: set[AssetName], blocks: Iterable[Block]) -> list[Orphan]:
        """The current leftover files."""
        recipes, profile = self._recipes(assets), self._base.profile
        own = orphans(recipes, blocks, frozenset({profile}), profile)
        others = (each for each in self._base.orphans if each.asset not in assets)
        return sorted((*others, *own), key=lambda each: (each.path, each.asset))

    def _concerned(self, assets: Iterable[AssetName]) -> Iterator[AssetName]:
        """The assets among some that have steps, and those that are made from them."""
        for recipe in self._recipes(assets):
            yield recipe.asset
            for name in names(recipe):
                yield from (self._base.recipe(at).asset for at in self._base.users(name))
