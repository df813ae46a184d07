"""Helpers for comparing the exact output of commands with texts inside tests."""

from __future__ import annotations

import textwrap


def text(indented: str) -> str:
    """Return a text without the indentation that it has in a test."""
    return textwrap.dedent(indented).lstrip("\n")


def sorted_lines(said: str) -> str:
    """Return sorted lines, because concurrent work is reported in any order."""
    return "".join(sorted(said.splitlines(keepends=True)))
