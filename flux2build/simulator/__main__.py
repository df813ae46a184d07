"""`python -m flux2build.simulator`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from flux2build.errors import Flux2BuildError
from flux2build.simulator.scenario import Scenario, load
from flux2build.simulator.server import serve


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--latency", type=float, help="Seconds until a picture is ready.")
@click.option("--scenario", type=click.Path(path_type=Path), help="Settings and faults, in TOML.")
@click.option("--credits", "balance", type=int, help="Balance at the start; 1 is 0.01 USD.")
@click.option("--limit", type=int, help="Most orders unfinished at once.")
@click.option("--fast", is_flag=True, default=None, help="Draw one picture per size.")
def simulate(port: int, host: str, scenario: Path | None, **settings: Any) -> None:
    """Serve simulated providers until interrupted."""
    settings["credits"] = settings.pop("balance")
    given = {name: value for name, value in settings.items() if value is not None}
    try:
        chosen = load(scenario) if scenario else Scenario()
        serve(chosen.changed(given), host=host, port=port)
    except Flux2BuildError as error:
        for problem in error.problems:
            click.echo(f"error: {problem.message}", err=True)
        sys.exit(error.exit)


if __name__ == "__main__":
    simulate()
