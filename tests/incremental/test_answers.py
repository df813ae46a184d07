"""Answers that are remembered: given again only while nothing changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from flux2build.cli.run_build import remember_clean
from flux2build.errors import Exit
from flux2build.incremental.answers import remember
from flux2build.incremental.findings import findings_of
from flux2build.ledger import Intended
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal
from flux2build.session.project import Project
from flux2build.storage.disk import home
from flux2build.storage.index import Index
from flux2build.storage.ledger_mark import answer_key, holds, ledger_key
from tests.conftest import Site
from tests.journals import delivered, intended, ticketed, voided, wrote
from tests.laws.processes import ROOT
from tests.simulated import order_from, serving

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


def test_another_commit_of_the_same_version_judges_anew(site: Site, tmp_path: Path) -> None:
    """What other code found up to date is not up to date to code that makes other recipes."""
    site.run("build")
    copy = tmp_path / "other" / "flux2build"
    shutil.copytree(ROOT / "flux2build", copy, ignore=shutil.ignore_patterns("__pycache__"))

    def planned() -> str:
        command = (sys.executable, "-m", "flux2build", "plan")
        environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
        ran = subprocess.run(
            command, cwd=site.folder, env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    assert "Up to date" in planned()
    resize = copy / "images" / "ops" / "resize.py"
    resize.write_text(resize.read_text("utf-8").replace("version = 2", "version = 3"), "utf-8")

    assert "8 to derive" in planned()
    (site.folder / "img" / "icon.png").unlink()  # now the baseline could tell, not the index
    assert "8 to derive" in planned()


def remembered(site: Site, command: str = "build") -> bool:
    """Whether the call with nothing to do is answered from the index, without the parser."""
    index = Index.load(str(site.folder))
    return index.answer(answer_key(command, "assets.toml", None)) is not None and holds(
        index.answer(ledger_key())
    )


@pytest.fixture
def sent() -> Intended:
    """An order that another tree of this machine places."""
    return intended("other", project="/another/tree")


def test_a_check_of_a_clone_remembers(site: Site) -> None:
    """It writes the index, and never the lock, so that the next check is answered from it.

    A build is not, as it writes what makes a plan after an edit quick.
    """
    site.run("build")
    shutil.rmtree(site.folder / ".flux2build")
    before = site.files()

    assert site.run("check").code == Exit.DONE
    assert (remembered(site, "check"), remembered(site)) == (True, False)
    assert site.files() == before
    site.run("build")
    assert remembered(site)
    assert site.folder.joinpath(".flux2build", "baseline").is_file()


@pytest.mark.parametrize("name", ["templates/hero.j2", "img/icon.png"])
@pytest.mark.parametrize("old", [True, False])
def test_what_changes_during_a_check_is_noticed(site: Site, name: str, *, old: bool) -> None:
    """A file that is edited once a check has read it is not answered for, however old it was."""
    assert site.run("build").code == Exit.DONE
    if old:
        settled(site)
    shutil.rmtree(site.folder / ".flux2build")
    project, path = Project.open(CommonOptions()), site.folder / name
    assert findings_of(project) == []
    path.write_bytes(path.read_bytes()[:-1] + b"!")

    remember(project, "all good", [])

    assert site.run("check").code != Exit.DONE


def test_a_check_needs_no_place_for_its_memory(site: Site) -> None:
    """Where nothing can be written beside the spec, it says what it says, and writes nothing."""
    site.run("build")
    shutil.rmtree(site.folder / ".flux2build")
    site.write(".flux2build", "no folder")

    assert [site.run("check").code, site.run("check").code] == [Exit.DONE, Exit.DONE]
    assert site.folder.joinpath(".flux2build").read_text() == "no folder"


def test_free_sketches_are_not_journalled(site: Site) -> None:
    """What costs nothing makes no ledger, which every command would have to look at."""
    assert "rendered" in site.run("build").err

    assert not user_journal().path.exists()


def test_settled_orders_of_other_builds_leave_an_answer(site: Site, sent: Intended) -> None:
    """What another build ordered, and what came of it, changes nothing here."""
    site.run("build")
    assert remembered(site)

    wrote(sent, ticketed(sent), delivered(sent))
    assert remembered(site)
    wrote(replace(sent, attempt="more"), voided(replace(sent, attempt="more"), charged=False))
    assert remembered(site)


def test_open_orders_of_other_builds_void_answers(site: Site, sent: Intended) -> None:
    """An order that another build has placed is collected here, too, until it is settled."""
    site.run("build")

    for entry, kept in ((sent, False), (ticketed(sent), False), (delivered(sent), True)):
        wrote(entry)
        assert remembered(site) is kept


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data[:-1],
        lambda data: data[:-300],
        lambda data: data[:0],
        lambda data: data + b"noise\n",
        lambda data: data + b"\n",
        lambda data: data + data[: data.index(b"\n") + 1],
        lambda data: data.replace(b"icon", b"ikon") + data,
        lambda data: data.replace(b"task-", b"tusk-"),
    ],
)
def test_an_edited_ledger_voids_answers(
    site: Site, sent: Intended, edit: Callable[[bytes], bytes]
) -> None:
    """Whatever is not a settled order behind lines that are as they were is looked into."""
    wrote(sent, ticketed(sent), delivered(sent))
    site.run("build")
    ledger = home() / "ledger.jsonl"

    ledger.write_bytes(edit(ledger.read_bytes()))

    assert not remembered(site)


def test_an_edit_far_above_new_lines_voids_answers(site: Site, sent: Intended) -> None:
    """A line that was damaged long before the newest ones is looked into, although others follow."""
    orders = [replace(sent, attempt=f"early-{number}") for number in range(40)]
    for order in orders:
        wrote(order, ticketed(order), delivered(order))
    site.run("build")
    ledger = home() / "ledger.jsonl"
    before = ledger.read_bytes()
    further = replace(sent, attempt="more")
    wrote(further, ticketed(further), delivered(further))
    assert remembered(site)

    edited = before.replace(b"early-1", b"eerly-1", 1) + ledger.read_bytes()[len(before) :]
    ledger.write_bytes(edited)

    assert not remembered(site)
    assert "is damaged" in site.run("plan").err


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


ASKED: Final = ["plan", "check", "plan -p wide", "check -p wide"]
"""What is answered from the index while nothing changes."""
TWO_PROFILES: Final = """
[checks.alt]
severity = "error"
exclude = ["hero", "icon", "desk"]

