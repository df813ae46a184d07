"""Makes text from others harmless before it is printed, so that it cannot steer its reader.

Names, prompts, paths, files and servers may say anything; terminals obey control characters,
direction marks rearrange what is read, and the log of a workflow is a command line: GitHub runs
lines that start with `::` and every `##[…]`, Azure `##vso[…]`, TeamCity `##teamcity[…]`.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = (
    "\x7f-\x9f"  # DEL, and the second set of control characters
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # invisible, or directions
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
    "\ud800-\udfff"  # surrogates
)
_COMMAND: Final = r"\#(?=\#\w*\[)"
_BEYOND_JSON: Final = f"[{_HIDDEN}]|{_COMMAND}"
"""The characters that JSON lets through; it never has raw control characters up to U+001F."""
_UNSAFE: Final = f"[\x00-\x1f{_HIDDEN}]|{_COMMAND}"
_FIRST: Final = r"\s*(:)(?=:)"
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def clean(text: str) -> str:
    r"""A part of a line, with steering characters spelled out, as `\n` or `\u202e`."""
    if text.isprintable() and "##" not in text:
        return text
    return re.sub(_UNSAFE, lambda match: _spelled(match.group()), text)


def whole_line(text: str) -> str:
    """A clean line, which does not start with `::` either."""
    line = clean(text)
    if "::" in line and (first := re.match(_FIRST, line)):
        line = f"{line[: first.start(1)]}\\u003a{line[first.end(1) :]}"
    return line


def in_json(document: str) -> str:
    """A JSON document with steering characters in JSON's escapes; its value stays the same."""
    return re.sub(_BEYOND_JSON, lambda match: _json(ord(match.group())), document)


def _spelled(character: str) -> str:
    number = ord(character)
    return _SHORT.get(character) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def _json(number: int) -> str:
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
