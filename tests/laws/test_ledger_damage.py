"""Whatever happens to the ledger's file, every order that is wanted is charged once."""

from __future__ import annotations

import copy
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from flux2build.errors import Exit, Flux2BuildError, SystemFault
from flux2build.ledger.journal import Journal
from flux2build.model import Bought
from flux2build.session.rebuilding import Rebuilding
from tests.paid_provider import Buyer, FakeProvider, order, recipe

WANTED = ("fox", "owl", "bee", "ant")
"""Delivered, delivered, pending, in doubt."""
DEEP = bool(os.environ.get("FLUX2BUILD_DEEP"))
FATES = {"bee": "forgotten", "ant": "lost"}

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Buyer:
    """A user who has bought something of each kind."""
    buyer = Buyer(tmp_path_factory.mktemp("before") / "home", FakeProvider(fates=FATES))
    for prompt in WANTED:
        buyer.buy(prompt)
    return buyer


def edited(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Write the ledger anew."""
    path.write_bytes(edit(path.read_bytes()))


def signed(text: bytes) -> bytes:
    """A line with a sound checksum."""
    return b"%08x %s\n" % (zlib.crc32(text), text)


def lines_of(path: Path) -> list[bytes]:
    """The lines, with their ends."""
    return path.read_bytes().splitlines(keepends=True)


def lines_damaged(lines: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every class of damage to lines: its name, and what the ledger then holds."""
    whole = b"".join(lines)
    starts = [len(b"".join(lines[:n])) for n in range(len(lines) + 1)]
    for n, line in enumerate(lines):
        start, text = starts[n], line[9:-1]
        yield f"cut before {n}", whole[:start]
        yield f"cut in {n}", whole[: start + len(line) // 2]
        yield f"cut off the end of {n}", whole[: start + len(line) - 1]
        for at in (0, 8, len(line) // 2, len(line) - 2, len(line) - 1):
            for byte in (line[at] ^ 1, 0):
                flipped = bytes([*whole[: start + at], byte, *whole[start + at + 1 :]])
                yield f"byte {at} of {n} is {byte}", flipped
        yield f"{n} twice", whole[:start] + line + whole[start:]
        yield f"{n} again", whole + line
        yield f"without {n}", whole[:start] + whole[start + len(line) :]
        newer = signed(text.replace(b'"schema":1', b'"schema":2'))
        yield f"newer {n}", b"".join([*lines[:n], newer, *lines[n + 1 :]])
        event = signed(text.replace(b'{"kind":"', b'{"kind":"un'))
        yield f"unknown {n}", b"".join([*lines[:n], event, *lines[n + 1 :]])
    for one, other in pairwise(range(len(lines))):
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield f"{one} and {other} swapped", b"".join(swapped)


def encodings(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """What editors and sync tools make of a file."""
    yield "CRLF", whole.replace(b"\n", b"\r\n")
    yield "byte order mark", b"\xef\xbb\xbf" + whole
    yield "CR", whole.replace(b"\n", b"\r")
    yield "one line", whole.replace(b"\n", b"")
    yield "UTF-16", whole.decode().encode("utf-16")
    yield "UTF-32", whole.decode().encode("utf-32")
    yield "spaces at the ends", whole.replace(b"\n", b" \n")
    yield "indented", whole.replace(b"\n", b"\n  ")
    yield "empty", b""
    yield "blank", b"\n"
    yield "zeros", bytes(len(whole))
    yield (
        "zeros in lines",
        b"".join(bytes(len(n) - 1) + b"\n" for n in whole.splitlines(keepends=True)),
    )
    yield "noise", zlib.compress(whole)
    yield "capitals", whole.upper()


def in_its_place(make: Damage) -> Damage:
    """Put something else where the ledger was."""

    def replaced(file: Path) -> None:
        file.unlink()
        make(file)

    return replaced


def damaged(path: Path) -> Iterator[tuple[str, Damage]]:
    """Every class of damage: its name, and what brings it about."""
    whole = path.read_bytes()
    for name, data in (*lines_damaged(lines_of(path)), *encodings(whole)):
        yield name, lambda file, data=data: file.write_bytes(data)  # type: ignore[misc]
    yield "missing", Path.unlink
    yield "unreadable", lambda file: file.chmod(0)
    yield "a folder", in_its_place(Path.mkdir)
    yield "a link to nothing", in_its_place(lambda file: file.symlink_to("nowhere"))
    yield "a link to itself", in_its_place(lambda file: file.symlink_to(file.name))


HARMLESS = ("twice", "again", "swapped", "CRLF", "byte order mark")


def of_0_1_0(cells: dict[str, Damage], last: int) -> dict[str, Damage]:
    """The damage that can be seen in the ledger itself, or by comparing it with the store.

    Claims of 0.1.0 name no attempt, so that an older copy, or one without its last
    line, looks like a ledger to which the order was never added.
    """
    torn = {f"byte {at} of {last} is 0" for at in range(1000)}
    return {
        name: damage
        for name, damage in cells.items()
        if not name.startswith(("cut", "without"))
        and name not in torn
        and not (name.startswith("byte") and f"of {last} is 11" in name)
    }


def cells_of(path: Path, *, named: bool) -> dict[str, Damage]:
    """Every damage to a ledger, or what shows without names in the claims."""
    cells = dict(damaged(path))
    assert len(cells) > 180
    return cells if named else of_0_1_0(cells, len(lines_of(path)) - 1)


def struck(buyer: Buyer, home: Path, damage: Damage, *, named: bool) -> Buyer:
    """The user after damage to the ledger."""
    shutil.copytree(buyer.home, home, symlinks=True)
    damage(home / "ledger.jsonl")
    for claim in (home / "claims").glob("*.lock") if not named else ():
        claim.write_bytes(b"")
    return Buyer(home, copy.deepcopy(buyer.provider))


def tried(buyer: Buyer, home: Path, damage: Damage, *, named: bool) -> tuple[Buyer, list[object]]:
    """The outcomes for a user who orders the same twice more after damage to the ledger."""
    after = struck(buyer, home, damage, named=named)
    outcomes = after.buy(*WANTED) + after.buy(*WANTED)
    return after, outcomes


@pytest.mark.parametrize("named", [True, False], ids=["claims", "claims of 0.1.0"])
def test_charges_are_the_orders_wanted_in_every_cell(
    before: Buyer,
    tmp_path: Path,
    named: bool,  # noqa: FBT001 - parametrized
) -> None:
    """Damage of any class stops buying with 5 or 6, or changes nothing: nothing is charged twice."""
    cells = cells_of(before.home / "ledger.jsonl", named=named)
    for number, (name, damage) in enumerate(cells.items()):
        after, outcomes = tried(before, tmp_path / str(number), damage, named=named)

        charged = {prompt: len(after.provider.charged[prompt]) for prompt in WANTED}
        assert charged == dict.fromkeys(WANTED, 1), name
        assert after.provider.posts == before.provider.posts, name
        for outcome in outcomes:
            assert isinstance(outcome, Bought | Flux2BuildError), (name, outcome)
            if isinstance(outcome, Flux2BuildError):
                assert outcome.exit in {Exit.DECIDE, Exit.SYSTEM}, (name, outcome)
        if name.endswith(HARMLESS):
            assert sum(isinstance(each, Bought) for each in outcomes) == 4, name


def sampled(cells: dict[str, Damage]) -> list[str]:
    """A few cells of damage to lines, and all others."""
    lines = [name for name in cells if re.search("[0-9]", name) and "UTF" not in name]
    return [*lines[::9], *(name for name in cells if name not in lines)]


def recovered(buyer: Buyer) -> Path | None:
    """Rebuild the ledger from what is left; return where the damaged one is kept."""
    rebuilding = Rebuilding.of(Journal(buyer.home / "ledger.jsonl"), buyer.store, None)
    assert not rebuilding.idle
    return rebuilding.carry_out()


@pytest.mark.parametrize("named", [True, False], ids=["claims", "claims of 0.1.0"])
def test_a_recovered_ledger_buys_nothing_twice(
    before: Buyer,
    tmp_path: Path,
    named: bool,  # noqa: FBT001 - parametrized
) -> None:
    """Every order is known again, other ones can be bought, and nothing of the old file is lost."""
    cells = cells_of(before.home / "ledger.jsonl", named=named)
    for number, name in enumerate(cells if DEEP else sampled(cells)):
        damage, home = cells[name], tmp_path / str(number)
        after = struck(before, home, damage, named=named)
        journal, ledger = Journal(home / "ledger.jsonl"), home / "ledger.jsonl"
        if name.startswith(("newer", "unknown")):
            with pytest.raises(SystemFault, match="newer"):
                recovered(after)
            continue
        if Rebuilding.of(journal, after.store, None).idle:
            assert (*journal.problems(), *journal.missing()) == (), name
            continue
        was = ledger.read_bytes() if ledger.is_file() else None
        aside = recovered(after)
        if was is not None and aside is not None:
            assert aside.read_bytes() == was, name

        assert Rebuilding.of(Journal(ledger), after.store, None).idle, name
        known = {attempt.order for attempt in after.ledger.attempts}
        assert known >= {order(recipe(prompt)).digest for prompt in WANTED}, name
        after.buy(*WANTED)
        assert after.provider.posts == before.provider.posts, name
        assert isinstance(after.buy("cat")[0], Bought), name


def test_without_a_second_witness_the_sweep_sees_two_charges(before: Buyer, tmp_path: Path) -> None:
    """A control: where no claim names an attempt, an order that was cut off is charged twice."""
    cells = dict(damaged(before.home / "ledger.jsonl"))
    last = len(lines_of(before.home / "ledger.jsonl")) - 1
    after, _ = tried(before, tmp_path / "home", cells[f"without {last}"], named=False)

    assert len(after.provider.charged["ant"]) == 2
