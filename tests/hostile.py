"""Texts that somebody may write into a spec, a lock or a reply to steer whoever reads it."""

from __future__ import annotations

import unicodedata
from typing import Final

_STEERING: Final = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
_UNSEEN: Final = tuple("\u00ad\u180e\u200b\u200c\u200d\u2060\u206f\ufeff\ufff9\U000e0041\U0001f98a")
_WORKFLOW: Final = (
    "::stop-commands::x",
    "::error file=README.md,line=1::pwned",
    "::warning::pwned",
    "::notice title=x::pwned",
    "::debug::x",
    "::group::x",
    "::endgroup::",
    "::add-mask::a",
    "::set-output name=x::y",
    "::set-env name=PATH::/tmp",
    "::add-path::/tmp",
    "::save-state name=x::y",
    "::add-matcher::x.json",
    "::echo::on",
    ":",
    "::",
    " ::error::x",
    "\u00a0::error::x",
    "\u3000::error::x",
    "##[error]pwned",
    "##[add-path]/tmp",
    "a ##[set-env name=PATH]/tmp",
    "###[group]x",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStatus status='SUCCESS']",
)
_LINES: Final = tuple(
    f"k{end}{command}{end}"
    for end in ("\n", "\r", "\r\n", "\v", "\f", "\x1e", "\x85", "\u2028", "\u2029", "\n\t ", "%0A")
    for command in ("::stop-commands::x", "::error file=README.md::pwned", "##[error]x")
)
_TERMINAL: Final = (
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b[1A\x1b[2K",
    "\x1b[8mhidden",
    "\x1b[?1049h",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]1337;File=inline=1:AA==\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=100;AA==\x1b\\",
    "\x1bc",
    "\x1b(0lqqk",
    "\x9b31mred",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "price 9\b1",
    "paid\rfree",
    "a\x00b",
    "[red]markup[/red] :fox:",
    "{{ 7 * 7 }}",
    "%s%n %(x)s {0}",
    "\\n\\u202e",
    "a&b<c>\"d'e]]>",
    "<!-- --><script>alert(1)</script>",
)
_DIRECTIONS: Final = (
    "user\u202egnp.exe",
    "\u2066a\u2067b\u2069\u2069",
    "/*\u202e } \u2066if (admin)\u2069 \u2066 begin */",
    "\u05d0\u05d1\u200e1\u200f2",
    "\u0627\u064e\u061c1",
)
_LONG: Final = ("x" * 5000, "\n::error::" * 400, "\u202e" * 300, "e\u0301" * 2000)

TEXTS: Final = tuple(
    dict.fromkeys(
        (
            *(f"a{c}b" for c in (*_STEERING, *_UNSEEN)),
            *_STEERING,
            *_WORKFLOW,
            *_LINES,
            *_TERMINAL,
            *_DIRECTIONS,
            *_LONG,
        )
    )
)
"""Every one can be written into a file of TOML, JSON or Markdown, escaped where it must be."""

HALVES: Final = ("\ud800", "a\udc80b", "\udfff\n::error::x", "\udc1b[31m")
"""Halves of characters, which a command line of other bytes and JSON can hold."""

_DIRECTING: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def steers(character: str) -> bool:
    """Whether a character, other than the end of a line, steers a terminal or an editor."""
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in _DIRECTING
        or character in "\u061c\u200e\u200f"
    )


def in_toml(text: str) -> str:
    """A TOML string with this text as its value."""
    return '"' + "".join(f"\\U{ord(c):08x}" if not c.isalnum() else c for c in text) + '"'
