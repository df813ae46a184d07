"""What nobody can read in a team's store is asked about, and each question has a way out that works."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from tests.cli.machines import Machine, age
from tests.simulated import charges, scenario

BUILD: Final = ("build", "--yes", "fox")


def _garbled(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _of_another_request(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "payload": f"sha256:{'0' * 64}"}).encode()


def _newer(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "version": 2}).encode()


def spoil(store: Path, space: str, change: Callable[[bytes], bytes]) -> None:
    """Change every value of a space, apart from the proof that it creates values once."""
    for path in store.glob(f"{space}/[1-9a-f]*"):
        path.chmod(0o600)
        path.write_bytes(change(path.read_bytes()))


def bought(one: Machine, _server: httpx.Client) -> None:
    """One machine has bought the picture, and shared it."""
    assert one.run(*BUILD).code == Exit.DONE


def lost(one: Machine, server: httpx.Client) -> None:
    """One machine has claimed the order, which was bought, and never heard of it."""
    scenario(server, {"stage": "submit", "fault": "drop-after-read"})
    assert one.run(*BUILD).code == Exit.DECIDE
    scenario(server)


def both(one: Machine, server: httpx.Client) -> None:
    """The picture was bought and shared, and the claim is there all the same."""
    lost(one, server)
    (charge,) = server.get("/_sim/charges").json()["charges"]
    (row,) = json.loads(one.run("orders", "list", "--json").out)["orders"]
    store = one.folder.with_name("store")
    (claim,) = store.glob("claims/[1-9a-f]*")
    data = claim.read_bytes()
    assert one.run("orders", "adopt", row["order"], charge["id"]).code == Exit.DONE
    assert one.run(*BUILD).code == Exit.DONE
    claim.write_bytes(data)


def _spoil_all(store: Path) -> None:
    for space in ("orders", "claims"):
        spoil(store, space, _garbled)


DAMAGE: Final = {
    "receipt": (bought, lambda store: spoil(store, "orders", _garbled)),
    "empty receipt": (bought, lambda store: spoil(store, "orders", lambda _: b"")),
    "receipt of another request": (
        bought,
        lambda store: spoil(store, "orders", _of_another_request),
    ),
    "claim": (lost, lambda store: spoil(store, "claims", _garbled)),
    "empty claim": (lost, lambda store: spoil(store, "claims", lambda _: b"")),
    "claim that is old": (lost, age),
    "receipt and claim": (both, _spoil_all),
}
Damage = tuple[Callable[[Machine, httpx.Client], None], Callable[[Path], None]]


def asked(other: Machine, server: httpx.Client) -> str:
    """What another machine is told, which its plan and its build ask about; nothing is bought."""
    before = charges(server)
    planned, built = other.run("plan", "fox"), other.run(*BUILD)
    (step,) = (
        step
        for step in json.loads(other.run("plan", "fox", "--json").out)["steps"]
        if step["output"] == "img/fox.png"
    )

    assert step["action"] == "ask"
    assert re.search(r"^! fox +ask ", planned.out, re.MULTILINE)
    assert "Price: free." in planned.out
    assert (built.code, charges(server)) == (Exit.DECIDE, before), built.err
    return planned.err


@pytest.mark.parametrize("way", ["resubmit", "write-off", "adopt"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_asked_about_and_settled(
    machines: list[Machine], server: httpx.Client, store: Path, damage: Damage, way: str
) -> None:
    """Whatever is damaged or left behind: the commands that the plan names settle it, as they stand."""
    one, other = machines
    begin, spoil_it = damage
    begin(one, server)
    spoil_it(store)
    before, told = charges(server), asked(other, server)
    (command,) = set(re.findall(rf"`flux2build (orders {way} [^`]+)`", told))
    name = command.split()[2]
    assert re.search(
        rf"^{name}  (damaged|claimed) .* fox  bfl/flux-2-pro", other.run("orders").out, re.MULTILINE
    )
    if way == "adopt":
        (charge,) = server.get("/_sim/charges").json()["charges"]
        command = command.replace("TASK", charge["id"])

    settled = other.run(*shlex.split(command))

    assert settled.code == Exit.DONE, settled.err
    ran = other.run(*BUILD)
    assert ran.code == Exit.DONE, ran.err
    assert charges(server) == before + (way != "adopt")
    assert other.run("orders").out == ""
    assert "Up to date" in other.run("plan", "fox").out


@pytest.mark.parametrize(("begin", "space"), [(bought, "orders"), (lost, "claims")])
def test_what_a_newer_one_wrote(
    machines: list[Machine],
    server: httpx.Client,
    store: Path,
    begin: Callable[[Machine, httpx.Client], None],
    space: str,
) -> None:
    """It may be right: nobody settles it with this flux2build, which says to update it."""
    one, other = machines
    begin(one, server)
    spoil(store, space, _newer)
    values = [path.read_bytes() for path in store.glob(f"{space}/*")]

    told = asked(other, server)

    assert "a newer flux2build wrote" in told
    assert "this flux2build reads 1: update it" in told
    name = store.glob(f"{space}/[1-9a-f]*").__next__().name[:8]
    assert other.run("orders", "resubmit", name).code == Exit.USAGE
    assert values == [path.read_bytes() for path in store.glob(f"{space}/*")]


def test_a_lock_mends_a_receipt(machines: list[Machine], server: httpx.Client, store: Path) -> None:
    """`store push` where the lock has the picture mends what the other one asks about."""
    one, other = machines
    bought(one, server)
    spoil(store, "orders", _of_another_request)
    assert "`flux2build store push`" in asked(other, server)

    assert one.run("store", "push").code == Exit.DONE

    before = charges(server)
    assert (other.run(*BUILD).code, charges(server)) == (Exit.DONE, before)
