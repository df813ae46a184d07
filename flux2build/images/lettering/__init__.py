"""Exact lettering: words, fonts and a box in; glyphs in their places, and their ink, out.

Its modules need HarfBuzz and ICU, which the extra `lettering` installs.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal

EXTRA: Final = "lettering"

Wrap = Literal["balance", "fill", "none"]
"""How a paragraph becomes lines."""


_SCRIPTS: Final = {"latin": "Latn", "cyrillic": "Cyrl", "arabic": "Arab", "devanagari": "Deva"}
"""Variants in gettext's names of locales that are scripts."""


def language_tag(locale: str) -> str:
    """A locale as BCP 47 writes it: `sr-Latn` for gettext's `sr@latin`, `en-US` for `en_US.UTF-8`."""
    name, _, variant = locale.partition("@")
    language, *rest = re.split("[-_]", name.partition(".")[0])
    script = _SCRIPTS.get(variant.lower())
    return "-".join([language, *([script] if script else []), *rest])


def font(name: str) -> bytes:
    """The file of a bundled font, such as `NotoSans-Bold`."""
    from pkgutil import get_data

    data = get_data(__name__, f"fonts/{name}.ttf")
    assert data is not None  # the loader of a file has its data
    return data


@cache
def installed() -> bool:
    """Whether HarfBuzz and ICU are there, without importing them."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("uharfbuzz", "icu4py"))
