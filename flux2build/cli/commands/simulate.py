"""Serve simulated providers, for practice without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from flux2build.cli.amounts import CREDITS, Seconds, Whole
from flux2build.cli.command import command, option
from flux2build.errors import UsageError
from flux2build.extras import pip_install
from flux2build.session.common_options import CommonOptions

_NEEDED: Final = {"starlette", "uvicorn", "h11"}


@command("simulate", without={"file", "profile", "env_file"})
@option("--port", type=Whole(0, 65535), default=0, help="0 picks a free one.")
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on.")
@option("--latency", type=Seconds(0), help="Seconds until a picture is ready.")
@option("--scenario", type=click.Path(path_type=Path), help="Settings and faults, in TOML.")
@option(
    "--credits", type=CREDITS, metavar="DECIMAL", help="Balance at the start; a credit is 0.01 USD."
)
@option("--limit", type=Whole(0), help="Most orders unfinished at once; 24 if not given.")
@option("--fast", is_flag=True, default=None, help="Draw one picture per size.")
def simulate(
    options: CommonOptions, *, port: int, host: str, scenario: Path | None, **settings: Any
) -> None:
    """Serve simulated providers, for practice without a key.

    Speaks the APIs of BFL, CometAPI and Replicate, draws sketches, keeps a
    ledger of charges and goes wrong on request. The first line on stdout is
    the URL to use for every provider. Ctrl-C ends it.
    """
    try:
        from flux2build.simulator import Scenario, load, serve
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        raise UsageError(
            f"the simulator needs `{missing.name}`, which is not installed",
            hint=f"`{pip_install('simulate')}`",
        ) from missing
    changes = {name: value for name, value in settings.items() if value is not None}
    chosen = load(scenario) if scenario else Scenario()
    serve(chosen.changed(changes), host=host, port=port, as_json=options.json)


COMMAND: Final[click.Command] = simulate
