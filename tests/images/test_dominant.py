"""The dominant colours of a picture are found in their proportions, and survive being written."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from flux2build.images.colour.difference import difference
from flux2build.images.dominant import (
    CLEAR,
    DominantColour,
    dominant_colours,
    frequent,
    read,
    written,
)

HEXES = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
COLOURS = st.lists(
    st.builds(DominantColour, st.integers(0, 100), HEXES | st.just(CLEAR)), max_size=8
)


def saved(image: Image.Image, form: str = "png") -> bytes:
    """A picture's file."""
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def striped(*colours: str) -> Image.Image:
    """Four stripes."""
    image = Image.new("RGBA", (400, 100))
    for at, colour in enumerate(colours):
        image.paste(colour, (100 * at, 0, 100 * at + 100, 100))
    return image


def test_colours_are_found_in_their_proportions() -> None:
    """The largest first, and nothing where nothing is seen."""
    image = striped("#0a84ff", "#0a84ff", "#ffffff", "#00000000")

    assert dominant_colours(saved(image)) == (
        DominantColour(50, "#0a84ff"),
        DominantColour(25, "#ffffff"),
        DominantColour(25, "clear"),
    )


def counted_naively(image: Image.Image) -> list[tuple[int, str]]:
    """How many pixels there are of each colour to 4 bits a channel, without any haste."""
    bins: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for x in range(image.width):
        for y in range(image.height):
            *channels, alpha = image.convert("RGBA").getpixel((x, y))  # type: ignore[misc]
            key = tuple(level // 16 for level in channels) if alpha >= 26 else ()
            bins.setdefault(key, []).append(tuple(channels))
    named = [
        (
            len(pixels),
            f"#{bytes(round(sum(c) / len(pixels)) for c in zip(*pixels, strict=True)).hex()}",
        )
        if key
        else (len(pixels), CLEAR)
        for key, pixels in bins.items()
    ]
    return sorted(named, key=lambda pair: (-pair[0], pair[1]))[:128]


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.sampled_from(["RGB", "RGBA"]), st.integers(1, 255))
def test_fast_counting_counts_as_slow_counting(dice: random.Random, mode: str, kinds: int) -> None:
    """Whatever the pixels are, locks keep the colours that they always had."""
    width, height = dice.randint(1, 20), dice.randint(1, 20)
    paints = [dice.randbytes(len(mode)) for _ in range(kinds)]
    pixels = b"".join(dice.choices(paints, k=width * height))
    image = Image.frombytes(mode, (width, height), pixels)

    assert frequent(image) == counted_naively(image)


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_lossy_files_have_the_same_colours(form: str) -> None:
    """What an encoder adds is below what an eye would tell."""
    if form == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no avif")
    image = striped("#0a84ff", "#0a84ff", "#0a84ff", "#c83232").convert("RGB")
    first, second, *_ = dominant_colours(saved(image, form))

    assert (first.share, second.share) == pytest.approx((75, 25), abs=2)
    assert difference(first.colour, "#0a84ff") < 3
    assert difference(second.colour, "#c83232") < 5


def test_the_same_file_always_looks_the_same() -> None:
    """Grain of every colour gives a short answer, and the same one twice."""
    grain = Image.frombytes("RGB", (96, 96), random.Random(1).randbytes(96 * 96 * 3))
    data = saved(grain)

    assert dominant_colours(data) == dominant_colours(data)
    assert len(dominant_colours(data)) <= 8


@pytest.mark.parametrize("data", [b"", b"no picture", saved(Image.new("RGB", (9, 9)))[:60]])
def test_what_is_no_picture_has_no_colours(data: bytes) -> None:
    """A file that cannot be decoded has no dominant colours, which is not an error."""
    assert dominant_colours(data) == ()


@given(COLOURS)
def test_what_is_written_is_read(colours: list[DominantColour]) -> None:
    """A text of dominant colours gives the same colours."""
    assert read(written(colours)) == tuple(colours)


@given(st.text(max_size=60))
def test_other_texts_are_read_without_a_fault(text: str) -> None:
    """A lock that somebody edited holds fewer colours, or none."""
    assert all(isinstance(colour, DominantColour) for colour in read(text))
