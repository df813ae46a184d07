"""Somebody's text, made harmless where it is printed: it cannot steer whatever reads it.

Names, prompts, paths, files and servers may say anything; terminals obey control characters,
direction marks rearrange what is read, and the log of a workflow is a command line: GitHub runs
lines that start with `::` and every `##[…]`, Azure `##vso[…]`, TeamCity `##teamcity[…]`.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = (
    "\x7f-\x9f"  # DEL, and the second set of control characters
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, or directions
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
    "\ud800-\udfff"  # halves of characters
)
_COMMAND: Final = r"\#(?=\#\w*\[)"
_BEYOND_JSON: Final = f"[{_HIDDEN}]|{_COMMAND}"
"""What JSON would let through; control characters up to U+001F are never raw in it."""
_UNSAFE: Final = f"[\x00-\x1f{_HIDDEN}]|{_COMMAND}"
_FIRST: Final = r"\s*(:)(?=:)"
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def clean(text: str) -> str:
    r"""A part of a line, in which characters that steer are spelled out, as `\n` or `\u202e`."""
    if text.isprintable() and "##" not in text:
        return text
    return re.sub(_UNSAFE, lambda match: _spelled(match.group()), text)


def whole_line(text: str) -> str:
    """A whole line, which moreover does not start with `::`."""
    shown = clean(text)
    if "::" in shown and (first := re.match(_FIRST, shown)):
        shown = f"{shown[: first.start(1)]}\\u003a{shown[first.end(1) :]}"
    return shown


def in_json(document: str) -> str:
    """A JSON document in which they are spelled out as JSON does; its value is the same."""
    return re.sub(_BEYOND_JSON, lambda match: _json(ord(match.group())), document)


def _spelled(character: str) -> str:
    number = ord(character)
    return _SHORT.get(character) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def _json(number: int) -> str:
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
