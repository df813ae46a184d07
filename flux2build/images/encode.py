"""Encodes pixels as a file; the same pixels and settings give the same bytes.

Encoders run on one thread each and without tiles, because the number of threads would
change the bytes. Speed comes from encoding several pictures at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import PIL
from PIL import Image

from flux2build.digest import Json
from flux2build.images.colour.notation import rgba
from flux2build.images.encoding import encoder_of, read
from flux2build.images.formats.contract import (
    Encoder,
    LossyEncoder,
    PictureError,
    ProfiledEncoder,
)
from flux2build.images.formats.lookup import formats, writable
from flux2build.images.provenance.iptc import packet
from flux2build.images.sharing import same_pixels

_PROFILE_DATE: Final = slice(24, 36)


def encode(image: Image.Image, settings: Mapping[str, Json]) -> bytes:
    """The bytes of a file that holds `image`, which is RGB or RGBA in sRGB.

    Raises:
        PictureError: the settings are wrong, the format cannot hold the
            picture, or it cannot be made as small as `max_bytes`.
    """
    encoder = read(settings)
    encoder.refuse(image.width, image.height)
    plain = _prepared(image, encoder)
    data = _written(plain, encoder)
    limit = encoder.max_bytes
    if limit is None or len(data) <= limit:
        return data
    return _squeezed(plain, encoder, limit, len(data))


def versions(name: str) -> str:
    """Pillow and the codec that writes a format: `pillow 13.0.0, libavif 1.4.2`."""
    from PIL import features

    codecs = encoder_of(name).codecs
    present = [(codec, features.version(feature)) for feature, codec in codecs.items()]
    codec, version = next((pair for pair in present if pair[1]), (present[-1][0], "unknown"))
    return f"pillow {PIL.__version__}, {codec} {version}"


def encoders() -> dict[str, str]:
    """The encoder of each format in this environment, as a lock records it."""
    return {name: versions(name) for name in writable()}


def shapes_text() -> bool:
    """Whether Pillow lays out scripts that join or reorder their letters."""
    from PIL import features

    return bool(features.check("raqm"))


def flatten(image: Image.Image, matte: str) -> Image.Image:
    """The picture on a colour; on an opaque one the result has no alpha."""
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGBA", image.size, rgba(matte))
    flat.alpha_composite(image)
    return flat.convert("RGB") if rgba(matte)[3] == 255 else flat


def _prepared(image: Image.Image, encoder: Encoder) -> Image.Image:
    """The picture, on its matte if it needs one, as an object that no other thread has."""
    matte = ground(encoder)
    plain = flatten(image, matte) if matte else image
    keeps = formats()[encoder.format].alpha or plain.mode == "RGB"
    return same_pixels(plain) if keeps else plain.convert("RGB")


def ground(encoder: Encoder) -> str | None:
    """The colour behind transparent pixels; None where they stay transparent."""
    return encoder.matte or (None if formats()[encoder.format].alpha else "#ffffff")


def _squeezed(image: Image.Image, encoder: Encoder, limit: int, size: int) -> bytes:
    """The file at the highest quality that fits, found by bisection: size grows with quality."""
    if not isinstance(encoder, LossyEncoder) or not encoder.squeezable:
        raise _too_large(encoder, size, "it is lossless")
    low, high = encoder.min_quality, encoder.quality - 1
    best, smallest = b"", (size, encoder.quality)
    while low <= high:
        middle = (low + high) // 2
        data = _written(image, encoder.model_copy(update={"quality": middle}))
        if len(data) <= limit:
            best, low = data, middle + 1
        else:
            smallest, high = min(smallest, (len(data), middle)), middle - 1
    if not best:
        raise _too_large(encoder, smallest[0], f"at quality {smallest[1]}")
    return best


def _too_large(encoder: Encoder, size: int, where: str) -> PictureError:
    return PictureError(
        f"cannot write this {encoder.format} in {encoder.max_bytes} bytes",
        rows=(("smallest", f"{size} bytes, {where}"),),
        hint=encoder.remedy,
    )


def _written(image: Image.Image, encoder: Encoder) -> bytes:
    """The file of a prepared picture, with its metadata."""
    metadata: dict[str, bytes] = {}
    if encoder.source_type:
        metadata["xmp"] = packet(encoder.source_type)
    if isinstance(encoder, ProfiledEncoder) and encoder.profile:
        metadata["icc_profile"] = _srgb_profile()
    try:
        return encoder.write(image, metadata)
    except (OSError, ValueError) as error:
        size = f"{image.width}x{image.height} pixels"
        message = f"a picture of {size} cannot be {encoder.format}"
        raise PictureError(message, rows=(("encoder", str(error)),)) from error


def _srgb_profile() -> bytes:
    """An sRGB profile without the date on which it was made."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = bytes(12)
    return bytes(profile)
