"""`flux2build orders`: what waits for a person is shown, with what can be done about it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.ledger import Ticketed
from flux2build.session.home import user_journal, user_store
from flux2build.simulator import Rule, Scenario
from tests.conftest import Site
from tests.paid_provider import picture
from tests.simulated import charges, order_from, scenario, serving

SPEC: Final = """\
[project]
name = "acme"
[defaults]
provider = "bfl"
width = 256
height = 256
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
[asset.hen]
prompt = "a hen"
"""
RULES: Final = (
    Rule(stage="submit", fault="drop-after-read", prompt="fox"),
    Rule(stage="download", fault="wrong-size", prompt="owl", width=128, height=64),
    Rule(stage="poll", fault="sample-elsewhere", prompt="hen", to="http://10.0.0.1/x.png"),
)


@pytest.fixture
def troubled(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A build of which one order is in doubt, one kept aside and one on its way."""
    empty.write("assets.toml", SPEC)
    with serving(Scenario(latency=0, fast=True, rules=RULES)) as control:
        order_from(control.base_url, monkeypatch)
        assert empty.run("build", "--yes").code == 5
        yield control


@pytest.mark.usefixtures("troubled")
def test_everything_open_is_listed_with_its_ways_out(empty: Site) -> None:
    """In doubt, kept aside, on its way: each is a line; the first two say what to do."""
    ran = empty.run("orders", "list")

    cells = [re.split("  +", line) for line in ran.out.splitlines()]
    states = {asset: state for _, state, _, asset, *_ in cells}
    assert states == {"fox": "in doubt", "owl": "kept aside", "hen": "pending"}
    assert "orders resubmit ORDER" in ran.err
    assert "give it up: it stays paid" in ran.err


def test_what_is_kept_aside_is_adopted_at_its_own_price(
    empty: Site, troubled: httpx.Client
) -> None:
    """Adopting takes the bytes and the receipt that came with them, and shows no more."""
    listed = json.loads(empty.run("orders", "list", "--json").out)["orders"]
    (owl,) = (order for order in listed if order["asset"] == "owl")
    assert "not what was ordered" in owl["message"]
    assert owl["cost"] == "0.03"
    assert empty.run("orders", "adopt", owl["order"][:8]).code == 0
    scenario(troubled)

    assert empty.run("build", "--yes").code == 5
    lock = empty.folder.joinpath("assets.lock").read_text("utf-8")
    assert lock.count('cost_source = "settled"') == 2
    assert empty.run("orders", "adopt", owl["order"]).code == 2


@pytest.mark.usefixtures("troubled")
def test_an_order_that_a_build_is_at_is_left_alone(empty: Site) -> None:
    """An order being sent looks in doubt; while its build holds the claim, it cannot be settled."""
    listed = json.loads(empty.run("orders", "list", "--json").out)["orders"]
    (fox,) = (order for order in listed if order["asset"] == "fox")
    journal, name = user_journal(), fox["order"]
    before = journal.read()
    claim = journal.claims.take(fox["digest"])
    assert claim is not None

    ran = empty.run("orders", "resubmit", name)

    os.close(claim)
    assert (ran.code, "a build is at order" in ran.err) == (6, True)
    assert journal.read() == before
    assert empty.run("orders", "resubmit", name).code == 0


