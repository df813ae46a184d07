"""Pictures are compared pixel by pixel, and by how far apart their colours look."""

from __future__ import annotations

import io

from PIL import Image

from flux2build.images.likeness import likeness


def saved(colour: str, form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one colour in a file."""
    file = io.BytesIO()
    Image.new("RGBA", size, colour).convert("RGB" if form == "JPEG" else "RGBA").save(file, form)
    return file.getvalue()


def test_the_same_pixels_are_equal_in_any_file() -> None:
    """Only pixels count; invisible ones are white."""
    assert likeness(saved("#336699"), saved("#336699", "TIFF")).equal
    assert likeness(saved("#33669900"), saved("#ffffff")).distance == 0


def test_distance_is_what_eyes_see() -> None:
    """A shade is hardly visible, another colour is obvious, and sizes may differ."""
    shade = likeness(saved("#336699"), saved("#34679a"))
    other = likeness(saved("#336699"), saved("#996633", size=(640, 480)))
    assert not shade.equal
    assert 0 < shade.distance < 1
    assert other.distance > 20
