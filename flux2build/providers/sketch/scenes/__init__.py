"""The families of scenes, and which of them suits a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from flux2build.providers.sketch.canvas import Canvas
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.registry import Family

Scene = Callable[[Canvas, Palette, RandomSource], None]
"""Draws a scene."""
_SCENES: Final = Family[Mapping[str, Scene]]("flux2build.providers.sketch.scenes", "SCENES")


class SceneFamily(Struct, frozen=True):
    """A scene of a module, and the words in a prompt that call for it."""

    module: str
    scene: str
    words: str
    alone: float = 0
    """Its weight among the scenes for a prompt that calls for none."""
    kind: str = ""
    """Families of one kind stand in for each other: `a product shot of a mug` is of a mug."""
    any: bool = False
    """Whether this scene of its kind leaves open what is shown."""
    sheet: bool = False
    """Whether there is a sheet of several views, too."""

    @property
    def draw(self) -> Scene:
        """Draws the scene."""
        return _SCENES[self.module][self.scene]

    @property
    def drawing(self) -> Scene | None:
        """Draws the same as a sheet of several views."""
        return _SCENES[self.module][f"{self.scene} sheet"] if self.sheet else None


def _animal(name: str, words: str) -> SceneFamily:
    return SceneFamily("creature", name, words, kind="animal", sheet=True)


def _thing(name: str, words: str) -> SceneFamily:
    return SceneFamily("things", name, words, kind="thing")


def _sign(name: str, words: str) -> SceneFamily:
    return SceneFamily("emblem", name, words, kind="sign")


_FAMILIES: Final = (
    SceneFamily("landscape", "hills", "hill|mountain|valley|forest|woods|meadow|landscape|nature|tree|pine|field|desert|dune|countryside|garden|park|trail", 1.3),
    SceneFamily("landscape", "sea", "sea|ocean|beach|bay|lake|coast|island|sail|boat|ship|harbou?r|wave|river", 1.3),
    SceneFamily("city", "scene", "city|cities|skyline|street|town|tower|downtown|urban|building|rooftop|tokyo|new york|london|berlin|paris", 1.2),
    SceneFamily("room", "desk", "office|desk|workspace|workshop|studio apartment|library|meeting", 0.4),
    SceneFamily("room", "sofa", "room|interior|reading corner|reading nook|kitchen|sofa|living|cafe|café|bedroom|home", 0.4),
    SceneFamily("landscape", "lane", "bicycle|bike|cyclist|cycling|lane|road|ride"),
    SceneFamily("person", "scene", "portrait|woman|women|man|men|girl|boy|person|people|founder|team|face|headshot|child|children|customer|avatar", 0.6),
    SceneFamily("creature", "scene", "mascot|character|animal|creature|plush", 0.5, "animal", any=True, sheet=True),
    _animal("fox", "fox|wolf|wolves"),
    _animal("bear", "bear|teddy"),
    _animal("cat", "cat|kitten|lynx|tiger|lion"),
    _animal("rabbit", "rabbit|bunny|bunnies|hare"),
    _animal("dog", "dog|puppy|puppies|hound"),
    _animal("panda", "panda|badger|raccoon"),
    _animal("robot", "robot|android|droid"),
    SceneFamily("creature", "bird", "bird|wren|owl|robin|sparrow|finch|duck|chick|parrot|eagle|raven|crow|penguin", kind="animal", sheet=True),
    SceneFamily("things", "scene", "product|packshot|shot|plinth|pedestal|still life|shop|watch|shoe|sneaker|headphone|ceramic", 1.2, "thing", any=True),
    _thing("bottle", "bottle|perfume|wine|shampoo|serum|flask|thermos"),
    _thing("jar", "jar|candle|tin|honey|jam"),
    _thing("carton", "box|package|packaging|carton|parcel"),
    _thing("bag", "bag|pannier|backpack|tote|satchel|rucksack|musette|handbag|buckle|pouch"),
    _thing("mug", "mug|cup|coffee|tea|espresso|teapot"),
    _thing("chair", "chair|armchair|stool|furniture"),
    _thing("lamp", "lamp"),
    _thing("phone", "phone|smartphone|app|mobile|iphone"),
    _thing("laptop", "laptop|computer|dashboard|screen|software|saas|macbook"),
    _thing("vase", "vase|flower|plant|bouquet|botanical|tulip"),
    _thing("book", r"(?<!picture-)(?<!picture )book|novel|essay|blog"),
    SceneFamily("abstract", "shapes", "abstract|geometric|bauhaus|shape|poster|modernist", 1.3),
    SceneFamily("abstract", "tiles", "pattern|tile|seamless|repeat|mosaic|wallpaper|textile|quilt|patchwork|grid", 1.0),
    SceneFamily("abstract", "rays", "burst|ray|badge|celebration|launch|award|retro|explosion|announcement", 0.8),
    SceneFamily("abstract", "bands", "banner|gradient|flow|fluid|ribbon|header|silk|swoosh", 1.3),
    SceneFamily("blocks", "scene", "isometric|block|cube|infrastructure|server|data|cloud|network|exploded|3d|voxel|factory", 1.0),
    SceneFamily("emblem", "scene", "icon|logo|pictogram|emblem|glyph|favicon|symbol|sticker", 0.4, "sign", any=True),
    _sign("leaf", "leaf|leaves"),
    _sign("heart", "heart"),
    _sign("drop", "raindrop|droplet|drop"),
    _sign("clock", "clock|timer|hourglass"),
    _sign("star", "star"),
    _sign("bolt", "bolt|lightning|flash"),
    _sign("truck", "truck|van|lorry|delivery"),
    _sign("pin", "pin|marker|location"),
    _sign("map", "map"),
    _sign("wrench", "wrench|spanner|tool"),
    _sign("needle", "needle|thread|stitch|sewing"),
    _sign("house", "house|hut|cabin"),
)  # fmt: skip

_PLAIN: Final = re.compile(r"[\w -]+")
_SHEET: Final = re.compile(r"\b(?:sheet|turnaround|poses|views)\b")
_READ: Final = 800
"""The number of letters at a prompt's start that are searched; later words are about style."""
_LATER: Final = 0.07
"""The factor by which each further match weighs less: what is named first is the subject."""


