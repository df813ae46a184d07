"""Pixels to the bytes of a file: the same pixels and settings give the same bytes.

Encoders run on one thread each and without tiles, because their threads would
otherwise show in the bytes; speed comes from encoding several pictures at once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import PIL
from PIL import Image, ImageCms, PngImagePlugin, features
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.images.alpha import scaled
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.decode import PictureError
from flux2build.images.ico import packed
from flux2build.images.provenance.iptc import PNG_KEYWORD, packet

DEFAULT_QUALITY: Final = {"jpeg": 85, "webp": 82, "avif": 60}
_CODECS: Final = {
    "png": ("zlib", ("zlib_ng", "zlib")),
    "jpeg": ("libjpeg", ("libjpeg_turbo", "jpg")),
    "webp": ("libwebp", ("webp",)),
    "avif": ("libavif", ("avif",)),
    "ico": ("zlib", ("zlib_ng", "zlib")),
}
_NAMES: Final = {"zlib_ng": "zlib-ng", "libjpeg_turbo": "libjpeg-turbo"}
_ICO_SIZES: Final = (16, 32, 48)
_PROFILE_DATE: Final = slice(24, 36)


class Encoding(BaseModel):
    """How a picture is written to a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    format: Literal["png", "jpeg", "webp", "avif", "ico"] = Field(
        description="the format of the file"
    )
    quality: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="1 to 100; 85 for jpeg, 82 for webp and 60 for avif when not given",
    )
    lossless: bool = Field(default=False, description="keep every pixel exactly (webp)")
    matte: Colour | None = Field(
        default=None,
        description="colour put behind transparent pixels; jpeg uses white when not given",
    )
    max_bytes: int | None = Field(
        default=None, ge=1, description="largest file; the quality is lowered until it fits"
    )
    min_quality: int = Field(
        default=30, ge=1, le=100, description="lowest quality that `max_bytes` may lead to"
    )
    subsampling: Literal["4:4:4", "4:2:0"] | None = Field(
        default=None,
        description="resolution of colour in jpeg and avif; `4:4:4` keeps lettering sharp "
        "and is the default from quality 90 on",
    )
    palette: int | None = Field(
        default=None, ge=2, le=256, description="reduce a png to this many colours"
    )
    speed: int = Field(
        default=7, ge=0, le=10, description="avif: 0 is slow and small, 10 fast and large"
    )
    sizes: list[int] | None = Field(
        default=None, min_length=1, description="sizes in an ico; 16, 32 and 48 when not given"
    )
    profile: bool = Field(default=False, description="embed an sRGB colour profile")
    source_type: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z]+$",
        description="IPTC's term for where the picture comes from, embedded as XMP",
    )
    sign: bool = Field(
        default=False, description="sign the file afterwards, with the user's certificate"
    )

    @model_validator(mode="after")
    def _combines(self) -> Encoding:
        if self.lossless and self.format != "webp":
            raise ValueError(f"`lossless` is for webp; {_LOSSLESS_HINTS[self.format]}")
        if self.quality is not None and self.format in {"png", "ico"}:
            raise ValueError(f"{self.format} has no `quality`: it keeps every pixel; see `palette`")
        if self.quality is not None and self.lossless:
            raise ValueError("`quality` and `lossless` exclude each other")
        if self.palette is not None and self.format != "png":
            raise ValueError(f"`palette` is for png, not for {self.format}")
        if self.subsampling is not None and self.format not in {"jpeg", "avif"}:
            raise ValueError(f"`subsampling` is for jpeg and avif, not for {self.format}")
        if self.sizes is not None and self.format != "ico":
            raise ValueError(f"`sizes` is for ico, not for {self.format}")
        start = self.quality or DEFAULT_QUALITY.get(self.format, 100)
        if self.max_bytes and start < self.min_quality:
            raise ValueError("`quality` is below `min_quality`, where `max_bytes` would stop")
        return self


