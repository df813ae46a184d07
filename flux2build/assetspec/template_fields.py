"""The texts of a spec that are templates; markup in any other text is a fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from flux2build.assetspec.faults import Fault
from flux2build.model import Key

SETTINGS: Final = (
    ("prompt",),
    ("template",),
    ("prompt_prefix",),
    ("prompt_suffix",),
    ("refs",),
    ("tags",),
    ("alt",),
    ("expect_text",),
    ("title",),
    ("seed",),
    ("take",),
    ("deliver", "path"),
    ("deliver", "ops"),
    ("deliver", "finish"),
    ("deliver", "documents"),
)
"""Settings that are templates, in `[defaults]`, a style, an asset and a profile."""
OTHERS: Final = (
    ("asset", "NAME", "source"),
    ("asset", "NAME", "output"),
    ("asset", "NAME", "rows", "where"),
    ("op", "NAME"),
    ("checks", "NAME"),
    ("manifest",),
)
"""Other texts that are templates, and tables all of whose texts are."""
_LAYERS: Final = {"defaults": 1, "style": 2, "profile": 2, "asset": 2}
"""The length of the key of each table with settings."""


def faults(data: Mapping[str, object], invalid: Collection[Fault] = ()) -> Iterator[Fault]:
    """Markup in texts that are not templates, unless a text is `invalid`, or a name above it is."""
    reported, misnamed = {fault.key for fault in invalid}, {f.key for f in invalid if f.name}
    for key in _marked(data, ()):
        if not _is_template(tuple(part for part in key if isinstance(part, str))):
            name = next((part for part in reversed(key) if isinstance(part, str)), "")
            above = (key[:length] for length in range(1, len(key)))
            if key not in reported and misnamed.isdisjoint(above):
                hint = "write the text out; docs/spec.md lists the keys that take templates"
                yield Fault(key, f"`{name}` is not a template", hint=hint)


def _marked(values: Mapping[str, object] | list[object], key: Key) -> Iterator[Key]:
    """The keys of texts with markup."""
    items = values.items() if isinstance(values, Mapping) else enumerate(values)
    for name, value in items:
        if isinstance(value, str):
            if "{{" in value or "{%" in value:
                yield (*key, name)
        elif isinstance(value, Mapping | list):
            yield from _marked(value, (*key, name))


def _is_template(names: tuple[str, ...]) -> bool:
    if any(_below(names, field) for field in OTHERS):
        return True
    start = _LAYERS.get(names[0], len(names))
    if names[0] == "asset" and names[2:3] == ("profile",):
        start += 2
    rest = names[start:]
    return any(rest[: len(setting)] == setting for setting in SETTINGS)


def _below(names: tuple[str, ...], field: tuple[str, ...]) -> bool:
    """Whether a key is a field, or is below it."""
    pairs = zip(names, field, strict=False)
    return len(names) >= len(field) and all(want in ("NAME", has) for has, want in pairs)
