"""Decodes the bytes of a picture to plain RGB or RGBA in sRGB.

The pixels come without metadata: the orientation is applied, and colours are converted.
A file that cannot be decoded in full within bounded memory is refused, with the reason.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct
from PIL import Image, ImageFile

from flux2build.digest import of_bytes
from flux2build.images import limits
from flux2build.images.formats.contract import PictureError, PictureFormat
from flux2build.images.formats.lookup import examine, formats
from flux2build.images.limits import IN_LIMITS
from flux2build.images.recent import Decoded, Recent
from flux2build.images.sharing import same_pixels
from flux2build.storage.lfs import is_lfs_pointer

if TYPE_CHECKING:
    from PIL import ImageCms

_AGAIN: Final = "fetch or export the file again"
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PROFILE_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_WITH_ALPHA: Final = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_RECENT: Final = Recent()

T = TypeVar("T")


class Probe(Struct, frozen=True):
    """Facts about a picture that was decoded in full; the size is that of the upright picture."""

    format: str
    width: int
    height: int
    alpha: bool
    frames: int


def probe(data: bytes, name: str = "picture") -> Probe:
    """Decode a picture, or its first frame, in full, and say what it is.

    Raises:
        PictureError: the bytes are not a whole picture within the limits.
    """
    form, frames, plain = _decoded(data, name, still=False)
    return Probe(form, plain.width, plain.height, plain.mode == "RGBA", frames)


def probe_still(data: bytes, name: str) -> Probe:
    """Decode a still picture in full, and say what it is: the rule for every input.

    Raises:
        PictureError: the bytes are not a whole picture within the limits, or they are animated.
    """
    form, image = opened(data, name)
    plain = _normalised(image, name)
    _RECENT.offer(of_bytes(data), Decoded(form, 1, plain))
    return Probe(form, plain.width, plain.height, plain.mode == "RGBA", 1)


def decode(data: bytes, name: str) -> Image.Image:
    """The pixels of a still picture, as RGB or RGBA in sRGB; messages call it `name`.

    Raises:
        PictureError: the bytes are not a whole picture within the limits, or they are animated.
    """
    return _decoded(data, name, still=True).pixels.copy()


def decoded(data: bytes, name: str) -> Image.Image:
    """The same pixels, shared: callers must not change them.

    Raises:
        PictureError: the bytes are not a whole picture within the limits, or they are animated.
    """
    return _decoded(data, name, still=True).pixels


def opened(data: bytes, name: str) -> tuple[str, ImageFile.ImageFile]:
    """The format and the opened file of a still picture, of which nothing is decoded yet.

    Raises:
        PictureError: the file is not whole, too large, animated, or of a format that is not decoded.
    """
    form, frames, image = _opened(data, name)
    _refuse_motion(frames, name)
    return form, image


def _refuse_motion(frames: int, name: str) -> None:
    if frames > 1:
        hint = "save the frame you want as a picture of its own"
        raise PictureError(f"`{name}` is animated", rows=(("frames", str(frames)),), hint=hint)


def _decoded(data: bytes, name: str, *, still: bool) -> Decoded:
    """A picture decoded in full, or its first frame where it need not be `still`."""
    digest = of_bytes(data)
    if recent := _RECENT.get(digest):
        if still:
            _refuse_motion(recent.frames, name)
        return recent
    form, frames, image = _opened(data, name)
    if still:
        _refuse_motion(frames, name)
    decoded = Decoded(form, frames, _normalised(image, name))
    _RECENT.put(digest, decoded)
    return decoded


def _opened(data: bytes, name: str) -> tuple[str, int, ImageFile.ImageFile]:
    """The format, the number of frames, and the opened file, of which nothing is decoded yet.

    Raises:
        PictureError: the file is not whole, too large, or of a format that is not decoded.
    """
    header = examine(data)
    format_ = formats().get(header.format)
    if format_ is None or format_.plugin is None:
        raise _unknown(data, name, header.format)
    _within(header.width, header.height, format_, name)
    if header.fault:
        raise PictureError(
            f"`{name}` is damaged or cut off: {header.fault}",
            rows=(("format", header.format), ("size", f"{len(data)} bytes")),
            hint=_AGAIN,
        )
    image = _guarded(partial(format_.plugin(), io.BytesIO(data)), name)
    _within(*image.size, format_, name)
    frames = _guarded(lambda: int(getattr(image, "n_frames", 1)), name)  # TIFF parses to count
    return format_.name, max(header.frames, frames), image


def _within(width: int, height: int, format_: PictureFormat, name: str) -> None:
    most = limits.current().source_pixels * 8 // format_.bytes_per_pixel
    if width * height > most:
        raise PictureError(
            f"`{name}` is too large: {width}x{height} pixels",
            rows=(("limit", f"{most / 1e6:g} megapixels for {format_.name}"),),
            hint=f"use a smaller copy of the picture, or raise `source_pixels` {IN_LIMITS}",
        )


def _unknown(data: bytes, name: str, form: str) -> PictureError:
    if is_lfs_pointer(data):
        return PictureError(
            f"`{name}` is a Git LFS pointer, not a picture", hint="run `git lfs pull`"
        )
    if not data:
        return PictureError(f"`{name}` is empty", hint=_AGAIN)
    if form == "html" or (not form and _is_text(data)):
        return PictureError(f"`{name}` is not a picture but {form or 'text'}", hint=_AGAIN)
    supported = ", ".join(sorted(format_.name for format_ in formats().values() if format_.plugin))
    what = f"is {form}, which cannot be decoded" if form else "is not a picture"
    rows = (("supported", supported),)
    return PictureError(f"`{name}` {what}", rows=rows, hint="convert it to png or jpeg")


def _is_text(data: bytes) -> bool:
    """Whether a file begins like a text, which a failed download often is."""
    try:
        head = codecs.getincrementaldecoder("utf-8")().decode(data[:512])
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n\ufeff" for char in head)


def _guarded(work: Callable[[], T], name: str) -> T:
    try:
        return work()
    except (MemoryError, PictureError):
        raise
    except Exception as error:
        message = f"`{name}` is damaged or cut off: {str(error) or type(error).__name__}"
        raise PictureError(message, hint=_AGAIN) from error


def _normalised(image: ImageFile.ImageFile, name: str) -> Image.Image:
    _guarded(image.load, name)
    if image.mode == "F":
        raise PictureError(
            f"`{name}` has floating-point pixels, and does not say which value is white",
            hint="export it with 8 or 16 bits per channel",
        )
    turn = _TURNS.get(_orientation(image))
    plain = _guarded(lambda: _plain(image), name)
    image.close()  # its pixels would be a second copy while the plain ones are turned
    return plain if turn is None else _guarded(lambda: plain.transpose(turn), name)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; good pixels are not refused because of broken metadata."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF parsers raise anything for hostile bytes
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """The pixels as RGB or RGBA in sRGB, without the file's metadata."""
    profile = image.info.get("icc_profile")
    if not profile and image.mode in {"P", "RGBA"} and image.has_transparency_data:
        clear = image.convert("RGBA")
        clear.info.clear()
        return clear
    alpha = _alpha(image)
    image.info.pop("transparency", None)
    opaque = _opaque(image)
    if opaque is not image:
        image.close()  # one copy less in memory
    colours = _in_srgb(opaque, profile)
    if isinstance(colours, ImageFile.ImageFile):
        colours = same_pixels(colours)
    colours.info.clear()
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in _WITH_ALPHA:
        return image.getchannel("A")
    if "transparency" not in image.info:
        return None
    if image.mode.startswith("I"):  # transparent where the 16-bit grey has one value
        clear = image.info["transparency"]
        return image.convert("I").point(
            [0 if level == clear else 255 for level in range(65536)], "L"
        )
    return image.convert("RGBA").getchannel("A")


def _opaque(image: Image.Image) -> Image.Image:
    """The colours alone, in a mode that colour management knows: L, RGB or CMYK."""
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    if image.mode.startswith("I"):
        return image.convert("I").point(_upper_bytes(), "L")
    if image.mode in {"1", "LA", "La"}:
        return image.convert("L")
    if image.mode == "RGBa":
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


@cache
def _upper_bytes() -> list[int]:
    """For each 16-bit level, the nearest 8-bit level."""
    return [round(level / 257) for level in range(65536)]


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    managed = _managed(image, profile) if profile else None
    return managed or (image if image.mode == "RGB" else image.convert("RGB"))


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _managed(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture converted by its colour profile; None when the profile cannot be used.

    An sRGB profile is skipped: converting would only add rounding.
    """
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES[image.mode]:
            return None
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return None
        if image.mode == "RGB" and not isinstance(image, ImageFile.ImageFile):
            ImageCms.profileToProfile(image, source, _srgb(), inPlace=True)
            return image
        return ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None
