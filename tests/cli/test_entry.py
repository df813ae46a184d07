"""The door: calls with nothing to do are answered without the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

from flux2build.errors import Exit
from tests.conftest import Site

HEAVY: Final = {"click", "httpx", "jinja2", "networkx", "pathlib", "PIL", "pydantic", "rich"}
SCRIPT: Final = (
    "import sys; from flux2build.cli.entry import main; code = main(sys.argv[1:]); "
    "print(*sys.modules, file=open('modules', 'w')); sys.exit(code)"
)


def imported(site: Site, *words: str, **variables: str) -> set[str]:
    """The top-level modules that a call has imported once it has ended well."""
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=site.folder,
        env={**os.environ, **variables},
        capture_output=True,
        check=True,
    )
    return set(site.folder.joinpath("modules").read_text("utf-8").split())


@pytest.mark.parametrize(
    "words", [[], ["build"], ["plan"], ["check"], ["plan", "-f", "assets.toml"]], ids=str
)
def test_nothing_to_do_imports_nothing(site: Site, words: list[str]) -> None:
    """A clean tree is told clean by the index alone."""
    assert site.run("build").code == Exit.DONE

    assert imported(site, *words) & HEAVY == set()


@pytest.mark.parametrize("variable", ["FLUX2BUILD_SIGN_CERT", "FLUX2BUILD_SIGN_KEY"])
def test_a_certificate_changes_no_answer(site: Site, variable: str) -> None:
    """Where there is nothing to do, it does not matter what could be signed with."""
    assert site.run("build").code == Exit.DONE

    assert imported(site, "check", **{variable: "key.pem"}) & HEAVY == set()


@pytest.mark.parametrize("words", [["--json"], ["plan", "mascot"], ["-q"], ["list"]], ids=str)
def test_everything_else_is_parsed(site: Site, words: list[str]) -> None:
    """Whatever asks for more than one sentence is handed to the parser."""
    assert site.run("build").code == Exit.DONE

    assert "click" in imported(site, *words)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("FLUX2BUILD_JSON", "1"), ("FLUX2BUILD_QUIET", "1"), ("FLUX2BUILD_EXCLUDE", "icon")],
)
def test_variables_are_heeded(site: Site, variable: str, value: str) -> None:
    """A variable that changes the answer is not overlooked."""
    assert site.run("build").code == Exit.DONE

    assert "click" in imported(site, "plan", **{variable: value})


def test_an_edit_is_noticed(site: Site) -> None:
    """The index answers for what it has seen, and not for what came after."""
    assert site.run("build").code == Exit.DONE
    assert site.run("plan", "--exit-code").code == Exit.DONE
    site.edit("assets.toml", "a bell", "a drum")

    assert "icon" in site.run("plan").out
    assert site.run("check").code == Exit.DRIFT


def test_nobody_reads(site: Site) -> None:
    """The short answer too may be cut off by its reader."""
    assert site.run("build").code == Exit.DONE
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        ran = subprocess.run(
            [sys.executable, "-m", "flux2build", "plan"],
            cwd=site.folder,
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert (ran.returncode, ran.stderr) == (Exit.DONE, b"")
