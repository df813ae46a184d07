"""Print the JSON Schema of assets.toml."""

from __future__ import annotations

from typing import Final

import click

from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.jsonschema import json_schema
from flux2build.checks import CHECKS
from flux2build.cli.command import command
from flux2build.console.console import Console
from flux2build.providers.cards import Models
from flux2build.session.common_options import CommonOptions


@command("schema", without={"file", "profile", "env_file"})
def schema(options: CommonOptions) -> None:
    """Print the JSON Schema of assets.toml, for editors.

    Save it beside the spec and put `#:schema ./flux2build.schema.json` on the
    spec's first line.
    """
    Console.of(options).json(json_schema(Capabilities(Models(), CHECKS)))


COMMAND: Final[click.Command] = schema
