"""References are shown in small, and none can stop a sketch."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from flux2build.providers.sketch.drawing import draw
from flux2build.providers.sketch.overlays import stamp, thumbnails

RED = (222, 30, 44)


def encoded(form: str, mode: str = "RGB") -> bytes:
    """A red picture as a file."""
    out = BytesIO()
    Image.new("RGB", (90, 60), RED).convert(mode).save(out, form)
    return out.getvalue()


def shown(references: list[tuple[str, bytes]]) -> Image.Image:
    """A sketch with these references."""
    return draw("a quiet bay #1F4E46", (512, 512), "1", references)


def changed(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int] | None:
    """Where two pictures differ."""
    return ImageChops.difference(one, other).getbbox()


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGB"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGBA"), ("GIF", "P")],
)
def test_a_reference_is_shown(form: str, mode: str) -> None:
    """A picture of any usual format and mode turns up as a thumbnail."""
    (thumb,) = thumbnails([("red", encoded(form, mode))], 512, 512, stamp(512, 512))

    assert thumb.picture is not None
    assert thumb.picture.mode == "RGB"


@pytest.mark.parametrize(
    "data", [b"", b"nope", encoded("PNG")[:60], encoded("JPEG")[:200], b"<svg/>"]
)
def test_what_cannot_be_decoded_is_a_crossed_box(data: bytes) -> None:
    """A broken reference is drawn as a gap, never raised as an error."""
    (thumb,) = thumbnails([("broken", data)], 512, 512, stamp(512, 512))

    assert thumb.picture is None
    assert changed(shown([("broken", data)]), shown([])) is not None


def test_each_reference_is_seen() -> None:
    """The picture changes with the bytes, the name and the number of references."""
    one, other = encoded("PNG"), encoded("PNG", "L")
    views = [
        shown([]),
        shown([("a", one)]),
        shown([("a", other)]),
        shown([("b", one)]),
        shown([("a", one), ("b", other)]),
        shown([("b", other), ("a", one)]),
    ]

    assert len(views) == len({view.tobytes() for view in views})


def test_a_row_tells_what_it_has_no_room_for() -> None:
    """Ten references in a small picture end in a count of the rest."""
    row = thumbnails([(str(n), encoded("PNG")) for n in range(10)], 640, 480, stamp(640, 480))

    assert len(row) < 10
    assert f"{len(row)} +{10 - len(row)}" == row[-1].number
    assert all(thumb.box.right <= stamp(640, 480).box.left for thumb in row)


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (320, 50), (50, 320)])
def test_a_small_picture_goes_without(size: tuple[int, int]) -> None:
    """Where a thumbnail would show nothing there is none."""
    assert thumbnails([("red", encoded("PNG"))], *size, stamp(*size)) == []


def test_only_the_end_of_a_path_is_a_name() -> None:
    """A file is labelled by its name, not by its folders."""
    (thumb,) = thumbnails([("refs/desk.png", encoded("PNG"))], 800, 800, stamp(800, 800))

    assert thumb.name == "desk.png"
