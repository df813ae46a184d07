"""Write a working starter into this folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

import click

from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.jsonschema import json_schema
from flux2build.checks.contract import CHECKS
from flux2build.cli.command import command
from flux2build.console.console import Console
from flux2build.errors import UsageError
from flux2build.images.documents.contract import DOCUMENTS
from flux2build.providers.cards import Models
from flux2build.session.common_options import CommonOptions
from flux2build.storage import durable, regular, toml_text
from flux2build.storage.disk import SPEC_NAME, replace

_IGNORED: Final = b"# flux2build: disposable caches\n.flux2build/\n"
_ATTRIBUTES: Final = "# flux2build: what it writes keeps its bytes in every checkout"


@command("init", without={"profile", "env_file"})
def init(options: CommonOptions) -> None:
    """Write a working starter into this folder.

    Writes a spec, a template, the schema for editors, and lines for .gitignore
    and .gitattributes. Files that exist are never overwritten. With --file, the
    spec is written there and everything else beside it.
    """
    console = Console.of(options)
    spec = Path(options.file or SPEC_NAME).absolute()
    if spec.is_dir():
        spec /= SPEC_NAME
    if spec.exists():
        name = os.path.relpath(spec)
        hint = "`flux2build plan` shows what it would make"
        raise UsageError(f"`{name}` exists already", hint=hint)
    done = dict(_written(spec))
    if options.json:
        rows = [{"path": path, "action": action} for path, action in done.items()]
        console.document({"files": rows})
    for path, action in done.items():
        console.say(f"{action:<8} {path}")
    console.say("")
    console.say(
        "Now `flux2build` draws free sketches, and `flux2build plan -p final` shows the price."
    )


def _written(spec: Path) -> Iterator[tuple[str, str]]:
    """Write the starter; yield each path with what was done to it."""
    starter = resources.files("flux2build.cli") / "starter"
    own = (starter / "assets.toml").read_text("utf-8")
    schema = json.dumps(json_schema(Capabilities(Models(), CHECKS)), indent=2, ensure_ascii=False)
    for name, text in (
        (spec.name, own),
        ("templates/hero.j2", (starter / "hero.j2").read_text("utf-8")),
        ("flux2build.schema.json", f"{schema}\n"),
    ):
        path = spec.parent / name
        yield os.path.relpath(path), "kept" if path.exists() else "wrote"
        if not path.exists():
            replace(path, text.encode())
    attributes = "\n".join(_attributes(spec.with_suffix(".lock").name, own))
    for name, lines in ((".gitignore", _IGNORED), (".gitattributes", f"{attributes}\n".encode())):
        path = spec.parent / name
        old = _read(path)
        last = lines.splitlines()[-1]
        if last in old.splitlines():
            yield os.path.relpath(path), "kept"
            continue
        yield os.path.relpath(path), "extended" if old else "wrote"
        replace(path, b"\n".join([old.rstrip(b"\n") + b"\n", lines]) if old else lines)


def _attributes(lock: str, starter: str) -> Iterator[str]:
    """Lines of `.gitattributes`, so that git changes the line ends of nothing that a build writes."""
    spec = toml_text.parsed(starter, SPEC_NAME)
    folders = {spec["project"]["output"], *(p.get("output") for p in spec["profile"].values())}
    endings = {Path(f"x{end}").suffix for each in DOCUMENTS.values() for end in each.endings}
    yield _ATTRIBUTES
    yield f"{lock} text eol=lf"
    yield f"{lock} merge=flux2build"
    for folder in sorted(filter(None, folders)):
        yield from (f"/{folder}/**/*{ending} text eol=lf" for ending in sorted(endings))


def _read(path: Path) -> bytes:
    """The bytes of a file; empty if there is none.

    Raises:
        SystemFault: it cannot be read.
    """
    try:
        return regular.read(path, regular.LARGEST_SETTINGS)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise durable.fault("read", path, error) from error


COMMAND: Final[click.Command] = init
