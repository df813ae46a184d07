"""Write a working starter into this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from flux2build.command import command
from flux2build.console import Console
from flux2build.disk import replace
from flux2build.errors import Exit, Problem, UsageError
from flux2build.families import catalogue
from flux2build.project import SPEC_NAME
from flux2build.request import Request
from flux2build.spec.jsonschema import json_schema

_SPEC: Final = """\
#:schema ./flux2build.schema.json

[project]
name = "my-site"
output = "public/images"
templates = "templates"
profile = "draft"

[vars]
brand = { name = "Acme", primary = "#0A84FF" }

[profile.draft] # free comps, drawn offline
provider = "sketch"

[profile.final] # paid renders; needs BFL_API_KEY
provider = "bfl"
model = "flux-2-pro"

[budget]
per_run = 5.00
confirm_above = 0.50

[asset.mascot]
prompt = "a friendly fox in a {{ brand.primary }} scarf, full body, plain background"
seed = 42
alt = "The {{ brand.name }} fox"

[asset.hero]
template = "hero.j2"
matrix = { theme = ["light", "dark"] }
refs = [{ asset = "mascot" }]
width = 1536
height = 864

[[asset.hero.deliver]]
path = "hero-{{ theme }}-{{ width }}.{{ format }}"
widths = [640, 1280]
formats = ["avif", "webp", "jpeg"]
"""

_TEMPLATE: Final = """\
{{ ref("mascot") }} is the fox of {{ brand.name }}. The same fox at a desk by a window,
{% if theme == "dark" %}late at night, one warm lamp{% else %}early morning, soft daylight{% endif %},
{{ brand.primary }} accents, wide shot, room for a headline on the left.
"""

_IGNORED: Final = "\n# flux2build: disposable caches\n.flux2build/\n"
_ATTRIBUTES: Final = (
    "\n# flux2build: pictures are binary, the lock merges line by line\nassets.lock text eol=lf\n"
)


@command("init")
def init(request: Request) -> Exit:
    """Write a working starter into this folder.

    A spec, a template, the schema for editors, and lines for .gitignore and
    .gitattributes. Nothing that exists is overwritten.
    """
    console, folder = Console(request.color, request.verbosity), Path.cwd()
    if (folder / SPEC_NAME).exists():
        raise UsageError(
            Problem(
                f"there is a `{SPEC_NAME}` here already",
                hint="`flux2build plan` shows what it would make",
            )
        )
    schema = json.dumps(json_schema(catalogue()), indent=2, ensure_ascii=False) + "\n"
    for name, text in (
        (SPEC_NAME, _SPEC),
        ("templates/hero.j2", _TEMPLATE),
        ("flux2build.schema.json", schema),
    ):
        if (folder / name).exists():
            console.say(f"kept     {name}")
        else:
            replace(folder / name, text.encode())
            console.say(f"wrote    {name}")
    for name, text in ((".gitignore", _IGNORED), (".gitattributes", _ATTRIBUTES)):
        _append(folder / name, text)
        console.say(f"extended {name}")
    console.say(
        "\nNow `flux2build` draws free comps, and `flux2build plan -p final` shows the price."
    )
    return Exit.DONE


def _append(path: Path, text: str) -> None:
    old = path.read_text("utf-8") if path.exists() else ""
    if text.strip() not in old:
        replace(path, (old + text).lstrip("\n").encode())


COMMAND: Final[click.Command] = init
