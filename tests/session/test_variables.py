"""Which names of variables are read, and what is said of the others."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from flux2build.cli.command import variables as options
from flux2build.errors import UsageError
from flux2build.session import variables
from flux2build.session.settings import read

PACKAGE = Path(variables.__file__).parents[1]


def test_every_variable_of_the_package_is_known() -> None:
    """A name in the code is known as a variable, and so is every option."""
    sources = PACKAGE.rglob("*.py")
    named = {
        name
        for path in sources
        for name in re.findall(r"\bFLUX2BUILD_[A-Z]+(?:_[A-Z]+)*\b", path.read_text("utf-8"))
    }

    known = variables.PROCESS | variables.settings() | options()
    assert named <= known
    variables.refuse_unknown(known, options)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("FLUX2BUILD_MAXCOST", "MAX_COST"), ("FLUX2BUILD_BLF_URL", "BFL_URL"), ("FLUX2BUILD_", "")],
)
def test_an_unknown_variable(name: str, meant: str) -> None:
    """A variable that is named like ours and is not is refused, with the nearest name."""
    with pytest.raises(UsageError) as caught:
        variables.refuse_unknown({name: "1", "PATH": "/bin", "FLUX2BUILD_YES": "1"}, options)

    (problem,) = caught.value.problems
    assert f"`{name}` is not a variable that flux2build reads" in problem.message
    assert f"FLUX2BUILD_{meant}" in str(problem.hint) or not meant


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("FLUX2BUILD_MAXCOST=1", "`FLUX2BUILD_MAXCOST` is not a variable"),
        ("FLUX2BUILD_MAX_COST=1", "`FLUX2BUILD_MAX_COST` is read from the environment only"),
        ("BLF_API_KEY=k", "`BLF_API_KEY` is not a variable"),
        ("bfl_api_key=k", "`bfl_api_key` is not a variable"),
        ("DATABASE_URL=postgres://x", None),
        ("BFL_API_KEY=k\nHTTPS_PROXY=http://p:1\nFLUX2BUILD_BFL_URL=http://x", None),
    ],
)
def test_a_name_in_an_env_file(tmp_path: Path, line: str, message: str | None) -> None:
    """A `.env` belongs to other programs too: only a name that looks like ours must be one."""
    file = tmp_path / ".env"
    file.write_text(f"OTHER=1\n{line}\n", encoding="utf-8")
    if message is None:
        assert read(str(file)).env_file["OTHER"] == "1"
        return

    with pytest.raises(UsageError) as caught:
        read(str(file))

    (problem,) = caught.value.problems
    assert message in problem.message
    assert str(problem.place) == f"{file}:2:1"


def test_a_name_of_the_shell_in_an_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the shell has from the same file is heeded there, and may stand in it."""
    file = tmp_path / ".env"
    file.write_text("FLUX2BUILD_MAX_COST=1\n", encoding="utf-8")
    monkeypatch.setenv("FLUX2BUILD_MAX_COST", "1")

    assert read(str(file)).env_file == {"FLUX2BUILD_MAX_COST": "1"}


def test_a_name_in_the_configuration() -> None:
    """The user's own file holds nothing but what is read, and the line of another name is said."""
    file = Path(os.environ["FLUX2BUILD_CONFIG"])
    file.write_text('[environment]\nBFL_API_KEY = "k"\nBFL_APIKEY = "k"\n', encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        read(None)

    (problem,) = caught.value.problems
    assert problem.hint == "did you mean `BFL_API_KEY`?"
    assert str(problem.place) == f"{file}:3:1"


@pytest.mark.parametrize("there", [True, False])
def test_a_configuration_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """A configuration that the variable names must exist; the usual one need not."""
    file = tmp_path / "mine.toml"
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(file))
    if there:
        file.touch()
        assert read(None).config == {}
        return

    with pytest.raises(UsageError, match=r"mine\.toml`, which is not there"):
        read(None)
