"""Files have the size that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flux2build.checks.contract import Check, Facts, Finding, Options
from flux2build.digest import Json
from flux2build.images.ops.contract import OPS
from flux2build.model import Derive, Generate, Recipe


@dataclass(frozen=True, slots=True)
class Dimensions:
    """A file that is larger or smaller than the spec asks for."""

    name: str = "dimensions"
    options: type[Options] = Options

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"wrong-size": "the file has another size than was asked for"}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """One finding for each file; a size that its container does not tell is not judged."""
        for file in facts.files():
            asked = _asked(file.recipe)
            found = {"width": file.output.width, "height": file.output.height}
            if any(found[side] not in {0, asked[side]} for side in asked):
                message = f"it is {found['width']}x{found['height']} pixels, not {_words(asked)}"
                hint = f"ask for that size, or run `flux2build build --force {file.recipe.asset}`"
                yield facts.about(file, "wrong-size", message, hint=hint)


def _asked(recipe: Recipe) -> Mapping[str, int]:
    """The sides that are certain before a file is made: of an order, or of the last operation."""
    task = recipe.task
    if isinstance(task, Generate):
        return _sides(task.params)
    if not isinstance(task, Derive):
        return {}
    if not task.ops:
        return {}
    last = task.ops[-1]
    op = OPS[last.op]
    return op.sides(op.params.model_validate(dict(last.params)))


def _sides(params: Mapping[str, Json]) -> dict[str, int]:
    found = {side: params.get(side) for side in ("width", "height")}
    return {side: value for side, value in found.items() if isinstance(value, int)}


def _words(asked: Mapping[str, int]) -> str:
    if len(asked) == 2:
        return f"{asked['width']}x{asked['height']}"
    ((side, length),) = asked.items()
    return f"{length} {'wide' if side == 'width' else 'high'}"


CHECK: Final[Check] = Dimensions()
