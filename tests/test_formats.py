"""The page of JSON formats says what the commands print, key by key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests import journals
from tests.conftest import Site

PAGE: Final = Path(__file__).parents[1].joinpath("docs/formats.md").read_text("utf-8")
EXAMPLES: Final = re.findall(
    r"## `flux2build (\w+) --json`(?:(?!\n## ).)*?```json\n(.*?)```", PAGE, re.DOTALL
)
OF_EDITS: Final = {"watch", "build", "check", "diff"}
"""Shown elsewhere: they need an edit, a failure, a finding or a commit."""


def shape(value: Any) -> Any:
    """The keys of a document and of the first row of each of its lists."""
    if isinstance(value, dict):
        # What a table is keyed by may be data, as the sources of a sum are.
        return {key: shape(each) for key, each in value.items() if key not in {"sources", "prices"}}
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict) else []
    return None


@pytest.fixture
def busy(site: Site) -> Site:
    """A site with an orphan and an order in doubt."""
    site.run("build")
    site.edit("assets.toml", "[asset.icon]", "[asset.bell]")
    sent = journals.intended("a1", project=str(site.folder))
    journals.wrote(sent)
    return site


def test_every_command_has_its_format() -> None:
    """Each format is described once."""
    names = [name for name, _ in EXAMPLES]

    assert len(names) == len(set(names))
    assert {"plan", "check", "list", "orders", "cost", "models", "doctor", "watch"} <= set(names)


@pytest.mark.parametrize(
    ("command", "example"),
    [pytest.param(*pair, id=pair[0]) for pair in EXAMPLES if pair[0] not in OF_EDITS],
)
def test_the_example_has_the_keys(busy: Site, command: str, example: str) -> None:
    """What a page shows of a document is what is printed, no key more and none less."""
    if command == "init":
        busy.folder.joinpath("assets.toml").unlink()
    printed = json.loads(busy.run(command, "--json").out)

    assert shape(printed) == shape(json.loads(example))


def test_a_build_and_a_check(busy: Site) -> None:
    """So are the documents of what was done and of what was found."""
    wanted = {name: shape(json.loads(example)) for name, example in EXAMPLES}
    assert shape(json.loads(busy.run("check", "--json").out)) == wanted["check"]
    done = shape(json.loads(busy.run("build", "--json").out))
    assert done.keys() == wanted["build"].keys()
    assert done["done"] == wanted["build"]["done"]
