"""`build`: what is done, what is said meanwhile, and which exit code tells it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from flux2build.building import run_lock
from flux2build.session.home import user_journal
from flux2build.session.settings import config_path
from flux2build.storage import disk
from tests.conftest import Ran, Site
from tests.golden import sorted_lines, text
from tests.proxies import proxy
from tests.spawned import flux2build

CLEAN = "Up to date (default): 12 files. Nothing to do.\n"


def actions(ran: Ran) -> dict[str, str]:
    """What was done, by output, kept files left out."""
    done = json.loads(ran.out)["done"]
    return {row["output"]: row["action"] for row in done if row["action"] != "keep"}


@pytest.mark.parametrize("words", [(), ("build",)])
def test_first_and_second(site: Site, words: tuple[str, ...]) -> None:
    """The first build makes everything, line by line; the second has nothing to do."""
    ran = site.run(*words)

    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("\nBuilt: 4 rendered, 8 derived, 0 up to date.\n")
    assert sorted_lines(ran.err) == text("""
        Built: 4 rendered, 8 derived, 0 up to date.
        derive   img/hero-dark-32.jpeg  (new deliverable)
        derive   img/hero-dark-32.webp  (new deliverable)
        derive   img/hero-dark-64.jpeg  (new deliverable)
        derive   img/hero-dark-64.webp  (new deliverable)
        derive   img/hero-light-32.jpeg  (new deliverable)
        derive   img/hero-light-32.webp  (new deliverable)
        derive   img/hero-light-64.jpeg  (new deliverable)
        derive   img/hero-light-64.webp  (new deliverable)
        render   img/hero-dark.png  (never rendered)
        render   img/hero-light.png  (never rendered)
        render   img/icon.png  (never rendered)
        render   img/mascot.png  (never rendered)
        """)
    before = site.files()
    again = site.run(*words)
    assert (again.code, again.out, again.err) == (0, "", CLEAN)
    assert site.files() == before


def colours(site: Site) -> dict[str, str]:
    """The dominant colours of every file that is locked, by its bytes."""
    text = site.folder.joinpath("assets.lock").read_text("utf-8")
    return dict(re.findall(r'output\.sha256 = "(.*)"[^[]*?output\.colours = "(.*)"', text))


def test_a_file_that_moves_keeps_its_colours(site: Site) -> None:
    """They are those of its pixels; a file that is adopted was encoded, which changes a few of them."""
    assert site.run("build").code == 0
    before = colours(site)
    site.edit("assets.toml", 'output = "img"', 'output = "pictures"')

    assert set(actions(site.run("build", "--json")).values()) == {"adopt", "restore"}
    assert (len(before) > 4, colours(site)) == (True, before)


def test_pictures_are_what_was_asked_for(site: Site) -> None:
    """Outputs have the size and the format of the spec."""
    site.run()

    with Image.open(site.folder / "img/mascot.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (128, 96))
    with Image.open(site.folder / "img/hero-dark-64.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (64, 36))


def test_edited_prompt(site: Site) -> None:
    """An edit is followed to what is made of its picture, and no further."""
    site.run()
    icon = site.folder.joinpath("img/icon.png").stat().st_mtime_ns
    site.edit("assets.toml", "a friendly fox", "a friendly red fox")

    ran = site.run()

    assert sorted_lines(ran.err) == text("""
        Built: 3 rendered, 8 derived, 1 up to date.
        derive   img/hero-dark-32.jpeg  (the picture of `hero[theme=dark]` changed)
        derive   img/hero-dark-32.webp  (the picture of `hero[theme=dark]` changed)
        derive   img/hero-dark-64.jpeg  (the picture of `hero[theme=dark]` changed)
        derive   img/hero-dark-64.webp  (the picture of `hero[theme=dark]` changed)
        derive   img/hero-light-32.jpeg  (the picture of `hero[theme=light]` changed)
        derive   img/hero-light-32.webp  (the picture of `hero[theme=light]` changed)
        derive   img/hero-light-64.jpeg  (the picture of `hero[theme=light]` changed)
        derive   img/hero-light-64.webp  (the picture of `hero[theme=light]` changed)
        render   img/hero-dark.png  (the picture of `mascot` changed)
        render   img/hero-light.png  (the picture of `mascot` changed)
        render   img/mascot.png  (prompt changed)
        """)
    assert site.folder.joinpath("img/icon.png").stat().st_mtime_ns == icon


def test_changed_width_renders_nothing(site: Site) -> None:
    """Another width of a deliverable is free; what is left over is said."""
    site.run()
    site.edit("assets.toml", "widths = [32, 64]", "widths = [32, 48]")

    ran = site.run()

    assert ran.err.splitlines()[-2:] == [
        "Built: 4 derived, 8 up to date.",
        "4 outputs are left over; `flux2build prune` shows what may be removed",
    ]
    assert "render" not in ran.err.partition("Built")[0]


def test_missing_and_edited_files(site: Site) -> None:
    """What is gone or drawn over comes back, and the hand-made bytes stay in the store."""
    site.run()
    before = site.files()
    site.folder.joinpath("img/mascot.png").unlink()
    site.folder.joinpath("img/hero-dark-32.webp").unlink()
    site.folder.joinpath("img/icon.png").write_bytes(b"drawn over by hand")

    ran = site.run()

    assert sorted_lines(ran.err) == text("""
        Built: 2 restored, 1 derived, 9 up to date.
        derive   img/hero-dark-32.webp  (the file is missing)
        kept what was at img/icon.png: `flux2build restore c8b06871c995 img/icon.png` brings it back
        restore  img/icon.png  (the file was modified)
        restore  img/mascot.png  (the file is missing)
        """)
    assert site.files() == before
    kept = [path.read_bytes() for path in (disk.home() / "store").rglob("*") if path.is_file()]
    assert b"drawn over by hand" in kept


def test_selection(site: Site) -> None:
    """A selection is built with what it is made of; the rest is left alone."""
    ran = site.run("build", "--json", "hero[theme=dark]")

    assert {path for path, action in actions(ran).items() if action == "render"} == {
        "img/mascot.png",
        "img/hero-dark.png",
    }
    assert not site.folder.joinpath("img/icon.png").exists()
    assert actions(site.run("build", "--json", "--exclude", "hero")) == {"img/icon.png": "render"}


def test_forced(site: Site) -> None:
    """`--force` renders what is current; drawn again the same, nobody else is made again."""
    site.run()

    ran = site.run("build", "--json", "--force", "mascot")

    assert actions(ran) == {"img/mascot.png": "render"}


def test_dry_run(site: Site) -> None:
    """`--dry-run` shows the plan and touches nothing."""
    ran = site.run("build", "--dry-run")

    assert (ran.code, ran.out) == (0, site.run("plan").out)
    assert not site.folder.joinpath("img").exists()


def test_quiet(site: Site) -> None:
    """With -q only what is wrong is said."""
    ran = site.run("build", "-q")

    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_json(site: Site) -> None:
    """What is asked for is one document on stdout; talk stays on stderr."""
    value = json.loads(site.run("build", "--json").out)

    assert value.keys() == {
        *("format_version", "done", "failed", "blocked", "exit_code"),
        *("collected", "orders", "spent", "reserved"),
    }
    assert {"asset": "icon", "output": "img/icon.png", "action": "render"} in value["done"]
    assert (len(value["done"]), value["failed"], value["blocked"]) == (12, [], [])


def test_profiles_lie_beside_each_other(site: Site) -> None:
    """Profiles have outputs and blocks of their own; going back and forth makes nothing again."""
    site.edit("assets.toml", 'provider = "bfl"\nmodel = "flux-2-pro"\n', 'provider = "sketch"\n')
    site.edit("assets.toml", "width = 1024\nheight = 1024", "width = 64\nheight = 64")
    site.run("build")
    site.run("build", "-p", "final")

    assert site.run("check").code == site.run("check", "-p", "final").code == 0
    lock = site.folder.joinpath("assets.lock").read_text()
    assert "[asset.icon.default.generated]" in lock
    assert "[asset.icon.final.generated]" in lock


def test_another_file(site: Site) -> None:
    """`-f` names the spec; its lock lies beside it and is named like it."""
    site.folder.joinpath("assets.toml").rename(site.folder / "icons.toml")

    assert site.run("build", "-f", "icons.toml").code == 0
    assert site.folder.joinpath("icons.lock").exists()
    assert site.run("build").err.startswith("error: there is no `assets.toml` here or above\n")


def test_found_from_below(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec is found upwards; paths stay those of the spec."""
    below = site.folder / "docs" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert site.run("build").code == 0
    assert site.folder.joinpath("img/icon.png").exists()
    assert site.run("check").out == CLEAN


