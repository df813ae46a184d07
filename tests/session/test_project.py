"""A project as commands see it: opened, read at most once, judged and remembered."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import LockError, Place, UsageError
from flux2build.incremental.findings import findings_of
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site


def opened(site: Site, **options: str) -> Project:
    """The project of a site, as a command opens it."""
    return Project.open(CommonOptions(file=str(site.folder / "assets.toml"), **options))  # type: ignore[arg-type]  # texts only


def test_found_upwards(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest spec from here upwards is the one that is meant, up to the repository."""
    below = site.folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Project.open(CommonOptions()).folder == site.folder

    (below / ".git").mkdir()
    with pytest.raises(UsageError, match="here or above"):
        Project.open(CommonOptions())


def test_the_lock_lies_beside_the_spec(site: Site) -> None:
    """The lock is named like the spec."""
    (site.folder / "icons.toml").write_text("", "utf-8")

    assert opened(site).lock_path == site.folder / "assets.lock"
    assert Project.open(CommonOptions(file="icons.toml")).lock_path.name == "icons.lock"


def test_the_lock_of_the_largest_spec_is_read(site: Site) -> None:
    """A build writes some 900 bytes for each of up to a hundred thousand pictures."""
    with site.folder.joinpath("assets.lock").open("wb") as lock:
        lock.truncate(100_000 * 900)

    assert len(opened(site).lock_bytes) == 100_000 * 900


def test_read_once(site: Site) -> None:
    """What was read stays read; a project that is read anew sees everything anew."""
    project = opened(site)
    spec, graph, lock = project.spec, project.graph, project.lock
    site.edit("assets.toml", "a bell", "a gong")
    assert (project.spec, project.graph, project.lock) == (spec, graph, lock)

    reread = project.reread()

    assert reread.spec is not spec
    assert reread.spec.recipes != spec.recipes
    assert project.spec is spec


def test_a_repaired_ledger_counts_from_the_next_reading(site: Site) -> None:
    """A build that need not ask, as a damaged ledger keeps it from buying, does not buy later."""
    project = opened(site)
    path = project.journal.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"damage\nand more of it\n")
    assert project.unread

    path.unlink()

    assert project.reread_lock().unread == project.unread
    assert project.reread().unread == ()


def test_settings_are_read_anew(site: Site) -> None:
    """A project that is read anew sees keys and prices that were set since."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    project, icon = opened(site, profile="final"), Choice(("icon",))
    assert (project.settings.value("BFL_API_KEY"), project.plan(icon).low) == ("", Decimal("0.03"))

    config.with_name("cards.toml").write_text("[bfl.flux-2-pro]\nprice = { first = 1 }\n", "utf-8")
    config.write_text('cards = "cards.toml"\n[environment]\nBFL_API_KEY = "k"\n', "utf-8")
    reread = project.reread()

    assert (reread.settings.value("BFL_API_KEY"), reread.plan(icon).low) == ("k", Decimal(1))
    assert {config, config.with_name("cards.toml")} <= reread.watched().files


def test_locks_that_are_no_text(site: Site) -> None:
    """A lock that is not UTF-8 is damaged, and is not read further."""
    (site.folder / "assets.lock").write_bytes(b"\xff\xff")

    with pytest.raises(LockError, match="is damaged: byte 0xff is not UTF-8"):
        _ = opened(site).lock


def test_line_ends_do_not_matter(site: Site) -> None:
    """A lock that git checked out with the line ends of Windows says the same."""
    site.run("build")
    lock = site.folder / "assets.lock"
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))

    assert site.run("check").code == 0
    assert site.run("build").code == 0


def test_choices(site: Site) -> None:
    """A choice names assets; its plan takes along what they are made of."""
    project = opened(site)
    choice = Choice(("hero[theme=dark]",))

    assert project.chosen(choice) == {"hero[theme=dark]"}
    planned = {step.recipe.asset for step in project.plan(choice).steps}
    assert planned == {"mascot", "hero[theme=dark]"}
    assert {*project.chosen(Choice(exclude=("hero",)))} == {"mascot", "icon"}
    assert {*project.chosen(Choice())} == {
        "mascot",
        "icon",
        "hero[theme=light]",
        "hero[theme=dark]",
    }


def test_forced_choices(site: Site) -> None:
    """What is forced is asked for in the plan, and only there."""
    site.run("build")
    project = opened(site)
    forced = project.plan(Choice(force=("icon",)))

    assert [step.recipe.asset for step in forced.todo] == ["icon"]
    assert not project.whole.drift


def test_causes_come_first(site: Site) -> None:
    """Findings follow the order of building; what concerns the lock itself stands before all."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox", "a friendly red fox")
    lock = site.folder / "assets.lock"
    lock.write_text("<<<<<<< a\n=======\n>>>>>>> b\n" + lock.read_text("utf-8"), "utf-8")

    findings = findings_of(opened(site))

    assert [finding.code for finding in findings[:2]] == ["lock-conflict", "prompt-changed"]
    assert findings[0].problem.place == Place("assets.lock", 1)
    assert findings[0].problem.excerpt == "<<<<<<< a"
    selected = findings_of(opened(site), Choice(("icon",)))
    assert [finding.code for finding in selected] == ["lock-conflict"]


def test_strangers_cannot_point_elsewhere(site: Site) -> None:
    """Only those paths of a lock that lie below the spec's folder are looked at."""
    site.run("build")
    secret = site.folder.parent / "secret.png"
    secret.write_bytes(b"secret")
    link = site.folder / "link"
    link.symlink_to(site.folder.parent)
    lock = site.folder / "assets.lock"
    text = lock.read_text("utf-8")
    lock.write_text(text.replace('"img/icon.png"', '"link/secret.png"'), "utf-8")
    assert "link/secret.png" not in opened(site).snapshot().files

    lock.write_text(text.replace('"img/icon.png"', '"../secret.png"'), "utf-8")
    with pytest.raises(LockError, match="leads out of its folder"):
        opened(site).snapshot()


def pointer(data: bytes) -> str:
    """What Git LFS leaves in place of a file."""
    head = "version https://git-lfs.github.com/spec/v1"
    return f"{head}\noid {of_bytes(data)}\nsize {len(data)}\n"


def test_sources_behind_pointers(site: Site) -> None:
    """A source that was not fetched has the digest of what its pointer stands for."""
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nrefs = ["ref.png"]')
    site.write("ref.png", pointer(b"the picture"))

    snapshot = opened(site).snapshot()

    assert snapshot.files["ref.png"] == of_bytes(b"the picture")
    assert snapshot.pointer("ref.png")
    assert not snapshot.has(of_bytes(b"the picture"))


def test_a_project_is_one_whatever_links_lead_to_it(site: Site, tmp_path: Path) -> None:
    """What is ordered through a link belongs to the same project in the ledger."""
    link = tmp_path / "elsewhere"
    link.symlink_to(site.folder)

    opened = Project.open(CommonOptions(file=str(link / "assets.toml")))

    assert opened.folder == Project.open(CommonOptions()).folder


def test_files_are_named_from_the_current_folder(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path selects as the shell completes it, and as commands print it."""
    site.run("build", "icon")
    below = site.folder / "img"
    monkeypatch.chdir(below)

    chosen = [
        Project.open(CommonOptions()).chosen(Choice((word,)))
        for word in ("./icon.png", "img/icon.png", "../templates/hero.j2")
    ]

    assert [len(each) for each in chosen] == [1, 1, 4]
