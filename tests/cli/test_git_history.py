"""What a commit has of a paid picture is not bought again, on any machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.storage.git import lfs_object
from tests.conftest import Site
from tests.repositories import NEEDS_GIT, begin, git
from tests.simulated import charges

pytestmark = NEEDS_GIT


def pictures(site: Site) -> dict[str, bytes]:
    """The pictures in the work tree, by path."""
    return {name: data for name, data in site.files().items() if name.endswith(".png")}


def as_files(site: Site) -> None:
    """Commit the pictures themselves."""
    git(site.folder, "add", ".")


def as_pointers(site: Site) -> None:
    """Commit what Git LFS would, whose cache has the pictures."""
    before = pictures(site)
    for name, data in before.items():
        kept = lfs_object(site.folder / ".git", of_bytes(data))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        lines = ("version https://git-lfs.github.com/spec/v1", f"oid {of_bytes(data)}")
        site.write(name, "\n".join((*lines, f"size {len(data)}\n")))
    git(site.folder, "add", ".")
    for name, data in before.items():
        site.folder.joinpath(name).write_bytes(data)


def without_them(site: Site) -> None:
    """Commit the spec and the lock alone."""
    git(site.folder, "add", "assets.toml", "assets.lock")


def twice(
    site: Site, commit: Callable[[Site], None], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, bytes]]:
    """Build and commit two versions of a site, and change to a machine that knows nothing else.

    Returns the pictures of each version.
    """
    begin(site.folder)
    versions = []
    for words in (("a fox", "a fox"), ("a fox", "a red fox")):
        site.edit("assets.toml", *words)
        assert site.run("build", "--yes").code == Exit.DONE
        versions.append(pictures(site))
        commit(site)
        git(site.folder, "commit", "-qm", "Build")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(elsewhere))
    return versions


@pytest.mark.parametrize("commit", [as_files, as_pointers])
def test_pictures_come_back_from_commits(
    bought: Site,
    server: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    commit: Callable[[Site], None],
) -> None:
    """An older spec, then the newer one without its files: another machine pays for neither."""
    first, second = twice(bought, commit, tmp_path / "home", monkeypatch)
    before = charges(server)

    bought.edit("assets.toml", "a red fox", "a fox")
    assert "1 to adopt, 1 up to date. Price: free." in bought.run("plan").out
    assert bought.run("build", "--yes").code == Exit.DONE
    assert pictures(bought) == first
    assert bought.run("check").code == Exit.DONE

    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "a third one"))
    bought.edit("assets.toml", "a fox", "a red fox")
    for name in second:
        bought.folder.joinpath(name).unlink()
    assert bought.run("build", "--yes").code == Exit.DONE
    assert pictures(bought) == second
    assert charges(server) == before


def test_what_was_paid_for_and_not_committed_is_asked_about(
    bought: Site, server: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier lock alone says that a picture was paid for, and a build waits to be told."""
    twice(bought, without_them, tmp_path / "home", monkeypatch)
    before = charges(server)
    bought.edit("assets.toml", "a red fox", "a fox")

    built = bought.run("build", "--yes")
    assert built.code == Exit.DECIDE
    assert "`fox` was paid for already" in built.err
    assert charges(server) == before
    assert bought.run("build", "--yes", "--force", "fox").code == Exit.DONE
    assert charges(server) == before + 1


def test_a_clone_goes_back_to_candidates_for_nothing(
    sheet: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The receipts of an earlier commit are enough, and what shipped then is picked from its bytes in git."""
    begin(sheet.folder)
    for edit, number in (("a fox", "2"), ("an owl", "3")):
        sheet.edit("assets.toml", "a fox", edit)
        sheet.run("build", "sheet", "--yes")
        assert sheet.run("pick", "sheet", number).code == Exit.DONE
        assert sheet.run("build", "--yes").code == Exit.DONE
        git(sheet.folder, "add", ".")
        git(sheet.folder, "commit", "-qm", edit)
    shipped = git(sheet.folder, "rev-parse", "HEAD~1:img/sheet.png")
    spent = charges(server)
    git(sheet.folder, "clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "elsewhere"))
    git(tmp_path / "clone", "checkout", "-q", "HEAD~1", "--", "assets.toml")

    assert json.loads(sheet.run("plan", "--json").out)["summary"]["price_max"] == "0"
    assert sheet.run("build", "--max-cost", "0").code == Exit.DECIDE
    rows = json.loads(sheet.run("candidates", "--json").out)["candidates"]
    assert [row["cost"] for row in rows] == ["0.03"] * 4
    assert sheet.run("pick", "sheet", "2").code == Exit.DONE
    assert git(tmp_path / "clone", "hash-object", "img/sheet.png") == shipped
    assert sheet.run("build", "--max-cost", "0").code == Exit.DONE
    assert sheet.run("check").code == Exit.DONE
    assert charges(server) == spent