PAID = ("build", "-p", "final")


def test_nobody_is_there_to_confirm(site: Site) -> None:
    """A paid build without a terminal stops before anything happens."""
    before = site.files()

    ran = site.run(*PAID)

    assert (ran.code, ran.out) == (4, "")
    assert ran.err == text("""
        error: this build costs $0.15, and nobody is here to confirm it
          hint: add `--yes`, or a cap with `--max-cost USD`
        """)
    assert site.files() == before


@pytest.mark.parametrize(("answer", "code"), [("n", 4), ("", 4), ("y", 6)])
def test_somebody_is_there_to_confirm(site: Site, answer: str, code: int) -> None:
    """On a terminal the plan is shown and the price asked about; only yes goes on."""
    with flux2build(site.folder, *PAID, "icon", terminal=True) as process:
        shown = process.until("Spend $0.03? [y/N]: ")
        process.type(answer)
        ended = process.ended()

    assert "+ icon  render   never rendered  $0.03" in shown
    assert ended == code
    assert ("not confirmed; nothing was ordered" in process.said) == (code == 4)
    assert ("`BFL_API_KEY` is not set" in process.said) == (code == 6)


def test_small_sums_are_not_asked_about(site: Site) -> None:
    """A person's own `confirm_above` waives the question; that of the spec does not."""
    site.edit("assets.toml", "[defaults]", "[budget]\nconfirm_above = 100\n\n[defaults]")

    with flux2build(site.folder, *PAID, "icon", terminal=True) as process:
        process.until("Spend $0.03? [y/N]: ")
        process.type("n")
        assert process.ended() == 4
    config_path().write_text("[budget]\nconfirm_above = 0.03\n", "utf-8")
    with flux2build(site.folder, *PAID, "icon", terminal=True) as process:
        assert process.ended() == 6
    assert "Spend" not in process.said
    with flux2build(site.folder, *PAID, terminal=True) as process:
        process.until("Spend $0.15? [y/N]: ")
        process.type("n")
        assert process.ended() == 4


