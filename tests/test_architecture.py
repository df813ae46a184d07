"""The shape of the code: layers, doors, sizes, and the few habits that a linter cannot hold."""

from __future__ import annotations

import ast
import logging
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from importlinter.cli import lint_imports

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "flux2build"
MODULES: Final = sorted(PACKAGE.rglob("*.py"))
TESTS: Final = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES: Final = 400
MOST_LINES_OF_A_FUNCTION: Final = 60
FAMILIES: Final = {
    "checks": "CHECK",
    "commands": "COMMAND",
    "documents": "DOCUMENT",
    "ops": "OP",
    "providers": "PROVIDER",
}
LAZY: Final = {
    "app.py": "the composition root wires only what a command needs",
    "command.py": "completion reads a spec only when the shell asks",
    "entry.py": "the call with nothing to do imports nothing else",
}
BROAD: Final = {
    "signing.py": "a stranger's manifest may do anything to the library",
    "cli.py": "a bug becomes a paste-ready report",
    "picture.py": "decoders raise anything for hostile bytes",
    "thumbs.py": "decoders raise anything for hostile bytes",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """A file's name for people."""
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only cleans up and lets the exception go on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def contracts() -> dict[str, dict[str, Any]]:
    """The import contracts of pyproject.toml, by their id."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract for contract in config["tool"]["importlinter"]["contracts"]}


def floors() -> list[list[str]]:
    """The layers, top to bottom, each with its modules."""
    layers = contracts()["layers"]["layers"]
    return [[module.strip(" ()") for module in layer.split("|")] for layer in layers]


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    """Each module of the package."""
    path: Path = request.param
    return path


@pytest.fixture
def tree(module: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(module.read_bytes())


@pytest.fixture
def import_linter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place to run import-linter from, whose traces are removed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    known = dict(logging.root.manager.loggerDict)
    yield
    for logger in logging.root.manager.loggerDict.keys() - known.keys():
        logging.getLogger(logger).handlers.clear()


@pytest.mark.usefixtures("import_linter")
def test_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    """Every import contract of pyproject.toml is kept."""
    config = str(ROOT / "pyproject.toml")
    status = lint_imports(config_filename=config, no_cache=True, no_logo=True)

    assert status == 0, capsys.readouterr().out


def test_floors_are_complete() -> None:
    """Every module of the package has a floor, and every floor names modules that exist."""
    present = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    present -= {"__init__", "__main__"}

    assert {name for floor in floors() for name in floor} == present


def test_deciding_is_pure() -> None:
    """Everything from the families down is held to touch nothing."""
    names = [set(floor) for floor in floors()]
    first = next(n for n, floor in enumerate(names) if "providers" in floor)
    decides = {f"flux2build.{name}" for floor in names[first:] for name in floor}

    assert set(contracts()["pure"]["source_modules"]) == decides


def test_length(module: Path) -> None:
    """A module can be read in one sitting."""
    lines = module.read_bytes().count(b"\n")

    assert lines <= MOST_LINES


def test_function_length(tree: ast.Module) -> None:
    """A function fits on a screen."""
    long = [
        f"{function.name} has {lines} lines"
        for function in functions(tree)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]

    assert long == []


def test_docstring(module: Path, tree: ast.Module) -> None:
    """Every module says in a sentence what it is for."""
    assert ast.get_docstring(tree), name_of(module)


def test_names(module: Path) -> None:
    """A module is named by a noun of the domain, not by being useful."""
    assert module.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def test_imports_stand_at_the_top(module: Path, tree: ast.Module) -> None:
    """Imports inside functions are for the few modules that keep the start fast."""
    if module.name in LAZY:
        pytest.skip(LAZY[module.name])
    inside = [
        f"line {node.lineno}"
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


def test_nothing_is_swallowed(module: Path, tree: ast.Module) -> None:
    """Exceptions are caught by name; the few places that catch all of them say why."""
    if module.name in BROAD:
        pytest.skip(BROAD[module.name])
    broad = [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and not raises_again(node)
        for caught in ast.walk(node.type or ast.Name("BaseException"))
        if isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"}
    ]

    assert broad == []


@pytest.mark.parametrize("family", FAMILIES)
def test_members_end_in_their_contract(family: str) -> None:
    """The last statement of a member binds it, typed, so that it is verified in place."""
    members = [path for path in (PACKAGE / family).glob("*.py") if not path.stem.startswith("_")]
    last = {path.stem: ast.parse(path.read_bytes()).body[-1] for path in members}
    wrong = [
        name
        for name, node in last.items()
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == FAMILIES[family]
            and ast.unparse(node.annotation).startswith("Final[")
        )
    ]

    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES)
def test_members_have_tests(family: str) -> None:
    """One more member is one more file and one more test."""
    members = {path.stem for path in (PACKAGE / family).glob("*.py")} - {"__init__"}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / family).glob("*.py")}

    assert sorted(members - tested) == []


@pytest.mark.parametrize("test", TESTS, ids=name_of)
def test_tests_patch_nothing(test: Path) -> None:
    """Seams are arguments: no test reaches for `unittest.mock`."""
    imported = {
        alias.name
        for node in ast.walk(ast.parse(test.read_bytes()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
    }

    assert not {name for name in imported if name.split(".")[-1] == "mock"}


@pytest.mark.parametrize("test", TESTS, ids=name_of)
def test_tests_state_laws(test: Path) -> None:
    """Every test says in a sentence what must hold."""
    silent = [
        function.name
        for function in functions(ast.parse(test.read_bytes()))
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert silent == []
