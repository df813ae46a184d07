"""GIF: blocks up to a trailer."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from flux2build.images.formats.lookup import examine

PICTURE = Image.linear_gradient("L").resize((70, 30))


def test_frames_are_counted() -> None:
    """Every image block is a frame."""
    file = BytesIO()
    PICTURE.save(file, "gif", save_all=True, append_images=[PICTURE.rotate(180)])

    assert examine(file.getvalue()).frames == 2


def test_what_is_not_a_picture_is_told() -> None:
    """A file without a frame, or with a block that no program knows, has a fault."""
    head = b"GIF89a" + bytes([70, 0, 30, 0, 0, 0, 0])

    assert examine(head + b";").fault == "it holds no picture"
    assert examine(head + b"?").fault == "it holds an unknown block"
    assert examine(head).fault == "it has no end marker"


def test_a_frame_beyond_the_screen_counts() -> None:
    """The size is what decoding would take."""
    head = b"GIF89a" + bytes([1, 0, 1, 0, 0, 0, 0])
    frame = b"," + bytes([5, 0, 5, 0, 10, 0, 10, 0, 0, 2, 1, 68, 0])

    assert (examine(head + frame + b";").width, examine(head + frame + b";").height) == (15, 15)