[profile.wide]
output = "wide"
height = 64

[asset.desk]
prompt = "a desk"
refs = ["refs/desk.png"]
"""


@pytest.mark.parametrize("edit", ["a prompt", "an alt text", "a reference"])
def test_a_build_in_brief_answers_for_its_own_profile_alone(site: Site, edit: str) -> None:
    """What was remembered of another profile, or of `check`, is void once a build follows an edit."""
    site.draw("refs/desk.png", "teal")
    text = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write("assets.toml", text + TWO_PROFILES)
    assert [site.run("build", *words).code for words in ((), ("-p", "wide"), ())] == [0, 0, 0]
    before = [site.run(*words.split()) for words in ASKED]
    assert {each.code for each in before} == {0}
    own = site.folder / ".flux2build"
    index = Index.load(str(site.folder))
    keys = (answer_key(of, "assets.toml", p) for of in ("build", "check") for p in (None, "wide"))
    assert None not in map(index.answer, keys)

    match edit:
        case "a prompt":
            site.edit("assets.toml", "a bell", "a gong")
        case "an alt text":
            site.edit("assets.toml", 'alt = "The', '# alt = "The')
        case _:
            site.draw("refs/desk.png", "red")
    written = own.joinpath("index").stat()
    assert site.run("build").code == 0
    assert own.joinpath("index").stat() == written  # only what has changed was written beside it
    warm = [site.run(*words.split()) for words in ASKED]
    shutil.rmtree(own)

    assert warm == [site.run(*words.split()) for words in ASKED]
    assert warm != before


OTHER_ORDERS: Final = "[bfl.flux-2-pro]\ndefaults = { disable_pup = false }\n"
"""Cards by which other pictures are ordered."""


@pytest.fixture
def bought(site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of a user with cards of their own, by which all was bought."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    config.write_text('cards = "cards.toml"\n', "utf-8")
    config.with_name("cards.toml").touch()
    with serving() as server:
        order_from(server.base_url, monkeypatch)
        assert site.run("build", "-p", "final", "--yes").code == 0
    assert said(site) == (0, 0)
    return config


def said(site: Site) -> tuple[int, int]:
    """What the two commands say that change nothing."""
    plan, check = (
        site.run(*words, "-p", "final") for words in (["plan", "--exit-code"], ["check"])
    )
    quick = site.run("plan", "-p", "final")
    assert (plan.code == 0) == ("Nothing to do" in quick.out)
    return plan.code, check.code


def test_other_cards_are_noticed(site: Site, bought: Path) -> None:
    """Cards belong to what an answer depends on: by others, other pictures are ordered."""
    cards = bought.with_name("cards.toml")
    cards.write_text(OTHER_ORDERS, "utf-8")
    assert said(site) == (1, 1)
    cards.write_text("", "utf-8")
    assert said(site) == (0, 0)
    cards.unlink()
    assert said(site) == (2, 2)


def test_a_configuration_elsewhere_is_noticed(
    site: Site, bought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that names another configuration voids an answer, relative or not, and back."""
    for folder in (tmp_path / "other", site.folder / "below"):
        folder.mkdir()
        folder.joinpath("config.toml").write_text('cards = "cards.toml"\n', "utf-8")
        folder.joinpath("cards.toml").write_text(OTHER_ORDERS, "utf-8")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(tmp_path / "other" / "config.toml"))
    assert said(site) == (1, 1)
    monkeypatch.chdir(bought.parent)
    monkeypatch.setenv("FLUX2BUILD_FILE", str(site.folder / "assets.toml"))
    monkeypatch.setenv("FLUX2BUILD_CONFIG", "config.toml")
    assert said(site) == (0, 0)
    monkeypatch.chdir(site.folder / "below")
    assert said(site) == (1, 1)


