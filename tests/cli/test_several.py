"""One command for several specs."""

from __future__ import annotations

import json
import os

import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.golden import text
from tests.simulated import charges, order_from, serving

SPEC = '[defaults]\nwidth = 64\nheight = 64\n[asset.fox]\nprompt = "a fox of {}"\n'


@pytest.fixture
def three(empty: Site) -> Site:
    """A repository with three specs, one of them wrong, and one that is not its own."""
    for name in ("a", "b", "node_modules/c"):
        empty.write(f"{name}/assets.toml", SPEC.format(name))
    empty.write("wrong/assets.toml", "[asset.fox]\nprmpt = 1\n")
    return empty


def test_each_spec_is_built_and_all_are_summed_up(three: Site) -> None:
    """A mistake in one spec does not keep the others; the gravest exit code is that of all."""
    ran = three.run("build", "--all")

    assert ran.code == Exit.USAGE
    assert ran.err.splitlines()[-1] == "3 specs, 2 in order, wrong/assets.toml with exit code 2."
    assert {"a/fox.png", "b/fox.png"} <= three.files().keys()
    assert "node_modules/c/fox.png" not in three.files()
    assert three.run("build", "-f", "a/assets.toml", "-f", "b/assets.toml").err == text("""
        a/assets.toml:
        Up to date (default): 1 file. Nothing to do.

        b/assets.toml:
        Up to date (default): 1 file. Nothing to do.

        2 specs, 2 in order.
        """)


def test_json_is_a_line_for_each_spec(three: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs read one document on each line, with the name of its spec; a variable names several."""
    monkeypatch.setenv("FLUX2BUILD_FILE", os.pathsep.join(("a/assets.toml", "b/assets.toml")))

    documents = [json.loads(line) for line in three.run("plan", "--json").out.splitlines()]

    assert [each["spec"] for each in documents] == ["a/assets.toml", "b/assets.toml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "--all", "--output-format", "sarif"), "`--output-format sarif` is about one spec"),
        (("plan", "--all", "-o", "p.plan"), "`--output` is about one spec"),
        (("plan", "--all", "-f", "a/assets.toml"), "`--all` and `--file` name different specs"),
        (("show", "-f", "a", "-f", "b", "fox"), "`--file` is given 2 times and takes one value"),
    ],
)  # fmt: skip
def test_what_is_about_one_spec(three: Site, words: tuple[str, ...], message: str) -> None:
    """What cannot be said of several specs is refused."""
    ran = three.run(*words)

    assert ran.code == Exit.USAGE
    assert message in ran.err


def test_a_cap_is_one_for_all(three: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--max-cost` bounds what all specs cost together."""
    for name in ("a", "b"):
        three.edit(f"{name}/assets.toml", "[defaults]\n", '[defaults]\nprovider = "bfl"\n')
    with serving() as server:
        order_from(server.base_url, monkeypatch)

        ran = three.run("build", "-f", "a/assets.toml", "-f", "b/assets.toml", "--max-cost", "0.05")

        assert ran.code == Exit.BUDGET
        assert charges(server) == 1
    assert ran.err.splitlines()[-1] == (
        "2 specs, 1 in order, b/assets.toml with exit code 4. Spent: $0.03."
    )
