"""The inputs of a recipe that fields of an operation name: their bytes, or their pixels."""

from __future__ import annotations

from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.decode import decode
from flux2build.images.ops.contract import InputIndex, Inputs
from flux2build.tables.table import Table


def content(field: str | Table, inputs: Inputs) -> bytes:
    """The bytes that a `Picture` or `File` field stands for inside a recipe.

    Raises:
        SpecError: the field does not name one of the recipe's inputs.
    """
    if not isinstance(field, InputIndex) or not 0 <= field.input < len(inputs):
        raise SpecError(f"`{field}` is not an input of this recipe")
    return inputs[field.input]


def picture(field: str | Table, inputs: Inputs) -> Image.Image:
    """The pixels that a `Picture` field stands for inside a recipe.

    Raises:
        PictureError: the bytes are not a usable picture.
    """
    return decode(content(field, inputs), f"input {getattr(field, 'input', field)}")
