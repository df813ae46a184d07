"""Fields of operations lead to the bytes of the recipe's inputs."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.formats.contract import PictureError
from flux2build.images.ops.contract import AssetInput, InputIndex
from flux2build.images.ops.inputs import content, picture


def test_an_index_leads_to_its_bytes_and_pixels() -> None:
    """The index counts from 0, which is the master."""
    target = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(target, "png")
    inputs = [b"master", target.getvalue()]
    assert content(InputIndex(input=0), inputs) == b"master"
    assert picture(InputIndex(input=1), inputs).size == (3, 2)
    with pytest.raises(PictureError, match="`input 0` is not a picture"):
        picture(InputIndex(input=0), inputs)


@pytest.mark.parametrize(
    "mark", ["logo.png", AssetInput(asset="logo"), InputIndex(input=1), InputIndex(input=-1)]
)
def test_what_names_no_input_is_refused(mark: str | AssetInput | InputIndex) -> None:
    """Only indices that the recipe has are valid inside it."""
    with pytest.raises(SpecError, match="is not an input"):
        content(mark, [b""])
