"""The entry point: calls with nothing to do are answered without the parser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.cli.entry import _quick
from flux2build.cli.parser import MAIN
from flux2build.errors import Exit
from tests.conftest import Site
from tests.imported import HEAVY, imported


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
    [
        ("FLUX2BUILD_JSON", "1"),
        ("FLUX2BUILD_QUIET", "1"),
        ("FLUX2BUILD_EXCLUDE", "icon"),
        ("FLUX2BUILD_MY_FILE", "icon"),
        ("FLUX2BUILD_CONFIG", "/nowhere"),
    ],
)
def test_variables_are_heeded(site: Site, variable: str, value: str) -> None:
    """A variable that changes the answer is not overlooked."""
    assert site.run("build").code == Exit.DONE

    assert "click" in imported(site, "plan", **{variable: value})


NAMES: Final = st.sampled_from(["-f", "-p", "--file", "--profile", "--prof", "--json", "-q", "--"])
TEXTS: Final = st.sampled_from(["", "x", "=", "-", "-p", "--help", "plan"]) | st.text(max_size=2)
OPTIONS: Final = st.one_of(
    st.tuples(NAMES, TEXTS),
    st.tuples(st.builds("{}={}".format, NAMES, TEXTS)),
    st.tuples(st.builds("{}{}".format, NAMES, TEXTS)),
    st.tuples(TEXTS),
)
COMMANDS: Final = st.sampled_from([(), ("build",), ("plan",), ("check",), ("list",)])
VALUES: Final = st.sampled_from([None, "", "x", "=y"])


def parsed(words: Sequence[str]) -> tuple[str, str | None, str | None]:
    """The command, spec and profile that the parser reads; all else must be at its default."""
    root = MAIN.make_context("flux2build", list(words))
    name, command, rest = MAIN.resolve_command(root, [*root._protected_args, *root.args])
    assert name
    assert command
    params = command.make_context(name, rest, root).params
    bare = command.make_context(name, [], root).params
    assert {**params, "file": None, "profile": None} == {**bare, "file": None, "profile": None}
    (file,) = params["file"] or (None,)
    return name, file, params["profile"]


@given(COMMANDS, st.lists(OPTIONS, max_size=3), VALUES, VALUES)
def test_the_quick_path_reads_what_the_parser_reads(
    command: tuple[str, ...], options: list[tuple[str, ...]], file: str | None, profile: str | None
) -> None:
    """Whatever is answered without the parser means the same to the parser."""
    words = [*command, *(word for option in options for word in option)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("FLUX2BUILD_FILE", file), ("FLUX2BUILD_PROFILE", profile)):
            if value is not None:
                patch.setenv(name, value)
        if (quick := _quick(words)) is not None:
            assert parsed(words) == (quick[0], quick[1] or None, quick[2] or None)


@pytest.mark.parametrize(
    ("words", "quick"),
    [
        ([], ("build", "", "")),
        (["plan", "-p", "final"], ("plan", "", "final")),
        (["--profile=final", "-f", "x=y"], ("build", "x=y", "final")),
        (["check", "-p", "a", "-p", "b"], None),
        (["-p=final"], None),
        (["--profile="], None),
        (["--profile=", "final"], None),
        (["-p", ""], None),
        (["-pfinal"], None),
        (["-p"], None),
        (["-f", "a", "-f", "b"], None),
        (["--all"], None),
    ],
    ids=str,
)
def test_what_is_quick(words: list[str], quick: tuple[str, str, str] | None) -> None:
    """The plain forms of `--file` and `--profile` need no parser; odd ones are left to it."""
    assert _quick(words) == quick


def test_parents_of_links(site: Site, tmp_path: Path) -> None:
    """`link/..` is the parent of where a link leads, to the quick path as to the parser."""
    elsewhere = tmp_path / "other" / "deep"
    elsewhere.mkdir(parents=True)
    site.folder.joinpath("link").symlink_to(elsewhere)
    assert site.run("build").code == Exit.DONE

    assert site.run("build", "-f", "link/../assets.toml").code == Exit.USAGE


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
