"""What is paid for is collected, whether or not anything asks for it any more."""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest
from PIL import Image

from flux2build.cli.run_build import BuildRun
from flux2build.console.console import Console
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.ledger import State, entry_to_json, fold
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms
from flux2build.session.home import user_journal
from flux2build.session.project import Project
from flux2build.storage.disk import home
from tests.conftest import Site
from tests.simulated import charges, order_from, scenario

SPEC: Final = """\
[project]
name = "acme"
output = "img"
[profile.draft]
provider = "sketch"
output = "draft"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
[asset.owl]
prompt = "an owl"
provider = "sketch"
[asset.fox]
prompt = "a fox"
refs = ["den.png"]
"""

UNREADY: Final = {"stage": "download", "prompt": "fox", "fault": "http", "code": 503}
"""The picture is paid for, and its host is busy."""


def inquiries(server: httpx.Client) -> int:
    """How often the provider was asked for a picture so far."""
    requests = server.get("/_sim/requests").json()["requests"]
    return sum(request["stage"] == "poll" for request in requests)


def png(colour: str) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "png")
    return out.getvalue()


@pytest.fixture
def pending(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project with a fox that is paid for and not collected, and an owl that is there."""
    server.post("/_sim/reset")
    scenario(server, UNREADY)
    order_from(server.base_url, monkeypatch)
    home().joinpath("config.toml").write_text("[limits]\nattempts = 1\nwait = 0.01\n", "utf-8")
    undo(empty)
    assert empty.run("build", "-p", "draft").code == Exit.DONE
    assert empty.run("build", "--yes").code == Exit.INCOMPLETE
    assert charges(server) == 1
    scenario(server)
    return empty


def undo(site: Site) -> None:
    """Write the project as it was at first."""
    site.write("assets.toml", SPEC)
    site.folder.joinpath("den.png").write_bytes(png("teal"))


def states() -> list[State]:
    """How far each paid order came."""
    return [a.state for a in fold(user_journal().read()).attempts if a.intended]


def edited(old: str, new: str) -> Callable[[Site], Sequence[str]]:
    """Edit the spec."""

    def edit(site: Site) -> Sequence[str]:
        site.edit("assets.toml", old, new)
        return ()

    return edit


def repainted(site: Site) -> Sequence[str]:
    """Replace the reference."""
    site.folder.joinpath("den.png").write_bytes(png("red"))
    return ()


def another_spec(site: Site) -> Sequence[str]:
    """Turn to another spec in the same folder."""
    site.write("other.toml", SPEC.replace("a fox", "a wolf"))
    return ("-f", "other.toml")


FOX: Final = SPEC[SPEC.index("[asset.fox]") :]
WAYS: Final[dict[str, Callable[[Site], Sequence[str]]]] = {
    "prompt": edited("a fox", "a wolf"),
    "renamed, prompt": edited(FOX, FOX.replace("fox", "wolf")),
    "deleted": edited(FOX, ""),
    "reference": repainted,
    "size": edited("width = 64", "width = 80"),
    "model": edited("flux-2-pro", "flux-2-max"),
    "free": edited('provider = "bfl"\nmodel = "flux-2-pro"', 'provider = "sketch"'),
    "provider": edited('"bfl"', '"cometapi"'),
    "another spec": another_spec,
    "profile": lambda _: ("-p", "draft"),
    "selection": lambda _: ("owl",),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_nothing_asks_for_any_more_is_collected_free(
    pending: Site, server: httpx.Client, way: str
) -> None:
    """Plan and check report it until a build collects it; undoing the edit uses it at no cost."""
    words = WAYS[way](pending)

    planned = pending.run("plan", *words)
    assert "collect" in planned.out
    assert "nothing here asks for it  free" in planned.out
    assert pending.run("plan", "--exit-code", *words).code == Exit.DRIFT
    if way != "selection":  # `check` is about the whole spec, which asks for it
        checked = pending.run("check", *words)
        assert checked.code == Exit.DRIFT
        assert "nothing here asks for it" in checked.out
    built = pending.run("build", "--max-cost", "0", "--json", *words)
    assert "collect  fox" in built.err
    (attempt,) = (each for each in fold(user_journal().read()).attempts if each.intended)
    if built.code == Exit.DONE:  # else there is no document, only an error
        collected = json.loads(built.out)["collected"]
        assert collected == [{"asset": "fox", "order": attempt.name}]
    assert (built.code == Exit.DONE) or way not in {"deleted", "selection"}
    assert states() == [State.DELIVERED]
    assert not pending.folder.joinpath("img/fox.png").exists() or way in {"free", "provider"}
    assert "asks for it" not in pending.run("plan", *words).out

    undo(pending)
    assert pending.run("build", "--max-cost", "0").code == Exit.DONE
    (bought,) = (a.delivered for a in fold(user_journal().read()).attempts if a.intended)
    assert bought is not None
    fox = pending.folder.joinpath("img/fox.png").read_bytes()
    assert (of_bytes(fox), charges(server)) == (bought.output, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[asset.elk]\nprompt = "an elk"\n', Exit.BUDGET),
        ("[asset.elk]\nprompt = 1\n", Exit.USAGE),
    ],
    ids=["nobody to agree", "broken spec"],
)
def test_what_is_asked_for_is_collected_even_if_nothing_may_be_built(
    pending: Site, server: httpx.Client, text: str, code: Exit
) -> None:
    """A build that is refused still collects what is paid for: its address would expire meanwhile."""
    pending.write("assets.toml", SPEC + text)

    assert pending.run("build").code == code
    assert states() == [State.DELIVERED]
    assert charges(server) == 1


def test_a_build_that_is_refused_tells_what_it_collected(pending: Site) -> None:
    """Its JSON has what was collected, and is left out where nothing was."""
    pending.edit("assets.toml", "a fox", "a red fox")

    refused, again = (pending.run("build", "--json") for _ in range(2))

    document = json.loads(refused.out)
    assert [each["asset"] for each in document["collected"]] == ["fox"]
    assert (refused.code, document["exit_code"]) == (Exit.BUDGET, Exit.BUDGET)
    assert (again.code, again.out) == (Exit.BUDGET, "")


def test_a_new_picture_is_collected_even_if_the_old_one_will_do(
    pending: Site, server: httpx.Client
) -> None:
    """An asset that takes what is there asks for no order, though it has the same request."""
    assert pending.run("build").code == Exit.DONE
    scenario(server, UNREADY)
    assert pending.run("build", "--yes", "--force", "fox").code == Exit.INCOMPLETE
    scenario(server)
    pending.edit("assets.toml", "[asset.fox]", "[asset.vixen]")

    assert "collect  fox" in pending.run("build").err
    assert states() == [State.DELIVERED] * 2
    assert pending.run("check").code == Exit.DONE


def test_what_is_not_ready_is_waited_for_once(pending: Site, server: httpx.Client) -> None:
    """A build that may buy nothing has looked at everything that is paid for, and ends."""
    scenario(server, UNREADY)
    pending.edit("assets.toml", FOX, '[asset.elk]\nprompt = "an elk"\n')

    built = pending.run("build")
    assert (built.code, built.err.count("is not here yet")) == (Exit.BUDGET, 1)
    scenario(server)
    assert "collect  fox" in pending.run("build").err


@pytest.mark.usefixtures("pending")
def test_a_later_round_only_asks(server: httpx.Client) -> None:
    """A later round of `watch` asks only once for what an earlier round waited for in vain."""
    home().joinpath("config.toml").write_text("[limits]\ndeadline = 0.2\nwait = 0.01\n", "utf-8")
    scenario(server, {"stage": "poll", "prompt": "fox", "fault": "http", "code": 503})
    run = BuildRun(Project.open(CommonOptions()), Console(), Choice(), Terms())

    first = run.collect_all()
    waited = inquiries(server)
    first.afresh(first.project.reread()).collect_all()

    assert waited > 1
    assert inquiries(server) == waited + 1


def test_a_tree_that_is_clean_still_collects_what_another_one_ordered(
    pending: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build with nothing to do still collects, and reports it; `check` finds no drift here."""
    tree = Site(pending.folder.parent / "tree", pending.capture)
    tree.write("assets.toml", SPEC.replace("[asset.fox]", '[asset.fox]\nprovider = "sketch"'))
    tree.folder.joinpath("den.png").write_bytes(png("teal"))
    monkeypatch.chdir(tree.folder)
    tree.edit("assets.toml", 'model = "flux-2-pro"\n', "")
    assert tree.run("check").code == Exit.DRIFT
    assert f"(ordered in {pending.folder})  free" in tree.run("plan").out

    assert "collect  fox" in tree.run("build").err
    assert (tree.run("check").code, "collect" in tree.run("build").err) == (Exit.DONE, False)
    assert states() == [State.DELIVERED]
    assert charges(server) == 1


def test_an_answer_is_remembered_for_one_home(
    pending: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A tree that is clean with one ledger still collects what another one knows."""
    pending.edit("assets.toml", FOX, "")
    own = str(home())
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "another"))
    assert "Nothing to do" in pending.run("build").err
    assert "Nothing to do" in pending.run("build").err
    monkeypatch.setenv("FLUX2BUILD_HOME", own)

    assert "collect  fox" in pending.run("build").err
    assert states() == [State.DELIVERED]


def test_what_another_build_is_at_is_left_to_it(pending: Site) -> None:
    """While it holds the order, the provider is not asked and nothing is reported."""
    pending.edit("assets.toml", FOX, "")
    (order,) = fold(user_journal().read()).pending
    claim = user_journal().claims.take(order)
    assert claim is not None

    built = pending.run("build")
    os.close(claim)
    assert (built.code, "fox" in built.err) == (Exit.DONE, False)
    assert states() == [State.PENDING]


@pytest.mark.parametrize(
    ("rule", "state", "code"),
    [
        ({"stage": "download", "fault": "http", "code": 404}, State.LOST, Exit.DECIDE),
        ({"stage": "poll", "fault": "not-found"}, State.LOST, Exit.DECIDE),
        ({"stage": "download", "fault": "wrong-size", "width": 80}, State.KEPT, Exit.DECIDE),
        ({"stage": "poll", "fault": "status", "status": "Error"}, State.VOIDED, Exit.DONE),
        ({"stage": "download", "fault": "http", "code": 503}, State.PENDING, Exit.DONE),
    ],
    ids=["expired", "forgotten", "another size", "failed", "busy"],
)
def test_what_cannot_be_collected_is_noted_once(
    pending: Site, server: httpx.Client, rule: object, state: State, code: Exit
) -> None:
    """The ledger says what became of it, and it is asked for again only if that may help."""
    pending.edit("assets.toml", FOX, "")
    scenario(server, rule)

    built = pending.run("build")
    assert (built.code, states()) == (code, [state]), built.err
    assert "fox" in built.err

    asked = len(server.get("/_sim/requests").json()["requests"])
    again = pending.run("build")
    assert again.code == Exit.DONE
    told = "what was ordered for `fox` is not settled" in again.err
    assert told == (state in {State.LOST, State.KEPT})
    more = len(server.get("/_sim/requests").json()["requests"]) - asked
    assert (more > 0) == (state is State.PENDING)
    assert pending.run("check").code == (Exit.DONE if state is State.VOIDED else Exit.DRIFT)


@pytest.mark.parametrize("lacking", ["key", "account", "provider"])
def test_what_cannot_be_asked_for_waits(
    pending: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """The missing key, other account or unknown provider is reported, and the rest is built."""
    pending.edit("assets.toml", FOX, '[asset.elk]\nprompt = "an elk"\nprovider = "sketch"\n')
    pending.edit("assets.toml", 'model = "flux-2-pro"\n', "")
    if lacking == "key":
        monkeypatch.delenv("BFL_API_KEY")
    elif lacking == "account":
        monkeypatch.setenv("BFL_API_KEY", "another-account")
        scenario(server, {"stage": "poll", "fault": "not-found"})
    else:
        journal = user_journal().path
        rewrite(journal, '"provider":"bfl"', '"provider":"gone"')

    built = pending.run("build")
    said = {"key": "BFL_API_KEY", "account": "another key", "provider": "no paid provider `gone`"}
    assert said[lacking] in built.err
    assert built.code == Exit.DONE
    assert pending.folder.joinpath("img/elk.png").exists()
    assert states() == [State.PENDING]


def rewrite(journal: Path, old: str, new: str) -> None:
    """Replace a text in the journal, checksums included."""
    entries = [entry_to_json(entry).replace(old, new) for entry in user_journal().read()]
    lines = [b"%08x %s\n" % (zlib.crc32(text.encode()), text.encode()) for text in entries]
    journal.write_bytes(b"".join(lines))


@pytest.mark.parametrize("way", ["resubmit", "write-off"])
def test_a_loss_is_not_bought_again_unseen(pending: Site, server: httpx.Client, way: str) -> None:
    """Undoing the edit of a lost order asks a person; given up, it is bought anew."""
    pending.edit("assets.toml", FOX, "")
    scenario(server, {"stage": "poll", "fault": "not-found"})
    assert pending.run("build").code == Exit.DECIDE
    scenario(server)
    undo(pending)

    assert "lost" in pending.run("orders").out
    built = pending.run("build", "--yes")
    assert built.code == Exit.DECIDE
    assert "`fox` was bought, and is lost" in built.err
    assert charges(server) == 1
    (order,) = (each.attempt for each in fold(user_journal().read()).unsettled.values())
    assert pending.run("orders", way, order).code == Exit.DONE
    assert pending.run("build", "--yes").code == Exit.DONE
    assert charges(server) == 2


@pytest.mark.parametrize("state", [State.LOST, State.KEPT])
def test_a_person_may_have_it_asked_for_again(
    pending: Site, server: httpx.Client, state: State
) -> None:
    """By its task, a picture that the provider has after all is collected at no cost."""
    rules = {
        State.LOST: {"stage": "poll", "fault": "not-found"},
        State.KEPT: {"stage": "download", "fault": "wrong-size", "width": 80},
    }
    pending.edit("assets.toml", FOX, "")
    scenario(server, rules[state])
    assert pending.run("build").code == Exit.DECIDE
    scenario(server)
    undo(pending)
    (open_order,) = json.loads(pending.run("orders", "--json").out)["orders"]
    task = server.get("/_sim/charges").json()["charges"][0]["id"]

    assert pending.run("orders", "adopt", open_order["order"], task).code == Exit.DONE
    assert states() == [State.PENDING]
    assert pending.run("build", "--max-cost", "0").code == Exit.DONE
    assert states() == [State.DELIVERED]
    assert charges(server) == 1


def test_open_orders_are_completed(pending: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab offers the names of the orders that are still open."""
    name = json.loads(pending.run("orders", "--json").out)["orders"][0]["order"]
    for variable, value in (
        ("_FLUX2BUILD_COMPLETE", "fish_complete"),
        ("COMP_WORDS", f"flux2build orders show {name[:3]}"),
        ("COMP_CWORD", name[:3]),
    ):
        monkeypatch.setenv(variable, value)

    assert pending.run().out.strip() == f"plain,{name[:8]}"
