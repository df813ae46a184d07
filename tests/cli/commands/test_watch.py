"""`flux2build watch` as people run it: a real process, a real terminal, real edits."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from flux2build.errors import Exit
from flux2build.simulator import Scenario, running
from tests.conftest import Site
from tests.spawned import Process, flux2build

WATCHING: Final = "watching; Ctrl-C ends"


@pytest.fixture
def shop(site: Site) -> Site:
    """The site with a table of data and a drawn reference."""
    site.write("data/products.csv", "sku,name\nA1,cup\n")
    site.folder.joinpath("refs").mkdir()
    Image.new("RGB", (64, 64), "red").save(site.folder / "refs/desk.png")
    site.write("posts/tea.md", "---\ntitle: a pot\n---\n")
    text = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write(
        "assets.toml",
        text
        + '[asset.shot]\nrows = { file = "data/products.csv", key = "sku" }\n'
        + 'prompt = "photo of a {{ row.name }}"\nrefs = ["refs/desk.png"]\n'
        + '[asset.post]\nrows = { file = "posts/*.md", key = "slug" }\nprompt = "{{ row.title }}"\n',
    )
    return site


def paint(site: Site) -> None:
    """Another reference at the same place."""
    Image.new("RGB", (64, 64), "blue").save(site.folder / "refs/desk.png")


def rename_over(site: Site) -> None:
    """An edit as many editors save it: a new file that takes the old one's place."""
    site.write("new.toml", site.folder.joinpath("assets.toml").read_text().replace("bell", "drum"))
    site.folder.joinpath("new.toml").replace(site.folder / "assets.toml")


EDITS: Final[dict[str, tuple[Callable[[Site], object], str, set[str]]]] = {
    "spec": (
        lambda site: site.edit("assets.toml", "a bell", "a drum"),
        "assets.toml",
        {"img/icon.png"},
    ),
    "spec, renamed into place": (rename_over, "assets.toml", {"img/icon.png"}),
    "template": (
        lambda site: site.edit("templates/hero.j2", "at a desk", "at a bar"),
        "templates/hero.j2",
        {"img/hero-dark.png", "img/hero-light.png"},
    ),
    "data": (
        lambda site: site.edit("data/products.csv", "cup", "jug"),
        "data/products.csv",
        {"img/shot-A1.png"},
    ),
    "page": (
        lambda site: site.edit("posts/tea.md", "a pot", "a cup"),
        "posts/tea.md",
        {"img/post-tea.png"},
    ),
    "another page": (
        lambda site: site.write("posts/jam.md", "---\ntitle: a jar\n---\n"),
        "posts/jam.md",
        {"img/post-jam.png"},
    ),
    "reference": (paint, "refs/desk.png", {"img/shot-A1.png"}),
}


def reject(site: Site) -> None:
    """A decision in another terminal, which only the lock has."""
    assert site.run("reject", "icon").code == Exit.DONE


@pytest.mark.parametrize(
    "edit",
    [lambda site: site.folder.joinpath("assets.lock").unlink(), reject],
    ids=["removed", "decided elsewhere"],
)
def test_a_lock_that_changes_is_seen(
    site: Site, monkeypatch: pytest.MonkeyPatch, edit: Callable[[Site], object]
) -> None:
    """It tells what there is, so a round follows at once, and the next one only after another change."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    with flux2build(site.folder, "watch") as process:
        process.until(WATCHING)
        before = site.files()
        edit(site)
        talk = process.until(WATCHING)
        site.edit("templates/hero.j2", "at a desk", "at a bar")
        talk += process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert talk.count("changed: ") == 2
    assert talk.index("changed: assets.lock") < talk.index("changed: templates/hero.j2")
    assert site.files().keys() >= before.keys()


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_built(shop: Site, kind: str) -> None:
    """Whatever the spec is made of counts, and exactly what it touches is drawn again."""
    edit, name, touched = EDITS[kind]
    with flux2build(shop.folder, "watch") as process:
        process.until(WATCHING)
        before = shop.files()
        edit(shop)
        talk = process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE
    drawn = {line.split()[1] for line in talk.splitlines() if line.startswith("render")}

    assert f"changed: {name}" in talk
    assert drawn == touched
    after = shop.files()
    assert {path for path in touched if after[path] != before.get(path)} == touched
    assert shop.run("check").code == Exit.DONE


def test_it_listens_before_it_remembers(site: Site) -> None:
    """A round ends before the index is written, which is written once nothing happens."""
    index = site.folder / ".flux2build/index"
    with flux2build(site.folder, "watch") as process:
        process.until(WATCHING)
        site.edit("templates/hero.j2", "at a desk", "at a bar")
        process.until(WATCHING)
        early, patience = index.read_bytes() if index.exists() else b"", time.monotonic() + 30
        while not index.exists() or index.read_bytes() == early:
            assert time.monotonic() < patience
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert site.run("build").err.startswith("Up to date")


TELL_TALE: Final = """\
import os, sys
def heard(event, arguments):
    if event == "open" and str(arguments[0]).endswith(os.environ["HEARD"]):
        with open(os.environ["TOLD"], "a") as told:
            told.write(sys._getframe(1).f_code.co_name + "\\n")
