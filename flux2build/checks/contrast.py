"""Letters stand out from what lies under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Struct

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Current, Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Flux2BuildError
from flux2build.images.colour.notation import Colour
from flux2build.images.colour.vision import Vision
from flux2build.images.ops import OPS
from flux2build.model import AssetName, Derive
from flux2build.tables.table import Field

_LARGE: Final = 24
"""Pixels from which letters are large: WCAG's 18 points."""
_WHO: Final[Mapping[Vision, str]] = {
    "usual": "",
    "protan": " to those who do not see red",
    "deutan": " to those who do not see green",
    "tritan": " to those who do not see blue",
}


class ContrastOptions(Options):
    """Options of `contrast`, which is off until it is named."""

    severity: Level = "off"
    ratio: float = Field(
        default=4.5, ge=1, le=21, description="the least contrast ratio, as WCAG 2.2 defines it"
    )
    large: float = Field(
        default=3, ge=1, le=21, description="the same, of letters of 24 pixels and more"
    )
    share: float = Field(
        default=0.95, gt=0.5, le=1, description="how much of the letters must have it"
    )
    vision: Annotated[list[Vision], Field(min_length=1)] = Field(
        default=["usual", "protan", "deutan", "tritan"],
        description="as who sees it: `usual` colour vision, or none for red, green or blue",
    )
    page: Colour | None = Field(
        default=None,
        description="the colour behind transparent pixels, which do not count when not given",
    )


class _Faint(Struct, frozen=True):
    """Letters that do not stand out enough: their contrast ratio, and the required one."""

    ratio: float
    required: float
    vision: Vision
    file: Current


def findings(facts: Facts, options: ContrastOptions) -> Iterator[Finding]:
    """Lettering that is hard to read in front of the pixels under it; of each asset, the faintest.

    It looks at the words of the operations `text` and `label` where they are set, and at the plate,
    shadow and outline below them, not at what later operations change. Colour-vision deficiencies
    are simulated by the model of Machado, Oliveira and Fernandes.
    """
    faintest: dict[AssetName, _Faint] = {}
    for file in facts.published:
        for faint in _faint(facts, options, file):
            before = faintest.get(file.recipe.asset)
            if before is None or faint.ratio / faint.required < before.ratio / before.required:
                faintest[file.recipe.asset] = faint
    for faint in faintest.values():
        message = f"the letters have a contrast of {faint.ratio:.1f}:1{_WHO[faint.vision]}"
        hint = "choose another `color`, or put a `backdrop` or a `stroke` under the letters"
        requirement = f"{faint.required:g}:1 is wanted"
        yield facts.about(faint.file.recipe, "faint-text", f"{message}, {requirement}", hint=hint)


def _faint(facts: Facts, options: ContrastOptions, file: Current) -> Iterator[_Faint]:
    """The letters of a file that do not stand out enough to the weakest colour vision."""
    task = file.recipe.task
    if not isinstance(task, Derive) or not any(OPS[step.op].sets_words for step in task.ops):
        return
    inputs = [facts.bytes_of(source) for source in file.recipe.inputs]
    from flux2build.images.derive import Job, lettering
    from flux2build.images.legibility import ratios

    job = Job(task, tuple(data for data in inputs if data is not None))
    if len(job.inputs) < len(inputs):  # something is missing, and `drift` says so
        return
    try:
        for letters in lettering(job, OPS):
            required = options.large if letters.size >= _LARGE else options.ratio
            by_vision = ratios(letters, options.vision, options.share, options.page)
            if by_vision and min(by_vision.values()) < required:
                vision = min(by_vision, key=lambda vision: round(by_vision[vision], 1))
                yield _Faint(by_vision[vision], required, vision, file)
    except Flux2BuildError:  # an input is not what it was, and `drift` says so
        return


CHECK: Final[Check] = Check(
    {"faint-text": "letters do not stand out enough from what lies under them"},
    findings,
    ContrastOptions,
    subject=Subject.PICTURES,
)
