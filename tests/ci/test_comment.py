"""The one comment of a pull request: written with the first change, updated in place, and nobody else's."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from flux2build.console.report import comment as report
from tests.ci.github import GitHub, serving

SCRIPT: Final = Path(__file__).parents[2] / "action" / "comment.py"
QUIET: Final = f"{report.MARKER}\n### Pictures\n\nnothing has changed\n"
CHANGED: Final = f"{QUIET}\n<details open><summary>fox</summary></details>\n"

Comment = Callable[[str], str]


@pytest.fixture
def github() -> GitHub:
    """A pull request in which somebody pretends to be the action."""
    github = GitHub()
    github.add("mallory", f"{report.MARKER}\nmine")
    return github


@pytest.fixture
def comment(
    github: GitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Comment:
    """Comments a report, and gives what was said."""

    def commented(text: str) -> str:
        tmp_path.joinpath("report.md").write_text(text, "utf-8")
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path / "report.md")])
        with serving(github) as address:
            for name, value in (
                ("GITHUB_API_URL", address),
                ("GITHUB_REPOSITORY", "acme/site"),
                ("GITHUB_TOKEN", "t"),
                ("NUMBER", "7"),
                ("ARTIFACT", "https://github.example/artifact"),
                ("NO_PROXY", "*"),
            ):
                monkeypatch.setenv(name, value)
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    return commented


def test_it_appears_with_a_change_and_is_updated(github: GitHub, comment: Comment) -> None:
    """Without one there is none; once it is there it says so, too, when nothing is left of the change."""
    assert "no comment" in comment(QUIET)
    assert "written" in comment(CHANGED)
    assert "as it was" in comment(CHANGED)
    assert "updated" in comment(QUIET)
    assert [each["user"]["login"] for each in github.comments] == ["mallory", "github-actions[bot]"]
    assert github.comments[0]["body"].endswith("mine")
    assert github.comments[1]["body"].startswith(QUIET)
    assert "(https://github.example/artifact)" in github.comments[1]["body"]


def test_it_is_looked_for_on_every_page(github: GitHub, comment: Comment) -> None:
    """In a long conversation, too."""
    for number in range(250):
        github.add("ann", f"comment {number}")
    github.add("github-actions[bot]", f"{report.MARKER}\nold")
    assert "updated" in comment(CHANGED)
    assert github.comments[-1]["body"].startswith(CHANGED)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_token_that_may_not_write_is_no_failure(
    github: GitHub, comment: Comment, status: int
) -> None:
    """As in a pull request from a fork."""
    github.status = status
    assert comment(CHANGED) == f"::notice::There is no comment: GitHub answered {status}.\n"


def test_it_keeps_to_the_limit(github: GitHub, comment: Comment) -> None:
    """The address of the page has room beside the largest report."""
    comment(CHANGED + "x" * (report.LARGEST - report.LEFT_FOR_THE_END - len(CHANGED)))
    assert len(github.comments[1]["body"]) < report.LARGEST
    assert "(https://github.example/artifact)" in github.comments[1]["body"]
