"""Bytes of a picture to pixels: every odd file becomes plain RGB or RGBA in sRGB, or is refused.

What comes out carries no metadata: its orientation is applied, its colours are
converted. What cannot be decoded in full, within bounded memory, is refused by name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, TypeVar

from PIL import Image, ImageCms, ImageFile

from flux2build.errors import Problem
from flux2build.images.formats.contract import Format, PictureError
from flux2build.images.formats.lookup import examine, formats
from flux2build.storage.lfs import is_lfs_pointer

MAX_PIXELS: Final = 25_000_000
"""Most pixels of a picture whose decoder needs 8 bytes for each: 200 MB at the peak."""

MOST_MADE: Final = 32_000_000
"""Most pixels that an operation may give a picture."""

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
_SRGB: Final = ImageCms.createProfile("sRGB")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probe:
    """What a picture is, after decoding it in full; its size is the one people see."""

    format: str
    width: int
    height: int
    alpha: bool
    frames: int


def probe(data: bytes, name: str = "picture", *, max_pixels: int = MAX_PIXELS) -> Probe:
    """What a picture is, once its (first) frame has been decoded in full.

    Raises:
        PictureError: the bytes are no whole picture within the limits.
    """
    form, frames, image = _opened(data, name, max_pixels)
    plain = _normalised(image, name)
    return Probe(form, plain.width, plain.height, plain.mode == "RGBA", frames)


def decode(
    data: bytes, name: str, *, max_pixels: int = MAX_PIXELS, first_frame: bool = False
) -> Image.Image:
    """The pixels of a picture, as RGB or RGBA in sRGB; `name` is for messages.

    Raises:
        PictureError: the bytes are no whole picture within the limits, or they
            move and `first_frame` was not asked for.
    """
    _, frames, image = _opened(data, name, max_pixels)
    if frames > 1 and not first_frame:
        raise _refusal(
            f"`{name}` is animated",
            (("frames", str(frames)),),
            "save the frame you want as a picture of its own",
        )
    return _normalised(image, name)


def refuse_excess(width: int, height: int) -> None:
    """Refuse to make a picture that no memory should be asked for.

    Raises:
        PictureError: it would have more pixels than any deliverable needs.
    """
    if width * height > MOST_MADE:
        raise _refusal(
            f"a picture of {width}x{height} pixels is too large to make",
            (("limit", f"{MOST_MADE / 1e6:g} megapixels"),),
            "ask for fewer pixels",
        )


def _opened(data: bytes, name: str, max_pixels: int) -> tuple[str, int, ImageFile.ImageFile]:
    """Format, frames, and the decoder's handle on a file that looks whole and is small enough.

    Nothing is decoded yet.
    """
    header = examine(data)
    known = formats().get(header.format)
    if known is None or known.plugin is None:
        raise _unknown(data, name, header.format)
    _within(header.width, header.height, known, name, max_pixels)
    if header.fault:
        raise _refusal(
            f"`{name}` is damaged or cut off: {header.fault}",
            (("format", header.format), ("size", f"{len(data)} bytes")),
            "fetch or export the file again",
        )
    image = _guarded(partial(known.plugin(), io.BytesIO(data)), name)
    _within(*image.size, known, name, max_pixels)
    return known.name, max(header.frames, getattr(image, "n_frames", 1)), image


def _within(width: int, height: int, known: Format, name: str, max_pixels: int) -> None:
    most = max_pixels * 8 // known.bytes_per_pixel
    if width * height > most:
        raise _refusal(
            f"`{name}` is too large: {width}x{height} pixels",
            (("limit", f"{most / 1e6:g} megapixels for {known.name}"),),
            "use a smaller copy of the picture",
        )


def _unknown(data: bytes, name: str, form: str) -> PictureError:
    if is_lfs_pointer(data):
        return _refusal(f"`{name}` is a Git LFS pointer, not a picture", (), "run `git lfs pull`")
    if not data:
        return _refusal(f"`{name}` is empty", (), "fetch or export the file again")
    supported = ", ".join(sorted(known.name for known in formats().values() if known.plugin))
    what = f"is {form}, which cannot be decoded" if form else "is not a picture"
    return _refusal(f"`{name}` {what}", (("supported", supported),), "convert it to png or jpeg")


def _refusal(message: str, rows: tuple[tuple[str, str], ...], hint: str) -> PictureError:
    return PictureError(Problem(message, rows=rows, hint=hint))


def _guarded(work: Callable[[], T], name: str) -> T:
    try:
        return work()
    except (MemoryError, PictureError):
        raise
    except Exception as error:
        raise _refusal(
            f"`{name}` is damaged or cut off: {str(error) or type(error).__name__}",
            (),
            "fetch or export the file again",
        ) from error


def _normalised(image: ImageFile.ImageFile, name: str) -> Image.Image:
    _guarded(image.load, name)
    if image.mode == "F":
        raise _refusal(
            f"`{name}` holds floating-point pixels, whose white nobody knows",
            (),
            "export it with 8 or 16 bits per channel",
        )
    turn = _TURNS.get(_orientation(image))
    plain = _guarded(lambda: _plain(image), name)
    image.close()  # its pixels would be a second copy while the plain ones are turned
    return plain if turn is None else plain.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; broken metadata is no reason to refuse good pixels."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF parsers raise anything for hostile bytes
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """RGB or RGBA in sRGB, without a trace of the file it came from."""
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
        colours = colours.copy()
    colours.info.clear()
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in _WITH_ALPHA:
        return image.getchannel("A")
    if "transparency" not in image.info:
        return None
    if image.mode.startswith("I"):
        return _unlike(image, image.info["transparency"])
    return image.convert("RGBA").getchannel("A")


def _unlike(image: Image.Image, value: int) -> Image.Image:
    """Transparent where a 16-bit grey equals `value`, opaque elsewhere."""
    return image.convert("I").point([0 if level == value else 255 for level in range(65536)], "L")


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
    """The 8-bit level that is nearest to each 16-bit level."""
    return [round(level / 257) for level in range(65536)]


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    managed = _managed(image, profile) if profile else None
    return managed or (image if image.mode == "RGB" else image.convert("RGB"))


def _managed(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture by its colour profile, or None where the profile says nothing usable.

    An sRGB profile is skipped: converting would only add rounding.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES[image.mode]:
            return None
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return None
        if image.mode == "RGB" and not isinstance(image, ImageFile.ImageFile):
            ImageCms.profileToProfile(image, source, _SRGB, inPlace=True)
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture at another size, its edges smooth."""
    return image.resize((width, height), Image.Resampling.LANCZOS)
