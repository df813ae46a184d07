"""The messages that docs/troubleshooting.md explains are messages that the code has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
MESSAGES: Final = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)


@cache
def texts() -> str:
    """Every text of the code, one a line, with `…` in place of what is filled in."""
    trees = (ast.parse(path.read_bytes()) for path in ROOT.joinpath("flux2build").rglob("*.py"))
    return "\n".join(_text(node) for tree in trees for node in ast.walk(tree))


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "…" for part in parts)
        case _:
            return ""


@pytest.mark.parametrize("message", MESSAGES)
def test_message(message: str) -> None:
    """Each heading stands in the code as it stands on the page."""
    assert message.replace("`", "") in texts().replace("`", "")


def test_bug() -> None:
    """What the page says of a bug's message is how that one begins."""
    assert "This is a bug in flux2build" in texts()
