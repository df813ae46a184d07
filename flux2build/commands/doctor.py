"""Tell whether this machine and project are ready."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click
from rich.text import Text

from flux2build import __version__, encode
from flux2build.command import command
from flux2build.console import Console, clean
from flux2build.disk import home, root_of
from flux2build.errors import Exit, Flux2BuildError
from flux2build.families import providers_by_name
from flux2build.project import Project
from flux2build.provider import Remote
from flux2build.request import Request


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at; `ok` is None where nothing can be wrong."""

    name: str
    text: str
    ok: bool | None = None


@command("doctor")
def doctor(request: Request) -> Exit:
    """Tell whether this machine and project are ready.

    Versions, codecs, the project root, the store and ledger, and which keys
    are set (never their values).
    """
    console = Console(request.color, request.verbosity)
    lines = [*_machine(), *_money(), *_keys(), *_project(request)]
    if request.json:
        rows = [{"name": line.name, "text": line.text, "ok": line.ok} for line in lines]
        console.json({"format_version": "1.0", "lines": rows})
    else:
        for line in lines:
            mark = {True: ("ok  ", "green"), False: ("bad ", "bold red"), None: ("    ", "")}[
                line.ok
            ]
            console.data(Text.assemble(mark, (f"{line.name:<12} ", "bold"), clean(line.text)))
    return Exit.SYSTEM if any(line.ok is False for line in lines) else Exit.DONE


def _machine() -> Iterator[Line]:
    yield Line("flux2build", __version__)
    yield Line("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Line("pictures", encode.versions("png"))


def _money() -> Iterator[Line]:
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Line("store", f"{folder}: {error.strerror}; FLUX2BUILD_HOME moves it", ok=False)
        return
    yield Line("store", f"{folder} is writable", ok=True)


def _keys() -> Iterator[Line]:
    for provider in providers_by_name().values():
        if isinstance(provider, Remote):
            there = bool(os.environ.get(provider.key_variable))
            state = "is set" if there else f"is not set; needed for `{provider.name}` only"
            yield Line(
                provider.name, f"{provider.key_variable} {state}", ok=True if there else None
            )


def _project(request: Request) -> Iterator[Line]:
    try:
        project = Project.open(request)
        yield Line("root", str(root_of(project.folder)))
        count = f"{len(project.spec.assets)} assets, {len(project.spec.recipes)} files"
        yield Line("spec", f"{project.file}: {count}", ok=True)
        yield Line("lock", f"{project.lock_path.name}: {len(project.lock.blocks)} blocks", ok=True)
    except Flux2BuildError as error:
        yield Line("project", error.problems[0].message, ok=False if request.file else None)


COMMAND: Final[click.Command] = doctor
