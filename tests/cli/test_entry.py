"""The entry point: calls with nothing to do are answered without the parser."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from click.core import ParameterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from flux2build.cli.call import choice_of, common_options
from flux2build.cli.command import COMMANDS
from flux2build.cli.parser import MAIN
from flux2build.cli.plain import read
from flux2build.cli.plain_call import function_of
from flux2build.errors import Exit
from flux2build.session.consent import Terms
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


@pytest.mark.parametrize(
    "words",
    [["-q"], ["--yes"], ["plan", "--exit-code"], ["check", "--strict", "--quiet"]],
    ids=" ".join,
)
def test_options_that_change_no_answer_import_nothing(site: Site, words: list[str]) -> None:
    """Where there is nothing to do, options that only matter otherwise cost nothing."""
    assert site.run("build").code == Exit.DONE
    quick = site.run(*words)

    assert imported(site, *words) & HEAVY == set()
    shutil.rmtree(site.folder / ".flux2build")
    assert site.run(*words) == quick


@pytest.mark.parametrize(
    "words", [["build", "hero"], ["--color", "never"], ["-pfinal"], ["graph"]], ids=" ".join
)
def test_everything_else_is_parsed(site: Site, words: list[str]) -> None:
    """A line that is not plain is handed to the parser."""
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


NAMES: Final = st.sampled_from(["-f", "-p", "--file", "--profile", "--output-format"])
FLAGS: Final = st.sampled_from(
    [
        *("--json", "-q", "--quiet", "-v", "-vv", "-vq", "--verbose", "-y", "--yes", "--trust-pr"),
        *("--exit-code", "--strict", "--prof", "--", "-", "--all", "--dry-run", "-j"),
    ]
)
TEXTS: Final = st.sampled_from(
    ["", "x", "=", "-", "-p", "--help", "plan", "hero-*", "a=b", "json", "full"]
) | st.text(max_size=2)
OPTIONS: Final = st.one_of(
    st.tuples(FLAGS),
    st.tuples(NAMES, TEXTS),
    st.tuples(st.builds("{}={}".format, NAMES | FLAGS, TEXTS)),
    st.tuples(st.builds("{}{}".format, NAMES | FLAGS, TEXTS)),
    st.tuples(TEXTS),
)
NAMED: Final = st.sampled_from([(), ("build",), ("plan",), ("check",), ("list",)])
VALUES: Final = st.sampled_from([None, "", "x", "=y"])


def parsed(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The command, and the values of parameters, as the parser reads them, without its defaults."""
    root = MAIN.make_context("flux2build", list(words))
    name, command, rest = MAIN.resolve_command(root, [*root._protected_args, *root.args])
    assert name
    assert command
    context = command.make_context(name, rest, root)
    said = {
        param: value
        for param, value in context.params.items()
        if context.get_parameter_source(param) is not ParameterSource.DEFAULT and value != ()
    }
    if isinstance(files := said.get("file"), tuple):
        (said["file"],) = files
    return name, said


@given(NAMED, st.lists(OPTIONS, max_size=4), VALUES, VALUES)
@settings(max_examples=400)
def test_a_plain_line_means_the_same_to_the_parser(
    command: tuple[str, ...], options: list[tuple[str, ...]], file: str | None, profile: str | None
) -> None:
    """What is read without the parser is what the parser reads."""
    words = [*command, *(word for option in options for word in option)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("FLUX2BUILD_FILE", file), ("FLUX2BUILD_PROFILE", profile)):
            if value is not None:
                patch.setenv(name, value)
        if (plain := read(words)) is not None:
            assert parsed(words) == plain


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ([], ("build", {})),
        (["plan", "-p", "final"], ("plan", {"profile": "final"})),
        (["--profile=final", "-f", "x=y"], ("build", {"profile": "final", "file": "x=y"})),
        (["-q", "-y"], ("build", {"quiet": True, "yes": True})),
        (["plan", "-vv", "--verbose", "--json"], ("plan", {"verbose": 3, "json": True})),
        (
            ["plan", "a", "--exit-code", "b=c"],
            ("plan", {"selection": ("a", "b=c"), "exit_code": True}),
        ),
        (
            ["check", "--output-format", "github", "--strict"],
            ("check", {"output_format": "github", "strict": True}),
        ),
        (["check", "--output-format", "githu"], None),
        (["list", "a", "--json"], ("list", {"selection": ("a",), "json": True})),
        (["check", "--exit-code"], None),
        (["check", "-p", "a", "-p", "b"], None),
        (["--json", "plan"], None),
        (["build", "hero"], None),
        (["plan", ""], None),
        (["plan", "--", "x"], None),
        (["plan", "--json=1"], None),
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
def test_what_is_plain(words: list[str], plain: tuple[str, dict[str, Any]] | None) -> None:
    """The common forms of the common options need no parser; odd ones are left to it."""
    assert read(words) == plain


@pytest.mark.parametrize("name", ["build", "check", "list", "plan"])
def test_what_a_plain_line_leaves_out(name: str) -> None:
    """What is not said is for the function of a command what it is for the parser."""
    defaults = COMMANDS[name].make_context(name, []).params
    assert (defaults.pop("file"), defaults.pop("all", False)) in [((), False), (None, False)]

    assert common_options(defaults) == common_options({})
    assert choice_of(defaults) == choice_of({})
    parameters = inspect.signature(function_of(name)).parameters.values()
    own = {each.name: each.default for each in parameters}
    own |= {each.name: each.default for each in fields(Terms)} if name == "build" else {}
    assert defaults == {said: own[said] for said in defaults}


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
