"""Without a home, as in some containers, everything works that only reads."""

from __future__ import annotations

import sys

import pytest

from flux2build.errors import Exit
from tests.conftest import Site

if sys.platform == "win32":
    pytest.skip("Windows has no users without a name", allow_module_level=True)

import pwd


@pytest.fixture
def homeless(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A built site, opened by somebody of whom nothing says where their home is."""
    assert site.run("build").code == Exit.DONE
    for name in ("HOME", "FLUX2BUILD_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def getpwuid(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    return site


@pytest.mark.parametrize("words", [["check"], ["plan"], ["list"], ["show", "mascot"]])
def test_reading_needs_no_home(homeless: Site, words: list[str]) -> None:
    """There is no configuration to read, and nothing was bought by nobody."""
    ran = homeless.run(*words)

    assert (ran.code, "home" in ran.err) == (Exit.DONE, False)


@pytest.mark.parametrize("words", [["build"], ["orders"], ["cost"]])
def test_what_needs_the_home_says_so(homeless: Site, words: list[str]) -> None:
    """Store and ledger have no place: exit 6, and what to set."""
    homeless.edit("assets.toml", "a friendly fox", "a shy fox")
    before = homeless.files()

    ran = homeless.run(*words)

    assert ran.code == Exit.SYSTEM
    assert "there is no home folder to keep store and ledger in" in ran.err
    assert "hint: set `HOME`, or `FLUX2BUILD_HOME` to a folder that stays" in ran.err
    assert homeless.files() == before


def test_the_doctor_says_so(homeless: Site) -> None:
    """It examines the rest all the same."""
    ran = homeless.run("doctor")

    assert ran.code == Exit.SYSTEM
    assert "there is no home folder" in ran.out
    assert "signing" in ran.out
