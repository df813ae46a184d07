"""The same pixels and settings give the same bytes, of the right kind and within their limit."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from flux2build.digest import Json
from flux2build.images.decode import decode, probe
from flux2build.images.encode import encode, versions
from flux2build.images.formats.contract import PictureError

FORMATS = ["png", "jpeg", "webp", "avif"]
PICTURE = """
import hashlib
from PIL import Image
from flux2build.images.encode import encode
channels = [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)]
image = Image.merge("RGB", channels).resize((96, 64))
"""


def gradient(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Three gradients in three directions."""
    channels = [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)]
    return Image.merge("RGB", channels).resize(size)


def fading(colour: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """One colour that fades out from top to bottom."""
    image = Image.new("RGB", (64, 64), colour)
    image.putalpha(Image.linear_gradient("L").resize((64, 64)))
    return image


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_picture_gives_the_same_bytes_in_another_process(form: str) -> None:
    """Nothing but pixels and settings reaches the bytes: no clock, no number of cores."""
    choices: list[dict[str, Json]] = [
        {"format": form},
        {"format": form, "profile": True},
        {"format": form, "source_type": "trainedAlgorithmicMedia"},
    ]
    for asked in choices:
        script = f"{PICTURE}print(hashlib.sha256(encode(image, {asked!r})).hexdigest())"
        process = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        here = encode(gradient(), asked)
        assert here == encode(gradient(), asked)
        assert hashlib.sha256(here).hexdigest() == process.stdout.strip()


def test_one_picture_is_written_in_many_ways_at_once() -> None:
    """Threads that write the same picture do not see each other's settings."""
    image = gradient()
    choices: list[dict[str, Json]] = [
        {"format": "webp", "quality": 10},
        {"format": "webp", "quality": 90},
        {"format": "avif", "quality": 10},
        {"format": "avif", "source_type": "algorithmicMedia"},
        {"format": "jpeg", "quality": 90},
        {"format": "png"},
    ]
    alone = [encode(image, choice) for choice in choices]
    with ThreadPoolExecutor(len(choices)) as pool:
        for _ in range(10):
            assert list(pool.map(lambda choice: encode(image, choice), choices)) == alone


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_what_was_asked_for(form: str) -> None:
    """The file has the format and size that were asked for, and nearly the same pixels."""
    data = encode(gradient(), {"format": form})
    assert (probe(data).format, probe(data).width, probe(data).height) == (form, 96, 64)
    difference = ImageChops.difference(decode(data, "x"), gradient())
    assert max(high for _low, high in difference.getextrema()) < 60  # type: ignore[misc] # RGB: one pair a channel


@pytest.mark.parametrize("form", ["png", "webp"])
def test_lossless_keeps_every_pixel(form: str) -> None:
    """PNG always keeps every pixel, and WebP does so when asked."""
    asked: dict[str, Json] = {"format": form, **({"lossless": True} if form == "webp" else {})}
    assert decode(encode(gradient(), asked), "x").tobytes() == gradient().tobytes()


@pytest.mark.parametrize("form", ["png", "webp", "avif"])
def test_alpha_survives(form: str) -> None:
    """Formats that can store alpha keep it."""
    image = decode(encode(fading(), {"format": form}), "x")
    assert image.mode == "RGBA"
    difference = ImageChops.difference(image.getchannel("A"), fading().getchannel("A"))
    assert difference.getextrema()[1] < 16  # type: ignore[operator] # one channel: two numbers


def test_alpha_never_turns_black() -> None:
    """A white picture that fades out is white all over as a JPEG, and any colour on a matte."""
    white = decode(encode(fading(), {"format": "jpeg"}), "x")
    assert min(white.tobytes()) > 250
    matte = decode(encode(fading((0, 0, 255)), {"format": "jpeg", "matte": "blue"}), "x")
    assert max(matte.getchannel("R").tobytes()) < 8


def test_a_matte_removes_alpha_from_any_format() -> None:
    """An App Store icon is a PNG without an alpha channel."""
    data = encode(fading(), {"format": "png", "matte": "#fff"})
    assert not probe(data).alpha


def test_profiles_are_embedded_on_request_and_a_png_is_always_tagged() -> None:
    """A PNG says that it is sRGB; other formats carry a profile when asked."""
    assert b"sRGB\x00" in encode(gradient(), {"format": "png"})
    for form in FORMATS:
        plain = Image.open(io.BytesIO(encode(gradient(), {"format": form})))
        asked = Image.open(io.BytesIO(encode(gradient(), {"format": form, "profile": True})))
        assert "icc_profile" not in plain.info
        assert asked.info["icc_profile"]


@given(share=st.floats(0.3, 1.2), form=st.sampled_from(["jpeg", "webp", "avif"]))
@settings(max_examples=15, deadline=None)
def test_a_byte_limit_holds_or_is_refused(share: float, form: str) -> None:
    """A file fits into `max_bytes`, or is refused if even `min_quality` makes it too large."""
    noisy = Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    limit = int(len(encode(noisy, {"format": form})) * share)
    if len(encode(noisy, {"format": form, "quality": 30})) > limit:
        with pytest.raises(PictureError, match="cannot write"):
            encode(noisy, {"format": form, "max_bytes": limit})
    else:
        assert len(encode(noisy, {"format": form, "max_bytes": limit})) <= limit


@given(share=st.floats(0.35, 0.99))
@settings(max_examples=10, deadline=None)
def test_the_best_quality_that_fits_is_found(share: float) -> None:
    """Bisection finds the same quality as trying every one."""
    noisy = Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    tries = [encode(noisy, {"format": "jpeg", "quality": quality}) for quality in range(30, 86)]
    limit = int(len(tries[-1]) * share)
    fitting = [data for data in tries if len(data) <= limit]

    if fitting:
        assert encode(noisy, {"format": "jpeg", "max_bytes": limit}) == fitting[-1]
    else:
        with pytest.raises(PictureError, match="cannot write") as caught:
            encode(noisy, {"format": "jpeg", "max_bytes": limit})
        assert caught.value.problems[0].rows == (
            ("smallest", f"{len(tries[0])} bytes, at quality 30"),
        )


def test_a_limit_that_does_not_bind_changes_nothing() -> None:
    """A file that is small enough keeps its quality."""
    free = encode(gradient(), {"format": "jpeg"})
    assert encode(gradient(), {"format": "jpeg", "max_bytes": len(free)}) == free


@pytest.mark.parametrize("encoding", [{"format": "png"}, {"format": "webp", "lossless": True}])
def test_a_limit_on_a_lossless_file_fails_loudly(encoding: dict[str, Json]) -> None:
    """No pixels are given up silently: the message says how large the file is and what to do."""
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    with pytest.raises(PictureError, match="in 100 bytes") as caught:
        encode(noise, {**encoding, "max_bytes": 100})
    assert "it is lossless" in caught.value.problems[0].rows[0][1]
    assert caught.value.problems[0].hint


def test_a_palette_makes_a_png_small() -> None:
    """A reduced palette keeps transparency and saves bytes."""
    full = encode(fading((200, 30, 90)), {"format": "png"})
    few = encode(fading((200, 30, 90)), {"format": "png", "palette": 16})
    assert len(few) < len(full)
    assert probe(few).alpha


def test_a_picture_too_large_for_its_format_is_refused() -> None:
    """WebP has at most 16383 pixels a side, and the message says so."""
    with pytest.raises(PictureError, match="cannot be webp"):
        encode(Image.new("RGB", (16400, 2)), {"format": "webp"})


@pytest.mark.parametrize(
    ("form", "codec"),
    [("png", "zlib"), ("jpeg", "libjpeg"), ("webp", "libwebp 1."), ("avif", "libavif 1.")],
)
def test_versions_name_pillow_and_the_codec(form: str, codec: str) -> None:
    """The lock records the encoder of a file."""
    assert versions(form).startswith("pillow ")
    assert codec in versions(form)