_LOSSLESS_HINTS: Final = {
    "png": "png always is",
    "jpeg": "jpeg cannot be",
    "avif": "avif rounds colours even at quality 100",
    "ico": "ico always is",
}


def encode(image: Image.Image, encoding: Mapping[str, Json] | Encoding) -> bytes:
    """The bytes of a file that holds `image`, which is RGB or RGBA in sRGB.

    Raises:
        PictureError: the settings are wrong, the format cannot hold the
            picture, or it cannot be made as small as `max_bytes`.
    """
    settings = encoding if isinstance(encoding, Encoding) else _settings(encoding)
    plain = _prepared(image, settings)
    best = settings.quality or DEFAULT_QUALITY.get(settings.format, 100)
    data = _written(plain, settings, best)
    if settings.max_bytes is None or len(data) <= settings.max_bytes:
        return data
    return _squeezed(plain, settings, best, len(data))


def versions(form: str) -> str:
    """Pillow and the codec that writes `form`: `pillow 13.0.0, libavif 1.4.2`."""
    name, candidates = _CODECS[form]
    found = ((feature, features.version(feature)) for feature in candidates)
    feature, version = next((pair for pair in found if pair[1]), ("", "unknown"))
    return f"pillow {PIL.__version__}, {_NAMES.get(feature, name)} {version}"


def encoders() -> dict[str, str]:
    """What writes each format today, as a lock records it."""
    return {form: versions(form) for form in _CODECS}


def shapes_text() -> bool:
    """Whether Pillow lays out scripts that join or reorder their letters."""
    return bool(features.check("raqm"))


