"""Exact texts of whole commands, written where they are compared."""

from __future__ import annotations

import textwrap


def text(indented: str) -> str:
    """A text as it is indented in a test."""
    return textwrap.dedent(indented).lstrip("\n")


def sorted_lines(said: str) -> str:
    """Lines in an order of their own: what happens at once is told in any order."""
    return "".join(sorted(said.splitlines(keepends=True)))
