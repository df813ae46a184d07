"""Pictures that were decoded a moment ago are at hand again, within a limit."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flux2build.digest import of_bytes
from flux2build.images.decode import decode
from flux2build.images.recent import Decoded, Recent

LIMIT = 3 * 4 * 10 * 10
"""Three pictures of ten by ten pixels."""
NAMES = [of_bytes(bytes([number])) for number in range(4)]


def picture(side: int = 10) -> Decoded:
    """A red square."""
    return Decoded("png", 1, Image.new("RGB", (side, side), "red"))


@pytest.fixture
def recent() -> Recent:
    """The newest three pictures."""
    return Recent(LIMIT, LIMIT)


def test_who_decodes_a_picture_may_paint_on_it() -> None:
    """The pixels are the caller's own, though the file is decoded once."""
    target = io.BytesIO()
    Image.new("RGB", (10, 10), "red").save(target, "png")
    for _ in range(2):
        image = decode(target.getvalue(), "it")
        assert image.getpixel((0, 0)) == (255, 0, 0)
        image.paste("blue", (0, 0, 10, 10))


def test_the_picture_not_asked_for_in_the_longest_time_goes_first(recent: Recent) -> None:
    """A picture that is used stays; one that is put in twice counts once."""
    for name in (*NAMES[:3], NAMES[2]):
        recent.put(name, picture())
    recent.get(NAMES[0])
    recent.put(NAMES[3], picture())

    assert [recent.get(name) is not None for name in NAMES] == [True, False, True, True]


def test_what_does_not_fit_is_not_kept(recent: Recent) -> None:
    """A picture larger than the limit drives out nothing."""
    recent.put(NAMES[0], picture())
    recent.put(NAMES[1], picture(side=18))

    assert recent.get(NAMES[0]) is not None
    assert recent.get(NAMES[1]) is None


def test_what_is_offered_drives_out_nothing(recent: Recent) -> None:
    """It is kept while there is room for it."""
    for name in NAMES:
        recent.offer(name, picture())

    assert [recent.get(name) is not None for name in NAMES] == [True, True, True, False]