@pytest.mark.parametrize("here", ["the project", "elsewhere"])
@pytest.mark.usefixtures("troubled")
def test_a_file_of_another_size_is_not_adopted(
    empty: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    """Adopting it would be final, so nothing is written; a file of the right size is adopted."""
    folder = empty.folder if here == "the project" else tmp_path
    wrong, right = (folder / f"{width}.png" for width in (255, 256))
    for file, width in ((wrong, 255), (right, 256)):
        file.write_bytes(picture((width, 256)))
    listed = json.loads(empty.run("orders", "list", "--json").out)["orders"]
    (fox,) = (order for order in listed if order["asset"] == "fox")
    before, stored = user_journal().path.read_bytes(), list(user_store().digests())
    monkeypatch.chdir(folder)

    ran = empty.run("orders", "adopt", fox["order"], str(wrong))

    assert (ran.code, "255, ordered 256" in ran.err) == (2, True), ran.err
    assert user_journal().path.read_bytes() == before
    assert list(user_store().digests()) == stored
    assert empty.run("orders", "adopt", fox["order"], str(right)).code == 0
    assert len(list(user_store().digests())) == len(stored) + 1


@pytest.mark.usefixtures("troubled")
def test_a_task_in_the_ledger_is_shown_without_the_key(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger of an earlier version may have a task with the key in it."""
    entries = user_journal().read()
    (ticket, *_) = (entry for entry in entries if isinstance(entry, Ticketed))
    monkeypatch.setenv("BFL_API_KEY", ticket.task)

    for words in (("list", "--json"), ("show", ticket.attempt), ("show", ticket.attempt, "--json")):
        ran = empty.run("orders", *words)
        assert ran.code == 0
        assert ticket.task not in f"{ran.out}{ran.err}"
        assert "***" in ran.out


@pytest.mark.usefixtures("troubled")
def test_a_name_of_any_length_is_not_a_file(empty: Site) -> None:
    """What is longer than a file's name can be is not looked for."""
    listed = json.loads(empty.run("orders", "list", "--json").out)["orders"]

    ran = empty.run("orders", "adopt", listed[0]["order"], "x" * 300)

    assert (ran.code, "cannot be a task of `bfl`" in ran.err) == (2, True)


def test_a_task_that_the_provider_does_not_know_is_not_adopted(
    empty: Site, troubled: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is asked first, for free: nothing is written for an unknown task."""
    listed = json.loads(empty.run("orders", "list", "--json").out)["orders"]
    (fox,) = (order for order in listed if order["asset"] == "fox")
    before, charged = user_journal().path.read_bytes(), charges(troubled)

    for words in ("pictur", "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f"):
        ran = empty.run("orders", "adopt", fox["order"], words)
        assert (ran.code, f"`bfl` does not know a task `{words}`" in ran.err) == (2, True), ran.err

    assert user_journal().path.read_bytes() == before
    monkeypatch.delenv("BFL_API_KEY")
    assert empty.run("orders", "adopt", fox["order"], "pictur").code == 0
    assert charges(troubled) == charged


def test_a_new_picture_that_found_no_place_is_not_forgotten(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `--force` bought is put in place by the next build, where this one could not."""
    empty.write("assets.toml", SPEC.replace('"acme"', '"acme"\noutput = "img"'))
    with serving() as control:
        order_from(control.base_url, monkeypatch)
        assert empty.run("build", "--yes", "fox").code == 0
        file = empty.folder / "img" / "fox.png"
        old = file.read_bytes()
        elsewhere = {"stage": "poll", "fault": "sample-elsewhere", "to": "http://10.0.0.1/x.png"}
        scenario(control, elsewhere)
        assert empty.run("build", "--yes", "--force", "fox", "fox").code == 3
        scenario(control)
        shutil.rmtree(file.parent)
        file.parent.symlink_to("nowhere")

        assert empty.run("build", "fox").code == 6
        file.parent.unlink()
        ran = empty.run("build", "fox", "--json")

    assert [row["action"] for row in json.loads(ran.out)["done"]] == ["adopt"]
    assert file.read_bytes() != old
    assert len(user_journal().read()) == 7


def test_what_the_server_said_last_is_kept(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a picture is not ready in time, the error, `-v` and the list tell what the server said."""
    limits = Path(os.environ["FLUX2BUILD_CONFIG"])
    limits.write_text("[limits]\ndeadline = 0.3\nwait = 0.01\n", encoding="utf-8")
    empty.write("assets.toml", SPEC)
    said = "not ready after 0.3 seconds (last answer: Dreaming of foxes)"
    with serving() as control:
        order_from(control.base_url, monkeypatch)
        dreaming = {"stage": "poll", "fault": "status", "status": "Dreaming of foxes"}
        scenario(control, dreaming)
        ran = empty.run("build", "--yes", "fox", "-v")
        assert (ran.code, said in ran.err) == (3, True)
        assert "fox: Dreaming of foxes\n" in ran.err
        (line,) = empty.run("orders", "list").out.splitlines()
        assert ("pending" in line, line.endswith(said)) == (True, True)
        (listed,) = json.loads(empty.run("orders", "list", "--json").out)["orders"]
        assert listed["message"] == said

        lines = len(user_journal().read())
        empty.run("build", "--yes", "fox")
        assert len(user_journal().read()) == lines
        scenario(control)
        assert empty.run("build", "--yes", "fox").code == 0
        assert "Dreaming" not in empty.run("orders", "list", "--everything").out
