"""References are sent upright, without private data, small enough, and always as the same bytes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, PngImagePlugin

from flux2build.images.decode import decode, probe_still
from flux2build.images.formats.contract import PictureError
from flux2build.images.formats.lookup import holds_more
from flux2build.providers import references
from flux2build.providers.capabilities import Card
from flux2build.providers.cards import shipped
from flux2build.providers.contract import Reference

PRO: Final = shipped()["bfl"]["flux-2-pro"]
PLACE: Final = {1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)}
FORMATS: Final = ("png", "jpeg", "webp", "tiff", "bmp", "gif")
SECRET: Final = "12 Rose Street"


@dataclass(frozen=True)
class Shot:
    """A picture as a camera or a program wrote it."""

    data: bytes
    form: str
    orientation: int
    extras: frozenset[str]

    @property
    def reference(self) -> Reference:
        """The picture as a reference of an order."""
        return Reference("desk", self.data, "image/x")


def _pixels(size: tuple[int, int], mode: str) -> Image.Image:
    noise = Random(size[0]).randbytes(size[0] * size[1] * 4)
    return Image.frombytes("RGBA", size, noise).convert(mode)


def _exif(orientation: int, extras: frozenset[str]) -> Image.Exif:
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    if "exif" in extras:
        exif[0x010E] = SECRET
    if "place" in extras:
        exif._ifds[0x8825] = PLACE
    return exif


def _png_extras(extras: frozenset[str]) -> dict[str, Any]:
    info = PngImagePlugin.PngInfo()
    if "comment" in extras:
        info.add_text("Comment", SECRET)
    return {"pnginfo": info}


@st.composite
def shots(draw: st.DrawFn) -> Shot:
    """Pictures of any format and size, turned any way, with anything beside their pixels."""
    form = draw(st.sampled_from(FORMATS))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    mode = draw(st.sampled_from(["RGB", "L"] + (["RGBA"] if form in {"png", "webp"} else [])))
    with_exif = form in {"png", "jpeg", "webp"}
    extras = draw(st.frozensets(st.sampled_from(["exif", "place", "comment", "tail"])))
    orientation = draw(st.integers(1, 8)) if with_exif else 1
    options: dict[str, Any] = {"lossless": True} if form == "webp" else {}
    exif = _exif(orientation, extras)
    if with_exif and len(exif):
        options["exif"] = exif
    if form == "png":
        options |= _png_extras(extras)
    if form == "jpeg" and "comment" in extras:
        options["comment"] = SECRET.encode()
    file = io.BytesIO()
    _pixels(size, mode).save(file, form, **options)
    tail = SECRET.encode() if "tail" in extras and with_exif else b""
    return Shot(file.getvalue() + tail, form, orientation, extras)


def _card(most: int | None) -> Card:
    return Card(model="model", params=frozenset(), references=3, reference_pixels=most)


def _sent(shot: Shot, most: int | None = None) -> Reference:
    return references.prepared(shot.reference, _card(most))


@given(shots(), st.none() | st.integers(1, 1600))
def test_what_is_sent_is_pixels_and_nothing_else(shot: Shot, most: int | None) -> None:
    """No EXIF, place, comment or appended byte is sent, whatever the file."""
    sent = _sent(shot, most)

    assert not holds_more(sent.data)
    assert SECRET.encode() not in sent.data
    image = Image.open(io.BytesIO(sent.data))
    assert not image.getexif()
    assert not {"comment", "Comment", "exif", "xmp"} & set(image.info)


@given(shots())
def test_what_is_sent_is_upright(shot: Shot) -> None:
    """The pixels sent are those that a viewer shows, in the same orientation."""
    sent = decode(_sent(shot).data, "sent").convert("RGBA")
    viewed = decode(shot.data, "seen").convert("RGBA")

    assert sent.size == viewed.size
    if shot.form == "jpeg":
        return  # it may be encoded once more; its size tells how it was turned
    assert ImageChops.difference(sent, viewed).getbbox() is None


@given(shots(), st.integers(1, 1600))
def test_what_is_sent_is_no_larger_than_the_model_takes(shot: Shot, most: int) -> None:
    """A picture is scaled down to the most pixels in its own proportions; a small one is not scaled."""
    sent = decode(_sent(shot, most).data, "sent")
    viewed = decode(shot.data, "seen")

    assert sent.width * sent.height <= most
    if viewed.width * viewed.height <= most:
        assert sent.size == viewed.size
    else:
        assert (
            abs(sent.width - viewed.width * sent.height / viewed.height)
            <= 1 + viewed.width / viewed.height
        )


@given(shots(), st.none() | st.integers(1, 1600))
def test_the_same_bytes_are_sent_every_time(shot: Shot, most: int | None) -> None:
    """The bytes sent follow from the file, which identifies the order; preparing them again changes nothing."""
    sent = _sent(shot, most)

    assert sent == _sent(shot, most)
    assert references.prepared(sent, _card(most)) == sent
    assert sent.media_type in {"image/png", "image/jpeg", "image/webp"}


@given(shots(), st.none() | st.integers(1, 1600))
def test_what_is_fit_is_sent_untouched_and_what_is_not_is_told(
    shot: Shot, most: int | None
) -> None:
    """The plan says that a reference is changed exactly when its bytes are."""
    size = probe_still(shot.data, "shot")
    words = references.alteration(shot.data, (size.width, size.height), _card(most))

    assert (words == "") == (_sent(shot, most).data == shot.data)


def _thumbnail(data: bytes) -> bytes:
    """A JPEG with a small picture of itself inside, as cameras write them."""
    inner = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(inner, "jpeg")
    picture = inner.getvalue()
    ifd1 = b"\x02\x00" + b"".join(
        tag.to_bytes(2, "little") + b"\x04\x00\x01\x00\x00\x00" + value.to_bytes(4, "little")
        for tag, value in ((0x0201, 44), (0x0202, len(picture)))
    )
    tiff = (
        b"II*\x00\x08\x00\x00\x00" + b"\x00\x00" + (14).to_bytes(4, "little") + ifd1 + b"\x00" * 6
    )
    body = b"Exif\x00\x00" + tiff.ljust(44, b"\x00") + picture
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def _jpeg() -> bytes:
    file = io.BytesIO()
    _pixels((24, 24), "RGB").save(file, "jpeg")
    return file.getvalue()


def test_thumbnail_is_not_sent() -> None:
    """A thumbnail may show what was cropped away."""
    shot = Shot(_thumbnail(_jpeg()), "jpeg", 1, frozenset())
    assert shot.data.count(b"\xff\xd8\xff") == 2

    assert _sent(shot).data.count(b"\xff\xd8\xff") == 1


def test_provenance_of_a_master_is_kept() -> None:
    """A signed picture of a model is sent as it is, with its signature."""
    file = io.BytesIO()
    _pixels((24, 24), "RGB").save(file, "png")
    signed = file.getvalue()
    chunk = b"caBX" + b"\x00\x01"
    crc = zlib.crc32(chunk).to_bytes(4, "big")
    data = signed[:-12] + (2).to_bytes(4, "big") + chunk + crc + signed[-12:]

    assert _sent(Shot(data, "png", 1, frozenset())).data == data


@pytest.mark.parametrize(
    "spoil",
    [lambda data: data[: len(data) // 2], lambda _: b"text", lambda data: b"GIF89a" + data],
    ids=["cut", "text", "mislabelled"],
)
def test_damaged_pictures_are_not_sent(spoil: Callable[[bytes], bytes]) -> None:
    """A damaged reference is refused before an order is paid for."""
    with pytest.raises(PictureError):
        references.prepared(Reference("desk", spoil(_jpeg()), "image/jpeg"), PRO)


@given(st.lists(st.none() | st.tuples(st.integers(1, 6000), st.integers(1, 6000)), max_size=10))
@settings(max_examples=60)
def test_misfits_of_unknown_size_are_none(sizes: list[tuple[int, int] | None]) -> None:
    """Unknown sizes are not a problem; too many references are one all the same."""
    named = [(str(number), None) for number, _ in enumerate(sizes)]
    problems = list(references.misfits(PRO, {"width": 64, "height": 64}, named))

    assert bool(problems) == (len(sizes) > PRO.references or 1 + len(sizes) > 9)


@pytest.mark.parametrize(
    ("model", "sizes", "expected"),
    [
        ("flux-2-pro", [(1024, 1024)] * 8, []),
        ("flux-2-pro", [(1024, 1024)] * 9, [None, None]),
        ("flux-2-pro", [(1040, 1024)] * 5, [None]),
        ("flux-2-pro", [(9000, 9000), (9000, 9000)], []),
        ("flux-2-max", [(2048, 2048)] * 8, []),
        ("flux-2-klein-4b", [(64, 64)] * 5, [None]),
        ("flux-3-image", [(255, 900), (256, 256), (9000, 20)], [0, 2]),
        ("flux-3-image", [(256, 256)] * 11, [None]),
    ],
)
def test_misfits_by_model(
    model: str, sizes: list[tuple[int, int]], expected: list[int | None]
) -> None:
    """Too many, too small, too much together: each problem names its reference."""
    card = shipped()["bfl"][model]
    named = [(f"{number}.png", size) for number, size in enumerate(sizes)]

    problems = [
        index for index, _ in references.misfits(card, {"width": 1024, "height": 1024}, named)
    ]

    assert problems == expected


@pytest.mark.parametrize("name", ["aspect_ratio", "resolution"])
def test_what_matches_a_reference_needs_one(name: str) -> None:
    """A shape or a resolution that is the first reference's is refused without one."""
    card, params = shipped()["replicate"]["flux-2-pro"], {name: "match_input_image"}
    (problem,) = (problem for _, problem in references.misfits(card, params, ()))

    assert problem.message == f'`{name} = "match_input_image"` needs a reference to match'
    assert not list(references.misfits(card, params, [("desk.png", (64, 64))]))
