"""The action for GitHub: its steps, run as they stand in action.yml, against a stub of the API."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from flux2build.errors import Exit
from tests.ci.composite import Composite
from tests.ci.github import GitHub, serving
from tests.conftest import Site
from tests.hostile import in_toml
from tests.repositories import begin, commit, git

ROOT: Final = Path(__file__).parents[2]
SPEC: Final = """\
[project]
output = "img"
[defaults]
width = 64
height = 64
[asset.fox]
prompt = "a red fox"
"""
pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("bash") is None, reason="needs git and bash"
)


@pytest.fixture
def site(empty: Site) -> Site:
    """A site whose pictures are committed."""
    begin(empty.folder)
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == Exit.DONE
    commit(empty.folder)
    return empty


@pytest.fixture
def github() -> GitHub:
    """A pull request without comments."""
    return GitHub()


class Runner:
    """Runs the action in a site, for its last commit as a pull request."""

    def __init__(self, site: Site, github: GitHub, folder: Path) -> None:
        self._site, self._github, self._folder = site, github, folder

    def __call__(self, **inputs: str) -> tuple[Composite, dict[str, str]]:
        """Run all steps but the installation, which has been done."""
        known = {
            "github.action_path": str(ROOT),
            "github.token": "t",
            "github.event.pull_request.number": "7",
            "github.event.pull_request.base.sha": git(self._site.folder, "rev-parse", "HEAD~1"),
            "github.event.pull_request.head.sha": git(self._site.folder, "rev-parse", "HEAD"),
            "steps.artifact.outputs.artifact-url": "https://github.example/artifact",
        }
        action = Composite(ROOT / "action.yml", known, inputs)
        command = self._folder / "flux2build"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flux2build "$@"\n', "utf-8")
        command.chmod(0o755)
        with serving(self._github) as address:
            environment = {
                "GITHUB_API_URL": address,
                "GITHUB_REPOSITORY": "acme/site",
                "GITHUB_SERVER_URL": "https://github.example",
                "NO_PROXY": "*",
                "PATH": f"{self._folder}:{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONPATH": str(ROOT),
            }
            action.skip("install", {"command": str(command)})
            return action, action.run(self._site.folder, self._folder, environment)


@pytest.fixture
def run(site: Site, github: GitHub, tmp_path: Path) -> Runner:
    """Runs the action."""
    runner = tmp_path / "runner"
    runner.mkdir()
    return Runner(site, github, runner)


def test_a_change_is_shown(site: Site, github: GitHub, run: Runner) -> None:
    """The job succeeds, and the comment has the pictures of both commits and the address of the page."""
    site.edit("assets.toml", "red", "blue")
    assert site.run("build").code == Exit.DONE
    commit(site.folder)

    action, _ = run()
    assert not action.failed
    assert action.output("current") == "true"
    [text] = [each["body"] for each in github.comments]
    assert text.count("https://github.example/acme/site/blob/") == 4
    assert "[The whole report](https://github.example/artifact)" in text
    assert Path(action.output("report")).read_text("utf-8").startswith("<!doctype html>")


def test_drift_fails_and_is_shown(site: Site, github: GitHub, run: Runner) -> None:
    """The job fails, the lines are annotated, and the comment says what is not current; `build` mends it."""
    site.edit("assets.toml", "red", "blue")
    commit(site.folder)
    action, printed = run()
    assert action.failed
    assert action.output("current") == "false"
    assert "::error title=flux2build " in printed["check"]
    assert "- error: " in github.comments[0]["body"]

    action, _ = run(build="true")
    assert not action.failed
    assert "- error: " not in github.comments[0]["body"]


def test_what_a_stranger_writes_runs_nothing(site: Site, github: GitHub, run: Runner) -> None:
    """Names and prompts are neither commands of a shell nor of a workflow."""
    evil = '$(touch pwned) `touch pwned` "; touch pwned; #\n::stop-commands::x\n##[add-path]/tmp'
    site.edit("assets.toml", '"a red fox"', in_toml(evil))
    commit(site.folder)
    _, printed = run()
    assert not site.folder.joinpath("pwned").exists()
    assert not any(
        line.lstrip().startswith(("::stop", "##[add"))
        for text in (*printed.values(), github.comments[0]["body"])
        for line in text.splitlines()
    )


def test_no_script_contains_an_expression() -> None:
    """What an event says reaches scripts by the environment alone, and every action that is used is pinned."""
    steps: list[dict[str, Any]] = yaml.safe_load(ROOT.joinpath("action.yml").read_text("utf-8"))[
        "runs"
    ]["steps"]
    assert not any("${{" in step.get("run", "") for step in steps)
    assert all(len(step["uses"].partition("@")[2]) == 40 for step in steps if "uses" in step)
