"""Write a working starter into this folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.jsonschema import json_schema
from flux2build.building.run_lock import held
from flux2build.checks import CHECKS
from flux2build.cli.command import command, option
from flux2build.cli.spec_of_folder import spec_of
from flux2build.console.console import Console
from flux2build.console.plan_view import counted
from flux2build.errors import UsageError
from flux2build.images.documents import DOCUMENTS
from flux2build.providers.cards import Models
from flux2build.session.adopting import adopt_all
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from flux2build.storage import disk, durable, regular, toml_text
from flux2build.storage.disk import SPEC_NAME

_IGNORED: Final = b"# flux2build: disposable caches\n.flux2build/\n"
_ATTRIBUTES: Final = "# flux2build: what it writes keeps its bytes in every checkout"


@command("init", without={"profile", "env_file"})
@option(
    "--from", "folder", metavar="DIR", help="Write a spec that adopts the pictures in a folder."
)
def init(options: CommonOptions, *, folder: str | None) -> None:
    """Write a working starter into this folder.

    Writes a spec, a template, the schema for editors, and lines for .gitignore
    and .gitattributes. Files that exist are never overwritten. With --file, the
    spec is written there and everything else beside it.

    With --from, the spec has an asset for each picture in a folder instead, and the lock holds them as they
    are: nothing is rendered before a prompt is changed.
    """
    console = Console.of(options)
    spec = Path(options.file or SPEC_NAME).absolute()
    if spec.is_dir():
        spec /= SPEC_NAME
    if spec.exists():
        name = os.path.relpath(spec)
        hint = "`flux2build plan` shows what it would make"
        raise UsageError(f"`{name}` exists already", hint=hint)
    left_out = dict[str, str]()
    own = None if folder is None else spec_of(Path(folder), spec.parent, left_out.__setitem__)
    done = dict(_written(spec, own))
    adopted = [] if folder is None else _adopted(options, spec, console)
    if options.json:
        rows = [{"path": path, "action": action} for path, action in done.items()]
        console.document({"files": rows, "adopted": [*adopted]})
    for path, action in done.items():
        console.say(f"{action:<8} {path}")
    for path, why in left_out.items():
        console.say(f"left out {Path(folder or '', path)}: {why}")
    console.say("")
    if folder is not None:
        console.say(
            f"Adopted {counted(len(adopted), 'picture')}: `flux2build check` proves them current."
        )
        return
    console.say(
        "Now `flux2build` draws free sketches, and `flux2build plan -p final` shows the price."
    )


def _adopted(options: CommonOptions, spec: Path, console: Console) -> list[str]:
    """Lock the pictures of a new spec as they are."""
    project = Project.open(replace(options, file=str(spec)))
    with held(project.folder, "flux2build init", None, console.say):
        return [each.output.path for each in adopt_all(project)]


def _written(spec: Path, adopting: str | None) -> Iterator[tuple[str, str]]:
    """Write a spec and its files; yield each path with the action on it."""
    starter = resources.files("flux2build.cli") / "starter"
    own = adopting or (starter / "assets.toml").read_text("utf-8")
    schema = json.dumps(json_schema(Capabilities(Models(), CHECKS)), indent=2, ensure_ascii=False)
    files = {spec.name: own}
    if adopting is None:
        files["templates/hero.j2"] = (starter / "hero.j2").read_text("utf-8")
    files["flux2build.schema.json"] = f"{schema}\n"
    for name, text in files.items():
        path = spec.parent / name
        yield os.path.relpath(path), "kept" if path.exists() else "wrote"
        if not path.exists():
            disk.replace(path, text.encode())
    attributes = "\n".join(_attributes(spec.with_suffix(".lock").name, own))
    for name, lines in ((".gitignore", _IGNORED), (".gitattributes", f"{attributes}\n".encode())):
        path = spec.parent / name
        old = _read(path)
        last = lines.splitlines()[-1]
        if last in old.splitlines():
            yield os.path.relpath(path), "kept"
            continue
        yield os.path.relpath(path), "extended" if old else "wrote"
        disk.replace(path, b"\n".join([old.rstrip(b"\n") + b"\n", lines]) if old else lines)


def _attributes(lock: str, starter: str) -> Iterator[str]:
    """Lines of `.gitattributes`, so that git does not change the line ends of built files."""
    spec = toml_text.parsed(starter, SPEC_NAME)
    folders = {
        spec["project"]["output"],
        *(p.get("output") for p in spec.get("profile", {}).values()),
    }
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
