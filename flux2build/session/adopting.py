"""Adopts an existing picture as the output of an asset, at no cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from flux2build.building.artifacts import Artifacts
from flux2build.building.world import described_in_full
from flux2build.digest import of_bytes
from flux2build.errors import Problem, SpecError, UsageError
from flux2build.images.provenance.signing import Signer
from flux2build.lockfile import Generated
from flux2build.model import ADOPTED, Output, Receipt
from flux2build.purchasing.verification import misfits
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.project import Project
from flux2build.session.reviewing import (
    Picture,
    enter,
    enter_all,
    named,
    pictures,
    requested,
    row_of,
)
from flux2build.storage import durable, regular


class Adopted(NamedTuple):
    """An adopted picture, and its differences from the spec, in words."""

    output: Output
    differences: list[str]


def adopt(project: Project, name: str, file: str) -> Adopted:
    """Enter the picture in a file in the lock as an asset's output; the tree must be locked.

    Its receipt says that it was adopted for free. As with a bought picture, its bytes are kept in
    the store, and no other picture replaces it unasked.

    Raises:
        UsageError: there is no such asset or file, or an input of the asset is missing.
        SpecError: the file is not a picture of the format that the spec wants.
        SystemFault: the disk refuses it.
    """
    picture = named(project, name)
    adopted, row = _adopted(project, at_hand(project, project.files()), picture, file)
    enter(project, picture, row)
    return adopted


def adopt_all(project: Project) -> list[Adopted]:
    """Adopt every file that exists at the output of a rendered asset."""
    files = project.files()
    artifacts = at_hand(project, files)
    rendered = [each for each in pictures(project) if each.recipe.output in files]
    places = (str(project.folder / each.recipe.output) for each in rendered)
    adoptions = [_adopted(project, artifacts, *each) for each in zip(rendered, places, strict=True)]
    enter_all(project, [(each, row) for each, (_, row) in zip(rendered, adoptions, strict=True)])
    return [adopted for adopted, _ in adoptions]


def _adopted(
    project: Project, artifacts: Artifacts, picture: Picture, file: str
) -> tuple[Adopted, Generated]:
    """Copy the picture in a file to its output and to the store; also return its row of the lock."""
    name, path, task = picture.recipe.asset, picture.recipe.output, requested(picture)
    if None in picture.inputs:
        raise UsageError(f"what `{name}` is made of is not there yet", hint="build that first")
    data = _read(file)
    differences = dict(misfits(task.params, data, file))
    if form := differences.pop("format", None):
        hint = "convert it, or change `format` in the spec"
        raise SpecError(Problem(f"`{file}` is not what `{path}` is: {form}", hint=hint))
    project.store.put(data)
    artifacts.replace(path, data)
    output = described_in_full(path, of_bytes(data), data, Signer())
    receipt = Receipt(ADOPTED, cost=Decimal(0), cost_source=ADOPTED)
    adopted = Adopted(output, [f"{field} {text}" for field, text in differences.items()])
    return adopted, replace(row_of(picture, task, output, receipt), picked=_picked(picture))


def _picked(picture: Picture) -> bool:
    """Whether a person picked the candidate that ships, so that the asset keeps its request."""
    row = picture.block.generated if picture.block else None
    return row is not None and row.picked


def _read(file: str) -> bytes:
    try:
        return regular.read(file)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{file}`", hint=regular.beside(Path(file))) from None
    except OSError as error:
        raise durable.fault("read", file, error) from error