def flatten(image: Image.Image, matte: str) -> Image.Image:
    """The picture on a colour; where that is opaque the result has no alpha."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, rgba(matte))
    ground.alpha_composite(image)
    return ground.convert("RGB") if rgba(matte)[3] == 255 else ground


def _settings(encoding: Mapping[str, Json]) -> Encoding:
    try:
        return Encoding.model_validate(dict(encoding))
    except ValidationError as error:
        problems = [
            Problem(
                f"encoding: {fault['msg'].removeprefix('Value error, ')}",
                rows=(("key", ".".join(map(str, fault["loc"]))),),
            )
            for fault in error.errors()
        ]
        raise PictureError(*problems) from error


def _prepared(image: Image.Image, settings: Encoding) -> Image.Image:
    """The pixels as they are written, in a picture of their own.

    Pillow notes the settings of a save in the picture: threads must not share it.
    """
    matte = settings.matte or ("#ffffff" if settings.format == "jpeg" else None)
    plain = flatten(image, matte) if matte else image
    if settings.format == "jpeg":
        return plain.convert("RGB")
    if settings.palette is None:
        return plain.copy()
    method = Image.Quantize.MEDIANCUT
    if plain.mode == "RGBA":
        plain, method = _cleared(plain), Image.Quantize.FASTOCTREE
    return plain.quantize(settings.palette, method, dither=Image.Dither.FLOYDSTEINBERG)


def _cleared(image: Image.Image) -> Image.Image:
    """The picture without colours under transparent pixels, which would take up a palette."""
    clear = Image.new("RGBA", image.size)
    clear.paste(image, mask=image.getchannel("A").point(lambda level: 255 if level else 0))
    return clear


def _squeezed(image: Image.Image, settings: Encoding, best: int, size: int) -> bytes:
    """The file at the highest quality that fits; sizes grow with quality, so halving finds it."""
    limit = settings.max_bytes or size
    if settings.format in {"png", "ico"} or settings.lossless:
        raise _too_large(settings, size, "it is lossless")
    low, high, found, smallest = settings.min_quality, best - 1, b"", (size, best)
    while low <= high:
        middle = (low + high) // 2
        data = _written(image, settings, middle)
        if len(data) <= limit:
            found, low = data, middle + 1
        else:
            smallest, high = min(smallest, (len(data), middle)), middle - 1
    if not found:
        raise _too_large(settings, smallest[0], f"at quality {smallest[1]}")
    return found


def _too_large(settings: Encoding, size: int, where: str) -> PictureError:
    hints = {
        "png": "reduce its colours with `palette`, or deliver webp or jpeg",
        "ico": "hold fewer `sizes`, or raise `max_bytes`",
    }
    if settings.lossless:
        hints["webp"] = "drop `lossless`, deliver fewer pixels, or raise `max_bytes`"
    return PictureError(
        Problem(
            f"cannot write this {settings.format} in {settings.max_bytes} bytes",
            rows=(("smallest", f"{size} bytes, {where}"),),
            hint=hints.get(
                settings.format, "deliver fewer pixels, lower `min_quality` or raise `max_bytes`"
            ),
        )
    )


def _icons(image: Image.Image, settings: Encoding) -> bytes:
    """An ico of a square picture: each of its sizes as a PNG."""
    sizes = settings.sizes or [size for size in _ICO_SIZES if size <= image.width]
    if image.width != image.height or max(sizes, default=0) > image.width or not sizes:
        raise PictureError(
            Problem(
                f"a picture of {image.width}x{image.height} pixels cannot be this ico",
                rows=(("sizes", ", ".join(map(str, sizes or _ICO_SIZES))),),
                hint="crop it to a square that is as large as the largest size",
            )
        )
    marked = Encoding(format="png", source_type=settings.source_type)
    plain = Encoding(format="png")
    return packed(
        [
            (
                side,
                _written(scaled(image, side, side), marked if side == max(sizes) else plain, 100),
            )
            for side in dict.fromkeys(sizes)
        ]
    )


def _written(image: Image.Image, settings: Encoding, quality: int) -> bytes:
    if settings.format == "ico":
        return _icons(image, settings)
    options = _OPTIONS[settings.format](settings, quality)
    if settings.source_type and settings.format != "png":
        options["xmp"] = packet(settings.source_type)
    if settings.profile:
        options["icc_profile"] = _srgb_profile()
    target = io.BytesIO()
    try:
        image.save(target, settings.format, **options)
    except (OSError, ValueError) as error:
        message = f"a picture of {image.width}x{image.height} pixels cannot be {settings.format}"
        raise PictureError(Problem(message, rows=(("encoder", str(error)),))) from error
    return target.getvalue()


def _png(settings: Encoding, _quality: int) -> dict[str, Any]:
    """Level 6 is within a few percent of 9 in a fifth of the time."""
    chunks = PngImagePlugin.PngInfo()
    if not settings.profile:
        chunks.add(b"sRGB", b"\x00")
    if settings.source_type:
        chunks.add_itxt(PNG_KEYWORD, packet(settings.source_type).decode())
    return {"compress_level": 6, "pnginfo": chunks}


def _jpeg(settings: Encoding, quality: int) -> dict[str, Any]:
    return {
        "quality": quality,
        "subsampling": _subsampling(settings, quality),
        "progressive": True,
        "optimize": True,
    }


def _webp(settings: Encoding, quality: int) -> dict[str, Any]:
    if settings.lossless:
        return {"lossless": True, "quality": 75}
    return {"quality": quality, "method": 6}


def _avif(settings: Encoding, quality: int) -> dict[str, Any]:
    """Settings are measured in docs/adr/0003-settings-of-encoders.md."""
    return {
        "quality": quality,
        "subsampling": _subsampling(settings, quality),
        "speed": settings.speed,
        "max_threads": 1,
        "autotiling": False,
    }


def _subsampling(settings: Encoding, quality: int) -> str:
    return settings.subsampling or ("4:4:4" if quality >= 90 else "4:2:0")


def _srgb_profile() -> bytes:
    """An sRGB profile without the date on which it was made."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = bytes(12)
    return bytes(profile)


_OPTIONS: Final[dict[str, Callable[[Encoding, int], dict[str, Any]]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "avif": _avif,
}
