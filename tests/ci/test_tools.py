"""What other tools say of the workflows, of the action and of the hook; each is left out where it is absent."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

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


@pytest.mark.parametrize("words", [("zizmor", "--offline", "."), ("actionlint",)])
def test_linters_find_nothing(words: tuple[str, ...]) -> None:
    """Neither mistakes nor anything that a stranger could use."""
    linted = ran(tool(words[0]), *words[1:])
    assert linted.returncode == 0, linted.stdout


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
