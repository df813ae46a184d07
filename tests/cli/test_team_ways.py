"""Whatever way an order is placed, one machine of a team pays for it, and the others adopt it or ask."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.cli.machines import Machine, age
from tests.simulated import charges, scenario
from tests.spawned import flux2build

WATCHING: Final = "watching; Ctrl-C ends"
SEVERAL: Final = 'prompt = "a fox"\ncandidates = 2'


@pytest.fixture
def several(machines: list[Machine], store: Path) -> list[Machine]:
    """Two machines that want two candidates of the fox, and nothing else."""
    assert store.is_dir()
    for machine in machines:
        machine.site.edit("assets.toml", 'prompt = "a fox"', SEVERAL)
    return machines


def candidates(machine: Machine) -> list[str]:
    """The pictures of the fox's candidates, by their number."""
    rows = json.loads(machine.run("candidates", "fox", "--json").out)["candidates"]
    assert all(row["at_hand"] for row in rows)
    return [row["sha256"] for row in rows]


@pytest.mark.usefixtures("store")
def test_two_that_watch(machines: list[Machine], server: httpx.Client) -> None:
    """Two machines that watch the same spec, and get the same edit, pay once for what it asks for."""
    one, other = machines
    watching = [
        flux2build(each.folder, "watch", "--max-cost", "1", FLUX2BUILD_HOME=str(each.home))
        for each in machines
    ]
    with watching[0] as first, watching[1] as second:
        for process in (first, second):
            process.until(WATCHING)
        assert charges(server) == 2
        assert one.pictures() == other.pictures()
        for machine in machines:
            machine.site.edit("assets.toml", '"its den"', '"its other den"')
        for process in (first, second):
            process.until(WATCHING)
            process.interrupt()
            assert process.ended() == Exit.DONE

    assert charges(server) == 3
    assert one.pictures() == other.pictures()


def test_candidates(several: list[Machine], server: httpx.Client) -> None:
    """Candidates that one machine has bought are adopted by the other one, with and without the lock."""
    one, other = several
    assert one.run("build", "--yes", "fox").code == Exit.DECIDE
    assert charges(server) == 2

    assert other.run("build", "--yes", "fox").code == Exit.DECIDE

    assert charges(server) == 2
    assert candidates(one) == candidates(other)
    for machine in several:
        assert machine.run("pick", "fox", "2").code == Exit.DONE
    assert one.pictures() == other.pictures()


def test_rerolled(several: list[Machine], server: httpx.Client) -> None:
    """Further candidates are the same ones on each machine: who comes second gets what the first paid for."""
    one, other = several
    one.run("build", "--yes", "fox")
    other.clone(one)
    assert one.run("reroll", "fox", "-n", "2", "--yes").code == Exit.DECIDE
    assert charges(server) == 4

    assert other.run("reroll", "fox", "-n", "2", "--yes").code == Exit.DECIDE

    assert charges(server) == 4
    assert candidates(one) == candidates(other)


def test_a_candidate_that_is_in_doubt(
    several: list[Machine], server: httpx.Client, store: Path
) -> None:
    """The other machine asks about the candidate whose answer was lost, and adopts the others."""
    one, other = several
    scenario(server, {"stage": "submit", "fault": "drop-after-read", "times": "once"})
    assert one.run("build", "--yes", "-j", "1", "fox").code == Exit.DECIDE
    scenario(server)
    age(store)
    before = charges(server)

    planned, built = other.run("plan", "fox"), other.run("build", "--yes", "fox")

    assert "another machine of the team has claimed it, and nothing came of it" in planned.out
    assert "1 to adopt" in planned.out
    assert (built.code, charges(server)) == (Exit.DECIDE, before)
    assert "may have been bought already" in built.err


def test_candidates_whose_receipts_are_damaged(
    several: list[Machine], server: httpx.Client, store: Path
) -> None:
    """Each of them is asked about and settled by its own order."""
    one, other = several
    one.run("build", "--yes", "fox")
    for path in store.glob("orders/*"):
        path.chmod(0o600)
        path.write_bytes(b"{")

    planned, before = other.run("plan", "fox"), charges(server)
    commands = set(re.findall(r"`flux2build (orders resubmit [0-9a-f]+)`", planned.err))

    assert len(commands) == 2
    for command in commands:
        assert other.run(*command.split()).code == Exit.DONE
    assert other.run("build", "--yes", "fox").code == Exit.DECIDE  # which of them ships
    assert charges(server) == before + 2
