"""`report`: what has changed since a commit, written for a review."""

from __future__ import annotations

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
    html = empty.folder.joinpath("out/report.html").read_text("utf-8")
    assert "Pictures of acme" in html
    assert html.count("data:image/webp;base64,") == 2
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
