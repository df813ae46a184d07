"""Odd picture files are decoded to plain RGB or RGBA in sRGB, or refused with a reason."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from flux2build.images.decode import decode, probe
from flux2build.images.formats.contract import PictureError

ORIENTATION = 0x0112
RED, BLUE = (255, 0, 0), (0, 0, 255)
BOMB_CEILING_MIB = 256


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes Pillow writes for a picture."""
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def drawn(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, BLUE)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=RED)
    return image.convert(mode)


def png(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of hand-made chunks."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        parts.append(struct.pack(">I", len(body)) + kind + body + crc)
    return b"".join(parts)


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    channels = image.getpixel((x, y))
    assert isinstance(channels, tuple)
    return tuple(int(channel) for channel in channels)


def giant_gif() -> bytes:
    """A GIF of 44 bytes that claims 65535 x 65535 pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    return head + frame + b"\x02\x11" + bytes(17) + b"\x00;"


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "avif", "gif", "bmp", "tiff"])
def test_every_format_is_recognised_by_its_bytes(form: str) -> None:
    """A picture is recognised by content and decoded whatever its name says."""
    data = saved(drawn(), form)
    assert probe(data).format == form
    assert (probe(data).width, probe(data).height, probe(data).frames) == (64, 48, 1)
    image = decode(data, "photo.wrong")
    assert (image.mode, image.size) == ("RGB", (64, 48))


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif", "avif"])
@given(share=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_file_that_is_cut_anywhere_is_refused(form: str, share: float) -> None:
    """No true prefix of a picture file is accepted as a picture."""
    data = saved(drawn(), form)
    with pytest.raises(PictureError):
        decode(data[: int(share * (len(data) - 1))], "cut.png")


def test_a_png_without_its_end_is_refused() -> None:
    """A PNG whose pixels are all there but whose end chunk is missing is called damaged."""
    data = saved(drawn(), "png")
    with pytest.raises(PictureError, match=r"`logo\.png` is damaged or cut off.*no end chunk"):
        decode(data[:-12], "logo.png")


def test_a_flipped_bit_in_a_png_is_refused() -> None:
    """A damaged chunk is found by its checksum."""
    data = bytearray(saved(drawn(), "png"))
    data[data.index(b"IDAT") + 10] ^= 1
    with pytest.raises(PictureError, match="IDAT chunk is damaged"):
        decode(bytes(data), "logo.png")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (lambda: b"", "is empty"),
        (lambda: b"hello", "is not a picture"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is svg"),
        (lambda: b"\x00\x00\x00\x18ftypheic" + bytes(16), "is heic"),
        (giant_gif, "too large: 65535x65535"),
        (lambda: png(struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)), "too large"),
        (lambda: saved(Image.new("F", (4, 4)), "tiff"), "floating-point"),
    ],
)
def test_unusable_files_are_refused_with_a_reason(
    make: Callable[[], bytes], complaint: str
) -> None:
    """The message names the file and what is wrong with it, and has a hint."""
    with pytest.raises(PictureError, match=complaint) as caught:
        decode(make(), "hero.png")
    assert "`hero.png`" in str(caught.value)
    assert caught.value.problems[0].hint


@given(st.binary(max_size=200), st.sampled_from(["png", "jpeg", "gif", "webp", "avif", "bmp"]))
@settings(max_examples=60, deadline=None)
def test_hostile_bytes_raise_nothing_but_picture_errors(noise: bytes, form: str) -> None:
    """Whatever follows a valid start, the answer is a picture or a PictureError."""
    start = saved(drawn(size=(8, 8)), form)
    for data in (start[: len(start) // 2] + noise, start[:30] + noise + start[30:]):
        try:
            decode(data, "x")
        except PictureError:
            continue


def test_a_limit_on_pixels_holds_before_decoding() -> None:
    """A header that says more pixels than the limit is refused; one at the limit is read on."""
    within, above = (struct.pack(">IIBBBBB", width, 5000, 8, 2, 0, 0, 0) for width in (5000, 5001))
    with pytest.raises(PictureError, match="damaged or cut off"):
        decode(png(within), "x")
    with pytest.raises(PictureError, match="too large: 5001x5000"):
        decode(png(above), "x")


def test_orientation_is_applied_and_metadata_dropped() -> None:
    """A picture that EXIF turns by 90 degrees comes out upright and without EXIF."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = saved(drawn(), "jpeg", exif=exif, quality=95)
    image = decode(data, "phone.jpg")
    assert image.size == (48, 64)
    assert pixel(image, 24, 8)[0] > 200
    assert not image.info
    assert not image.getexif()
    assert (probe(data).width, probe(data).height) == (48, 64)


def test_cmyk_becomes_rgb() -> None:
    """A CMYK JPEG keeps its colours."""
    image = decode(saved(drawn("CMYK"), "jpeg", quality=95), "print.jpg")
    red, _green, blue = pixel(image, 8, 8)
    assert image.mode == "RGB"
    assert red > 200
    assert blue < 60


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    """Half of a 16-bit grey is half of an 8-bit grey."""
    image = decode(saved(Image.new("I;16", (4, 4), 32896), "png"), "depth.png")
    assert pixel(image, 0, 0) == (128, 128, 128)


def test_sixteen_bit_colours_are_decoded() -> None:
    """A 16-bit RGB PNG gives its upper bytes."""
    rows = b"".join(b"\x00" + struct.pack(">HHH", 0xFFFF, 0x8080, 0) * 2 for _ in range(2))
    data = png(struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0), (b"IDAT", zlib.compress(rows)))
    assert pixel(decode(data, "deep.png"), 1, 1) == (255, 128, 0)


