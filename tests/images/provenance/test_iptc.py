"""Other programs read our marks, and we read theirs."""

from __future__ import annotations

import io
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from flux2build.digest import Json
from flux2build.images.decode import decode
from flux2build.images.encode import encode
from flux2build.images.formats.lookup import xmp
from flux2build.images.formats.png_file import XMP_KEYWORD
from flux2build.images.provenance.iptc import SourceType, packet, source_type

FORMATS: Final = ["png", "jpeg", "webp", "avif"]
TERMS: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PICTURE: Final = Image.linear_gradient("L").convert("RGB").resize((48, 32))
ELEMENT: Final = f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
  <dc:rights>kept</dc:rights>
  <ext:DigitalSourceType>{TERMS}compositeSynthetic</ext:DigitalSourceType>
 </rdf:Description></rdf:RDF></x:xmpmeta>"""


def marked(form: str, term: str = SourceType.TRAINED) -> bytes:
    """A picture that flux2build encoded and marked."""
    return encode(PICTURE, {"format": form, "source_type": term})


@pytest.mark.parametrize("term", SourceType)
@pytest.mark.parametrize("form", FORMATS)
def test_another_reader_finds_the_mark(form: str, term: SourceType) -> None:
    """Pillow, parsing XML, finds IPTC's term where IPTC says it belongs."""
    tree = ET.fromstring(Image.open(io.BytesIO(marked(form, term))).info["xmp"])
    (description,) = tree.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")

    assert (
        description.attrib["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"]
        == TERMS + term
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_mark_is_read_back_and_nothing_else_is_one(form: str) -> None:
    """A marked file has its term, and an unmarked one has none."""
    assert source_type(marked(form)) == "trainedAlgorithmicMedia"
    assert source_type(encode(PICTURE, {"format": form})) == ""


@pytest.mark.parametrize("form", FORMATS)
def test_a_mark_changes_no_pixel_and_no_bytes_from_run_to_run(form: str) -> None:
    """Marking is metadata: same pixels, and always the same bytes."""
    plain = decode(encode(PICTURE, {"format": form}), "x")

    assert decode(marked(form), "x").tobytes() == plain.tobytes()
    assert marked(form) == marked(form)


@pytest.mark.parametrize("form", FORMATS)
def test_marks_that_others_wrote_are_read(form: str) -> None:
    """Elements, other prefixes and packets without a wrapper are read."""
    theirs = ELEMENT.encode()
    if form == "avif":
        theirs = b'<?xpacket begin=""?>' + theirs + b'<?xpacket end="w"?>'
    out, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
    chunks.add_itxt(XMP_KEYWORD, theirs.decode(), zip=True)
    options = {"pnginfo": chunks} if form == "png" else {"xmp": theirs}
    PICTURE.save(out, form, **options)

    assert source_type(out.getvalue()) == "compositeSynthetic"


def test_padded_markers_are_no_obstacle() -> None:
    """A JPEG may have any number of fill bytes before a marker."""
    data = marked("jpeg")

    assert source_type(data[:2] + b"\xff\xff\xff" + data[2:]) == SourceType.TRAINED


def test_a_limit_of_bytes_counts_the_mark() -> None:
    """A file is not allowed more bytes because it is marked."""
    noisy = Image.effect_noise((200, 200), 90).convert("RGB")
    limit = len(encode(noisy, {"format": "jpeg"}))
    asked: dict[str, Json] = {
        "format": "jpeg",
        "max_bytes": limit,
        "source_type": SourceType.TRAINED,
    }

    assert len(encode(noisy, asked)) <= limit
    assert source_type(encode(noisy, asked)) == SourceType.TRAINED


@given(form=st.sampled_from(FORMATS), at=st.integers(0, 4000), junk=st.binary(max_size=40))
def test_damaged_files_are_read_without_a_fault(form: str, at: int, junk: bytes) -> None:
    """Whatever the bytes, there is an answer."""
    data = marked(form)
    damaged = data[: at % len(data)] + junk + data[at % len(data) + len(junk) // 2 :]

    assert isinstance(source_type(damaged), str)


@given(st.binary(max_size=400))
def test_other_files_have_no_mark(data: bytes) -> None:
    """Bytes that are not a picture have no packet."""
    assert xmp(b"x" + data) == b""


def test_a_bomb_of_metadata_stays_small() -> None:
    """Compressed metadata is decompressed up to a limit."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(XMP_KEYWORD, " " * 8_000_000 + packet("x").decode(), zip=True)
    out = io.BytesIO()
    PICTURE.save(out, "png", pnginfo=chunks)

    assert len(xmp(out.getvalue())) <= 1 << 20