def test_a_pull_request_from_a_fork_spends_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--yes` is not enough there; plan, check and free builds go on, and `--trust-pr` builds."""
    event = tmp_path / "event.json"
    event.write_text('{"pull_request": {"base": {"repo": {"id": 1}}, "head": {"repo": {"id": 2}}}}')
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request_target")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))

    ran = site.run(*PAID, "--yes", "icon")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == text("""
        error: this build costs $0.03, and a pull request from a fork started it
          hint: the spec may be a stranger's; read it, then say `flux2build build --trust-pr -p final icon`
        """)
    assert (
        site.run("plan", "-p", "final").code
        == site.run("build").code
        == site.run("check").code
        == 0
    )
    assert site.run(*PAID, "--yes", "--trust-pr", "icon").code == 6  # there is no key


def test_a_spec_limits_and_does_not_agree(site: Site) -> None:
    """Without a terminal no figure of the spec is consent: a stranger may have written it."""
    budget = "[budget]\nper_run = 100\nconfirm_above = 100\n\n[defaults]"
    site.edit("assets.toml", "[defaults]", budget)

    for words in ((), ("icon",)):
        ran = site.run(*PAID, *words)
        assert (ran.code, "nobody is here to confirm it" in ran.err) == (4, True)
    site.edit("assets.toml", "per_run = 100", "per_run = 0.10")
    assert "more than the cap of $0.10" in site.run(*PAID, "--yes").err


def test_nobody_waits_for_a_person_who_reads(site: Site) -> None:
    """At the question the tree is free; what has become another plan by then is asked about anew."""
    with flux2build(site.folder, *PAID, "icon", terminal=True) as process:
        process.until("Spend $0.03? [y/N]: ")
        assert site.run("build", "mascot", "--lock-timeout", "0").code == 0
        site.edit("assets.toml", "a bell", "a brass bell")
        process.type("y")
        process.until("Spend $0.03? [y/N]: ")
        process.type("n")
        assert process.ended() == 4


def test_over_the_cap(site: Site) -> None:
    """A build that certainly costs more than its cap does not begin."""
    ran = site.run(*PAID, "--max-cost", "0.10")

    assert (ran.code, ran.err.splitlines()[0]) == (
        4,
        "error: this build costs $0.15, more than the cap of $0.10",
    )


def test_no_key(site: Site) -> None:
    """Without a key nothing is ordered, and nothing is written down as ordered."""
    ran = site.run(*PAID, "--yes", "icon")

    assert ran.code == 6
    assert "`BFL_API_KEY` is not set" in ran.err
    assert list(user_journal().read()) == []


def test_failures_block_only_what_needs_them(site: Site) -> None:
    """One asset that cannot be made blocks its descendants; each thing that is wrong is said once."""
    ran = site.run(*PAID, "--yes")

    assert (ran.code, ran.out) == (6, "")
    assert sorted_lines(ran.err) == text("""
          hint: set BFL_API_KEY in the environment or with `--env-file`
        Built: 2 failed, 10 blocked, 0 up to date.
        Plan (final): 4 to render, 8 to derive, 0 up to date. Price: $0.15.
        blocked  final/hero-dark.png  (`mascot` was not made)
        blocked  final/hero-light.png  (`mascot` was not made)
        error: `icon` was not ordered: the key is missing or refused; nothing more is ordered (`BFL_API_KEY` is not set)
        error: `mascot`: the key is missing or refused; nothing more is ordered (`BFL_API_KEY` is not set)
        """)


def test_files_that_cannot_be_derived(site: Site) -> None:
    """What is wrong with a source is said once, by its name and where it is asked for."""
    site.write("logo.png", "no picture")
    crop = '{ op = "crop", ratio = "16:9" }'
    site.edit("assets.toml", crop, f'{crop}, {{ op = "overlay", source = "logo.png" }}')

    ran = site.run("build", "hero[theme=dark]")

    assert ran.code == 2
    assert ran.err == text("""
        error: `logo.png` is not a picture but text
          --> assets.toml:34:41
           |
        34 | ops = [{ op = "crop", ratio = "16:9" }, { op = "overlay", source = "logo.png" }]
           |                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           hint: fetch or export the file again
        """)
    site.draw("logo.png")
    again = site.run("build", "hero[theme=dark]")
    assert again.err.endswith("Built: 2 rendered, 4 derived, 0 up to date.\n")


def test_the_second_build_waits(site: Site) -> None:
    """Two builds in one tree: the second says for whom it waits, and reuses what the first made."""
    words = [sys.executable, "-m", "flux2build", "build"]
    with run_lock.held(site.folder, "flux2build build", None, print):
        other = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert other.stderr is not None
        first = other.stderr.readline()
        impatient = subprocess.run(
            [*words, "--lock-timeout", "0"], stderr=subprocess.PIPE, text=True, check=False
        )
    rest = other.communicate()[1]

    assert first.startswith(f"waiting for another build: pid {os.getpid()} on ")
    assert impatient.returncode == 6
    assert "waited 0 s for another build" in impatient.stderr
    assert other.returncode == 0
    assert rest.endswith("\nBuilt: 4 rendered, 8 derived, 0 up to date.\n")


def test_two_builds_at_once_render_once(site: Site) -> None:
    """Started together, two builds draw each picture once between them."""
    words = [sys.executable, "-m", "flux2build", "build", "--json"]
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outs = [json.loads(each.communicate()[0]) for each in both]

    rendered = [d["output"] for out in outs for d in out["done"] if d["action"] == "render"]
    assert sorted(rendered) == [
        "img/hero-dark.png",
        "img/hero-light.png",
        "img/icon.png",
        "img/mascot.png",
    ]
    assert site.run("check").out == CLEAN


def test_clones_share_pictures(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another clone on the same machine draws the same sketches again, and they are the same bytes."""
    site.run()
    pictures = {path: data for path, data in site.files().items() if path.startswith("img")}
    clone = site.folder.parent / "clone"
    clone.mkdir()
    (clone / ".git").mkdir()
    for name in ("assets.toml", "templates"):
        source = site.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
    monkeypatch.chdir(clone)

    other = Site(clone, site.capture)
    other.run("build")

    assert {path: other.files()[path] for path in pictures} == pictures


def test_git_clean_destroys_nothing(site: Site) -> None:
    """With outputs, lock and cache gone, everything comes back as it was."""
    site.run()
    before = site.files()
    shutil.rmtree(site.folder / "img")
    shutil.rmtree(site.folder / ".flux2build")
    site.folder.joinpath("assets.lock").unlink()

    site.run("build")

    assert site.files().keys() == before.keys()
    pictures = {path: data for path, data in before.items() if path.startswith("img")}
    assert {path: site.files()[path] for path in pictures} == pictures


def test_unwritable_outputs(site: Site) -> None:
    """A disk that says no is the environment's fault; what was drawn is kept."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = site.folder / "img"
    folder.mkdir(mode=0o555)

    ran = site.run("build", "icon")

    folder.chmod(0o755)
    assert ran.code == 6
    assert "error: `icon`: cannot write `" in ran.err
    assert actions(site.run("build", "icon", "--json")) == {"img/icon.png": "adopt"}


