"""`orders recover`: after damage to the ledger builds go on, and nothing is bought twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from flux2build.ledger import State
from flux2build.purchasing.settling import Purchase, purchases
from flux2build.session.home import user_journal
from tests.conftest import Site
from tests.simulated import charges


def in_its_place(path: Path) -> None:
    """A folder where the ledger was."""
    path.unlink()
    path.mkdir()


def about_the_first_order(path: Path) -> list[bytes]:
    """The lines of the ledger before the second order was placed."""
    lines = path.read_bytes().splitlines(keepends=True)
    first = lines[0].split(b'"order":"')[1][:71]
    return [line for line in lines if first in line]


DAMAGE: Final[dict[str, Callable[[Path], object]]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "capitals": lambda path: path.write_bytes(path.read_bytes().upper()),
    "first line": lambda path: path.write_bytes(b"x" + path.read_bytes()),
    "last line": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"x\n"),
    "older": lambda path: path.write_bytes(b"".join(about_the_first_order(path))),
    "folder": in_its_place,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_the_lock_proves_is_delivered(bought: Site, server: httpx.Client, damage: str) -> None:
    """It is shown first, then written; builds go on at no cost and can place other orders."""
    path, before = user_journal().path, charges(server)
    DAMAGE[damage](path)
    shown = bought.run("orders", "recover")
    assert (shown.code, "orders recover --yes" in shown.err) == (Exit.DECIDE, True)
    assert list(path.parent.glob("*.damaged-*")) == []

    assert bought.run("orders", "recover", "--yes").code == Exit.DONE
    assert bought.run("doctor").out.count("ledger.jsonl: 2 orders") == 1
    assert {each.state for each in purchases(user_journal().read())} == {State.DELIVERED}
    assert bought.run("build", "--yes").code == Exit.DONE
    assert charges(server) == before
    again = bought.run("orders", "recover", "--yes")
    assert (again.code, again.err) == (Exit.DONE, "Nothing is missing in the ledger.\n")
    bought.edit("assets.toml", "an owl", "a young owl")
    assert bought.run("build", "--yes").code == Exit.DONE
    assert charges(server) == before + 1


def test_what_nothing_proves_is_in_doubt(bought: Site, server: httpx.Client) -> None:
    """Without the lock a person decides; the store's picture may be named, and costs nothing."""
    pictures = {each.intended.asset: each.attempt.delivered for each in bought_orders()}
    before = charges(server)
    (bought.folder / "assets.lock").unlink()
    user_journal().path.unlink()

    ran = bought.run("orders", "recover", "--yes")
    assert (ran.code, ran.out.count("in doubt")) == (Exit.DECIDE, 2)
    assert bought.run("build", "--yes").code == Exit.DECIDE
    for each in bought_orders():
        picture = pictures[each.intended.asset]
        assert picture
        assert bought.run("orders", "adopt", each.name, picture.output).code == Exit.DONE
    assert bought.run("build", "--yes").code == Exit.DONE
    assert charges(server) == before


def bought_orders() -> list[Purchase]:
    """The orders in the ledger."""
    return list(purchases(user_journal().read()))


def test_every_project_proves_its_own_orders(bought: Site, tmp_path: Path) -> None:
    """An order that one folder knows nothing about is settled by the lock that has its receipt."""
    user_journal().path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.joinpath(".git").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        assert bought.run("orders", "recover", "--yes").code == Exit.DECIDE
    assert {each.state for each in bought_orders()} == {State.DOUBT}

    assert bought.run("orders", "recover", "--yes").code == Exit.DONE
    assert {each.state for each in bought_orders()} == {State.DELIVERED}


@pytest.mark.parametrize("decision", ["write-off", "resubmit"])
def test_an_order_of_an_unknown_picture_is_called_by_its_name(
    bought: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decision: str
) -> None:
    """Where neither lock nor spec tells what it was for, what is settled is the order."""
    user_journal().path.unlink()
    tmp_path.joinpath("elsewhere", ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    bought.run("orders", "recover", "--yes")
    name = bought_orders()[0].name

    assert bought.run("orders", decision, name).err.startswith(f"`order {name}` is settled: ")


def test_the_damaged_file_is_kept(bought: Site) -> None:
    """Every byte of it is kept under a name that is shown to people and programs."""
    path = user_journal().path
    path.write_bytes(was := path.read_bytes()[20:])

    told = json.loads(bought.run("orders", "recover", "--yes", "--json").out)
    assert Path(told["kept"]).read_bytes() == was
    assert told["written"] is True
    assert [each["state"] for each in told["orders"]] == ["delivered"]


@pytest.mark.parametrize("damage", ["capitals", "missing", "folder"])
def test_damage_names_the_way_out(bought: Site, damage: str) -> None:
    """Every command that refuses to go on with the ledger says how to rebuild it."""
    DAMAGE[damage](user_journal().path)
    (bought.folder / "assets.lock").unlink()
    bought.edit("assets.toml", "an owl", "a young owl")

    for words in (("build", "--yes"), ("doctor",)):
        ran = bought.run(*words)
        assert ran.code in {Exit.DECIDE, Exit.SYSTEM}, words
        assert "`flux2build orders recover`" in ran.out + ran.err, words


def test_receipts_of_candidates_prove_their_orders(sheet: Site, server: httpx.Client) -> None:
    """Every candidate in the lock was delivered, the one that was picked and the others."""
    sheet.run("build", "sheet", "--yes")
    sheet.run("pick", "sheet", "2")
    user_journal().path.unlink()

    assert sheet.run("orders", "recover", "--yes").code == Exit.DONE
    orders = bought_orders()
    assert [each.state for each in orders] == [State.DELIVERED] * 4
    assert {(each.intended.asset, each.intended.model) for each in orders} == {
        ("sheet", "flux-2-pro")
    }
    assert sheet.run("build", "sheet", "--yes").code == Exit.DONE
    assert charges(server) == 4
