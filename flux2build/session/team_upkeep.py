"""Shares, fetches, verifies and removes files in a team's store."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from flux2build.building.artifacts import Artifacts
from flux2build.digest import Digest, short
from flux2build.errors import SystemFault, UsageError
from flux2build.lockfile import Lockfile
from flux2build.session import sharing
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.project import Project
from flux2build.sharing.at_once import answers
from flux2build.sharing.contract import Listed
from flux2build.sharing.keys import Space, digest_of, key_of, space_of
from flux2build.sharing.records import NewerError, RecordError, SharedReceipt, receipt_of
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.disk import root_of
from flux2build.storage.repository import Repository
from flux2build.storage.store import DamagedError, LostError, Store

_DIGEST: Final = re.compile(rb"sha256:[0-9a-f]{64}")
_DAY: Final = 24 * 60 * 60
_SHORTEST: Final = 12


class Moved(Struct, frozen=True):
    """The result of sharing or fetching."""

    files: int = 0
    bytes: int = 0
    receipts: int = 0
    absent: tuple[str, ...] = ()
    """The locked files whose bytes are missing at the source."""
    other: tuple[str, ...] = ()
    """The locked pictures for whose orders the team has other pictures."""
    damaged: tuple[SystemFault, ...] = ()


class Verified(Struct, frozen=True):
    """The result of reading a store."""

    checked: int = 0
    mended: tuple[str, ...] = ()
    damaged: tuple[SystemFault, ...] = ()


class Leftover(Struct, frozen=True):
    """Bytes that are no longer needed, and their receipts."""

    bytes: Listed
    receipts: tuple[Digest, ...] = field(default_factory=tuple)


def locked_files(lock: Lockfile) -> Mapping[Digest, str]:
    """The name of every locked file, by its digest."""
    rows = {
        row.output.sha256: row.output.path for block in lock.blocks.values() for row in block.rows
    }
    candidates = {
        each.output.sha256: f"{block.asset}, candidate {each.number}"
        for block in lock.blocks.values()
        for each in block.candidates
    }
    return candidates | rows


def push(project: Project, store: TeamStore, say: Callable[[str], None]) -> Moved:
    """Share the files of the project's lock, and purchases of earlier builds not shared yet.

    Raises:
        SystemFault: the store cannot be written.
    """
    store.require_writable()
    sharing.teamwork(project, store, say).settle_all()
    here, names = at_hand(project, project.files()), locked_files(project.lock)
    there = store.have(names)
    missing = [digest for digest in names if digest not in there and here.has(digest)]
    keeps = store.backend.keeps_bytes
    put = dict(answers(lambda each: _put(store, here, each), missing if keeps else ()))
    sizes = {digest: size for digest, size in put.items() if size is not None}
    in_team_store = there | sizes.keys() if keeps else {*names}
    receipts = _receipts(project.lock, in_team_store)
    there_now = store.receipts(receipts)
    shared = {
        order: each
        for order, each in there_now.items()
        if isinstance(each, SharedReceipt) and each.payload == receipts[order].payload
    }
    newer = {order: each for order, each in there_now.items() if isinstance(each, NewerError)}
    fresh = receipts.keys() - shared - newer.keys()
    first = answers(lambda order: store.put_receipt(receipts[order]), sorted(fresh))
    return Moved(
        files=len(sizes),
        bytes=sum(sizes.values()),
        receipts=sum(won for _, won in first),
        absent=tuple(sorted(names[digest] for digest in names.keys() - in_team_store)),
        other=tuple(
            sorted(
                names[ours.output]
                for order, ours in receipts.items()
                if order in shared and shared[order].output != ours.output
            )
        ),
        damaged=tuple(newer.values()),
    )


def _put(store: TeamStore, here: Artifacts, digest: Digest) -> int | None:
    """The number of shared bytes; None if they are no longer here."""
    try:
        data = here.get(digest)
    except LostError:
        return None
    store.put(data)
    return len(data)


def _receipts(lock: Lockfile, known: Collection[Digest]) -> dict[Digest, SharedReceipt]:
    """The receipts of the paid pictures of a lock whose bytes the team has."""
    rows = (block.generated.renamed for block in lock.blocks.values() if block.generated)
    shared = (
        receipt_of(row.order, row.output, row.receipt)
        for row in rows
        if row.receipt.paid and row.output.sha256 in known
    )
    return {receipt.order: receipt for receipt in shared}


def pull(project: Project, store: TeamStore) -> Moved:
    """Fetch the files of the project's lock that this machine lacks into the user's store.

    Raises:
        SystemFault: the team's store cannot be read, or this machine's cannot be written.
    """
    here, names = at_hand(project, project.files()), locked_files(project.lock)
    missing = [digest for digest in names if not here.has(digest)]
    fetched = dict(answers(lambda each: _fetch(store, project.store, each), missing))
    return Moved(
        files=sum(isinstance(each, int) for each in fetched.values()),
        bytes=sum(each for each in fetched.values() if isinstance(each, int)),
        absent=tuple(sorted(names[each] for each, size in fetched.items() if size is None)),
        damaged=tuple(each for each in fetched.values() if isinstance(each, DamagedError)),
    )


def _fetch(store: TeamStore, own: Store, digest: Digest) -> int | DamagedError | None:
    """The number of fetched bytes; None if there are none, or their error."""
    try:
        data = store.get(digest)
    except DamagedError as error:
        return error
    if data is None:
        return None
    own.put(data)
    return len(data)


def verify(store: TeamStore, own: Store) -> Verified:
    """Read everything in a store, and replace wrong or missing bytes by this machine's.

    Raises:
        SystemFault: the store cannot be read, or cannot be listed.
    """
    keys = [each.key for space in Space for each in store.keys(space)]
    outcomes = dict(answers(lambda key: _read(store, key), keys))
    outputs = {each.output for each in outcomes.values() if isinstance(each, SharedReceipt)}
    needed = {key_of(Space.BYTES, output) for output in outputs if store.backend.keeps_bytes}
    outcomes |= {key: _missing(store, key) for key in needed - outcomes.keys()}
    wrong = {key: each for key, each in outcomes.items() if isinstance(each, DamagedError)}
    mended = {key for key in wrong if _mended(store, own, key)}
    damaged = tuple(each for key, each in wrong.items() if key not in mended)
    return Verified(len(keys), tuple(sorted(mended)), damaged)


def _read(store: TeamStore, key: str) -> SharedReceipt | DamagedError | None:
    """The receipt of a key, if it has one; or the error of its value."""
    digest = digest_of(key)
    try:
        match space_of(key):
            case Space.BYTES:
                store.get(digest)
            case Space.CLAIMS:
                store.claim(digest)
            case Space.ORDERS:
                return store.receipt(digest)
    except DamagedError as error:
        return error
    return None


def _missing(store: TeamStore, key: str) -> DamagedError:
    digest = digest_of(key)
    return DamagedError(
        f"the team's store has a receipt, and not the bytes `{short(digest)}` that it is about",
        rows=(("digest", digest), ("store", store.url)),
        hint="`flux2build store push` where they are",
    )


def _mended(store: TeamStore, own: Store, key: str) -> bool:
    if not store.writable or space_of(key) is not Space.BYTES:
        return False
    try:
        store.put(own.get(digest_of(key)))
    except LostError:
        return False
    return True


def leftovers(
    store: TeamStore, folders: Collection[Path], named: Collection[str]
) -> list[Leftover]:
    """The unpaid bytes that the locks of some repositories do not name, or the `named` ones.

    Bytes of the last day stay, because their lock may not be committed yet.

    Raises:
        SystemFault: the store cannot be asked, or has a receipt that cannot be read.
        UsageError: a name does not match bytes in the store.
    """
    listed = {digest_of(each.key): each for each in store.keys(Space.BYTES)}
    orders = [digest_of(each.key) for each in store.keys(Space.ORDERS)]
    receipts = _readable(store.receipts(orders))
    if named:
        return [_with_receipts(listed[each], receipts) for each in _chosen(named, listed)]
    paid = {receipt.output for receipt in receipts.values() if receipt.receipt.paid}
    needed = paid.union(*(named_in_locks(folder) for folder in folders))
    old = time.time() - _DAY
    return [
        _with_receipts(each, receipts)
        for digest, each in sorted(listed.items())
        if digest not in needed and (each.modified or old) <= old
    ]


def _readable(
    answers: Mapping[Digest, SharedReceipt | RecordError | None],
) -> dict[Digest, SharedReceipt]:
    """Receipts by their orders.

    Raises:
        RecordError: one cannot be read.
    """
    for answer in answers.values():
        if isinstance(answer, RecordError):
            raise answer
    return {order: each for order, each in answers.items() if isinstance(each, SharedReceipt)}


def _with_receipts(listed: Listed, receipts: Mapping[Digest, SharedReceipt]) -> Leftover:
    output = digest_of(listed.key)
    return Leftover(
        listed, tuple(order for order, each in receipts.items() if each.output == output)
    )


def _chosen(named: Collection[str], listed: Collection[Digest]) -> Iterator[Digest]:
    for name in named:
        beginning = f"sha256:{name.removeprefix('sha256:')}"
        meant = [digest for digest in listed if digest.startswith(beginning)]
        if len(meant) != 1 or len(beginning) < len("sha256:") + _SHORTEST:
            hint = (
                f"give at least {_SHORTEST} digits of one digest, as `flux2build store gc` shows it"
            )
            raise UsageError(f"`{name}` names no bytes of the store", hint=hint)
        yield meant[0]


def named_in_locks(folder: Path) -> set[Digest]:
    """Every digest in every lock of a repository, in the work tree and in all versions of git."""
    digests: set[bytes] = set()
    repository = Repository(root_of(folder.absolute()), folder.absolute())
    for lock in folder.rglob("*.lock"):
        if not lock.is_file():
            continue
        digests.update(_DIGEST.findall(lock.read_bytes()))
        for version in repository.versions(lock.relative_to(folder).as_posix()):
            digests.update(_DIGEST.findall(repository.read(version) or b""))
    return {Digest(str(each, "ascii")) for each in digests}


def unfinished(store: TeamStore, *, remove: bool) -> int:
    """Count the unfinished files of writers that are older than a day, and `remove` them.

    Raises:
        SystemFault: the store cannot be read, or written.
    """
    if remove:
        store.require_writable()
    return store.backend.sweep(time.time() - _DAY, remove=remove)


def remove(store: TeamStore, leftover: Leftover) -> None:
    """Remove bytes from a store, and their receipts.

    Raises:
        SystemFault: the store cannot be written.
    """
    for order in leftover.receipts:
        store.remove(key_of(Space.ORDERS, order))
    store.remove(leftover.bytes.key)
