"""Presets: sizes, formats and limits that platforms ask for, from data with its sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from flux2build.images.formats.lookup import writable

if TYPE_CHECKING:
    from fractions import Fraction

KILOBYTE: Final = 1000
"""Platforms mean 1000 or 1024 bytes; the smaller limit satisfies both."""


class PresetTarget(Struct, frozen=True):
    """One file that a platform asks for."""

    name: str
    """The platform's name for it, with its folder: `apple-touch-icon`."""
    width: int
    height: int
    formats: tuple[str, ...]
    """Every format that is allowed, the usual one first."""
    usual: tuple[str, ...]
    """The formats to make if the spec names none."""
    role: str = ""
    """Its role in documents; empty for pictures that a page shows."""
    max_bytes: int | None = None
    alpha: bool | None = None
    """Whether it must have an alpha channel, or must not have one; None if both are allowed."""
    safe: Fraction | int = 1
    """The share of the side within which the picture stays."""
    sizes: tuple[int, ...] = ()
    """The sizes of the pictures in an ico."""
    note: str = ""
    source: str = ""


class Preset(Struct, frozen=True):
    """A name for one file or a set of them."""

    name: str
    platform: str
    targets: tuple[PresetTarget, ...]
    several: bool = False
    """Whether it is a set, each of whose files has its own name."""
    documents: tuple[tuple[str, str], ...] = ()
    """The documents about the set: the name of each document and of its file."""


_Size = Mapping[str, Any]
"""One size as it stands in the data."""

_PREFIXES: Final = {
    "google_display": "google",
    "google_responsive": "google-responsive",
    "app_store_screenshot": "appstore",
    "google_play": "play",
}
_PAGE: Final = "responsive_16x9"
"""The group of pictures for a page, which takes them in all formats and gives them no role."""
_PHOTOS: Final = frozenset({"social", "google_display", "google_responsive"})
"""Groups of photographs, which are JPEG unless the spec says otherwise."""


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset, by name."""
    groups: dict[str, list[_Size]] = {}
    for size in _data()["sizes"]:
        groups.setdefault(size["group"], []).append(size)
    return MappingProxyType({preset.name: preset for preset in _presets(groups)})


def gathered() -> str:
    """The month in which the sizes were gathered, such as `2026-11`."""
    return str(_data()["gathered"])


@cache
def _data() -> dict[str, Any]:
    from pkgutil import get_data

    data: dict[str, Any] = json.loads(get_data("flux2build.assetspec", "platforms.json") or b"")
    return data


def _presets(groups: Mapping[str, list[_Size]]) -> Iterator[Preset]:
    for size in groups["social"]:
        name = size["preset"]
        yield Preset(name, "social", (_target(size, role=name),))
    for group, prefix in _PREFIXES.items():
        yield from _singles(prefix, groups[group])
    yield _set("google-display", "google", groups["google_display"])
    yield _set("google-responsive", "google", groups["google_responsive"])
    # The set of a store has only the sizes that it requires of every app.
    for group in ("app_store_screenshot", "google_play"):
        required = [size for size in groups[group] if size.get("required")]
        yield _set(_PREFIXES[group], _PREFIXES[group], required)
    yield from _icons(groups)
    yield _set("web", "web", groups[_PAGE])


def _icons(groups: Mapping[str, list[_Size]]) -> Iterator[Preset]:
    yield _set("favicon", "web", groups["favicon"], ("webmanifest", "site.webmanifest"))
    for name in ("ios", "macos"):
        sizes, contents = groups[f"{name}_app_icon"], ("contents", "Contents.json")
        yield _set(name, "apple", sizes, contents, folder="AppIcon.appiconset/")
    android = [*groups["android_adaptive"], *groups["android_legacy"]]
    yield Preset("android", "android", tuple(map(_density, android)), several=True)
    yield _set("windows", "windows", [*groups["windows_tile"], *groups["windows_ico"]])


def _singles(prefix: str, sizes: list[_Size]) -> Iterator[Preset]:
    for size in sizes:
        word = size["name"].removeprefix("rda_").removeprefix("demandgen_").replace("_", "-")
        name = f"{prefix}-{word}"
        yield Preset(name, prefix.partition("-")[0], (_target(size, role=name),))


def _set(
    name: str, platform: str, sizes: list[_Size], *documents: tuple[str, str], folder: str = ""
) -> Preset:
    targets = tuple(_target(size, folder=folder) for size in sizes)
    return Preset(name, platform, targets, several=True, documents=documents)


def _density(size: _Size) -> PresetTarget:
    """A launcher icon in the folder of its density: `mipmap-hdpi/ic_launcher`."""
    stem, _, density = size["name"].rpartition("_")
    word = "ic_launcher_foreground" if stem == "foreground" else stem
    return _target({**size, "name": word}, folder=f"mipmap-{density}/")


def _target(size: _Size, *, role: str | None = None, folder: str = "") -> PresetTarget:
    from fractions import Fraction

    name, group, limit = size["name"], size["group"], size.get("max_kb")
    # Platforms may take others as well.
    formats = tuple(form for form in size["formats"] if form in writable())
    first = "jpeg" if group in _PHOTOS and "jpeg" in formats else formats[0]
    sizes = tuple(size.get("sizes", ()))
    return PresetTarget(
        name=folder + name.removesuffix(".ico"),
        width=max(sizes, default=size["w"]),
        height=max(sizes, default=size["h"]),
        formats=formats,
        usual=formats if group == _PAGE else (first,),
        role=role or ("" if group == _PAGE else name),
        max_bytes=limit * KILOBYTE if limit else None,
        alpha=size.get("alpha"),
        safe=Fraction(size.get("safe", 1)),
        sizes=sizes,
        note=size.get("note", ""),
        source=size["source"],
    )
