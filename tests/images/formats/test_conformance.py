"""What holds for every picture format, whatever it is."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from io import BytesIO
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from flux2build.assetspec.tables import Deliver
from flux2build.images.decode import decode, probe
from flux2build.images.encode import encode, versions
from flux2build.images.encoding import having
from flux2build.images.formats import FORMATS, lookup
from flux2build.images.formats.contract import LossyEncoder, PictureError, PictureFormat

ALL: Final = list(lookup.formats())
READ: Final = [name for name in ALL if lookup.formats()[name].plugin]
WRITTEN: Final = [name for name in ALL if lookup.formats()[name].encoder]
CLEANED: Final = [name for name in ALL if lookup.formats()[name].public]
SIDE: Final = 48
PACKET: Final = b'<?xpacket begin=""?>a place<?xpacket end="r"?>'


@cache
def picture(mode: str = "RGB") -> Image.Image:
    """A square of gradients, which no encoder can store in a few bytes."""
    channels = [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180, 270)]
    return Image.merge(mode, channels[: len(mode)]).resize((SIDE, SIDE))


@cache
def file(name: str) -> bytes:
    """A file of a format: ours where we write it, else Pillow's."""
    if name in WRITTEN:
        return encode(picture(), {"format": name})
    target = BytesIO()
    picture().save(target, name)
    return target.getvalue()


def known(name: str) -> PictureFormat:
    """A format by its name."""
    return lookup.formats()[name]


def test_each_format_is_named_as_its_module() -> None:
    """A name leads to the file that says what it means."""
    assert sorted(ALL) == sorted(FORMATS)


def test_no_two_formats_are_confused() -> None:
    """Names, ranks and endings are a format's own, and so are the first bytes of its files."""
    suffixes = [suffix for name in ALL for suffix in known(name).suffixes]

    assert len({known(name).rank for name in ALL}) == len(ALL)
    assert len(set(suffixes)) == len(suffixes)
    for name in ALL:
        assert [other for other in ALL if known(other).matches(file(name))] == [name]
        assert all(
            lookup.of_path(f"a/b{suffix.upper()}") is known(name) for suffix in known(name).suffixes
        )
        assert lookup.sniff(file(name)) == name


@pytest.mark.parametrize("name", ALL)
def test_the_header_says_what_decoding_finds(name: str) -> None:
    """Size and frames are those of the pixels, where a format writes them outside of them."""
    header = lookup.examine(file(name))

    assert (header.format, header.frames, header.fault) == (name, 1, None)
    assert header.end == len(file(name))
    assert (header.width, header.height) in {(SIDE, SIDE), (0, 0)}
    if name in READ:
        decoded = probe(file(name))
        assert (decoded.format, decoded.width, decoded.height) == (name, SIDE, SIDE)


@pytest.mark.parametrize("name", ALL)
@given(share=st.floats(0, 1, exclude_max=True))
def test_no_true_prefix_is_a_picture(name: str, share: float) -> None:
    """A file that lost its last bytes is called cut off, or is refused by the decoder."""
    cut = file(name)[: int(share * len(file(name)))]
    header = lookup.examine(cut)

    if header.format == name and lookup.examine(file(name)).width:  # a header that is read
        assert header.end is None
    with pytest.raises(PictureError):
        decode(cut, "cut")


@given(name=st.sampled_from(ALL), at=st.floats(0, 1), junk=st.binary(max_size=40))
def test_no_bytes_raise(name: str, at: float, junk: bytes) -> None:
    """Whatever is in a file, there is an answer to every question about it."""
    data = file(name)
    place = int(at * len(data))
    for damaged in (data[:place] + junk + data[place + len(junk) :], data[:place] + junk, junk):
        assert lookup.examine(damaged).frames >= 0
        assert isinstance(lookup.xmp(damaged) + lookup.c2pa(damaged), bytes)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_size_and_alpha_are_kept(name: str, mode: str) -> None:
    """What is written and read again has its size, and its transparency where there can be one."""
    data = encode(picture(mode), {"format": name})
    image = Image.open(BytesIO(data))

    assert image.size == (SIDE, SIDE)
    assert lookup.examine(data).width == SIDE
    if name in READ:
        assert probe(data).alpha == (mode == "RGBA" and known(name).alpha)


@pytest.mark.parametrize("name", WRITTEN)
def test_metadata_is_found_and_changes_no_pixel(name: str) -> None:
    """XMP is read from where it was written; the pixels are those of a file without it."""
    marked = encode(picture(), {"format": name, "source_type": "algorithmicMedia"})

    assert b"algorithmicMedia" in lookup.xmp(marked)
    assert lookup.xmp(file(name)) == lookup.c2pa(file(name)) == b""
    pixels = (Image.open(BytesIO(data)).convert("RGB") for data in (marked, file(name)))
    assert ImageChops.difference(*pixels).getbbox() is None


@pytest.mark.parametrize("name", CLEANED)
def test_a_plain_file_holds_nothing_to_hide(name: str) -> None:
    """Pixels alone are fit to be sent; metadata and appended bytes are not, and decoding drops them."""
    target = BytesIO()
    picture().save(
        target, name, exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    )
    marked = encode(picture(), {"format": name, "source_type": "algorithmicMedia"})

    assert not lookup.holds_more(file(name))
    assert lookup.holds_more(target.getvalue())
    assert lookup.holds_more(file(name) + b"a place")
    assert lookup.holds_more(marked)
    assert decode(marked, "marked").tobytes() == decode(file(name), "plain").tobytes()


@pytest.mark.parametrize("name", WRITTEN)
def test_the_spec_has_every_setting(name: str) -> None:
    """Every option of an encoder is a key of `deliver`, and has a default that the encoder takes."""
    encoder = known(name).encoder
    assert encoder is not None

    settings = encoder.model_fields.keys() - {"format", "source_type", "sign"}
    usual = encoder(format=name)
    assert settings <= Deliver.model_fields.keys()
    assert all(name in having(setting) for setting in settings)
    assert not settings & encoder.lacks.keys()
    assert not isinstance(usual, LossyEncoder) or usual.squeezable
    assert versions(name).startswith("pillow ")
    assert "unknown" not in versions(name)


def test_knowing_formats_loads_no_codec() -> None:
    """A plan knows names, endings and first bytes without Pillow."""
    script = (
        "import sys; from flux2build.images.formats import lookup; lookup.examine(b'x'); "
        "print([name for name in sys.modules if name.startswith('PIL')])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