def test_a_transparent_sixteen_bit_grey_is_transparent() -> None:
    """The colour key of a 16-bit grey PNG becomes alpha."""
    rows = b"".join(b"\x00" + struct.pack(">HH", 0, 40000) for _ in range(2))
    data = png(
        struct.pack(">IIBBBBB", 2, 2, 16, 0, 0, 0, 0),
        (b"tRNS", struct.pack(">H", 40000)),
        (b"IDAT", zlib.compress(rows)),
    )
    image = decode(data, "key.png")
    assert image.getchannel("A").tobytes() == bytes([255, 0, 255, 0])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_becomes_rgb_or_rgba(mode: str) -> None:
    """Every mode of a PNG is decoded to RGB, or to RGBA if it has transparency."""
    source = drawn("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else drawn(mode)
    image = decode(saved(source, "png"), "x.png")
    assert image.mode == ("RGBA" if "A" in mode else "RGB")


def test_a_palette_with_transparency_becomes_alpha() -> None:
    """The transparent entry of a palette is transparent, not black."""
    palette = drawn().quantize(4)
    clear = palette.getpixel((60, 10))
    image = decode(saved(palette, "png", transparency=clear), "p.png")
    assert image.mode == "RGBA"
    assert pixel(image, 60, 10)[3] == 0
    assert pixel(image, 4, 10) == (*RED, 255)


def wide_profile() -> bytes:
    """An sRGB profile whose red and green columns are exchanged and whose name is another."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


def test_a_colour_profile_is_converted_to_srgb() -> None:
    """Pixels under another profile are converted, and the profile is gone."""
    data = saved(Image.new("RGB", (4, 4), RED), "png", icc_profile=wide_profile())
    image = decode(data, "swapped.png")
    assert pixel(image, 0, 0) == (0, 255, 0)
    assert not image.info


def test_alpha_survives_a_colour_profile() -> None:
    """Colour management leaves transparency alone."""
    data = saved(Image.new("RGBA", (4, 4), (255, 0, 0, 77)), "png", icc_profile=wide_profile())
    assert pixel(decode(data, "x.png"), 0, 0) == (0, 255, 0, 77)


@pytest.mark.parametrize(
    "profile", [b"junk", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
)
def test_a_profile_that_fits_no_pixels_is_ignored(profile: bytes) -> None:
    """A broken profile, or one for other colours, leaves the pixels as they are."""
    data = saved(Image.new("RGB", (4, 4), (128, 64, 32)), "png", icc_profile=profile)
    assert pixel(decode(data, "x.png"), 0, 0) == (128, 64, 32)


@pytest.mark.parametrize("form", ["gif", "webp", "png", "avif"])
def test_an_animation_is_refused(form: str) -> None:
    """The message says that it is animated."""
    frames = [drawn(), drawn().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    data = saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert probe(data).frames == 2
    with pytest.raises(PictureError, match=r"`a\.gif` is animated"):
        decode(data, "a.gif")


def test_bombs_are_refused_within_a_memory_limit() -> None:
    """Refusing bombs takes less than 256 MiB of address space beyond a bare start."""
    script = """
import re, struct, sys
from pathlib import Path
from flux2build.images.decode import decode
from flux2build.images.formats.contract import PictureError
gif = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
gif += b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + bytes([2, 2, 68, 1, 0]) + b";"
webp = b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4)
webp += bytes([254, 63, 0]) * 2 + bytes(4)
for bomb in (gif, webp):
    try:
        decode(bomb, "bomb")
        sys.exit("accepted")
    except PictureError as error:
        assert "too large" in str(error), error
print(re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells the peak of a process without its parent's")
    process = subprocess.run(  # a fresh process, so that the peak is its own
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(process.stdout) < BOMB_CEILING_MIB * 1024


def test_a_tiff_of_two_frames_one_without_dimensions() -> None:
    """A directory without dimensions is damage, wherever in the file it stands."""
    data = bytearray(saved(drawn(), "TIFF"))
    (start,) = struct.unpack("<I", data[4:8])
    (entries,) = struct.unpack("<H", data[start : start + 2])
    link = start + 2 + 12 * entries
    data[link : link + 4] = struct.pack("<I", len(data))
    data += struct.pack("<HI", 0, 0)

    with pytest.raises(PictureError, match="is damaged or cut off"):
        decode(bytes(data), "odd.tiff")