def test_cards_that_change_meanwhile_are_noticed(site: Site, bought: Path) -> None:
    """A tree that was judged by other cards than are there by now is not remembered."""
    project = Project.open(CommonOptions(profile="final"))
    assert not project.plan().drift
    bought.with_name("cards.toml").write_text(OTHER_ORDERS, "utf-8")

    remember_clean(project)

    assert said(site) == (1, 1)


@pytest.mark.parametrize("variable", ["HOME", "XDG_DATA_HOME"])
def test_a_ledger_elsewhere_is_noticed(
    site: Site, sent: Intended, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's ledger has other orders to collect, whatever variable leads there, and back."""
    for name in ("FLUX2BUILD_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "one"))
    site.run("build")
    assert remembered(site)

    monkeypatch.setenv(variable, str(tmp_path / "two"))
    wrote(sent, ticketed(sent))
    assert not remembered(site)
    site.run("plan")
    assert not remembered(site)

    monkeypatch.setenv(variable, str(tmp_path / "one"))
    assert remembered(site)


def quiet(site: Site) -> bool:
    """Whether the commands that change nothing find nothing to do, with what is remembered or not."""
    first, again = (site.run("plan") for _ in range(2))
    shutil.rmtree(site.folder / ".flux2build", ignore_errors=True)
    assert site.run("plan") == first == again
    return "Nothing to do" in first.out


def settled(site: Site) -> None:
    """Remember a clean tree once the times of its files are old enough to show any later change."""
    while time.time_ns() - Path("assets.lock").stat().st_ctime_ns < 60_000_000:
        time.sleep(0.01)
    shutil.rmtree(".flux2build")
    assert "Nothing to do" in site.run("plan").out


@pytest.mark.parametrize("folder", ["img", "refs"])
@pytest.mark.parametrize("within", [True, False])
def test_a_folder_that_becomes_a_link_is_noticed(site: Site, folder: str, *, within: bool) -> None:
    """The files are the same then, but they may be none of the project any more."""
    site.draw("refs/a.png")
    with site.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write('\n[asset.photo]\nprompt = "a"\nrefs = ["refs/a.png"]\n')
    site.run("build")
    settled(site)

    elsewhere = site.folder / "moved" if within else site.folder.parent / "moved"
    Path(folder).rename(elsewhere)
    Path(folder).symlink_to(elsewhere)

    assert quiet(site) is within


def test_another_root_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies above the spec is not part of the project without the repository."""
    site.draw("shared/a.png")
    source = '[project]\nname = "a"\noutput = "img"\n[asset.photo]\nsource = "../shared/a.png"\n'
    site.write("web/assets.toml", f'{source}[[asset.photo.deliver]]\npath = "a.webp"\n')
    web = Site(site.folder / "web", site.capture)
    monkeypatch.chdir(web.folder)
    for git in (site.folder / ".git", web.folder / ".git"):
        web.run("build")
        settled(web)
        git.rmdir() if git.exists() else git.mkdir()

        assert not quiet(web)

        git.rmdir() if git.exists() else git.mkdir()
