"""What several profiles of one project do to each other's files, and what lies in their way."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.golden import text
from tests.repositories import NEEDS_GIT, begin, commit, git
from tests.simulated import charges


def test_comps_never_replace_a_paid_final(three: Site) -> None:
    """After comps and finals, comps are asked to find another place; told where, they find it."""
    assert three.run("build").code == Exit.DONE
    comps = three.files()

    plan = three.run("plan", "-p", "final").out
    assert "note: fox: replaces what the profile `draft` made; its bytes are kept" in plan
    paid = three.run("build", "-p", "final", "-y")
    assert paid.code == Exit.DONE
    finals = three.files()
    assert finals["img/fox.png"] != comps["img/fox.png"]

    again = three.run("build")
    assert (again.code, again.err) == (
        Exit.DECIDE,
        text("""
            error: the files of `fox` stay: the profile `final` paid for them
              hint: let the comps have a folder of their own: `output = "comps"` in `[profile.draft]`
            Built: 1 failed, 1 blocked, 0 up to date.
            """),
    )
    assert three.files() == finals
    check = three.run("check")
    assert check.code == Exit.DRIFT
    assert (
        "The files are those of the profile `final`: see `flux2build check -p final`." in check.err
    )
    assert three.run("check", "-p", "final").code == Exit.DONE

    three.edit("assets.toml", '"sketch"', '"sketch"\noutput = "comps"')
    assert three.run("build").code == Exit.DONE
    moved = three.files()
    assert moved["comps/fox.png"] == comps["img/fox.png"]
    assert moved["img/fox.png"] == finals["img/fox.png"]


def said(site: Site, *words: str) -> str:
    """What a command says on both streams, with its exit code; digests and tasks are left out."""
    ran = site.run(*words)
    told = re.sub(r"(restore |task=)[0-9a-f-]{12,}", r"\1…", ran.out + ran.err)
    return f"$ flux2build {' '.join(words)}\n{told}[exit {int(ran.code)}]\n"


def test_what_a_stranger_sees(three: Site) -> None:
    """Comps, then finals, then comps again: every word that is said."""
    commands = (("build",), ("build", "-p", "final", "-y"), ("build",), ("plan",))

    assert "".join(said(three, *words) for words in commands) == text("""
        $ flux2build build
        render   img/fox.png  (never rendered)
        derive   img/fox-32.webp  (new deliverable)
        Built: 1 rendered, 1 derived, 0 up to date.
        [exit 0]
        $ flux2build build -p final -y
        Plan (final): 1 to render, 1 to derive, 0 up to date. Price: $0.03.
        submitted fox task=…
        render   img/fox.png  (never rendered)
        derive   img/fox-32.webp  (new deliverable)
        kept what was at img/fox-32.webp: `flux2build restore … img/fox-32.webp -p final` brings it back
        kept what was at img/fox.png: `flux2build restore … img/fox.png -p final` brings it back
        Built: 1 rendered, 1 derived, 0 up to date.
        Spent: $0.03 for 1 order.
        [exit 0]
        $ flux2build build
        error: the files of `fox` stay: the profile `final` paid for them
          hint: let the comps have a folder of their own: `output = "comps"` in `[profile.draft]`
        Built: 1 failed, 1 blocked, 0 up to date.
        [exit 5]
        $ flux2build plan
        ! fox  ask      the file was modified, the profile `final` paid for the file that is there
        ! fox  ask      the file was modified, the profile `final` paid for the file that is there

        Plan (draft): 2 to decide, 0 up to date. Price: free.
        [exit 0]
        """)


def test_a_paid_profile_replaces_another_one_and_says_so(three: Site, server: httpx.Client) -> None:
    """Two paid profiles may take turns: each is paid once, and what goes is kept."""
    three.run("build", "-p", "preview", "-y")
    three.run("build", "-p", "final", "-y")
    before = charges(server)

    again = three.run("build", "-p", "preview")

    assert again.code == Exit.DONE
    assert "kept what was at img/fox.png: `flux2build restore " in again.err
    assert charges(server) == before


def test_nothing_is_bought_while_the_lock_is_missing(
    three: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clone without the lock, with some of its outputs, is not paid for again by `--yes`."""
    three.run("build", "-p", "final", "-y")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another"))
    for name in ("assets.lock", "img/fox.png"):
        three.folder.joinpath(name).unlink()
    before = charges(server)

    check = three.run("check", "-p", "final")
    ran = three.run("build", "-p", "final", "-y")

    assert (
        "there is no `assets.lock` beside 1 of 2 outputs: was it committed? [lock-missing]"
        in check.out
    )
    assert ran.code == Exit.DECIDE
    assert "nothing is bought: there is no `assets.lock` beside" in ran.err
    assert charges(server) == before
    assert three.run("build", "-p", "final", "-y", "--force", "fox").code == Exit.DONE
    assert charges(server) == before + 1


