"""The contract of a picture format: how it is named, read and written.

A member is a module of `flux2build/images/formats/` that ends in
`FORMAT: Final[PictureFormat] = …`. Knowing a format does not import Pillow; its plugin
is imported when pixels are decoded or encoded.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from flux2build.errors import SpecError
from flux2build.images.colour.notation import Colour
from flux2build.images.formats import FORMATS
from flux2build.tables.table import Field, Table, rule

if TYPE_CHECKING:
    from PIL import Image, ImageFile

CUT: Final = "it ends too early"
"""The fault of a file whose last bytes are missing."""

Pixels: TypeAlias = "Image.Image"
Decoder: TypeAlias = "type[ImageFile.ImageFile]"
Metadata = Mapping[str, bytes]
"""What is embedded beside the pixels: `xmp` and `icc_profile`, where there is such a thing."""
Quality = Annotated[int, Field(ge=1, le=100)]
Subsampling = Literal["4:4:4", "4:2:0"]


class PictureError(SpecError):
    """A file cannot be used as a picture, or a picture cannot be written as asked."""


class Header(Struct, frozen=True):
    """What a file says about its picture outside the pixels; the size is 0 when it is not read."""

    format: str
    """`png`, `jpeg`, …; or a format that is only known by name (`heic`); or empty when unknown."""
    width: int = 0
    height: int = 0
    frames: int = 1
    fault: str | None = None
    """Why the file is not whole, as a phrase: `it has no end marker`."""
    end: int | None = None
    """Where the picture ends; later bytes are not part of it. None when the picture is cut off."""


class FilePart(NamedTuple):
    """A chunk, segment or box of a file: its kind, and where its content lies."""

    kind: bytes
    start: int
    stop: int


class Encoder(Table):
    """How a file is written, by the keys that the spec has for it; every setting has a default.

    The same pixels and settings give the same bytes.
    """

    codecs: ClassVar[Mapping[str, str]]
    """The libraries that Pillow may use, by its names of them; the first that is present is used."""
    signable: ClassVar[bool] = True
    """Whether a C2PA manifest can be put into the file."""
    longest: ClassVar[int] = 65_535
    """The most pixels of a side."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """Reasons why the format does not have a setting that others have, by setting."""

    format: str
    matte: Colour | None = None
    """Colour put behind transparent pixels; a format without alpha uses white."""
    max_bytes: int | None = Field(default=None, ge=1)
    """Largest file; the quality is lowered until it fits."""
    source_type: str | None = Field(default=None, pattern=r"^[A-Za-z]+$")
    """IPTC's term for where the picture comes from, embedded as XMP."""
    sign: bool = False
    """Whether the file is signed afterwards, with the user's certificate."""

    @property
    def keeps_colours(self) -> bool:
        """Whether the file shows the colours of the pixels, apart from what no eye would tell."""
        return True

    @property
    def remedy(self) -> str:
        """What to do about a file that is larger than `max_bytes`."""
        return "deliver fewer pixels, lower `min_quality` or raise `max_bytes`"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for Pillow's `save`."""
        return {}

    def refuse(self, width: int, height: int) -> None:
        """Refuse a size that the file cannot have.

        Raises:
            PictureError: a side is too long.
        """
        if max(width, height) > self.longest:
            raise PictureError(
                f"a picture of {width}x{height} pixels cannot be {self.format}",
                rows=(("longest", f"{self.longest:,} pixels a side"),),
                hint="deliver a smaller picture, or another format",
            )

    def write(self, image: Pixels, metadata: Metadata) -> bytes:
        """The file of an RGB or RGBA picture; raises OSError or ValueError if it cannot be."""
        plugin = FORMATS[self.format].plugin
        assert plugin is not None  # a format without one has its own `write`
        return saved(image, plugin, **self.arguments, **metadata)


class ProfiledEncoder(Encoder):
    """For a format that can carry a colour profile."""

    profile: bool = False


class LossyEncoder(ProfiledEncoder):
    """For a lossy format, which has a default quality of its own."""

    quality: Quality
    min_quality: Quality = 30

    @rule
    def _leaves_room(self) -> None:
        if self.max_bytes and self.quality < self.min_quality:
            raise ValueError("`quality` is below `min_quality`, where `max_bytes` would stop")

    @property
    def squeezable(self) -> bool:
        """Whether a lower quality makes the file smaller."""
        return True


class SubsampledEncoder(LossyEncoder):
    """For a format that may store colour at half the resolution."""

    subsampling: Subsampling | None = None

    @property
    def resolution(self) -> Subsampling:
        """The resolution of colour: as asked for, else full from quality 90 on."""
        return self.subsampling or ("4:4:4" if self.quality >= 90 else "4:2:0")

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for Pillow's `save`."""
        return {"quality": self.quality, "subsampling": self.resolution}


def wrapped_xmp(data: bytes) -> bytes:
    """The XMP packet, wherever it lies; its wrapper was designed to be scanned for."""
    start = data.find(b"<?xpacket begin")
    end = data.find(b"<?xpacket end", start)
    return data[start:end] if 0 <= start < end else b""


class PictureFormat(Struct, frozen=True, kw_only=True):
    """One picture format.

    The functions that take bytes get a file that `matches`. They raise IndexError or
    ValueError when it ends too early, and nothing else.
    """

    name: str
    """Its name in specs, locks and messages."""
    media_type: str
    suffixes: tuple[str, ...]
    """The endings of its files, in lower case."""
    rank: int
    """Its place in lists. Pages offer formats of a higher rank first, as their files are smaller."""
    matches: Callable[[bytes], bool]
    """Whether the first bytes are those of this format."""
    header: Callable[[bytes], Header]
    parts: Callable[[bytes], Iterator[FilePart]] = lambda _data: iter(())
    """The parts of a file, in order; none for formats whose files are not taken apart."""
    xmp: Callable[[bytes], bytes] = lambda _data: b""
    """The XMP packet; empty when there is none."""
    c2pa: Callable[[bytes], bytes] = lambda _data: b""
    """The C2PA manifest store, in JUMBF; empty when there is none."""
    public: frozenset[bytes] = frozenset()
    """The kinds of parts for pixels and provenance; all others may hold private data."""
    alpha: bool = True
    """Whether pixels may be transparent."""
    on_pages: bool = True
    """Whether browsers show it in a page."""
    plugin: Callable[[], Decoder] | None = None
    """Imports Pillow's decoder, and with it the encoder; None for a format that is not decoded."""
    bytes_per_pixel: int = 8
    """The memory that decoding takes at its peak."""
    encoder: type[Encoder] | None = None
    """None for a format that is not written."""


def number(data: bytes, at: int, length: int, order: Literal["big", "little"] = "big") -> int:
    """The unsigned integer of `length` bytes at a place.

    Raises:
        IndexError: the bytes end within it.
    """
    part = data[at : at + length]
    if len(part) < length:
        raise IndexError(at)
    return int.from_bytes(part, order)


def saved(image: Pixels, plugin: Callable[[], Decoder], **options: Any) -> bytes:
    """The file that Pillow writes."""
    target = io.BytesIO()
    image.save(target, plugin().format, **options)
    return target.getvalue()
