"""The door: answers what needs no parser, and hands everything else to `cli`.

The common call is the one with nothing to do. It is answered from the index
without importing the command line, pydantic, jinja2, networkx or Pillow, and
without `pathlib`, whose import alone takes longer than the answer.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

from flux2build import __version__

_QUICK: Final = {"build", "plan", "check"}
_OPTIONS: Final = {"-f": "FILE", "--file": "FILE", "-p": "PROFILE", "--profile": "PROFILE"}
_HARMLESS: Final = (
    "_HOME",
    "_FILE",
    "_PROFILE",
    "_CONFIG",
    "_URL",
    "_DEEP",
    "_SIGN_CERT",
    "_SIGN_KEY",
)
"""Ends of variables that do not change what is said when there is nothing to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run flux2build and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_what_is_closed()
    if words == ["--version"]:
        sys.stdout.write(f"flux2build {__version__}\n")
        return 0
    if (quick := _quick(words)) is not None and _answered(*quick):
        return 0
    # Modules and large projects make many lasting objects at once; looking for cycles among
    # them is in vain, most of all on the way out.
    gc.set_threshold(50_000, 20, 50)
    atexit.register(gc.freeze)
    # What happens to be installed beside us has no say in here, nor is it searched for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from flux2build.cli.parser import run

    return run(words)


def _open_what_is_closed() -> None:
    """Let a stream that was closed (`>&-`) lead nowhere.

    Otherwise the next file that is opened, such as the ledger, would get its
    number, and with it whatever is printed.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            lowest = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(lowest, mode, encoding="utf-8"))  # noqa: SIM115 - as long as we


def _quick(words: Sequence[str]) -> tuple[str, str, str] | None:
    """The command, spec and profile of a call so plain that the index may answer it."""
    ours = (name for name in os.environ if name.lstrip("_").startswith("FLUX2BUILD_"))
    if any(not name.endswith(_HARMLESS) for name in ours):
        return None
    values = {name: os.environ.get(f"FLUX2BUILD_{name}", "") for name in ("FILE", "PROFILE")}
    rest = list(words)
    command = rest.pop(0) if rest and rest[0] in _QUICK else "build"
    while rest:
        option, joined, value = rest.pop(0).partition("=")
        if not joined and rest:
            value = rest.pop(0)
        # The parser reads `-p=x` as the value `=x`, and knows what an empty value means.
        if option not in _OPTIONS or (joined and option[1] != "-") or not value:
            return None
        values[_OPTIONS[option]] = value
    return command, values["FILE"], values["PROFILE"]


def _answered(command: str, file: str, profile: str) -> bool:
    """Say what the index knows, if nothing that the answer depends on has changed."""
    from flux2build.storage.index import Index, answer_key

    spec = file or _nearest_spec()
    if not spec:
        return False
    try:
        # Not normalized: `..` after a link leads to where the link leads.
        folder, name = os.path.split(os.path.join(os.getcwd(), spec))
    except OSError:
        return False  # the folder is gone: the command line tells
    text = Index.load(folder).answer(answer_key(command, name, profile))
    if text is None:
        return False
    stream = sys.stderr if command == "build" else sys.stdout
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        return False  # the disk is full: the command line meets it again, and tells
    return True


def _nearest_spec() -> str:
    """`assets.toml` here or in a parent folder, as far as the project root."""
    try:
        folder = os.getcwd()
    except OSError:
        return ""  # the folder is gone: the command line tells
    while True:
        if os.path.isfile(os.path.join(folder, "assets.toml")):
            return os.path.join(folder, "assets.toml")
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return ""
        folder = parent