sys.addaudithook(heard)
"""


def listening(site: Site, log: Path, name: str) -> AbstractContextManager[Process]:
    """`flux2build watch`, which logs who opens a file of this name."""
    site.write("beside/sitecustomize.py", TELL_TALE)
    path = os.pathsep.join([str(site.folder / "beside"), os.environ.get("PYTHONPATH", "")])
    return flux2build(site.folder, "watch", PYTHONPATH=path, TOLD=str(log), HEARD=name)


def test_a_round_reads_once(site: Site, tmp_path: Path) -> None:
    """What the spec is made of is read once for each edit, however much is drawn of it."""
    log = tmp_path / "told"
    with listening(site, log, "hero.j2") as process:
        process.until(WATCHING)
        log.write_text("")
        site.edit("templates/hero.j2", "at a desk", "at a bar")
        process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert log.read_text().splitlines().count("read") == 1


def test_a_round_reads_what_was_edited(site: Site, tmp_path: Path) -> None:
    """Once it has had time, other templates are not read for an edit, however many follow it."""
    site.write("templates/icon.j2", "a bell")
    site.edit("assets.toml", 'prompt = "a bell"', 'template = "icon.j2"')
    log, index = tmp_path / "told", site.folder / ".flux2build/index"
    with listening(site, log, "icon.j2") as process:
        process.until(WATCHING)
        patience = time.monotonic() + 30
        while not index.exists():
            assert time.monotonic() < patience
        assert log.read_text()
        log.write_text("")
        for old, new in ((" mood", " light"), (" light", " haze"), (" haze", "")):
            site.edit("templates/hero.j2", old, new)
            assert "render" in process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert not log.read_text()


@pytest.mark.parametrize("terminal", [False, True])
def test_its_own_writes_are_no_change(site: Site, *, terminal: bool) -> None:
    """Each edit leads to one round, whatever that round writes; and Ctrl-C ends the waiting."""
    with flux2build(site.folder, "watch", terminal=terminal) as process:
        process.until(WATCHING)
        for word in ("drum", "horn", "harp"):
            text = site.folder.joinpath("assets.toml").read_text("utf-8")
            site.write("assets.toml", text.replace("a bell", f"a {word} and a bell"))
            process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert process.said.count("changed: assets.toml") == 3
    assert process.said.count("changed: ") == 3
    assert process.said.count("1 rendered, ") == 3
    assert "stopped watching" in process.said
    assert "Traceback" not in process.said


def test_a_mistake_is_shown_and_waited_for(site: Site) -> None:
    """A broken spec, template or reference ends nothing: its error is shown, its mend is built."""
    with flux2build(site.folder, "watch") as process:
        process.until(WATCHING)
        site.edit("assets.toml", "a bell", "a drum\nand")
        assert "--> assets.toml:" in process.until(WATCHING)
        site.edit("assets.toml", "a drum\nand", "a drum")
        assert "1 rendered" in process.until(WATCHING)
        site.edit("templates/hero.j2", "theme", "thme")
        assert "did you mean `theme`?" in process.until(WATCHING)
        site.edit("templates/hero.j2", "thme", "theme")
        process.until(WATCHING)
        site.folder.joinpath("templates/hero.j2").unlink()
        assert "hero.j2" in process.until(WATCHING)
        site.write("templates/hero.j2", "{{ ref('mascot') }} asleep, {{ theme }}")
        assert "2 rendered" in process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE


@pytest.mark.parametrize(
    ("right", "wrong"), [("prompt", "promt"), ("[profile.draft]", "[profile.other]")]
)
def test_a_mended_mistake_hides_no_edit(shop: Site, right: str, wrong: str) -> None:
    """Once a mistake is mended, edits count again of all that the spec is made of."""
    shop.write("assets.toml", shop.folder.joinpath("assets.toml").read_text() + "[profile.draft]\n")
    baseline, patience = shop.folder / ".flux2build/baseline", time.monotonic() + 30
    with flux2build(shop.folder, "watch", "--profile", "draft") as process:
        process.until(WATCHING)
        while not baseline.exists():
            assert time.monotonic() < patience
        shop.edit("assets.toml", right, wrong)
        assert "error: " in process.until(WATCHING)
        shop.edit("assets.toml", wrong, right)
        process.until(WATCHING)
        shop.edit("data/products.csv", "cup", "jug")
        assert "changed: data/products.csv" in process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE


def test_a_folder_that_is_replaced(site: Site, tmp_path: Path) -> None:
    """A folder may go and come again, as when branches change; edits in the new one count."""
    with flux2build(site.folder, "watch") as process:
        process.until(WATCHING)
        site.folder.joinpath("templates").rename(tmp_path / "old")
        process.until("hero.j2")
        process.until(WATCHING)
        site.write("new/hero.j2", "{{ ref('mascot') }} asleep, {{ theme }}")
        site.folder.joinpath("new").rename(site.folder / "templates")
        assert "2 rendered" in process.until(WATCHING)
        site.edit("templates/hero.j2", "asleep", "awake")
        assert "2 rendered" in process.until(WATCHING)


def test_paid_orders_wait(site: Site) -> None:
    """Without a cap nothing is ordered: the plan is shown, again at each edit."""
    with flux2build(site.folder, "watch", "-p", "final", "icon") as process:
        assert "paid orders wait: run `flux2build build -p final icon`" in process.until(WATCHING)
        assert process.line() == "+ icon  render   never rendered  $0.03"
        site.edit("assets.toml", "a bell", "a drum")
        assert "paid orders wait" in process.until(WATCHING)

    assert site.run("orders", "list", "--everything").out == ""


def test_the_session_has_a_cap(site: Site) -> None:
    """`--max-cost` is for all rounds together; what goes over it is shown and waits."""
    with (
        running(Scenario(latency=0)) as server,
        flux2build(
            site.folder,
            *("watch", "-p", "final", "--max-cost", "0.07", "icon", "mascot"),
            FLUX2BUILD_BFL_URL=server,
            BFL_API_KEY="k",
        ) as process,
    ):
        assert "2 rendered" in process.until(WATCHING)
        site.edit("assets.toml", "a bell", "a drum")
        talk = process.until(WATCHING)
        assert "paid orders wait: $0.01 of `--max-cost` is left" in talk
        site.edit("assets.toml", "a drum", "a bell")
        assert "Up to date" in process.until(WATCHING)
        process.interrupt()
        assert process.ended() == Exit.DONE

    assert site.run("cost", "--by", "asset").out == (
        "icon    $0.03 for 1 order  (settled)\n"
        "mascot  $0.03 for 1 order  (settled)\n"
        "total   $0.06 for 2 orders\n"
    )


def test_a_pull_request_from_a_fork_spends_nothing(site: Site) -> None:
    """`--max-cost` is not enough there, as for `build`; `--trust-pr` lets the session spend."""
    words = ("watch", "-p", "final", "--max-cost", "0.05", "icon")
    with running(Scenario(latency=0)) as server:
        watch = partial(
            flux2build,
            site.folder,
            *words,
            FLUX2BUILD_BFL_URL=server,
            BFL_API_KEY="k",
            CIRCLE_PR_REPONAME="site",
        )
        with watch() as process:
            talk = process.until(WATCHING)
        assert "this build costs $0.03, and a pull request from a fork started it" in talk
        assert "`flux2build build --trust-pr" in talk
        assert site.run("orders", "list", "--everything").out == ""

        with watch("--trust-pr") as process:
            assert "1 rendered" in process.until(WATCHING)


def test_a_price_is_seen_when_it_changes(site: Site) -> None:
    """A session shows the prices of the user's cards as they are now, not as it found them."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    cards = config.with_name("cards.toml")
    cards.write_text("[bfl.flux-2-pro]\nprice = { first = 0.05 }\n", encoding="utf-8")
    with flux2build(site.folder, "watch", "-p", "final", "icon") as process:
        process.until(WATCHING)
        assert process.line().endswith("  $0.03")
        config.write_text('cards = "cards.toml"\n', encoding="utf-8")
        assert "config.toml" in process.until(WATCHING)
        assert process.until_line("+ icon").endswith("  $0.05")
        cards.write_text("[bfl.flux-2-pro]\nprice = { first = 0.07 }\n", encoding="utf-8")
        assert "cards.toml" in process.until(WATCHING)
        assert process.until_line("+ icon").endswith("  $0.07")


