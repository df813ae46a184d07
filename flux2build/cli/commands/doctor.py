"""Report whether this machine and project are ready."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from msgspec import Struct
from msgspec.structs import replace

from flux2build import __version__
from flux2build.cli.command import command, option
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.plan_view import counted
from flux2build.console.styled import Text
from flux2build.digest import Digest
from flux2build.errors import Exit, Flux2BuildError, SpecError, SystemFault, UsageError, gravest
from flux2build.extras import pip_install
from flux2build.images import encode
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import Op
from flux2build.images.provenance import signing
from flux2build.ledger import State
from flux2build.ledger.accounts import accounts
from flux2build.ledger.journal import Journal
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Remote
from flux2build.purchasing import evidence
from flux2build.purchasing.redaction import Key
from flux2build.purchasing.spool import spool_of
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal, user_store
from flux2build.session.missing_lock import ignored
from flux2build.session.project import Project
from flux2build.session.settings import UserSettings, config_path, read
from flux2build.storage import locks, probe
from flux2build.storage.disk import home, root_of
from flux2build.storage.own_folder import own_folder

_ROOM: Final = 16 * 2**20
"""The fewest free bytes on the disk of ledger and store: a few large pictures."""


class Line(Struct, frozen=True):
    """The result of one check; `ok` is None if nothing can be wrong."""

    name: str
    text: str
    ok: bool | None = None
    hint: str | None = None
    exit: Exit = Exit.SYSTEM
    """The exit code of the command if it is not ok."""


@command("doctor")
@option("--live", is_flag=True, help="Ask providers for what is left in your accounts.")
def doctor(options: CommonOptions, *, live: bool) -> Exit:
    """Report whether this machine and project are ready.

    Lists versions, codecs and extras; where configuration, store and ledger are, and
    whether they can be read, written and locked; which keys are set, but never
    their values; whether files can be signed; and whether the spec and its lock
    can be used.
    """
    console = Console.of(options)
    lines = [
        replace(line, hint=line.hint and console.context.complete(line.hint))
        for line in (
            *machine(encode.encoders(), shapes_text=encode.shapes_text()),
            *extras(OPS),
            *_user(options),
            *(_accounts(options) if live else ()),
            *_project(options),
        )
    ]
    if options.json:
        rows = [{"name": n.name, "text": n.text, "ok": n.ok, "hint": n.hint} for n in lines]
        console.document({"lines": rows})
    else:
        width = max(len(line.name) for line in lines)
        console.data(*(text for line in lines for text in _shown(line, width)))
    return gravest(line.exit for line in lines if line.ok is False)


_MARKS: Final = {True: ("ok   ", "green"), False: ("bad  ", "bold red"), None: ("     ", "")}


def _shown(line: Line, width: int) -> Iterator[Text]:
    yield Text.assemble(_MARKS[line.ok], (f"{line.name:<{width}}  ", "bold"), clean(line.text))
    if line.hint:
        yield Text.assemble(" " * (width + 7), ("hint", "bold cyan"), f": {clean(line.hint)}")


def machine(encoders: Mapping[str, str], *, shapes_text: bool) -> Iterator[Line]:
    """Versions, and the abilities of this machine's Pillow."""
    yield Line("flux2build", __version__)
    yield Line("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    again = "`pip install --upgrade --force-reinstall pillow` brings a Pillow that can"
    for form, versions in encoders.items():
        if versions.endswith("unknown"):
            yield Line(form, f"cannot be written by this Pillow: {versions}", ok=False, hint=again)
        else:
            yield Line(form, versions, ok=True)
    scripts, hint = ("every script", None) if shapes_text else ("simple scripts only", again)
    yield Line("raqm", f"Pillow shapes text in {scripts}", ok=shapes_text or None, hint=hint)


def extras(ops: Mapping[str, type[Op]]) -> Iterator[Line]:
    """Which operations that need an extra can be used."""
    for name, op in ops.items():
        if op.extra and op.installed():
            yield Line(op.extra, f"is installed: `{name}` can be used", ok=True)
        elif op.extra:
            hint = f"`{pip_install(op.extra)}`"
            yield Line(op.extra, f"is not installed; only `{name}` in a spec needs it", hint=hint)


def _user(options: CommonOptions) -> Iterator[Line]:
    """The user's configuration, store, ledger and keys."""
    path = config_path()
    try:
        settings = read(options.env_file)
    except Flux2BuildError as error:
        settings = UserSettings(os.environ)
        yield from _bad("config", error)
    else:
        there = os.path.isfile(path)  # noqa: PTH113 - `Path` raises where it must not look
        note = "" if there else ": does not exist, and need not"
        yield Line("config", f"{path}{note}", ok=there or None)
    try:
        folder = home()
    except (SystemFault, UsageError) as error:
        yield from _bad("home", error)
    else:
        yield from _home(folder)
        yield from _ledger()
    yield from _keys(settings)
    yield from _certificates(settings)
    yield from _team(settings)
    yield from _callbacks(settings)
    yield from _signing(settings)


def _certificates(settings: UserSettings) -> Iterator[Line]:
    """Whether the certificates to trust can be read, if any are named."""
    if not (places := settings.authorities):
        return
    from flux2build.purchasing.http.trust import authorities

    try:
        authorities(places)
        names = ", ".join(f"`{setting}` names {place}" for setting, place in places.items())
        yield Line("certificates", f"{names}: can be read", ok=True)
    except Flux2BuildError as error:
        yield from _bad("certificates", error)


def _team(settings: UserSettings) -> Iterator[Line]:
    """Whether the store of the user's team can be reached, if there is one."""
    if not settings.shares:
        return
    from flux2build.session.team import team_store

    try:
        team = team_store(settings, Path.cwd())
        if team is not None:
            team.reach()
            use = "read and written" if team.writable else "read"
            yield Line("team store", f"{team.url} can be {use}", ok=True)
    except Flux2BuildError as error:
        yield from _bad("team store", error)


def _callbacks(settings: UserSettings) -> Iterator[Line]:
    """Whether orders can name a URL for callbacks, if that is configured."""
    if not settings.public_url:
        return
    from flux2build.session.remote import webhooks_at

    try:
        webhooks = webhooks_at(settings, settings.public_url)
    except Flux2BuildError as error:
        yield from _bad("callbacks", error)
    else:
        yield Line("callbacks", f"orders name {webhooks.url}", ok=True)


def _signing(settings: UserSettings) -> Iterator[Line]:
    """Whether files can be signed, which is optional."""
    if not any(map(settings.value, (signing.CERTIFICATE_VARIABLE, signing.KEY_VARIABLE))):
        yield Line("signing", "no certificate is set; only `sign = true` in a spec needs one")
        return
    try:
        signing.from_settings(settings.value)
    except Flux2BuildError as error:
        yield from _bad("signing", error)
    else:
        yield Line("signing", "certificate and key can be read", ok=True)


def _bad(name: str, error: Flux2BuildError) -> Iterator[Line]:
    """Every problem of an error."""
    for problem in error.problems:
        place = f"{problem.place}: " if problem.place else ""
        text = f"{place}{problem.message}"
        yield Line(name, text, ok=False, hint=problem.hint, exit=error.exit)


def _home(folder: Path) -> Iterator[Line]:
    """The store, and whether it can be written to and locked."""
    moved = "`FLUX2BUILD_HOME` moves store and ledger to another folder"
    line = _usable("home", folder, lambda: folder, moved)
    try:
        if line.ok:
            probe.takes_files(folder)
            probe.have_room((folder,), _ROOM)
    except SystemFault as error:
        yield from _bad("home", error)
        return
    yield line
    if not line.ok:
        return
    store = user_store()
    try:
        store.prove()
    except SystemFault as error:
        yield from _bad("store", error)
    else:
        yield Line("store", counted(sum(1 for _ in store.digests()), "picture"), ok=True)
    if (spool := spool_of(folder).folder).exists():
        hint = (
            "the next build or `flux2build orders` takes in what ledger and store could not be told"
        )
        yield Line("spool", f"{spool} is not empty", ok=False, hint=hint)
    for path in store.damaged():
        hint = "its picture is looked for elsewhere, and never bought again by itself; keep this file until you have it"
        yield Line("damaged", str(path), ok=False, hint=hint)


def _usable(name: str, folder: Path, own: Callable[[], Path], hint: str) -> Line:
    """Whether a folder can be written to and locked, tried with a file in a folder of our own."""
    try:
        lockable = _keeps_out(own())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Line(name, f"{folder} cannot be written to: {why}", ok=False, hint=hint)
    if lockable:
        return Line(name, f"{folder} can be written to and locked", ok=True)
    return Line(name, f"{folder} cannot be locked", ok=False, hint=hint)


def _keeps_out(folder: Path) -> bool:
    """Whether a lock on this disk keeps out a second process.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".doctor-{os.getpid()}"
    first = locks.opened(path)
    try:
        return locks.try_lock(first) and locks.keeps_out(path)
    except OSError:
        return False
    finally:
        os.close(first)
        with suppress(OSError):
            path.unlink()


def _ledger() -> Iterator[Line]:
    journal = user_journal()
    try:
        known, opened = accounts(journal), journal.ledger().open
        journal.prove()
        journal.prove_writable()
        lost = _lost(journal)
    except Flux2BuildError as error:
        yield from _bad("ledger", error)
        return
    if lost:
        yield Line(
            "ledger",
            f"{journal.path}: {lost}",
            ok=False,
            hint=evidence.BRING_BACK,
            exit=Exit.DECIDE,
        )
        return
    orders = counted(known.begun, "order")
    undecided = {State.DOUBT, State.KEPT, State.LOST}
    waiting = [each for each in opened if each.intended and each.state in undecided]
    if waiting:
        text = f"{journal.path}: {orders}, {len(waiting)} of them for a person to decide"
        hint = "`flux2build orders` lists them"
        yield Line("ledger", text, ok=False, hint=hint, exit=Exit.DECIDE)
    else:
        yield Line("ledger", f"{journal.path}: {orders}", ok=True)
    yield from _missing(known.paid())


def _missing(paid: Sequence[Digest]) -> Iterator[Line]:
    """The paid pictures that the store lacks."""
    store = user_store()
    there = store.among(set(paid))
    if missing := sum(output not in there for output in paid):
        text = f"pictures that were paid for and are missing: {missing}"
        hint = "they are taken from work trees that have them, and never bought again by themselves"
        yield Line("store", text, ok=False, hint=hint, exit=Exit.DECIDE)


def _lost(journal: Journal) -> str:
    """The missing entries of the ledger, in words; empty if it seems complete."""
    if evidence.emptied(journal, user_store()):
        return f"it {evidence.EMPTIED}"
    if missing := len(journal.missing()):
        return f"orders that may have been sent are not in it: {missing}"
    return ""


def _keys(settings: UserSettings) -> Iterator[Line]:
    """Which keys are set, and where orders go; never a key."""
    for provider in PROVIDERS.values():
        if not isinstance(provider, Remote):
            continue
        name = provider.key_variable
        is_set = bool(key := settings.value(name))
        try:
            _ = is_set and Key(key, name)
        except Flux2BuildError as error:
            yield from _bad(provider.name, error)
            continue
        hint = f"only orders to `{provider.name}` need it: set {name}, or name an `--env-file`"
        moved = settings.endpoint(provider)
        endpoint = urlsplit("" if moved == provider.endpoint else moved)
        goes = f"; orders go to {endpoint.hostname}:{endpoint.port or ''}".rstrip(":")
        text = f"{name} is {'set' if is_set else 'not set'}{goes if endpoint.hostname else ''}"
        yield Line(provider.name, text, True if is_set else None, None if is_set else hint)


def _accounts(options: CommonOptions) -> Iterator[Line]:
    """The balances at the providers with keys."""
    from flux2build.cli.live import accounts

    try:
        for name, text, known in accounts(read(options.env_file)):
            yield Line(f"account of {name}", text, ok=known)
    except Flux2BuildError as error:
        yield from _bad("live", error)


def _project(options: CommonOptions) -> Iterator[Line]:
    try:
        home()
    except (SystemFault, UsageError):
        return  # it has a line already, and no project can be opened without it
    try:
        project = Project.open(options)
    except Flux2BuildError as error:
        ok = False if options.file else None
        for problem in error.problems:
            yield Line("spec", problem.message, ok, problem.hint, error.exit)
        return
    yield Line("root", str(root_of(project.folder)))
    hint = "`check` and `plan` work here; building does not"
    yield _usable("folder", project.folder, lambda: Path(own_folder(str(project.folder))), hint)
    try:
        assets, files = len(project.spec.assets), len(project.spec.recipes)
        _ = project.graph
        name = f" of `{project.spec.name}`" if project.spec.name else ""
        counts = f"{counted(assets, 'asset')}, {counted(files)}"
        text = f"{project.file}{name}: {counts} ({project.spec.profile})"
        yield Line("spec", text, ok=True)
        count, wrong = len(project.lock.blocks), project.lockless or ignored(project.lock_path)
        if wrong is None:
            yield Line("lock", f"{project.lock_path.name}: {counted(count, 'block')}", ok=True)
        else:
            yield Line("lock", wrong.message, ok=False, hint=wrong.hint, exit=Exit.DRIFT)
        if project.repository.exists:
            yield _merging(project)
    except Flux2BuildError as error:
        yield from _bad("spec" if isinstance(error, SpecError | UsageError) else "lock", error)


def _merging(project: Project) -> Line:
    """Whether git merges locks with the driver, or line by line."""
    if project.repository.merges_locks:
        return Line("merge driver", "git merges the lock row by row", ok=True)
    hint = "`flux2build lock merge --help` tells how to set it up"
    return Line("merge driver", "this clone has none: git merges the lock by lines", hint=hint)


COMMAND: Final[click.Command] = doctor
