"""The colours of a sketch: those that the prompt names, or else a curated set."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from flux2build.images.colour.oklab import chroma, lightness, mix, tone
from flux2build.images.colour.srgb import Rgb, contrast, from_hex, hexes
from flux2build.providers.sketch.random_source import RandomSource

_CURATED: Final = (
    "f4e9dc 2b2a33 d9643a e9a23b 3f6c73",
    "eef1ee 1f2d3a 2f6f8f e8b04a d7665a",
    "f1efe6 263229 7d9a7b d98f5c 3d5a4f",
    "f5ecee 2d1f33 7a3e65 e08a6d 3f4f80",
    "fbf3d9 2a2b2e f2b632 e4572e 2e86ab",
    "e9f3f5 0f2a3d 1f7a8c f4a259 5b8e7d",
    "fdeef0 33203c ef6f8e 6a67ce f7b267",
    "eef0e4 1c2b22 386641 a7c957 bc4749",
    "f7ead7 3a2430 c8553d f28f3b 588b8b",
    "edf2fb 14213d 3a5fcd 8fb3ff fca311",
    "f3f0fa 27223f 7c6fcf c9a2e8 f2a65a",
    "f6f1e1 1d2f33 d6a02c 1b7f79 c9503c",
    "f7ede6 2a2438 c97b84 8a8d4f 4f5d75",
    "eef4f7 1b2735 4d7ea8 9dbcd4 e4755a",
)
"""Paper, ink, and three colours that go together."""

_DARK: Final = re.compile(
    r"dark|night|midnight|noir|black|moody|evening|dusk|nocturnal|neon|space|starry|moon(lit|light)?"
    r"|charcoal|onyx|sunset"
)
_LIGHT: Final = re.compile(
    r"light|day(light)?|bright|white|morning|clean|airy|sunny|sunlit|sunshine|noon|snow|pastel"
    r"|minimal|cream|ivory|dawn|sunrise"
)
_WORD: Final = re.compile(r"[a-z]+")
_BLUE_BLACK: Final = (24, 26, 46)
_GREY: Final = 0.035


class Palette(Struct, frozen=True):
    """The colours of one sketch, by the part they play."""

    paper: Rgb
    ink: Rgb
    main: Rgb
    second: Rgb
    accent: Rgb
    dark: bool
    named: tuple[Rgb, ...] = ()
    """The colours the prompt names, exactly, in order of appearance."""

    @property
    def ground(self) -> Rgb:
        """The background: paper by day, ink by night."""
        return self.ink if self.dark else self.paper

    @property
    def figure(self) -> Rgb:
        """The colour of type and lines on the background."""
        return self.paper if self.dark else self.ink

    @property
    def colours(self) -> tuple[Rgb, Rgb, Rgb]:
        """The three main colours of the picture."""
        return self.main, self.second, self.accent

    @property
    def swatches(self) -> tuple[Rgb, ...]:
        """The colours to show as chips: those that the prompt names, else the chosen ones."""
        return self.named or self.colours

    def veil(self, colour: Rgb, share: float) -> Rgb:
        """Return a colour mixed with the background."""
        return mix(colour, self.ground, share)


def of_prompt(prompt: str, rng: RandomSource, without: Rgb | None = None) -> Palette:
    """Return the palette for a prompt; what the prompt leaves open is random.

    A colour of the prompt that is only its ground's is left out.
    """
    named = tuple(colour for colour in hexes(prompt) if colour != without)
    dark = _is_dark(prompt, named, rng)
    if not named:
        parts = [from_hex(part) for part in rng.pick(_CURATED).split()]
        return Palette(*_settled(parts), dark=dark)
    return _branded(named, rng, dark=dark)


def _is_dark(prompt: str, named: tuple[Rgb, ...], rng: RandomSource) -> bool:
    words = _WORD.findall(prompt.lower())
    score = sum(bool(_DARK.fullmatch(word)) - bool(_LIGHT.fullmatch(word)) for word in words)
    score += sum((lightness(grey) < 0.3) - (lightness(grey) > 0.9) for grey in named)
    return score > 0 or (score == 0 and rng.flip(0.22))


def _branded(named: tuple[Rgb, ...], rng: RandomSource, *, dark: bool) -> Palette:
    """Colours built around those that the prompt names."""
    paper = next((one for one in named if lightness(one) > 0.9 and chroma(one) < 0.06), None)
    ink = next((one for one in named if lightness(one) < 0.3 and chroma(one) < 0.08), None)
    loud = [one for one in named if chroma(one) >= _GREY and one not in {paper, ink}]
    if not loud:
        spare = [from_hex(part) for part in rng.pick(_CURATED).split()]
        loud = [one for one in (ink, paper) if one and chroma(one) >= _GREY] or spare[2:]
    main = loud[0]
    near = tone(main, _middling(main, 0.12 * rng.sign()), turn=rng.sign() * 38)
    far = tone(main, _middling(main, 0.06), 0.12, turn=rng.pick((150, 180, 205)))
    second = loud[1] if len(loud) > 1 else near
    accent = loud[2] if len(loud) > 2 else far
    paper = paper or tone(main, 0.965, 0.014, turn=rng.pick((0, 0, 30)))
    ink = ink or _night(main)
    return Palette(*_settled([paper, ink, main, second, accent]), dark=dark, named=named)


def _night(main: Rgb) -> Rgb:
    """An ink that goes with a colour: of its hue, or blue where that would be brown."""
    if main[0] > main[2] + 40:
        return mix(_BLUE_BLACK, main, 0.1)
    return tone(main, 0.25, min(0.05, chroma(main)))


def _middling(colour: Rgb, by: float) -> float:
    """A lightness away from the colour's own, on the side that has room."""
    light = lightness(colour)
    return min(0.85, max(0.35, light + (by if 0.3 < light + by < 0.9 else -by)))


def _settled(parts: list[Rgb]) -> tuple[Rgb, Rgb, Rgb, Rgb, Rgb]:
    """The five parts, with an ink that can be read on the paper."""
    paper, ink, main, second, accent = parts
    while contrast(paper, ink) < 7:
        ink = tone(ink, max(0.0, lightness(ink) - 0.04))
    return paper, ink, main, second, accent
