"""Look after the store that a team shares."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from flux2build.cli.amounts import Whole
from flux2build.cli.command import command, option
from flux2build.errors import SystemFault, UsageError
from flux2build.extras import pip_install
from flux2build.session.common_options import CommonOptions
from flux2build.session.settings import read
from flux2build.sharing.backends.file import Folder
from flux2build.sharing.contract import STORE_VARIABLE, TOKEN_VARIABLE

_NEEDED: Final = {"starlette", "uvicorn", "h11"}
_NEAR: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@click.group("store", no_args_is_help=False)
def store() -> None:
    """Look after the store that a team shares.

    `[store]` in your configuration or FLUX2BUILD_STORE names it.
    """


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
        raise SystemFault(f"`{folder}` is not a folder", hint=f"`mkdir -p {folder}`")
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
