"""Look after the store that a team shares."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from flux2build.cli.amounts import Whole
from flux2build.cli.command import command, option
from flux2build.console.console import Console
from flux2build.console.plan_view import counted
from flux2build.digest import Json
from flux2build.errors import Exit, SystemFault, UsageError
from flux2build.extras import pip_install
from flux2build.session import team_upkeep
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_store
from flux2build.session.project import Project
from flux2build.session.settings import read
from flux2build.session.team import held_claims, team_store
from flux2build.session.team_upkeep import Moved
from flux2build.sharing.backends.file import Folder
from flux2build.sharing.contract import STORE_VARIABLE, TOKEN_VARIABLE, Unreachable
from flux2build.sharing.keys import Space, digest_of
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.disk import named_spec, root_of

_NEEDED: Final = {"starlette", "uvicorn", "h11"}
_NEAR: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@click.group("store", no_args_is_help=False)
def store() -> None:
    """Look after the store that a team shares.

    `[store]` in your configuration or FLUX2BUILD_STORE names it.
    """


@store.add_command
@command("status", without={"profile"})
def status(options: CommonOptions) -> Exit:
    """Tell whether the store can be reached, and what it has."""
    console = Console.of(options)
    team = _store(options)
    team.reach()
    milliseconds = round(team.latency() * 1000)
    waiting = sum(1 for _ in held_claims(team))
    sizes = _sizes(team)
    if options.json:
        facts: dict[str, Json] = {"url": team.url, "writable": team.writable, "alone": team.alone}
        facts |= {"milliseconds": milliseconds, "waiting": waiting}
        console.document(facts | {str(space): len(each) for space, each in sizes.items()})
        return Exit.DONE
    console.data(f"{team.url}: {'read and written' if team.writable else 'only read'}")
    console.data(f"answers within {milliseconds} ms")
    for line in _contents(sizes):
        console.data(line)
    if waiting:
        what = counted(waiting, "order")
        console.say(f"The team is still to be told of {what}: `flux2build store push` tells it.")
    return Exit.DONE


def _sizes(team: TeamStore) -> dict[Space, list[int]]:
    """The sizes of all values in each space; empty if the store does not report them."""
    try:
        return {space: [each.size for each in team.keys(space)] for space in Space}
    except Unreachable:
        return {}


def _contents(sizes: Mapping[Space, Sequence[int]]) -> Iterator[str]:
    if not sizes:
        yield "does not tell what it has"
        return
    files = sizes[Space.BYTES]
    yield f"{counted(len(files))}, {_megabytes(sum(files))}"
    yield counted(len(sizes[Space.ORDERS]), "receipt")
    yield counted(len(sizes[Space.CLAIMS]), "claim")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


@store.add_command
@command("push", without={"profile"})
def push(options: CommonOptions) -> Exit:
    """Share what the lock has, and what the team is still to be told.

    Uploads the bytes of locked files that the store lacks, and the receipts of
    those that were paid for. Nothing is ordered.
    """
    console, project = Console.of(options), Project.open(options)
    team = _store(options)
    moved = team_upkeep.push(project, team, console.say)
    return _moved(console, moved, "shared", "not here")


@store.add_command
@command("pull", without={"profile"})
def pull(options: CommonOptions) -> Exit:
    """Fetch what the lock has and this machine lacks.

    It goes to your own store, from which a build restores it, free and offline.
    """
    console, project = Console.of(options), Project.open(options)
    moved = team_upkeep.pull(project, _store(options))
    return _moved(console, moved, "fetched", "not in the team's store")


def _moved(console: Console, moved: Moved, verb: str, where: str) -> Exit:
    """Print what was shared or fetched."""
    if console.context.options.json:
        facts: dict[str, Json] = {"files": moved.files, "bytes": moved.bytes}
        facts |= {"receipts": moved.receipts, "absent": [*moved.absent], "other": [*moved.other]}
        console.document({**facts, "damaged": [str(error) for error in moved.damaged]})
    else:
        receipts = f" and {counted(moved.receipts, 'receipt')}" if moved.receipts else ""
        console.say(f"{verb} {counted(moved.files)}{receipts}, {_megabytes(moved.bytes)}")
        console.data(*(f"{where}: {name}" for name in moved.absent))
        console.data(*(f"the team has another picture: {name}" for name in moved.other))
    for error in moved.damaged:
        console.fail(error)
    return Exit.SYSTEM if moved.damaged else Exit.DONE


@store.add_command
@command("verify", without={"file", "profile"})
def verify(options: CommonOptions) -> Exit:
    """Read everything in the store, and mend what can be mended.

    Bytes are compared with their digests, receipts and claims are read. Wrong or
    missing bytes are replaced where your own store has them.
    """
    console = Console.of(options)
    verified = team_upkeep.verify(_store(options), user_store())
    if options.json:
        damaged = [str(error) for error in verified.damaged]
        facts: dict[str, Json] = {"checked": verified.checked, "mended": [*verified.mended]}
        console.document({**facts, "damaged": [*damaged]})
    else:
        console.data(*(f"mended: {key}" for key in verified.mended))
        console.say(f"verified {counted(verified.checked, 'value')}")
    for error in verified.damaged:
        console.fail(error)
    return Exit.SYSTEM if verified.damaged else Exit.DONE


@store.add_command
@command("gc", without={"file", "profile"})
@click.argument("digests", nargs=-1, metavar="[DIGEST]...")
@option(
    "--repository",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A repository whose locks are heeded; default: here.",
)
@option("-y", "--yes", is_flag=True, help="Remove them instead of only listing them.")
def gc(
    options: CommonOptions, *, digests: tuple[str, ...], repository: tuple[Path, ...], yes: bool
) -> None:
    """Remove files from the store that no lock names.

    Looks through all versions of the locks of the repositories that are named, and
    lists what none of them has; `--yes` removes it. What somebody has paid for
    always stays, and so does what is younger than a day. Files that are named by
    their digests are removed whatever they are, with their receipts. With `--yes`, what a
    machine that died left unfinished in a folder a day ago goes, too.
    """
    console, team = Console.of(options), _store(options)
    folders = repository or (root_of(Path.cwd()),)
    leftovers = team_upkeep.leftovers(team, folders, digests)
    if options.json:
        rows: list[Json] = [
            {"digest": digest_of(e.bytes.key), "bytes": e.bytes.size} for e in leftovers
        ]
        console.document({"leftovers": rows, "removed": yes})
    else:
        console.data(*(f"{digest_of(e.bytes.key)}  {_megabytes(e.bytes.size)}" for e in leftovers))
    if yes:
        for leftover in leftovers:
            team_upkeep.remove(team, leftover)
        console.say(f"removed {counted(len(leftovers))}")
        if unfinished := team_upkeep.unfinished(team, remove=True):
            console.say(f"removed {counted(unfinished)} that {_were(unfinished)} never finished")
    else:
        console.say(_announced(len(leftovers), team_upkeep.unfinished(team, remove=False)))


def _announced(count: int, unfinished: int) -> str:
    """What `--yes` would do."""
    half = f"{counted(unfinished)} that {_were(unfinished)} never finished"
    if not count and not unfinished:
        return "Every file is needed, or younger than a day."
    needless = " and ".join([*([counted(count)] if count else []), *([half] if unfinished else [])])
    return (
        f"Nothing needs {needless}; `--yes` removes {'it' if count + unfinished == 1 else 'them'}."
    )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _store(options: CommonOptions) -> TeamStore:
    """The store that the user's settings name.

    Raises:
        UsageError: they name none.
    """
    folder = named_spec(options.file).parent if options.file else Path.cwd()
    team = team_store(read(options.env_file), folder)
    if team is None:
        example = f"`export {STORE_VARIABLE}=file:///mnt/team/store`"
        hint = f"{example}, or `[store]` in your configuration; docs/team.md tells more"
        raise UsageError("no store of a team is named", hint=hint)
    return team


@store.add_command
@command("serve", without={"file", "profile"})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@option("--port", type=Whole(0, 65535), default=0, help="0 picks a free one.")
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on.")
def serve(options: CommonOptions, *, folder: Path, port: int, host: str) -> None:
    """Serve a folder as a team's store.

    The first line on stdout is its URL. What is sent is bounded and verified. If
    FLUX2BUILD_STORE_TOKEN is set, a client needs the same one; without it, only this
    machine is served. TLS is for a proxy in front of it. Ctrl-C ends it.
    """
    token = read(options.env_file).value(TOKEN_VARIABLE)
    if not token and host not in _NEAR:
        raise UsageError(
            f"without a token, `{host}` would be served to whoever reaches it",
            hint=f"`export {TOKEN_VARIABLE}=…`, for the clients too",
        )
    if not folder.is_dir():
        raise SystemFault(
            f"`{folder}` is not a folder", hint=f"`mkdir -p {shlex.quote(str(folder))}`"
        )
    _serve(folder, token, (host, port), as_json=options.json)


def _serve(folder: Path, token: str, address: tuple[str, int], *, as_json: bool) -> None:
    try:
        from flux2build.sharing.listening import base_url, listening
        from flux2build.sharing.server import Site, serve_until_interrupted
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        raise UsageError(
            f"serving a store needs `{missing.name}`, which is not installed",
            hint=f"`{pip_install('team')}`",
        ) from missing
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(*address) as listener, suppress(KeyboardInterrupt):
        url = base_url(address[0], listener)
        about = {"url": url, "environment": {STORE_VARIABLE: url}}
        sys.stdout.write(
            f"{json.dumps(about)}\n" if as_json else f"{url}\n{STORE_VARIABLE}={url}\n"
        )
        sys.stdout.flush()
        serve_until_interrupted(Site(Folder(folder.absolute()), token), listener)


COMMAND: Final[click.Command] = store
