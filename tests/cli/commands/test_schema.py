"""`flux2build schema`: what editors complete and check is what the spec really allows."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import tomli

from flux2build.errors import Exit
from tests.conftest import Site

ROOT: Final = Path(__file__).parents[3]
EXAMPLE: Final = tomli.loads((ROOT / "examples/assets.toml").read_text("utf-8"))
NAMED_BY_PEOPLE: Final = re.compile(
    r"vars($|\.)|(profile|style|asset)$|asset\.\w+\.(matrix|prompt|profile|vars)($|\.)"
)
"""Tables whose keys are names that people choose."""

Path_ = tuple[str | int, ...]


@pytest.fixture
def schema(empty: Site) -> dict[str, Any]:
    """The schema as it is printed."""
    ran = empty.run("schema")
    assert (ran.code, ran.err) == (Exit.DONE, "")
    document: dict[str, Any] = json.loads(ran.out)
    return document


def tables(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The paths of all tables of a document."""
    if isinstance(node, dict):
        yield path
    rows = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in rows:
        if isinstance(value, dict | list):
            yield from tables(value, (*path, key))


def at(document: Any, path: Path_) -> Any:
    """What is at a path of a document."""
    for key in path:
        document = document[key]
    return document


def dotted(path: Path_) -> str:
    """A path without the numbers of rows."""
    return ".".join(str(key) for key in path if isinstance(key, str))


def keys() -> list[tuple[Path_, str]]:
    """Every key of the example that the language gives a meaning to."""
    return [
        (path, key)
        for path in tables(EXAMPLE)
        if not NAMED_BY_PEOPLE.search(dotted(path))
        for key in at(EXAMPLE, path)
    ]


def nodes(node: Any) -> Iterator[Any]:
    """Every value in a schema, however deep."""
    yield node
    values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in values:
        yield from nodes(value)


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    """It is valid by the rules of its own dialect."""
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_it_has_no_null(schema: dict[str, Any]) -> None:
    """TOML has no null, so nothing asks for one, and no editor offers one."""
    assert not [node for node in nodes(schema) if node is None or node == "null"]


def test_the_example_fulfils_it(schema: dict[str, Any]) -> None:
    """What works is not marked as wrong."""
    jsonschema.Draft202012Validator(schema).validate(EXAMPLE)


def test_the_documents_fulfil_it(schema: dict[str, Any]) -> None:
    """Whole specs in the documents are not marked as wrong."""
    validator, examples = jsonschema.Draft202012Validator(schema), 0
    for page in ("README.md", "docs/spec.md"):
        text = (ROOT / page).read_text("utf-8")
        for snippet in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
            if re.search(r"^\[asset\.", snippet, re.MULTILINE):
                validator.validate(tomli.loads(snippet))
                examples += 1

    assert examples > 3


def test_typing_errors_are_marked(schema: dict[str, Any]) -> None:
    """Any key of the language with a letter too many is wrong, wherever it stands."""
    validator = jsonschema.Draft202012Validator(schema)
    missed = []
    for path, key in keys():
        document = copy.deepcopy(EXAMPLE)
        table = at(document, path)
        table[f"{key}x"] = table.pop(key)
        if validator.is_valid(document):
            missed.append((dotted(path), key))

    assert len(keys()) > 50
    assert missed == []


@pytest.mark.parametrize(
    "wrong",
    [
        "asset.a.width = '64'",
        "asset.a.prompt = 3",
        "asset.a.tags = 'one'",
        "project.output = false",
        "profile.final.provider = 'blf'",
        "budget.per_run = 'much'",
        "[[asset.a.deliver]]\npath = 'x.png'\nops = [{ op = 'corp' }]",
        "[[asset.a.deliver]]\npath = 'x.png'\nops = [{ op = 'crop', ratoi = '1:1' }]",
        "[[asset.a.deliver]]\npath = 'x.png'\nformats = ['gif']",
    ],
)
def test_wrong_values_are_marked(schema: dict[str, Any], wrong: str) -> None:
    """So are values of another kind, providers, operations and formats that do not exist."""
    assert not jsonschema.Draft202012Validator(schema).is_valid(tomli.loads(wrong))
