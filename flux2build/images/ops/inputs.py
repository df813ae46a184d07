"""The other pictures and files of a recipe, as its operations see them."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from pydantic import BaseModel

from flux2build.errors import Problem, SpecError
from flux2build.images.decode import decode
from flux2build.images.ops.contract import InputIndex


def content(mark: str | BaseModel, inputs: Sequence[bytes]) -> bytes:
    """The bytes that a `Picture` or `File` field stands for inside a recipe.

    Raises:
        SpecError: the field does not name one of the recipe's inputs.
    """
    if not isinstance(mark, InputIndex) or not 0 <= mark.input < len(inputs):
        raise SpecError(Problem(f"`{mark}` is not an input of this recipe"))
    return inputs[mark.input]


def picture(mark: str | BaseModel, inputs: Sequence[bytes]) -> Image.Image:
    """The pixels that a `Picture` field stands for inside a recipe.

    Raises:
        PictureError: the bytes are no usable picture.
    """
    return decode(content(mark, inputs), f"input {getattr(mark, 'input', mark)}")