def test_jobs_bound_what_is_drawn_at_once(site: Site) -> None:
    """`-j 1` draws one picture after the other, and makes the same files."""
    site.run("build", "-j", "1")
    one = site.files()
    shutil.rmtree(site.folder / "img")
    shutil.rmtree(disk.home() / "store")
    site.folder.joinpath("assets.lock").unlink()

    site.run("build", "-j", "8")

    assert site.files() == one


@pytest.mark.parametrize("words", [("-j", "0"), ("--max-cost", "much"), ("--lock-timeout", "x")])
def test_impossible_options(site: Site, words: tuple[str, ...]) -> None:
    """An option that makes no sense is a usage error, in one line and a hint."""
    ran = site.run("build", *words)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.endswith("  hint: see `flux2build build --help`\n")
    assert not site.folder.joinpath("img").exists()


def test_nothing_is_left_of_unfinished_writes(site: Site) -> None:
    """After a build there are outputs, the lock and the cache, and no temporary files."""
    site.run()

    names = {path.relative_to(site.folder).parts[0] for path in site.folder.rglob("*")}
    assert names == {".flux2build", ".git", "assets.lock", "assets.toml", "img", "templates"}
    assert not [path for path in site.folder.rglob("*") if path.name.endswith(".tmp")]


def test_threads_end(site: Site) -> None:
    """A build leaves no thread behind that would keep the process from ending."""
    site.run()

    alive = [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    assert [t.name for t in alive if not t.name.startswith(("flux2build", "asyncio"))] == []
    assert Path("assets.lock").exists()


def test_a_choice_pays_for_what_it_shares(site: Site) -> None:
    """A chosen asset buys an order that it shares with another one: its price needs consent."""
    bell = '\nprompt = "a bell"\n'
    site.edit("assets.toml", f"[asset.icon]{bell}", f"[asset.bell]{bell}\n[asset.icon]{bell}")
    for one in ("bell", "icon"):
        ran = site.run(*PAID, one)

        assert ran.code == 4
        assert "this build costs $0.03, and nobody is here" in ran.err
        assert "1 to render" in site.run("plan", "-p", "final", one).out


def test_orders_go_through_the_proxy_of_the_user(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that refuses proves that nothing was sent; its password is not said."""
    Path(os.environ["FLUX2BUILD_CONFIG"]).write_text("[limits]\nattempts = 1\n", encoding="utf-8")
    monkeypatch.setenv("BFL_API_KEY", "practice")
    with proxy("407 Proxy Authentication Required") as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url.replace("//", "//me:secret@"))
        ran = site.run(*PAID, "--yes", "icon")

    assert (ran.code, set(asked)) == (6, {"CONNECT api.bfl.ai:443 HTTP/1.1"})
    assert "no connection to `bfl`: the proxy says 407 Proxy Authentication Required" in ran.err
    assert "secret" not in ran.err
    assert user_journal().read() == []
