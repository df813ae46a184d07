"""Families know the names of their members, and import a member when it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flux2build.checks import CHECKS
from flux2build.cli.command import COMMANDS
from flux2build.images.ops import OPS
from flux2build.providers import PROVIDERS
from flux2build.registry import Family

SCRIPT = """
import sys
from flux2build.images.ops import OPS
assert "crop" in OPS and "contract" not in OPS and len(OPS) == len(list(OPS))
assert OPS.get("nonsense") is None and OPS["crop"].name == "crop"
print(*(name for name in sys.modules if name.startswith("flux2build.images.ops.")))
"""


def test_only_the_member_that_is_asked_for_is_imported() -> None:
    """Names, counts and unknown members import nothing."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert set(ran.stdout.split()) == {
        "flux2build.images.ops.contract",
        "flux2build.images.ops.crop",
    }


@pytest.mark.parametrize("name", ["contract", "nonsense", "../crop", ""])
def test_modules_besides_the_members_are_not_found(name: str) -> None:
    """A name from a spec imports nothing but members."""
    with pytest.raises(KeyError):
        OPS[name]


@pytest.mark.parametrize(
    "family", [CHECKS, COMMANDS, OPS, PROVIDERS], ids=lambda family: family.package
)
def test_members_are_those_that_python_finds(family: Family[Any]) -> None:
    """A folder is listed as `pkgutil` lists it, whose import takes longer than most families."""
    folders = importlib.import_module(family.package).__path__
    modules = {each.name for each in pkgutil.iter_modules(folders)} - family.besides

    assert list(family) == sorted(name.replace("_", "-") for name in modules)


def test_members_in_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The members of a package in a zip file are found as well."""
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for name in ("__init__", "one", "two/__init__", "contract"):
            archive.writestr(f"packed/{name}.py", "MEMBER = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")

    family = Family[int]("packed", "MEMBER", besides=frozenset({"contract"}))

    assert dict(family) == {"one": 1, "two": 1}
