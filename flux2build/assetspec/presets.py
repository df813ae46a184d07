"""Presets: sizes, formats and limits that platforms ask for, from data with its sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pkgutil import get_data
from types import MappingProxyType
from typing import Any, Final

from flux2build.images.formats.lookup import writable

KILOBYTE: Final = 1000
"""Platforms mean 1000 or 1024 bytes; a file that fits into the smaller one is right for both."""


@dataclass(frozen=True, slots=True)
class PresetTarget:
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
    """What documents call it; empty for pictures that a page shows."""
    max_bytes: int | None = None
    alpha: bool | None = None
    """Whether it must have an alpha channel, or must not have one; None if both are allowed."""
    safe: Fraction = Fraction(1)
    """The share of the side within which the picture stays."""
    sizes: tuple[int, ...] = ()
    """The sizes of the pictures in an ico."""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A name for one file or a set of them."""

    name: str
    platform: str
    targets: tuple[PresetTarget, ...]
    several: bool = False
    """Whether it is a set, each of whose files has its own name."""
    documents: tuple[tuple[str, str], ...] = ()
    """The documents about the set: the name of each, and of its file."""


_SOCIAL: Final = {
    "og_default": "og",
    "x_summary_large_image": "x-card",
    "x_summary": "x-summary",
    "x_in_stream": "x-post",
    "x_header": "x-header",
    "x_article_16x9": "x-article",
    "linkedin_link": "linkedin",
    "linkedin_company_cover": "linkedin-company",
    "linkedin_personal_banner": "linkedin-banner",
    "instagram_square": "instagram-square",
    "instagram_portrait_4x5": "instagram-portrait",
    "instagram_landscape": "instagram-landscape",
    "story_reel_9x16": "story",
    "youtube_thumbnail": "youtube-thumb",
    "youtube_channel_banner": "youtube-banner",
    "pinterest_pin": "pinterest",
    "facebook_cover": "facebook-cover",
    "facebook_group_cover": "facebook-group",
    "substack_cover": "substack",
    "devto_cover": "devto",
    "medium_cover": "medium",
}
_PREFIXES: Final = {
    "google_display": "google",
    "google_responsive": "google-responsive",
    "app_store_screenshot": "appstore",
    "google_play": "play",
}
_PHOTOS: Final = frozenset({"social", "google_display", "google_responsive"})
"""Groups of photographs, which are JPEG unless the spec says otherwise."""

_SAFE: Final = {
    "icon-maskable-512": Fraction(4, 5),
    "android_adaptive": Fraction(66, 108),
}
"""Safe zones, by the name or the group of a size."""

_ICO_SIZES: Final = {
    "favicon.ico": (16, 32, 48),
    "app.ico": (16, 24, 32, 48, 64, 128, 256),
}
_REQUIRED: Final = {
    "appstore": ("iphone_6_9", "ipad_13"),
    "play": ("icon", "feature_graphic"),
}
"""What a store requires of every app; each of its other sizes is a preset by itself."""


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset, by name."""
    return MappingProxyType({preset.name: preset for preset in _presets(_sizes())})


@cache
def gathered() -> str:
    """The month in which the sizes were gathered, such as `2026-11`."""
    return str(_data()["gathered"])


@cache
def _data() -> dict[str, Any]:
    text = get_data("flux2build.assetspec", "platforms.json") or b""
    data: dict[str, Any] = json.loads(text)
    return data


def _sizes() -> dict[str, list[dict[str, Any]]]:
    """The sizes by their group."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for size in _data()["sizes"]:
        groups.setdefault(size["group"], []).append(size)
    return groups


def _presets(groups: Mapping[str, list[dict[str, Any]]]) -> Iterator[Preset]:
    for size in groups["social"]:
        name = _SOCIAL[size["name"]]
        yield Preset(name, "social", (_target(size, role=name),))
    for group, prefix in _PREFIXES.items():
        yield from _singles(prefix, groups[group])
    yield _set("google-display", "google", groups["google_display"])
    yield _set("google-responsive", "google", groups["google_responsive"])
    for name, required in _REQUIRED.items():
        group = next(group for group, prefix in _PREFIXES.items() if prefix == name)
        yield _set(name, name, [size for size in groups[group] if size["name"] in required])
    yield from _icons(groups)
    page = tuple(_target(size, usual=tuple(size["formats"])) for size in groups["responsive_16x9"])
    yield Preset("web", "web", page, several=True)


def _icons(groups: Mapping[str, list[dict[str, Any]]]) -> Iterator[Preset]:
    favicon = (("webmanifest", "site.webmanifest"),)
    contents = (("contents", "Contents.json"),)
    yield _set("favicon", "web", groups["favicon"], documents=favicon)
    folder = "AppIcon.appiconset/"
    yield _set("ios", "apple", groups["ios_app_icon"], folder, contents)
    yield _set("macos", "apple", groups["macos_app_icon"], folder, contents)
    android = [*groups["android_adaptive"], *groups["android_legacy"]]
    yield Preset("android", "android", tuple(map(_density, android)), several=True)
    windows = [*groups["windows_tile"], *groups["windows_ico"]]
    yield _set("windows", "windows", windows)


def _singles(prefix: str, sizes: list[dict[str, Any]]) -> Iterator[Preset]:
    for size in sizes:
        word = size["name"].removeprefix("rda_").removeprefix("demandgen_").replace("_", "-")
        name = f"{prefix}-{word}"
        yield Preset(name, prefix.partition("-")[0], (_target(size, role=name),))


def _set(
    name: str,
    platform: str,
    sizes: list[dict[str, Any]],
    folder: str = "",
    documents: tuple[tuple[str, str], ...] = (),
) -> Preset:
    targets = tuple(_target(size, folder=folder) for size in sizes)
    return Preset(name, platform, targets, several=True, documents=documents)


def _density(size: dict[str, Any]) -> PresetTarget:
    """A launcher icon in the folder of its density: `mipmap-hdpi/ic_launcher`."""
    stem, _, density = size["name"].rpartition("_")
    word = "ic_launcher_foreground" if stem == "foreground" else stem
    return _target({**size, "name": word}, folder=f"mipmap-{density}/")


def _target(
    size: dict[str, Any], *, role: str | None = None, folder: str = "", usual: tuple[str, ...] = ()
) -> PresetTarget:
    name, group, limit = size["name"], size["group"], size.get("max_kb")
    # Platforms may take others as well.
    formats = tuple(form for form in size["formats"] if form in writable())
    first = "jpeg" if group in _PHOTOS and "jpeg" in formats else formats[0]
    shown = "" if group == "responsive_16x9" else name
    sizes = _ICO_SIZES.get(name, ())
    return PresetTarget(
        name=folder + name.removesuffix(".ico"),
        width=max(sizes, default=size["w"]),
        height=max(sizes, default=size["h"]),
        formats=formats,
        usual=usual or (first,),
        role=shown if role is None else role,
        max_bytes=limit * KILOBYTE if limit else None,
        alpha=size.get("alpha"),
        safe=_SAFE.get(name, _SAFE.get(group, Fraction(1))),
        sizes=sizes,
        note=size.get("note", ""),
        source=size["source"],
    )
