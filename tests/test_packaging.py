"""What is installed: declared dependencies, one version, the documents around the code."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import flux2build

ROOT: Final = Path(__file__).parents[1]
MODULES: Final = sorted((ROOT / "flux2build").rglob("*.py"))
FOR_OTHERS: Final = {"sniffio"}
"""What others import: httpcore looks for it at every step, and searches the disk for a missing one."""
BY_IMPORT: Final = {
    "c2pa": "c2pa-python",
    "dotenv": "python-dotenv",
    "PIL": "pillow",
    "pydantic_core": "pydantic",
}
HEAVIEST: Final = 52
"""Megabytes that the core's dependencies may take."""


@pytest.fixture
def project() -> dict[str, Any]:
    """The `[project]` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def named(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements name."""
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def reached(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements install here: those named, and what they need."""
    names: set[str] = set()
    waiting = [need for need in map(Requirement, requirements) if _installs(need)]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in names:
            continue
        names.add(name)
        needs = map(Requirement, metadata.requires(name) or ())
        extras = ("", *wanted.extras)
        waiting += [
            need
            for need in needs
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return names


def _installs(need: Requirement) -> bool:
    """Whether a requirement is one of this system."""
    return not need.marker or need.marker.evaluate({"extra": ""})


def unpacked(name: str) -> int:
    """The bytes of a distribution's files, without what Python compiles from them."""
    files = (Path(str(file.locate())) for file in metadata.files(name) or ())
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file())


def imported() -> set[str]:
    """The top-level names that the package imports from elsewhere."""
    names: set[str] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - {"flux2build"} - sys.stdlib_module_names


def test_version(project: dict[str, Any]) -> None:
    """The package and its metadata tell the same version."""
    assert project["version"] == flux2build.__version__


def test_dependencies_are_declared(project: dict[str, Any]) -> None:
    """Whatever the package imports is installed with it, or with one of its extras."""
    extras = project["optional-dependencies"]
    declared = named(project["dependencies"])
    for extra, requirements in extras.items():
        declared |= named(requirements) if extra != "test" else set()
    wanted = {canonicalize_name(BY_IMPORT.get(name, name)) for name in imported()}

    assert wanted - declared == set()


def test_dependencies_are_used(project: dict[str, Any]) -> None:
    """Whatever is installed with the package is imported by it, or by what it stands on."""
    wanted = {canonicalize_name(BY_IMPORT.get(name, name)) for name in imported()} | FOR_OTHERS

    assert named(project["dependencies"]) - wanted == set()


def test_the_core_is_light(project: dict[str, Any]) -> None:
    """What `pip install flux2build` unpacks beside it stays within its budget."""
    megabytes = {name: unpacked(name) / 1e6 for name in reached(project["dependencies"])}

    assert sum(megabytes.values()) <= HEAVIEST, sorted(megabytes.items(), key=lambda item: -item[1])


def test_what_a_dependency_costs_is_written_down(project: dict[str, Any]) -> None:
    """CONTRIBUTING has a row for every dependency, with what it is for, and no other row."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| \d+\.\d \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)

    assert rows == sorted(named(project["dependencies"]))


def test_entry_point(project: dict[str, Any]) -> None:
    """`flux2build` names a function that exists."""
    module, _, function = project["scripts"]["flux2build"].partition(":")

    assert callable(getattr(importlib.import_module(module), function))


def test_typed() -> None:
    """Type checkers of other projects read our annotations."""
    assert (ROOT / "flux2build" / "py.typed").is_file()


def test_changelog(project: dict[str, Any]) -> None:
    """The changelog has a place for the next change."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## [Unreleased]" in text or f"## [{project['version']}]" in text


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda path: path.name
)
def test_links(page: Path) -> None:
    """Every link inside the repository leads somewhere."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"", text)
    paths = [link or image for link, image in links]
    broken = [
        path
        for path in paths
        if not re.match(r"[a-z]+:", path) and not (page.parent / path).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github/workflows").glob("*.yml")))
def test_actions_are_pinned(workflow: Path) -> None:
    """Workflows run actions by commit, start without permissions, and see no secret."""
    text = workflow.read_text(encoding="utf-8")
    uses = re.findall(r"uses:\s*(\S+)", text)

    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in uses)
    assert "\npermissions: {}\n" in text
    assert "secrets." not in text
