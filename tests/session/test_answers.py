"""Answers that are remembered: given again only while nothing changes."""

from __future__ import annotations

import re
from typing import Final

import pytest

from flux2build.session.answers import judged
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site
from tests.snapshots import intended, ticketed

EDITS: Final = [
    "assets.toml",
    "templates/hero.j2",
    "assets.lock",
    "img/icon.png",
    "img/hero-dark-32.webp",
]


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("how", ["edited", "removed"])
def test_no_change_hides_behind_what_is_remembered(site: Site, name: str, how: str) -> None:
    """Whatever file of a clean tree changes, no command says that it is clean."""
    site.run("build")
    assert site.run("check").code == site.run("plan", "--exit-code").code == 0
    path = site.folder / name
    if how == "removed":
        path.unlink()
    elif name == "assets.toml":
        site.edit(name, "a bell", "a gong")
    elif name.endswith("j2"):
        site.edit(name, "desk", "window")
    elif name.endswith("lock"):
        site.write(
            name, re.sub('key = "sha256:....', 'key = "sha256:0000', path.read_text("utf-8"))
        )
    else:
        path.write_bytes(path.read_bytes() + b"!")

    assert site.run("check").code != 0
    assert site.run("plan", "--exit-code").code != 0


@pytest.mark.parametrize("name", ["posts/de/jam.md", "posts/new/jam.md", "posts/jam.md"])
def test_a_page_that_appears_is_noticed(site: Site, name: str) -> None:
    """A pattern is looked through again once any folder below it has another name in it."""
    site.write("posts/de/tea.md", "---\ntitle: a pot\n---\n")
    text = site.folder.joinpath("assets.toml").read_text("utf-8")
    rows = 'rows = { file = "posts/**/*.md", key = "slug" }'
    site.write("assets.toml", f'{text}[asset.post]\n{rows}\nprompt = "{{{{ row.title }}}}"\n')
    site.run("build")
    assert site.run("plan", "--exit-code").code == site.run("check").code == 0

    site.write(name, "---\ntitle: a jar\n---\n")

    assert site.run("plan", "--exit-code").code != 0
    assert site.run("check").code != 0


def test_orders_of_other_builds_void_answers(site: Site) -> None:
    """An entry in the ledger voids an answer: another build may have placed the same order."""
    site.run("build")
    project = Project.open(CommonOptions())
    assert str(project.journal.path) in judged(project, project.whole)
    before = project.index.state(str(project.journal.path))

    key = project.whole.steps[0].verdict.key
    assert key is not None
    project.journal.append(intended(key))
    project.journal.append(ticketed(key))

    assert project.index.state(str(project.journal.path)) != before
    assert site.run("check").code == 0


def test_only_a_clean_tree_is_remembered(site: Site) -> None:
    """A tree in which something is to be done, or left over, is judged anew each time."""
    site.run("build")
    index = site.folder / ".flux2build" / "index"
    site.edit("assets.toml", '[asset.icon]\nprompt = "a bell"\n', "")
    index.unlink()

    site.run("plan")
    site.run("build")

    assert site.run("check").code == 1
    site.run("prune", "--yes")
    assert site.run("check").code == 0


def test_checks_that_complain_are_not_answered_for(site: Site) -> None:
    """A build with nothing to do does not hide the findings of a check."""
    site.edit("assets.toml", "[defaults]", '[checks]\nalt = "error"\n\n[defaults]')
    site.run("build")

    assert site.run("build").err.startswith("Up to date")
    assert site.run("check").code == 1
    assert site.run("build").err.startswith("Up to date")
    assert site.run("check").code == 1
