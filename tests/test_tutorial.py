"""The first hour is typed from its page: each command answers as the page says.

`WRITE_DOCS=1 python -m pytest tests/test_tutorial.py` writes the answers anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Site
from tests.golden import sorted_lines
from tests.simulated import serving

PAGE: Final = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK: Final = re.compile(r"^```(console|diff|toml)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PRACTICE: Final = "http://127.0.0.1:8642"
"""Where the page has its simulated provider."""
TASK: Final = re.compile(r"task=[0-9a-f-]{36}")


@dataclass
class Reader:
    """Somebody who does what the page says."""

    site: Site
    home: Path
    provider: str
    monkeypatch: pytest.MonkeyPatch

    def types(self, line: str) -> str:
        """Type a line; what it prints."""
        words = [word.replace(PRACTICE, self.provider) for word in shlex.split(line)]
        match words:
            case ["cd", folder]:
                self.site = Site(self.site.folder / folder, self.site.capture)
                self.monkeypatch.chdir(self.site.folder)
                return ""
            case ["export", setting]:
                name, value = setting.split("=")
                self.monkeypatch.setenv(name, value.replace("~", str(self.home)))
                return ""
            case ["flux2build", *arguments]:
                ran = self.site.run(*arguments)
                said = (ran.out + ran.err).replace(self.provider, PRACTICE)
                return TASK.sub("task=26118ad4-718c-44b4-9f4d-9accc7805da7", said)
            case _:
                return subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout

    def edits(self, change: str) -> None:
        """Make a change as the page shows it: the lines with a minus become those with a plus."""
        name, lines = _named(change)
        old, new = (
            "\n".join(line[1:] for line in lines.splitlines() if line[0] == mark) for mark in "-+"
        )
        self.site.edit(name, old, new)

    def adds(self, text: str) -> None:
        """Write a text at the end of a file."""
        name, lines = _named(text)
        path = self.site.folder / name
        self.site.write(name, f"{path.read_text('utf-8')}\n{lines}" if path.exists() else lines)


def _named(block: str) -> tuple[str, str]:
    """The file that a block names in its first line, and the rest."""
    head, _, rest = block.partition("\n")
    return head.removeprefix("--- "), rest


def session(block: str, reader: Reader) -> Iterator[str]:
    """A block with the answers that the reader gets.

    What runs at the same time is told in any order, so an answer with the lines of the
    page is the page's.
    """
    for typed in re.findall(r"^\$ .*\n(?:(?!\$ ).*\n)*", block, re.MULTILINE):
        line, _, shown = typed.partition("\n")
        answer = reader.types(line.removeprefix("$ "))
        yield f"{line}\n{shown if sorted_lines(answer) == sorted_lines(shown) else answer}"


def test_tutorial(
    empty: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each command of the page prints what the page shows."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    text = PAGE.read_text("utf-8")
    with serving() as provider:
        reader = Reader(empty, tmp_path, str(provider.base_url), monkeypatch)

        def done(block: re.Match[str]) -> str:
            kind, body = block[1], block[2]
            if kind == "diff":
                reader.edits(body)
            elif kind == "toml":
                reader.adds(body)
            else:
                body = "".join(session(body, reader))
            return f"```{kind}\n{body}```\n"

        typed = BLOCK.sub(done, text)
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(typed, encoding="utf-8")

    assert typed == text
