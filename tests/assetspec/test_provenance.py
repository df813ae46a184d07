"""Deliverables say where they come from: generated, composed, drawn by a program, or nothing at all."""

from __future__ import annotations

import pytest

from flux2build.assetspec.spec import Spec
from flux2build.model import Derive
from tests.assetspec.specs import read

FILES = {"photo.jpg": b"", "logo.png": b"", "brand.ttf": b""}


def term(spec: Spec, asset: str = "a") -> object:
    """What the one deliverable of an asset is marked with."""
    tasks = [recipe.task for recipe in spec.recipes if recipe.asset == asset]
    (task,) = (task for task in tasks if isinstance(task, Derive))
    return task.encoding.get("source_type")


def asset(source: str, ops: str = "", more: str = "") -> str:
    """A spec with one asset, one deliverable and a generated `other`."""
    return f"""
        [defaults]
        provider = "bfl"
        [asset.other]
        prompt = "a bear"
        [asset.a]
        {source}
        {more}
        [[asset.a.deliver]]
        path = "a.webp"
        ops = [{ops}]
        """


RENDERED, PHOTO = 'prompt = "a fox"', 'source = "photo.jpg"'
LOGO = '{ op = "overlay", source = "logo.png" }'
OTHER = '{ op = "overlay", source = { asset = "other" } }'
LETTERS = '{ op = "text", text = "hi", font = "brand.ttf" }'
CROP = '{ op = "crop", ratio = "1:1" }'


@pytest.mark.parametrize(
    ("source", "ops", "wanted"),
    [
        (RENDERED, "", "trainedAlgorithmicMedia"),
        (RENDERED, CROP, "trainedAlgorithmicMedia"),
        (RENDERED, LETTERS, "trainedAlgorithmicMedia"),
        (RENDERED, OTHER, "trainedAlgorithmicMedia"),
        (RENDERED, LOGO, "compositeWithTrainedAlgorithmicMedia"),
        (RENDERED, f"{LOGO}, {OTHER}", "compositeWithTrainedAlgorithmicMedia"),
        (PHOTO, OTHER, "compositeWithTrainedAlgorithmicMedia"),
        (PHOTO, LOGO, None),
        (PHOTO, "", None),
    ],
)
def test_the_term_follows_from_what_a_file_is_made_of(
    source: str, ops: str, wanted: str | None
) -> None:
    """A rendered picture is generated, with other pictures it is a composite, a photo is neither."""
    assert term(read(asset(source, ops), FILES)) == wanted


def test_a_comp_is_no_artificial_intelligence() -> None:
    """What `sketch` draws comes from a program that was trained on nothing."""
    spec = asset(RENDERED).replace('"bfl"', '"sketch"')

    assert term(read(spec)) == "algorithmicMedia"


@pytest.mark.parametrize(
    "where", ["[defaults]\n        provenance = false", "[asset.a]\n        provenance = false"]
)
def test_marking_can_be_left_off(where: str) -> None:
    """One key says that files are not marked, for one asset or for all."""
    table = where.splitlines()[0]

    assert term(read(asset(RENDERED).replace(table, where))) is None


@pytest.mark.parametrize(
    ("more", "wanted"), [("sign = true", True), ("sign = false", None), ("", None)]
)
def test_signing_is_asked_for(more: str, wanted: object) -> None:
    """Files are signed where the spec says so; where it does not, their keys know nothing of it."""
    spec = read(asset(RENDERED, more=more))
    (task,) = (r.task for r in spec.recipes if isinstance(r.task, Derive))

    assert task.encoding.get("sign") is wanted


def test_a_file_that_was_generated_elsewhere_can_be_marked() -> None:
    """`provenance = true` says of a `source` that a model made it."""
    assert term(read(asset(PHOTO, more="provenance = true"), FILES)) == "trainedAlgorithmicMedia"
