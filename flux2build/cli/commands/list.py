"""List assets with their state and output."""

from __future__ import annotations

from typing import Any, Final

import click

from flux2build.cli import run_list
from flux2build.cli.command import command
from flux2build.errors import Exit
from flux2build.session.common_options import CommonOptions


@command("list", selects=True)
def list_assets(options: CommonOptions, **values: Any) -> Exit:
    """List assets with their state and output."""
    return run_list.list_assets(options, **values)


COMMAND: Final[click.Command] = list_assets