def test_a_key_is_seen_when_it_is_set(site: Site) -> None:
    """A session that began without a key buys with the one that is put into its `--env-file`."""
    keys = site.write("keys.env", "# none yet\n")
    with (
        running(Scenario(latency=0)) as server,
        flux2build(
            site.folder,
            *("watch", "-p", "final", "--max-cost", "0.07", "--env-file", "keys.env", "icon"),
            FLUX2BUILD_BFL_URL=server,
        ) as process,
    ):
        assert "`BFL_API_KEY`" in process.until(WATCHING)
        keys.write_text("BFL_API_KEY=k\n", encoding="utf-8")
        assert "1 rendered" in process.until(WATCHING)


def test_a_wrong_configuration_is_shown_and_waited_for(site: Site) -> None:
    """A mistake in the user's configuration is shown; once it is mended, the session builds."""
    config = Path(os.environ["FLUX2BUILD_CONFIG"])
    with flux2build(site.folder, "watch", "icon") as process:
        process.until(WATCHING)
        config.write_text("card = 1\n", encoding="utf-8")
        assert "`card` is not a setting" in process.until(WATCHING)
        config.write_text("", encoding="utf-8")
        assert "Up to date" in process.until(WATCHING)


def test_programs_get_one_document_a_line(site: Site) -> None:
    """With `--json` each round is one line on stdout: a plan, an outcome or problems."""
    with flux2build(site.folder, "watch", "--json", "icon") as process:
        first = json.loads(process.line())
        assert [(row["asset"], row["action"]) for row in first["done"]] == [("icon", "render")]
        process.until(WATCHING)
        site.edit("assets.toml", "prompt = ", "promt = ")
        problems = json.loads(process.line())["problems"]
        assert problems[0]["file"] == "assets.toml"
        assert problems[0]["line"] > 0
        process.until(WATCHING)


