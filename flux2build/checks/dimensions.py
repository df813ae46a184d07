"""Files have the size that the spec asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.images.ops import OPS
from flux2build.model import Derive, Generate, Recipe


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A file that is larger or smaller than the spec asks for, as far as its format tells.

    A person who adopts a picture was told of its size.
    """
    for file in facts.files():
        asked, output = _asked(file.recipe), file.output
        sides = {"width": output.width, "height": output.height}
        if all(sides[side] in {0, length} for side, length in asked.items()):
            continue
        if not (isinstance(file.recipe.task, Generate) and facts.adopted(file.recipe)):
            message = f"it is {output.width}x{output.height} pixels, not {_words(asked)}"
            hint = f"ask for that size, or run `flux2build build --force {file.recipe.asset}`"
            yield facts.about(file.recipe, "wrong-size", message, hint=hint)


def _asked(recipe: Recipe) -> Mapping[str, int]:
    """The sides in pixels that are known before a file is made."""
    task = recipe.task
    if isinstance(task, Generate):
        sides = {side: task.params.get(side) for side in ("width", "height")}
        return {side: length for side, length in sides.items() if isinstance(length, int)}
    if not isinstance(task, Derive) or not task.ops:
        return {}
    last = task.ops[-1]
    return OPS[last.op].model_validate(dict(last.params)).sides()


def _words(asked: Mapping[str, int]) -> str:
    if len(asked) == 2:
        return f"{asked['width']}x{asked['height']}"
    ((side, length),) = asked.items()
    return f"{length} {'wide' if side == 'width' else 'high'}"


CHECK: Final[Check] = Check(
    {"wrong-size": "the file has another size than was asked for"},
    findings,
    subject=Subject.PICTURES,
)
