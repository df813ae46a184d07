"""Fonts: which characters they have, and which of several sets a character."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Final

import uharfbuzz as hb
from msgspec import Struct

from flux2build.errors import SpecError, brief
from flux2build.images.lettering import font
from flux2build.images.lettering.breaks import clusters
from flux2build.images.lettering.scripts import invisible, script

_BUNDLED: Final = (
    "NotoSans",
    "NotoSansHebrew",
    "NotoSansArabic",
    "NotoSansDevanagari",
    "NotoSansThai",
)
_BOLD: Final = 600
"""The least weight for which the bold bundled fonts are used."""
_REGULAR: Final = 400
_MOST_LISTED: Final = 12
_CAP: Final = 0.7
"""Height of a capital letter, in sizes, in fonts without capitals."""
_AXIS: Final = "wght"


class Face(Struct, frozen=True, dict=True):
    """A font file, at one weight where it has an axis for that."""

    data: bytes
    weight: int | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.data)} bytes, {self.weight})"

    @cached_property
    def _face(self) -> hb.Face:
        if not self.readable:
            hint = "use a TrueType or OpenType file: `.ttf`, `.otf`, `.ttc`"
            raise SpecError("this is not a font that can be read", hint=hint)
        return hb.Face(self.data)

    @property
    def readable(self) -> bool:
        """Whether it is a font, with glyphs in it."""
        return bool(self.data) and bool(hb.Face(self.data).glyph_count)

    @cached_property
    def font(self) -> hb.Font:
        """The font in HarfBuzz, in the units of its own grid."""
        font = hb.Font(self._face)
        if self.weight is not None and self.variable:
            font.set_variations({_AXIS: self.weight})
        return font

    @cached_property
    def variable(self) -> bool:
        """Whether it has an axis for the weight."""
        return any(axis.tag == _AXIS for axis in self._face.axis_infos)

    @cached_property
    def name(self) -> str:
        """The name in the font."""
        return (
            self._face.get_name(hb.OTNameIdPredefined.FULL_NAME)
            or self._face.get_name(hb.OTNameIdPredefined.FONT_FAMILY)
            or "a font without a name"
        )

    @cached_property
    def grid(self) -> int:
        """Units of the grid per size."""
        return int(self._face.upem)

    @cached_property
    def characters(self) -> frozenset[int]:
        """The code points that it has glyphs for."""
        return frozenset(self._face.unicodes)

    @cached_property
    def cap(self) -> float:
        """The height of its capital letters, in sizes."""
        glyph = self.font.get_nominal_glyph(ord("H"))
        extents = self.font.get_glyph_extents(glyph) if glyph else None
        return extents.y_bearing / self.grid if extents and extents.y_bearing > 0 else _CAP

    def has(self, cluster: str) -> bool:
        """Whether it can set a grapheme cluster, composed or decomposed."""
        composed, decomposed = (unicodedata.normalize(form, cluster) for form in ("NFC", "NFD"))
        return any(
            all(ord(char) in self.characters or invisible(char) for char in form)
            for form in (cluster, composed, decomposed)
        )


@lru_cache(maxsize=2)
def _shipped(style: str) -> tuple[Face, ...]:
    return tuple(Face(font(f"{name}-{style}")) for name in _BUNDLED)


def bundled(weight: int | None) -> tuple[Face, ...]:
    """The bundled fonts, the one for Latin letters first."""
    return _shipped("Bold" if (weight or _REGULAR) >= _BOLD else "Regular")


@lru_cache(maxsize=8)  # a Japanese one has 17 MB
def of(data: bytes, weight: int | None = None) -> Face:
    """The font in a file's bytes."""
    return Face(data, weight)


def choose(text: str, faces: Sequence[Face]) -> list[int]:
    """For every character the number of the font that sets it.

    The first font that has a letter sets it. Spaces, digits and punctuation
    are set in the font of the letters before them, if it has them too.

    Raises:
        SpecError: no font has some character; all such are named.
    """
    numbers: list[int] = []
    missing: dict[str, None] = {}
    last = 0
    for cluster in clusters(text):
        lettered = any(unicodedata.category(char)[0] == "L" for char in cluster)
        order = range(len(faces)) if lettered else (last, *range(len(faces)))
        setter = next((number for number in order if faces[number].has(cluster)), None)
        if setter is None:
            missing |= dict.fromkeys(_lacking(cluster, faces))
        last = last if setter is None else setter
        numbers += [last] * len(cluster)
    if missing:
        raise _tofu(text, list(missing), faces)
    return numbers


def _lacking(cluster: str, faces: Sequence[Face]) -> list[str]:
    """The characters of a cluster that no font has, or that the font of its base lacks."""
    visible = [char for char in cluster if not invisible(char)]
    lacking = [c for c in visible if not any(ord(c) in face.characters for face in faces)]
    if lacking:
        return lacking
    setter = next(face for face in faces if ord(visible[0]) in face.characters)
    return [char for char in visible if ord(char) not in setter.characters]


def _tofu(text: str, missing: Sequence[str], faces: Sequence[Face]) -> SpecError:
    listed = ", ".join(_spelled(char) for char in missing[:_MOST_LISTED])
    if len(missing) > _MOST_LISTED:
        listed += f" and {len(missing) - _MOST_LISTED} more"
    return SpecError(
        f"no font has a glyph for {listed}",
        rows=(("text", brief(text)), ("fonts", ", ".join(face.name for face in faces))),
        hint=_remedy(missing),
    )


_REMEDIES: Final = {
    "HIRAGANA": "Noto Sans JP",
    "KATAKANA": "Noto Sans JP",
    "HANGUL": "Noto Sans KR",
    "CJK": "Noto Sans JP, SC or TC",
    "BOPOMOFO": "Noto Sans TC",
}


def _remedy(missing: Sequence[str]) -> str:
    """Where to get a font for the missing characters."""
    scripts = [script(char) for char in missing]
    east_asian = next((name for name in _REMEDIES if name in scripts), None)
    other = next((name.capitalize() for name in scripts if name), None)
    noto = _REMEDIES[east_asian] if east_asian else f"Noto Sans {other}" if other else None
    such = f", such as {noto} from fonts.google.com/noto" if noto else ""
    return f"put a font that has it into the repository{such}, and name it in `font`"


def _spelled(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" {name}" if name else "")
