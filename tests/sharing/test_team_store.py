"""What a team's store promises, whatever its backend does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal

import pytest
from msgspec.structs import replace

from flux2build import digest
from flux2build.digest import Digest
from flux2build.model import Order, Output, Receipt
from flux2build.sharing.contract import Listed, Unreachable
from flux2build.sharing.keys import Space, key_of
from flux2build.sharing.records import SharedClaim, receipt_of, to_json
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.store import DamagedError

ORDER = Order("flux-2-pro", "a fox", {"width": 64, "height": 64}, (digest.of_bytes(b"in"),), 2)
PICTURE = b"a picture"
OUTPUT = Output("fox.png", digest.of_bytes(PICTURE), len(PICTURE), 64, 64, "png")
RECEIPT = receipt_of(ORDER, OUTPUT, Receipt("bfl", "task", Decimal("0.03"), "settled", 7))
CLAIM = SharedClaim(
    order=ORDER.digest,
    attempt="one",
    account="0123456789ab",
    provider="bfl",
    model="flux-2-pro",
    payload=RECEIPT.payload,
    at="2026-11-27T00:00:00Z",
    expected={"width": 64},
)
KEY = key_of(Space.ORDERS, ORDER.digest)


class Memory:
    """A place in memory, which keeps first values only if it is asked to."""

    keeps_bytes = True

    def __init__(self, *, honest: bool = True) -> None:
        self.values: dict[str, bytes] = {}
        self.honest = honest

    def get(self, key: str) -> bytes | None:
        """The value."""
        return self.values.get(key)

    def has(self, key: str) -> bool:
        """Whether there is one."""
        return key in self.values

    def put(self, key: str, data: bytes) -> None:
        """Replace the value."""
        self.values[key] = data

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value, or if it is dishonest any one."""
        if key in self.values and self.honest:
            return False
        self.values[key] = data
        return True

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether a key is created once."""
        return self.create(key, one) and not self.create(key, other)

    def delete(self, key: str) -> None:
        """Forget the value."""
        self.values.pop(key, None)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys."""
        for key, value in list(self.values.items()):
            if key.startswith(prefix):
                yield Listed(key, len(value))

    def sweep(self, before: float, *, remove: bool) -> int:  # noqa: ARG002 - whenever it was
        """Nothing is ever unfinished."""
        return 0

    def at_once(self) -> AbstractContextManager[None]:
        """Answer each question by itself."""
        return nullcontext()


@pytest.fixture
def place() -> Memory:
    """An empty place."""
    return Memory()


@pytest.fixture
def store(place: Memory) -> TeamStore:
    """A client of it."""
    return TeamStore(place, "memory:")


def test_bytes(store: TeamStore) -> None:
    """Bytes are known by their digest."""
    absent = digest.of_bytes(b"absent")

    assert store.put(PICTURE) == OUTPUT.sha256
    assert store.get(OUTPUT.sha256) == PICTURE
    assert store.get(absent) is None
    assert store.have([absent, OUTPUT.sha256]) == {OUTPUT.sha256}


def test_wrong_bytes(place: Memory) -> None:
    """Wrong bytes are an error, never a picture, and are kept aside."""
    aside: list[tuple[Digest, bytes]] = []
    store = TeamStore(place, "memory:", aside=lambda *each: aside.append(each))
    place.put(key_of(Space.BYTES, OUTPUT.sha256), b"another picture")

    with pytest.raises(DamagedError, match="other bytes"):
        store.get(OUTPUT.sha256)

    assert aside == [(OUTPUT.sha256, b"another picture")]


