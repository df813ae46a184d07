"""Print the JSON Schema of assets.toml."""

from __future__ import annotations

from typing import Final

import click

from flux2build.command import command
from flux2build.console import Console
from flux2build.errors import Exit
from flux2build.families import catalogue
from flux2build.request import Request
from flux2build.spec.jsonschema import json_schema


@command("schema")
def schema(request: Request) -> Exit:
    """Print the JSON Schema of assets.toml, for editors.

    Save it beside the spec and put `#:schema ./flux2build.schema.json` on the
    spec's first line.
    """
    Console(request.color, request.verbosity).json(json_schema(catalogue()))
    return Exit.DONE


COMMAND: Final[click.Command] = schema
