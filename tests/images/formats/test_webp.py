"""WebP: three ways to write a size, and files that end where they say."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from flux2build.images.formats.lookup import examine
from flux2build.images.formats.webp import WebpEncoder

PICTURE = Image.linear_gradient("L").resize((70, 30)).convert("RGB")


def saved(**options: object) -> bytes:
    """A picture as Pillow writes it."""
    file = BytesIO()
    PICTURE.save(file, "webp", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\x00\x00II*\x00"}])
def test_each_kind_tells_its_size(options: dict[str, object]) -> None:
    """Lossy, lossless and extended files write it in different places."""
    data = saved(**options)

    assert (examine(data).width, examine(data).height) == (70, 30)
    assert all(examine(data[:end]).fault for end in range(12, len(data)))


def test_frames_are_counted() -> None:
    """An animation has a chunk for each of its pictures."""
    data = saved(save_all=True, append_images=[PICTURE.rotate(180)], duration=100)

    assert examine(data).frames == 2


def test_without_loss_nothing_is_squeezed() -> None:
    """No lower quality makes such a file smaller; the hint says so."""
    assert WebpEncoder(format="webp").squeezable
    assert not WebpEncoder(format="webp", lossless=True).squeezable
    assert "drop `lossless`" in WebpEncoder(format="webp", lossless=True).remedy
