"""`plan`: what would be done, why, and for how much, without doing anything."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from flux2build.errors import Exit
from tests.conftest import Site
from tests.golden import text
from tests.simulated import AT_ONCE, order_from, serving


def test_first(site: Site) -> None:
    """Before the first build everything is new, and what waits for whom is said."""
    ran = site.run("plan")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == text("""
        + mascot             render   never rendered
        + hero[theme=light]  render   never rendered, waits for `mascot`
        v hero[theme=light]  derive 4 files  new deliverable
        + hero[theme=dark]   render   never rendered, waits for `mascot`
        v hero[theme=dark]   derive 4 files  new deliverable
        + icon               render   never rendered

        Plan (default): 4 to render, 8 to derive, 0 up to date. Price: free.
        """)


def test_nothing_to_do(site: Site) -> None:
    """After a build there is one line, and nothing is written."""
    site.run("build")
    before = site.files()

    ran = site.run("plan")

    assert (ran.code, ran.out) == (0, "Up to date (default): 12 files. Nothing to do.\n")
    assert site.files() == before


def test_edited_prompt(site: Site) -> None:
    """A changed prompt is shown word by word; what is made of it may turn out to stay."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox in a", "a friendly red fox with a")

    assert site.run("plan").out == text("""
        ~ mascot             render   prompt changed
            prompt a friendly {+red +}fox [-in-]{+with+} a #0A84FF scarf
        ? hero[theme=light]  render   waits for `mascot`
        ? hero[theme=light]  derive 4 files  follows its master
        ? hero[theme=dark]   render   waits for `mascot`
        ? hero[theme=dark]   derive 4 files  follows its master

        Plan (default): 3 to render, 8 to derive, 1 up to date. Price: free.
        """)


def test_changed_width(site: Site) -> None:
    """Another width of a deliverable derives files and renders nothing; the old ones are left over."""
    site.run("build")
    site.edit("assets.toml", "widths = [32, 64]", "widths = [32, 48]")

    assert site.run("plan").out == text("""
        v hero[theme=light]  derive 2 files  new deliverable
        v hero[theme=dark]   derive 2 files  new deliverable
        - hero[theme=dark]   orphan   img/hero-dark-64.jpeg
        - hero[theme=dark]   orphan   img/hero-dark-64.webp
        - hero[theme=light]  orphan   img/hero-light-64.jpeg
        - hero[theme=light]  orphan   img/hero-light-64.webp

        Plan (default): 4 to derive, 4 left over, 8 up to date. Price: free.
        """)


def test_changed_parameters_and_operations(site: Site) -> None:
    """Each field that changed has a line, once for all files that say the same."""
    site.run("build")
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nwidth = 160\nseed = 7')
    site.edit("assets.toml", 'ratio = "16:9"', 'ratio = "4:3"')

    assert site.run("plan").out == text("""
        v hero[theme=light]  derive 4 files  operations changed
            crop ratio 16:9 -> 4:3
        v hero[theme=dark]   derive 4 files  operations changed
            crop ratio 16:9 -> 4:3
        ~ icon               render   seed changed, `width` changed
            seed none -> 7
            width 128 -> 160

        Plan (default): 1 to render, 8 to derive, 3 up to date. Price: free.
        """)


def test_missing_and_edited_files(site: Site) -> None:
    """Files that are gone or were drawn over come back for nothing."""
    site.run("build")
    site.folder.joinpath("img/mascot.png").unlink()
    site.folder.joinpath("img/hero-dark-32.webp").unlink()
    site.folder.joinpath("img/icon.png").write_bytes(b"drawn over by hand")

    assert site.run("plan").out == text("""
        = mascot            restore  the file is missing
        v hero[theme=dark]  derive   the file is missing
        = icon              restore  the file was modified

        note: icon: replaces a file that is not what the lock says; its bytes are kept, and the build says how to bring them back
        Plan (default): 2 to restore, 1 to derive, 9 up to date. Price: free.
        """)


def test_changed_references(site: Site) -> None:
    """A reference with other bytes, a new one and another order are told apart."""
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nrefs = ["a.png", "b.png"]')
    site.draw("a.png", "red")
    site.draw("b.png", "blue")
    site.run("build", "icon")
    lines = []
    for edit in ('["b.png", "a.png"]', '["a.png"]', '["a.png", "b.png"]'):
        site.edit("assets.toml", '["a.png", "b.png"]', edit)
        if edit == '["a.png", "b.png"]':
            site.draw("a.png", "green")
        lines.append(site.run("plan", "icon").out.splitlines()[0])
        site.edit("assets.toml", edit, '["a.png", "b.png"]')

    assert lines == [
        "~ icon  render   inputs are in another order",
        "~ icon  render   `b.png` is no longer an input",
        "~ icon  render   `a.png` changed",
    ]


def test_renamed(site: Site) -> None:
    """A renamed asset adopts its picture; the old file is left over."""
    site.run("build")
    site.edit("assets.toml", "[asset.icon]", "[asset.bell]")

    assert site.run("plan").out == text("""
        = bell  adopt    never rendered, the same picture exists already
        - icon  orphan   img/icon.png

        Plan (default): 1 to adopt, 1 left over, 11 up to date. Price: free.
        """)


def test_prices(site: Site) -> None:
    """Paid pictures have a price each; what may turn out unnecessary makes a range."""
    ran = site.run("plan", "--profile", "final", "mascot", "icon")

    assert ran.out == text("""
        + mascot  render   never rendered  $0.03
        + icon    render   never rendered  $0.03

        Plan (final): 2 to render, 0 up to date. Price: $0.06.
        """)