def test_receipts(store: TeamStore) -> None:
    """The first receipt of an order stays, and comes back as it was."""
    second = replace(RECEIPT, receipt=Receipt("bfl", "another", Decimal("0.05"), "settled"))

    assert store.receipt(ORDER.digest) is None
    assert store.put_receipt(RECEIPT)
    assert not store.put_receipt(second)
    assert store.receipts([ORDER.digest, OUTPUT.sha256]) == {
        ORDER.digest: RECEIPT,
        OUTPUT.sha256: None,
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(ORDER, prompt="a cat"),
        replace(ORDER, params={"width": 128, "height": 64}),
        replace(ORDER, take=1),
        replace(ORDER, inputs=()),
        replace(ORDER, model="flux-2-flex"),
    ],
)
def test_receipt_of_another_request(other: Order) -> None:
    """A receipt answers its own request only, also where it claims to be another's."""
    assert RECEIPT.answers(ORDER)
    assert not RECEIPT.answers(other)
    assert not replace(RECEIPT, order=other.digest).answers(other)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"version":1}',
        to_json(RECEIPT)[:-9],
        to_json(RECEIPT).replace(b'"version":1', b'"version":2'),
        to_json(RECEIPT).replace(b'"0.03"', b'"NaN"'),
        to_json(RECEIPT).replace(b'"0.03"', b'"-1"'),
        to_json(RECEIPT).replace(b"sha256:", b"sha512:"),
        to_json(replace(RECEIPT, order=OUTPUT.sha256)),
    ],
)
def test_damage_is_not_absence(store: TeamStore, place: Memory, value: bytes) -> None:
    """What cannot be read, or is of another order or a newer version, is never taken for nothing."""
    place.put(KEY, value)
    place.put(key_of(Space.CLAIMS, ORDER.digest), value)

    with pytest.raises(DamagedError):
        store.receipt(ORDER.digest)
    with pytest.raises(DamagedError):
        store.claim(ORDER.digest)
    (damage,) = store.claims()
    assert isinstance(damage, DamagedError)


def test_claims(store: TeamStore) -> None:
    """One attempt has an order until it is released; nobody else can name its ticket or release it."""
    other, ticket = replace(CLAIM, attempt="two"), replace(CLAIM, task="task", poll="https://p")

    assert store.take(CLAIM)
    assert store.take(CLAIM), "its own claim is its own, however often it asks"
    assert not store.take(other)
    assert not store.name_ticket(replace(other, task="task"))
    assert not store.release(ORDER.digest, "two")
    assert store.name_ticket(ticket)
    assert list(store.claims()) == [ticket]
    assert store.release(ORDER.digest, "one")
    assert store.take(other)


class Deduplicating(Memory):
    """A place that refuses a value only if it has the very same one."""

    def create(self, key: str, data: bytes) -> bool:
        """Write any other value."""
        if self.values.get(key) == data:
            return False
        self.values[key] = data
        return True


@pytest.mark.parametrize("place", [Memory(honest=False), Deduplicating()])
def test_careless_place(place: Memory) -> None:
    """A place that overwrites what it should create once is never trusted with a claim."""
    with pytest.raises(Unreachable, match="overwrites what it should create once"):
        TeamStore(place, "memory:").take(CLAIM)
    assert not place.has(key_of(Space.CLAIMS, ORDER.digest))


def test_contradictory_place() -> None:
    """A place that has no claim and takes none either is told as such; nobody waits for it."""

    class Refusing(Memory):
        def create(self, key: str, data: bytes) -> bool:  # noqa: ARG002 - it has them all
            """Have had it already."""
            return False

        def creates_once(self, key: str, one: bytes, other: bytes) -> bool:  # noqa: ARG002 - so it says
            """Be proven."""
            return True

    with pytest.raises(Unreachable, match="neither has nor takes a claim"):
        TeamStore(Refusing(), "memory:").take(CLAIM)


def test_read_only(place: Memory) -> None:
    """Nothing is written to a store that is only read."""
    store = TeamStore(place, "memory:", writable=False)
    for call in (
        lambda: store.put(PICTURE),
        lambda: store.put_receipt(RECEIPT),
        lambda: store.take(CLAIM),
        lambda: store.name_ticket(CLAIM),
        lambda: store.release(ORDER.digest, "one"),
    ):
        with pytest.raises(Unreachable, match="only read"):
            call()
    assert place.values == {}
