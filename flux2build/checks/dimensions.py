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

    Adopted pictures do not count: the person who adopted one was told its size.
    """
    for file in facts.files:
        sides, output = _sides(file.recipe), file.output
        if _fits(sides.get("width"), output.width) and _fits(sides.get("height"), output.height):
            continue
        if not (isinstance(file.recipe.task, Generate) and facts.adopted(file.recipe)):
            message = f"it is {output.width}x{output.height} pixels, not {_words(sides)}"
            hint = f"ask for that size, or run `flux2build build --force {file.recipe.asset}`"
            yield facts.about(file.recipe, "wrong-size", message, hint=hint)


def _fits(side: int | None, length: int) -> bool:
    """Whether a side has the requested length; 0 stands for an unknown one."""
    return side is None or length == side or not length


def _sides(recipe: Recipe) -> Mapping[str, int]:
    """The sides in pixels that are known before a file is made."""
    task = recipe.task
    if isinstance(task, Generate):
        sides, params = ("width", "height"), task.params
        return {side: length for side in sides if isinstance(length := params.get(side), int)}
    if not isinstance(task, Derive) or not task.ops:
        return {}
    last = task.ops[-1]
    return OPS[last.op].model_validate(dict(last.params)).sides()


def _words(sides: Mapping[str, int]) -> str:
    if len(sides) == 2:
        return f"{sides['width']}x{sides['height']}"
    ((side, length),) = sides.items()
    return f"{length} {'wide' if side == 'width' else 'high'}"


CHECK: Final[Check] = Check(
    {"wrong-size": "the file has another size than was asked for"},
    findings,
    subject=Subject.PICTURES,
)
