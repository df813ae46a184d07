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
from flux2build.providers.cards import Models
from flux2build.session.common_options import CommonOptions
from flux2build.storage import durable, regular
from flux2build.storage.disk import SPEC_NAME, replace

_IGNORED: Final = b"# flux2build: disposable caches\n.flux2build/\n"
_ATTRIBUTES: Final = b"# flux2build: the lock merges line by line\nassets.lock text eol=lf\n"


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
    schema = json.dumps(json_schema(Capabilities(Models(), CHECKS)), indent=2, ensure_ascii=False)
    for name, text in (
        (spec.name, (starter / "assets.toml").read_text("utf-8")),
        ("templates/hero.j2", (starter / "hero.j2").read_text("utf-8")),
        ("flux2build.schema.json", f"{schema}\n"),
    ):
        path = spec.parent / name
        yield os.path.relpath(path), "kept" if path.exists() else "wrote"
        if not path.exists():
            replace(path, text.encode())
    for name, lines in ((".gitignore", _IGNORED), (".gitattributes", _ATTRIBUTES)):
        path = spec.parent / name
        old = _read(path)
        last = lines.splitlines()[-1]
        if last in old.splitlines():
            yield os.path.relpath(path), "kept"
            continue
        yield os.path.relpath(path), "extended" if old else "wrote"
        replace(path, b"\n".join([old.rstrip(b"\n") + b"\n", lines]) if old else lines)


def _read(path: Path) -> bytes:
    """The bytes of a file; empty if there is none.

    Raises:
        SystemFault: it cannot be read.
    """
    try:
        return regular.read(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise durable.fault("read", path, error) from error


COMMAND: Final[click.Command] = init
