"""Families know the names of their members, and import a member when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flux2build.images.ops.contract import OPS

SCRIPT = """
import sys
from flux2build.images.ops.contract import OPS
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
