"""`report`: what has changed since a commit, written for a review."""

from __future__ import annotations

import html
import json

import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, begin, commit

pytestmark = NEEDS_GIT
SPEC = """\
[project]
name = "acme"
output = "img"
[defaults]
width = 64
height = 64
[asset.fox]
prompt = "a red fox"
"""


@pytest.fixture
def commits(empty: Site) -> tuple[str, str]:
    """The names of the two commits of a site."""
    begin(empty.folder)
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == Exit.DONE
    first = commit(empty.folder)
    empty.edit("assets.toml", "red", "blue")
    assert empty.run("build").code == Exit.DONE
    return first, commit(empty.folder)


def test_a_page_has_the_pictures(empty: Site, commits: tuple[str, str]) -> None:
    """Before and after are in it, and it is written beside nothing of the project's own."""
    del commits
    assert empty.run("report", "--since", "HEAD~1", "-o", "out/report.html").code == Exit.DONE
    page = empty.folder.joinpath("out/report.html").read_text("utf-8")
    assert "Pictures of acme" in page
    assert page.count("data:image/webp;base64,") == 2
    before = empty.files()
    for path in ("assets.lock", "assets.toml", "img/fox.png"):
        assert empty.run("report", "-o", path).code == Exit.USAGE
        assert empty.run("plan", "-o", path).code == Exit.USAGE
    assert empty.files() == before


def test_a_comment_links_both_commits(
    empty: Site, commits: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a workflow of GitHub runs, its repository is known; a picture that is not committed has no link."""
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/site")
    words = ("report", "--format", "markdown", "--since", "HEAD~1")

    text = empty.run(*words).out
    for name in commits:
        assert f'src="https://github.example/acme/site/blob/{name}/img/fox.png?raw=true"' in text
    empty.edit("assets.toml", "blue", "green")
    assert empty.run("build").code == Exit.DONE
    text = empty.run(*words).out
    assert commits[0] in text
    assert commits[1] not in text


def test_a_name_in_md_is_markdown(empty: Site, commits: tuple[str, str]) -> None:
    """It takes no second word, and `--format` has the last one; findings are as grave as in `check`."""
    del commits
    empty.edit("assets.toml", 'prompt = "a blue fox"', 'prompt = "a blue fox"\nreview = "required"')
    empty.run("report", "-o", "out/report.md")
    empty.run("report", "-o", "out/page.md", "--format", "html")

    text = empty.folder.joinpath("out/report.md").read_text("utf-8")
    page = empty.folder.joinpath("out/page.md").read_text("utf-8")
    assert text.startswith("<!-- flux2build report -->")
    assert "- warning: " in text
    assert "<li>warning: " in page


def test_programs_are_told_the_same(empty: Site, commits: tuple[str, str]) -> None:
    """`--json` prints the changes and what is not current, and is a form of its own."""
    empty.edit("assets.toml", "blue", "green")
    told = json.loads(empty.run("report", "--since", "HEAD~1", "--json").out)
    assert told["since"] == commits[0]
    assert [each["kind"] for each in told["changes"]] == ["changed"]
    assert [each["code"] for each in told["findings"]] == ["prompt-changed"]
    for words in (("-o", "report.html"), ("--format", "markdown")):
        refused = empty.run("report", "--json", *words)
        assert (refused.code, refused.out) == (Exit.USAGE, "")


def test_candidates_are_paid_for_once_and_the_one_that_ships_is_marked(empty: Site) -> None:
    """A page shows all of them, a comment names them and says where they are shown."""
    begin(empty.folder)
    empty.write(
        "assets.toml", f"{SPEC}candidates = 3\n[asset.owl]\nprompt = 'an owl'\ncandidates = 2\n"
    )
    commit(empty.folder)
    assert empty.run("build").code == Exit.DONE
    assert empty.run("pick", "fox", "2").code == Exit.DONE

    page = empty.run("report").out
    assert page.count('alt="candidate ') == 5
    assert page.count('<li class="ships">') == 2
    text = html.unescape(empty.run("report", "--format", "markdown").out)
    lines = [line for line in text.splitlines() if line.startswith("- candidate ")]
    assert [line.endswith(", ships") for line in lines] == [False, True, False, True, False]
    assert "`flux2build candidates -o candidates.html` shows" in text
    assert empty.run("adopt", "fox", "img/owl.png").code == Exit.DONE
    assert empty.run("report").out.count('<li class="ships">') == 1
    linked = empty.run("report", "--format", "markdown", "--page", "https://ci.example/1").out
    assert "[The whole report](https://ci.example/1) has the pictures and the candidates" in linked
