"""ICU's messages: texts with places for values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from icu4py.messageformat import MessageFormat

_NAME: Final = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*[,}]")


def filled(text: str, locale: str, values: Mapping[str, str | int]) -> str:
    """A message with its values in their places.

    Raises:
        ValueError: it names a value that is not given, or is not an ICU message.
    """
    try:
        message = MessageFormat(text, locale.replace("_", "-")).format(dict(values))
    except ValueError:
        raise ValueError("this is not an ICU message: look for a lone brace") from None
    unknown = sorted(set(_NAME.findall(text)) - set(values))
    if unknown and any(f"{{{name}}}" in message for name in unknown):
        listed = ", ".join(f"`{{{name}}}`" for name in unknown)
        raise ValueError(f"no value is given for {listed}")
    return message