def test_every_file(site: Site) -> None:
    """With -v every file has a line, those to keep too."""
    site.run("build")

    out = site.run("plan", "-v", "hero").out.splitlines()

    assert out[0] == "  mascot             keep     img/mascot.png  "
    assert "  hero[theme=dark]   keep     img/hero-dark-64.webp  " in out
    assert len(out) == 11 + 2


@pytest.mark.parametrize("words", [("-v", "plan"), ("--json", "-p", "default", "plan")])
def test_options_may_come_first(site: Site, words: tuple[str, ...]) -> None:
    """Options that every command takes may stand before its name."""
    site.edit(
        "assets.toml",
        "[profile.final]",
        '[profile.default]\nprovider = "sketch"\n\n[profile.final]',
    )

    assert site.run(*words).out == site.run(words[-1], *words[:-1]).out


def test_selected(site: Site) -> None:
    """A selection takes along what it is made of; excluded assets stay out."""
    one = site.run("plan", "hero[theme=dark]").out.splitlines()
    rest = site.run("plan", "--exclude", "hero", "--exclude", "mascot").out.splitlines()

    assert [line.split()[1] for line in one[:-2]] == [
        "mascot",
        "hero[theme=dark]",
        "hero[theme=dark]",
    ]
    assert [line.split()[1] for line in rest[:-2]] == ["icon"]


def test_forced(site: Site) -> None:
    """What is asked for is planned although it is current, and only that."""
    site.run("build")

    assert site.run("plan", "--force", "icon").out == text("""
        ~ icon  render   asked for

        Plan (default): 1 to render, 11 up to date. Price: free.
        """)


def test_exit_code(site: Site) -> None:
    """`--exit-code` says with 1 that there is something to do."""
    assert site.run("plan", "--exit-code").code == 1
    assert site.run("plan").code == 0
    site.run("build")
    assert site.run("plan", "--exit-code").code == 0


def test_json(site: Site) -> None:
    """The documented JSON: every step, codes of reasons, counts, prices as decimal strings."""
    site.run("build", "-p", "default", "icon")
    ran = site.run("plan", "--json", "--profile", "final")
    value = json.loads(ran.out)
    steps = {step["output"]: step for step in value["steps"]}

    assert value["format_version"] == "1.0"
    wanted = {
        "asset": "hero[theme=dark]",
        "profile": "final",
        "kind": "generate",
        "action": "render",
        "reasons": ["never-rendered", "upstream-pending:mascot"],
        "output": "final/hero-dark.png",
        "price_min": "0.045",
        "price_max": "0.045",
    }
    dark = steps["final/hero-dark.png"]
    assert {key: dark[key] for key in wanted} == wanted
    assert steps["final/hero-dark-32.webp"]["kind"] == "derive"
    assert value["orphans"] == []
    summary = value["summary"]
    assert summary.keys() == {
        *("keep", "restore", "adopt", "resume", "render", "derive", "ask"),
        *("price_min", "price_max"),
    }
    assert (summary["render"], summary["derive"], summary["keep"]) == (4, 8, 0)
    total = sum(Decimal(step["price_max"]) for step in value["steps"])
    assert Decimal(summary["price_max"]) == total


def test_remembers_only_what_is_clean(site: Site) -> None:
    """Words beside a picture that the lock does not know yet are entered by the next build."""
    site.run("build")
    site.edit("assets.toml", "The {{ brand.name }} fox", "Fox of {{ brand.name }}")
    lock = site.folder.joinpath("assets.lock").read_text()

    assert site.run("plan").out.startswith("Up to date")
    site.run("build")

    assert site.folder.joinpath("assets.lock").read_text() != lock


def test_forced_plans_are_not_remembered(site: Site) -> None:
    """Asking what a forced build would do makes nothing clean."""
    site.run("build", "mascot")
    site.run("plan", "--force", "mascot")

    assert site.run("plan").out.endswith("1 up to date. Price: free.\n")


def test_profiles_do_not_orphan_each_other(site: Site) -> None:
    """What one profile made is not left over in another; a profile that is gone leaves its files."""
    site.run("build", "icon")
    assert "orphan" not in site.run("plan", "--profile", "final").out

    site.edit("assets.toml", "[project]\n", '[project]\nprofile = "final"\n')

    assert site.run("plan").out.splitlines()[-3] == "- icon               orphan   img/icon.png"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("9", "the plan costs up to $0.15 at `bfl`, where $0.09 is left"),
        ("100", "left at `bfl`: $1"),
    ],
)
def test_what_is_left_is_held_against_the_plan(
    site: Site, monkeypatch: pytest.MonkeyPatch, left: str, said: str
) -> None:
    """`--live` asks for the credits, and warns if the plan costs more."""
    with serving(AT_ONCE.changed({"credits": left})) as server:
        order_from(server.base_url, monkeypatch)
        ran = site.run("plan", "-p", "final", "--live")

    assert ran.code == Exit.DONE
    assert said in " ".join(ran.err.split())


def test_what_is_left_may_not_be_known(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, or without a server, the plan is shown all the same."""
    shown = site.run("plan", "-p", "final").out
    keyless = site.run("plan", "-p", "final", "--live")
    monkeypatch.setenv("BFL_API_KEY", "practice")
    monkeypatch.setenv("FLUX2BUILD_BFL_URL", "http://127.0.0.1:9")
    unreachable = site.run("plan", "-p", "final", "--live")

    assert keyless.out == unreachable.out == shown
    assert "what is left at `bfl` is not known: `BFL_API_KEY` is not set" in keyless.err
    assert "what is left at `bfl` is not known: no connection to `bfl`" in unreachable.err
