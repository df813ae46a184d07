"""The command lines in messages work when they are pasted."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flux2build
from flux2build.cli.parser import MAIN
from flux2build.session.command_lines import Context
from flux2build.session.common_options import Choice, CommonOptions
from tests.conftest import Site

LINE: Final = re.compile(r"`(flux2build(?: [^`]*)?)`")
SAMPLES: Final = {"ORDER": "1234abcd", "USD": "2.50"}


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module, with a word for each value that is put into it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def advised() -> list[str]:
    """Every command line that stands in a text of the package."""
    package = Path(flux2build.__file__).parent
    trees = (ast.parse(path.read_text("utf-8")) for path in package.rglob("*.py"))
    return sorted({line for tree in trees for text in texts(tree) for line in LINE.findall(text)})


def parse(line: str) -> None:
    """Parse a command line as the command itself does, without running it."""
    with suppress(click.exceptions.Exit):  # `--help` ends with that
        _parse(line)


def _parse(line: str) -> None:
    words = [SAMPLES.get(word, word) for word in shlex.split(line)[1:]]
    command: click.Command | None = MAIN
    parent: click.Context | None = None
    while command is not None:
        parent = command.make_context(command.name, words, parent=parent)
        group = command if isinstance(command, click.Group) else None
        words = [*parent._protected_args, *parent.args]  # where click keeps them
        _, command, words = group.resolve_command(parent, words) if group else ("", None, [])


ADVISED: Final = advised()


@pytest.mark.parametrize("line", ADVISED)
def test_advised_command_lines_are_valid(line: str) -> None:
    """The parser takes every command line that a message advises, whatever it was called with."""
    options = CommonOptions(file="a site/assets.toml", profile="final", env_file=".env")
    context = Context(options, Choice(("hero", "tag:brand"), exclude=("icon",)))

    parse(line)
    for complete in LINE.findall(context.complete(f"`{line}`")):
        parse(complete)


NAMES: Final = st.text("ab '$-`\n", min_size=1, max_size=6)


@given(st.sampled_from(ADVISED), NAMES, NAMES, NAMES)
def test_a_completed_line_stays_as_it_is(line: str, profile: str, file: str, word: str) -> None:
    """What is said twice is completed once."""
    context = Context(CommonOptions(profile=profile, file=file), Choice((word,), (word,)))
    text = f"`{line}`"

    assert context.complete(context.complete(text)) == context.complete(text)


@pytest.mark.parametrize(
    ("line", "complete"),
    [
        ("plan", "plan -p final -f site/assets.toml 'hero[theme=dark]'"),
        ("build --force 'icon'", "build --force 'icon' -p final -f site/assets.toml 'hero[theme=dark]'"),
        ("build icon", "build icon -p final -f site/assets.toml"),
        ("plan -p draft", "plan -p draft -f site/assets.toml 'hero[theme=dark]'"),
        ("prune", "prune -p final -f site/assets.toml"),
        ("orders list", "orders list -f site/assets.toml"),
        ("models", "models"),
    ],
)  # fmt: skip
def test_what_is_repeated(line: str, complete: str) -> None:
    """Spec and profile are repeated where they mean something, and so is the selection."""
    options = CommonOptions(file="site/assets.toml", profile="final")
    context = Context(options, Choice(("hero[theme=dark]",)))

    assert context.complete(f"see `flux2build {line}`") == f"see `flux2build {complete}`"


def test_hints_repeat_what_a_command_was_called_with(site: Site) -> None:
    """A finding, an error and a plan advise command lines about the same profile and assets."""
    advice = "`flux2build plan -p final mascot` shows the price"
    assert advice in site.run("check", "-p", "final", "mascot").out
    assert advice in site.run("check", "-p", "final", "mascot", "--json").out


def test_errors_repeat_what_a_command_was_called_with(site: Site) -> None:
    """So does an error that ends a command."""
    site.write("sub/assets.toml", '[asset.a]\nprompt = "x"\n')

    ran = site.run("init", "-f", "sub/assets.toml")

    assert "`flux2build plan -f sub/assets.toml` shows what it would make" in ran.err
