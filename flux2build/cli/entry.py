"""The entry point: answers what needs no parser, and hands everything else to the parser.

The common call is the one with nothing to do. It is answered from the index
without importing the parser, pydantic, jinja2, networkx or Pillow, and
without `pathlib`, whose import alone takes longer than the answer.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

from flux2build import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer, too
    from collections.abc import Callable, Sequence
    from typing import TextIO

_INTERRUPTED = 130
_QUICK = {"build", "plan", "check"}
_OPTIONS = {"-f": "FILE", "--file": "FILE", "-p": "PROFILE", "--profile": "PROFILE"}
_CONFIG = "FLUX2BUILD_CONFIG"
_HARMLESS = {
    "FLUX2BUILD_HOME",
    "FLUX2BUILD_FILE",
    "FLUX2BUILD_PROFILE",
    _CONFIG,
    "FLUX2BUILD_BFL_URL",
    "FLUX2BUILD_COMETAPI_URL",
    "FLUX2BUILD_COMETAPI_REPLICATE_URL",
    "FLUX2BUILD_REPLICATE_URL",
    "FLUX2BUILD_STORE",
    "FLUX2BUILD_DEEP",
    "FLUX2BUILD_SIGN_CERT",
    "FLUX2BUILD_SIGN_KEY",
}
"""Variables that do not change the answer when there is nothing to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run flux2build and return its exit code; without `argv`, the process is its own."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    if words == ["--version"]:
        sys.stdout.write(f"flux2build {__version__}\n")
        return 0
    if argv is None:
        gc.disable()
    if (quick := _quick(words)) is not None and _answered(*quick):
        if argv is None:
            # Nothing is open, and freeing every object takes as long as reading the index.
            atexit._run_exitfuncs()  # noqa: SLF001 - as at any other exit: they are not ours
            _flush(sys.stdout)
            _flush(sys.stderr)
            os._exit(0)
        return 0
    run = _parser()
    return _interruptible(run, words) if argv is None else run(words)


def _flush(stream: TextIO) -> None:
    """Write what others have printed at exit; the answer itself is out already."""
    try:  # noqa: SIM105 - nothing else here needs `contextlib`
        stream.flush()
    except OSError:
        pass


def _interruptible(run: Callable[[Sequence[str]], int], words: Sequence[str]) -> int:
    """Run a command that Ctrl-C ends in good order, from its first moment to its last.

    Before it, and while Python shuts down after it, Ctrl-C ends the process in silence.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return run(words)
    try:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return run(words)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> Callable[[Sequence[str]], int]:
    """Import what parses the words and runs their command."""
    # Imports and large projects create many objects that live to the end: collecting garbage
    # among them is a waste of time, most of all at exit.
    gc.enable()
    gc.set_threshold(500_000, 20, 50)
    atexit.register(gc.freeze)
    # Plug-ins of pydantic that happen to be installed must not be searched for or run.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from flux2build.cli.parser import run

    return run


def _open_closed_streams() -> None:
    """Open a stream that the shell closed (`>&-`) on the null device.

    Otherwise the next file that is opened, such as the ledger, would get its
    file descriptor, and everything that is printed would be written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            lowest = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(lowest, mode, encoding="utf-8"))  # noqa: SIM115 - as long as we


def _quick(words: Sequence[str]) -> tuple[str, str, str] | None:
    """The command, spec and profile, if the call has no other options; else None."""
    ours = (name for name in os.environ if name.lstrip("_").startswith("FLUX2BUILD_"))
    if any(name not in _HARMLESS for name in ours):
        return None
    if _CONFIG in os.environ and not os.path.exists(os.environ[_CONFIG]):
        return None  # the parser reports it
    values = {name: os.environ.get(f"FLUX2BUILD_{name}", "") for name in ("FILE", "PROFILE")}
    if os.pathsep in values["FILE"]:
        return None  # several specs
    rest, given = list(words), set[str]()
    command = rest.pop(0) if rest and rest[0] in _QUICK else "build"
    while rest:
        option, joined, value = rest.pop(0).partition("=")
        if not joined and rest:
            value = rest.pop(0)
        # The parser reads `-p=x` as the value `=x`, knows what an empty value means, and refuses a
        # second one, or another option in the place of a value.
        name = _OPTIONS.get(option)
        odd = not value or (option[1:2] != "-" if joined else value.startswith("-"))
        if name is None or name in given or odd:
            return None
        values[name] = value
        given.add(name)
    return command, values["FILE"], values["PROFILE"]


def _answered(command: str, file: str, profile: str) -> bool:
    """Print the answer that the index remembers, if there is one that still holds."""
    from flux2build.storage.index import Index
    from flux2build.storage.ledger_mark import answer_key, holds, ledger_key

    spec = file or _nearest_spec()
    if not spec:
        return False
    try:
        # Not normalized: `..` after a link leads to where the link leads.
        folder, name = os.path.split(os.path.join(os.getcwd(), spec))
    except OSError:
        return False  # the current folder was removed: the parser reports it
    index = Index.load(folder)
    text = index.answer(answer_key(command, name, profile))
    if text is None or not text.isprintable():
        return False  # a profile may have any name: the parser's console escapes it
    if not holds(index.answer(ledger_key())):
        return False
    stream = sys.stderr if command == "build" else sys.stdout
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        return False  # the disk is full: the parser meets the same error, and reports it
    return True


def _nearest_spec() -> str:
    """`assets.toml` here or in a parent folder, as far as the project root."""
    try:
        folder = os.getcwd()
    except OSError:
        return ""  # the current folder was removed: the parser reports it
    while True:
        if os.path.isfile(os.path.join(folder, "assets.toml")):
            return os.path.join(folder, "assets.toml")
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return ""
        folder = parent