def choose(prompt: str, rng: RandomSource) -> Scene:
    """Choose a scene for a prompt: one that its words call for, or else a random one."""
    text = prompt[:_READ].lower()
    calls = _calls(text)
    if not calls:
        return rng.weighted([(family, family.alone) for family in _FAMILIES]).draw
    family = rng.weighted([(call, _LATER**place) for place, call in enumerate(calls)])
    return family.drawing if family.drawing and _SHEET.search(text) else family.draw


def _calls(text: str) -> list[SceneFamily]:
    """The families that a text calls for, the best match first.

    A heart or a tool is a pictogram only if the prompt asks for an icon; then nothing else counts.
    """
    calls = _pattern(tuple(_possible(text))).finditer(text)
    numbers = (call.lastgroup for call in calls)
    called = list(dict.fromkeys(_FAMILIES[int(number[1:])] for number in numbers if number))
    icon = any(family.kind == "sign" and family.any for family in called)
    fitting = [family for family in called if (family.kind == "sign") == icon]
    return list(dict.fromkeys(_named(family, fitting) for family in fitting))


def _possible(text: str) -> Iterator[int]:
    """The families of which a text may have a word."""
    for number, family in enumerate(_FAMILIES):
        if any(word in text or not _PLAIN.fullmatch(word) for word in family.words.split("|")):
            yield number


@lru_cache(maxsize=128)
def _pattern(numbers: tuple[int, ...]) -> re.Pattern[str]:
    """Finds the words of some families; for all of them, this would take longer than a small sketch."""
    words = "|".join(f"(?P<f{number}>{_FAMILIES[number].words})" for number in numbers)
    return re.compile(rf"(?<!\bno )(?<!without )\b(?:{words})(?:s|es)?\b")


def _named(family: SceneFamily, families: list[SceneFamily]) -> SceneFamily:
    """The first family, or a more specific one of its kind if the first leaves the subject open."""
    alike = (other for other in families if other.kind == family.kind and not other.any)
    return next(alike, family) if family.any else family
