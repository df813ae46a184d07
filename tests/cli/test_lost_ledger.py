"""With a ledger that cannot be read, or is lost, commands go on and say so; none buys again."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from flux2build.errors import Exit
from flux2build.ledger import Delivered
from flux2build.session.home import user_journal, user_store
from tests.conftest import Site
from tests.simulated import charges


def misread(path: Path) -> None:
    """Lose the meaning of every line."""
    path.write_bytes(path.read_bytes().upper())


def newer(path: Path) -> None:
    """Put a line that a newer version wrote at the end."""
    text = b'{"kind":"refund","schema":2}'
    with path.open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(text), text))


@pytest.mark.parametrize("damage", [misread, newer])
def test_damage_is_said_and_buys_nothing(
    bought: Site, server: httpx.Client, damage: Callable[[Path], None]
) -> None:
    """Reading commands go on and name the file; `doctor` and `build` fail, and nothing is charged."""
    (bought.folder / "assets.lock").unlink()
    damage(user_journal().path)
    bought.edit("assets.toml", "an owl", "an old owl")
    before = charges(server)

    for words in (("plan",), ("check",), ("orders", "list"), ("cost",)):
        ran = bought.run(*words)
        assert ran.code in {Exit.DONE, Exit.DRIFT}, words
        assert "ledger.jsonl" in ran.err, words
        assert ("No paid picture of this is ordered" in ran.err) == (words == ("plan",))
    doctor, built = bought.run("doctor"), bought.run("build", "--yes")
    assert doctor.code == built.code == Exit.SYSTEM
    assert "ledger.jsonl:" in doctor.out
    assert "was not ordered" in built.err
    assert charges(server) == before


def test_with_a_damaged_ledger_a_fork_signs_nothing(
    bought: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is bought, so nobody is asked, but a stranger may not use the certificate."""
    newer(user_journal().path)
    bought.edit(
        "assets.toml", 'a fox"\n', 'a fox"\nsign = true\ndeliver = [{ path = "fox.jpg" }]\n'
    )
    monkeypatch.setenv("CIRCLE_PR_REPONAME", "site")

    assert bought.run("build", "--yes").code == Exit.USAGE
    monkeypatch.delenv("CIRCLE_PR_REPONAME")
    assert bought.run("build", "--yes").code == Exit.SYSTEM  # there is no certificate


def silenced(path: Path) -> None:
    """Leave the claims as 0.1.0 did: they name no attempt."""
    for claim in (path.parent / "claims").glob("*.lock"):
        claim.write_bytes(b"")


@pytest.mark.parametrize("named", [True, False], ids=["claims", "claims of 0.1.0"])
@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"]
)
def test_a_lost_ledger_buys_nothing_until_told(
    bought: Site,
    server: httpx.Client,
    lose: Callable[[Path], object],
    named: bool,  # noqa: FBT001 - parametrized
) -> None:
    """Claims, or a store with pictures, still show that orders exist: buying takes `--force`."""
    path = user_journal().path
    (bought.folder / "assets.lock").unlink()
    lose(path)
    if not named:
        silenced(path)
    before = charges(server)

    assert bought.run("doctor").code == Exit.DECIDE
    assert "2 to decide" in bought.run("plan").out
    built = bought.run("build", "--yes")
    assert built.code == Exit.DECIDE
    assert "build --force 'fox'" in built.err
    assert charges(server) == before
    assert bought.run("build", "--yes", "--force", "fox", "fox").code == Exit.DONE
    assert charges(server) == before + 1


@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"]
)
def test_a_clean_tree_tells_of_a_lost_ledger(bought: Site, lose: Callable[[Path], object]) -> None:
    """Each time, warm or after an edit, and to those who buy: else it shows once it is needed."""
    assert [bought.run("build").code for _ in range(2)] == [0, 0]
    path = user_journal().path
    whole = path.read_bytes()
    lose(path)
    said = f"the ledger is empty or missing, beside a store that holds pictures\n --> {path}"

    for words in (("build",), ("plan",), ("check",), ("build",)):
        ran = bought.run(*words)
        assert (ran.code, said in ran.err) == (Exit.DONE, True), words
    bought.edit("assets.toml", "an owl", "an old owl")
    assert said in bought.run("plan").err
    path.write_bytes(whole)
    assert "warning" not in bought.run("plan").err
    lose(path)
    bought.edit("assets.toml", 'provider = "bfl"', 'provider = "sketch"')
    assert "warning" not in bought.run("plan").err


def test_an_older_ledger_is_held_against_the_lock(bought: Site, server: httpx.Client) -> None:
    """A receipt in the lock is evidence of an order even if ledger and claims are older."""
    path = user_journal().path
    arrived = [entry for entry in user_journal().read() if isinstance(entry, Delivered)]
    fox = next(entry for entry in arrived if entry.asset == "fox")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if fox.order not in line), "utf-8")
    silenced(path)
    user_store().path(fox.output).unlink()
    before = charges(server)

    built = bought.run("build", "--yes")
    assert built.code == Exit.DECIDE
    assert "`fox` was paid for already" in built.err
    assert charges(server) == before


def test_a_fresh_machine_restores_from_the_work_tree(
    empty: Site, server: httpx.Client, bought: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only the lock, the pictures of the work tree are as good as ever, and nothing is said."""
    assert bought.run("build", "--yes").code == Exit.DONE
    monkeypatch.setenv("FLUX2BUILD_HOME", str(empty.folder / "new"))
    before = charges(server)

    ran = bought.run("build", "--yes")
    assert (ran.code, "warning" in ran.err) == (Exit.DONE, False)
    assert charges(server) == before