def test_what_was_never_right_is_not_watched(site: Site) -> None:
    """A selection or profile that does not exist is said at once, with the nearest."""
    assert "did you mean `icon`?" in (ran := site.run("watch", "icno")).err
    assert ran.code == Exit.USAGE
    assert "did you mean `final`?" in (ran := site.run("watch", "-p", "fianl")).err
    assert ran.code == Exit.USAGE


def test_a_disk_that_cannot_be_written_to(site: Site) -> None:
    """What no edit mends ends the watch at once, with the environment's exit code."""
    site.write(".flux2build", "in the way")
    ran = site.run("watch")

    assert ran.code == Exit.SYSTEM
    assert "cannot lock" in ran.err


@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupt_while_it_builds(site: Site, *, terminal: bool) -> None:
    """Ctrl-C during a round ends with 130; what was drawn counts, and the next build goes on."""
    names = [f"bell{number}" for number in range(60)]
    spec = "".join(f'[asset.{name}]\nprompt = "{name}"\nwidth = 512\n' for name in names)
    site.write("assets.toml", f'[project]\noutput = "img"\n{spec}')
    with flux2build(site.folder, "watch", "-v", terminal=terminal) as process:
        process.until("render ")
        process.interrupt()
        assert process.ended() == Exit.INTERRUPTED
    assert 0 < len(list(site.folder.glob("img/*.png"))) < 60

    assert site.run("build").code == Exit.DONE
    assert site.run("check").code == Exit.DONE


def test_an_output_that_is_spoilt_is_made_again(site: Site) -> None:
    """Removed, damaged, or gone with its folder: it is noticed without an edit; what a build writes is not."""
    picture = site.folder / "img/icon.png"
    with flux2build(site.folder, "watch") as process:
        process.until(WATCHING)
        whole = picture.read_bytes()
        for spoil in (
            picture.unlink,
            lambda: picture.write_bytes(b"noise"),
            lambda: shutil.rmtree(picture.parent),
            picture.unlink,
        ):
            spoil()
            process.until("changed: img/")
            process.until(WATCHING)
            assert picture.read_bytes() == whole
        site.edit("assets.toml", "a bell", "a drum")
        talk = process.until("changed: assets.toml") + process.until(WATCHING)
        site.edit("assets.toml", "a drum", "a bell")
        talk += process.until(WATCHING)

    assert talk.count("changed: ") == 2
    assert picture.read_bytes() == whole