def test_a_lock_that_git_ignores_is_told(three: Site) -> None:
    """The build that writes it warns once, with the file that says so, and `doctor` marks it."""
    three.write(".gitignore", "node_modules\n*.lock\n")

    first, second = three.run("build"), three.run("build")

    message = "git ignores `assets.lock`, because of a line in `.gitignore`"
    assert f"warning: {message}" in first.err
    assert message not in second.err
    marked = [line for line in three.run("doctor").out.splitlines() if message in line]
    assert [line.split()[:2] for line in marked] == [["bad", "lock"]]


@NEEDS_GIT
@pytest.mark.parametrize("kind", ["clone", "work tree"])
def test_a_lock_that_a_persons_own_git_ignores_is_told(
    three: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A `*.lock` of everybody's repositories is named, until the command in the hint is run."""
    begin(three.folder)
    if kind == "work tree":
        commit(three.folder)
        git(three.folder, "worktree", "add", "-q", str(tmp_path / "tree"))
        monkeypatch.chdir(tmp_path / "tree")
    own = tmp_path / "own ignore"
    own.write_text("*.lock\n")
    git(three.folder, "config", "core.excludesFile", str(own))

    built = three.run("build").err

    message = f"git ignores `assets.lock`, because of a line in `{own}`"
    assert f"warning: {message}" in built
    assert "hint: `git add -f assets.lock`, or add `!assets.lock` to the `.gitignore`" in built
    assert message in three.run("doctor").out
    Path("assets.lock").rename("kept")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another"))
    hint = f"a line in `{own}` has git ignore it: use `git add -f assets.lock`, and bring it back"
    assert hint in three.run("check").out
    Path("kept").rename("assets.lock")
    git(Path.cwd(), "add", "-f", "assets.lock")
    assert message not in three.run("doctor").out


@NEEDS_GIT
def test_a_lock_that_the_project_shows_again_is_not_told(three: Site, tmp_path: Path) -> None:
    """The `.gitignore` of a project outranks what a person's own git ignores."""
    begin(three.folder)
    own = tmp_path / "ignore"
    own.write_text("*.lock\n")
    git(three.folder, "config", "core.excludesFile", str(own))
    three.write(".gitignore", "!assets.lock\n")

    assert "git ignores" not in three.run("build").err
    assert "git ignores" not in three.run("doctor").out


@pytest.mark.parametrize("place", ["img/renamed.png", "elsewhere/deep/fox.png"])
def test_a_picture_that_was_moved_is_not_bought_again(
    three: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """Wherever in the work tree its bytes are, and whatever they are called, they are used."""
    three.run("build", "-p", "final", "-y")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another"))
    files, before = three.files(), charges(server)
    target = three.folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    three.folder.joinpath("img/fox.png").rename(target)

    assert "= fox  restore  the file is missing" in three.run("plan", "-p", "final").out
    assert three.run("build", "-p", "final", "-y").code == Exit.DONE
    assert three.files()["img/fox.png"] == files["img/fox.png"]
    assert target.is_file()
    assert charges(server) == before
