"""`prune`: shows what nobody wants any more, and removes it when told to."""

from __future__ import annotations

import json
import os

import pytest

from flux2build.digest import of_bytes
from flux2build.storage import disk
from flux2build.storage.store import Store
from tests.conftest import Site
from tests.golden import text


@pytest.fixture
def left_over(site: Site) -> Site:
    """The icon and the wider heroes are not wanted any more."""
    site.run("build")
    site.edit("assets.toml", '[asset.icon]\nprompt = "a bell"\n', "")
    site.edit("assets.toml", "widths = [32, 64]", "widths = [32]")
    return site


LIST = text("""
    - img/hero-dark-64.jpeg  (hero[theme=dark], default)
    - img/hero-dark-64.webp  (hero[theme=dark], default)
    - img/hero-light-64.jpeg  (hero[theme=light], default)
    - img/hero-light-64.webp  (hero[theme=light], default)
    - img/icon.png  (icon, default)
    """)


def test_shows_first(left_over: Site) -> None:
    """Without `--yes` nothing is touched."""
    before = left_over.files()

    ran = left_over.run("prune")

    assert (ran.code, ran.out) == (0, LIST)
    assert ran.err == "5 outputs are left over; `--yes` removes them.\n"
    assert left_over.files() == before


def test_removes(left_over: Site) -> None:
    """With `--yes` the files and their rows go, nothing else does, and the tree is clean."""
    before, bell = left_over.files(), left_over.folder.joinpath("img/icon.png").read_bytes()

    ran = left_over.run("prune", "--yes")

    assert ran.code == 0
    assert ran.err.splitlines()[-1] == "removed img/icon.png"
    gone = before.keys() - left_over.files().keys()
    assert gone == {line.split()[1] for line in LIST.splitlines()}
    assert {p: d for p, d in left_over.files().items() if p != "assets.lock"} == {
        p: d for p, d in before.items() if p not in gone | {"assets.lock"}
    }
    assert left_over.run("check").code == 0
    assert Store(disk.home() / "store").get(of_bytes(bell)) == bell


def test_edited_files_stay(left_over: Site) -> None:
    """A file that was edited by hand since is nobody's to remove."""
    icon = left_over.folder / "img/icon.png"
    icon.write_bytes(b"drawn over by hand")

    ran = left_over.run("prune", "--yes")

    assert icon.read_bytes() == b"drawn over by hand"
    assert "warning: `img/icon.png` was edited by hand and stays\n" in ran.err
    assert left_over.run("check").code == 0


def test_missing_files(left_over: Site) -> None:
    """A file that is gone already loses its row."""
    left_over.folder.joinpath("img/icon.png").unlink()

    assert left_over.run("prune", "--yes").code == 0
    assert "icon" not in left_over.folder.joinpath("assets.lock").read_text()


def test_pruned_pictures_come_back_for_nothing(left_over: Site) -> None:
    """A sketch that was pruned and is wanted again is drawn again, to the same bytes."""
    icon = left_over.folder.joinpath("img/icon.png").read_bytes()
    left_over.run("prune", "--yes")
    left_over.write(
        "assets.toml",
        left_over.folder.joinpath("assets.toml").read_text() + '[asset.icon]\nprompt = "a bell"\n',
    )

    ran = left_over.run("build")

    assert ran.err.endswith("Built: 1 rendered, 7 up to date.\n")
    assert left_over.folder.joinpath("img/icon.png").read_bytes() == icon


def test_nothing_left(site: Site) -> None:
    """Where nothing is left over it says so."""
    site.run("build")

    ran = site.run("prune", "--yes")

    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing is left over.\n")


@pytest.mark.parametrize("yes", [(), ("--yes",)])
def test_json(left_over: Site, yes: tuple[str, ...]) -> None:
    """The list as JSON, and whether it was removed."""
    value = json.loads(left_over.run("prune", "--json", *yes).out)

    assert value["removed"] is bool(yes)
    assert value["orphans"][-1] == {"asset": "icon", "profile": "default", "path": "img/icon.png"}


def test_links_are_not_followed(left_over: Site) -> None:
    """A link in an output's place is not what was recorded, and what it leads to stays."""
    icon = left_over.folder / "img/icon.png"
    elsewhere = left_over.folder.parent / "elsewhere.png"
    icon.rename(elsewhere)
    icon.symlink_to(elsewhere)

    left_over.run("prune", "--yes")

    assert elsewhere.exists()


def test_what_the_spec_reads_stays(left_over: Site) -> None:
    """A picture that became a source is left over, and its file stays."""
    left_over.edit("assets.toml", "[asset.mascot]\n", '[asset.mascot]\nrefs = ["img/icon.png"]\n')

    ran = left_over.run("prune", "--yes")

    assert left_over.folder.joinpath("img/icon.png").exists()
    assert "warning: `img/icon.png` stays: it is the source `img/icon.png`\n" in ran.err
    assert "icon.png" not in left_over.run("prune").out


def test_files_elsewhere_stay(left_over: Site) -> None:
    """Outside of the output folders a derived file is not proved to be ours; the hint removes it."""
    left_over.edit("assets.toml", 'output = "img"', 'output = "pictures"')
    left_over.run("build")
    listed = left_over.run("prune")

    ran = left_over.run("prune", "--yes")

    warning = "warning: `img/hero-dark-32.webp` stays: nothing proves that it was written here\n"
    assert warning in listed.err
    assert (
        "9 outputs are left over; `--yes` removes 1, and takes all out of the lock.\n" in listed.err
    )
    assert warning + "  hint: `rm -- 'img/hero-dark-32.webp'` removes it\n" in ran.err
    assert left_over.folder.joinpath("img/hero-dark-32.webp").exists()
    assert left_over.run("check").code == 0


def renamed(site: Site) -> Site:
    """A site whose files got another case in the spec."""
    site.run("build")
    site.edit("assets.toml", "hero-{{ theme }}", "Hero-{{ theme }}")
    site.run("build")
    return site


def test_another_case_is_another_file_where_the_disk_says_so(site: Site) -> None:
    """A disk that tells cases apart has two files, of which one is left over."""
    ran = renamed(site).run("prune", "--yes")

    assert "removed img/hero-dark-32.webp" in ran.err
    assert not site.folder.joinpath("img/hero-dark-32.webp").exists()
    assert site.folder.joinpath("img/Hero-dark-32.webp").exists()
    assert site.run("check").code == 0


def test_an_output_in_another_case_stays_where_it_is_one_file(site: Site) -> None:
    """No file is removed by another spelling of its name, as disks that ignore case have them."""
    folder = renamed(site).folder / "img"
    for path in folder.glob("Hero-*"):
        other = folder / path.name.lower()
        other.unlink()
        os.link(path, other)

    ran = site.run("prune", "--yes")

    assert "stays: it is an output, `img/Hero-dark-32.webp`" in ran.err
    assert folder.joinpath("Hero-dark-32.webp").exists()


def test_an_output_through_a_link_stays(left_over: Site) -> None:
    """The lock may name an output by a folder that leads to its own."""
    left_over.folder.joinpath("alias").symlink_to("img")
    lock = left_over.folder.joinpath("assets.lock").read_text("utf-8")
    left_over.write("assets.lock", lock.replace('"img/hero-dark-32.webp"', '"alias/mascot.png"'))

    left_over.run("prune", "--yes")

    assert left_over.folder.joinpath("img/mascot.png").exists()
