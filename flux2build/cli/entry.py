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
from flux2build.cli.plain import read

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer, too
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from flux2build.storage.index import Index

_INTERRUPTED = 130
_ANSWERED = {
    "build": {"file", "profile", "quiet", "trust_pr", "yes"},
    "plan": {"file", "profile", "quiet", "exit_code"},
    "check": {"file", "profile", "quiet", "strict"},
}
"""The parameters of each command that do not change its remembered answer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run flux2build and return its exit code; without `argv`, the process is its own."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    if argv is None and os.name == "posix" and sys.getfilesystemencoding() != "utf-8":
        _start_in_utf8()
    if words == ["--version"]:
        sys.stdout.write(f"flux2build {__version__}\n")
        return 0
    if argv is None:
        gc.disable()
    plain = read(words)
    text, index = _remembered(*plain) if plain is not None else (None, None)
    if plain is not None and text is not None and _printed(text, *plain):
        return _leave(0) if argv is None else 0
    run = _parser() if plain is None else _without_parser(*plain, index)
    return _leave(_interruptible(run, words)) if argv is None else run(words)


def _start_in_utf8() -> None:
    """Start again so that names of files are UTF-8, as git has them, in every locale.

    What is printed stays in the encoding of the locale.
    """
    if os.environ.get("PYTHONUTF8") == "1":
        return  # Python was told not to heed it
    environment = {"PYTHONIOENCODING": sys.stdout.encoding, **os.environ, "PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - itself


def _leave(code: int) -> int:
    """End the process at once, because freeing every object may take longer than the answer.

    Python ends it normally, with the same code, if there is more to do: threads still run, a
    profiler or a debugger is active, or a stream cannot be written.
    """
    threading = sys.modules.get("threading")
    if (threading and threading.active_count() > 1) or sys.getprofile() or sys.gettrace():
        return code
    atexit._run_exitfuncs()  # noqa: SLF001 - as at any other exit: they are not ours
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return code
    os._exit(code)


def _interruptible(run: Callable[[Sequence[str]], int], words: Sequence[str]) -> int:
    """Run a command that Ctrl-C ends in order, from its first moment to its last.

    Before it, and while Python shuts down after it, Ctrl-C ends the process in silence.
    """
    # `signal` itself makes enumerations, which nobody else here needs.
    import _signal as signal  # type: ignore[import-not-found]  # only `signal` has stubs

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
    """Import the parser, which runs the command."""
    _expect_many_objects()
    from flux2build.cli.parser import run

    return run


def _without_parser(
    command: str, values: Mapping[str, Any], index: Index | None
) -> Callable[[Sequence[str]], int]:
    """Import the function that runs a plain command line, and continues from the index."""
    _expect_many_objects()
    from flux2build.cli.plain_call import run

    return lambda words: run(words, command, values, index)


def _expect_many_objects() -> None:
    """Prepare for imports and large projects, whose objects live to the end.

    Collecting garbage among them is a waste of time.
    """
    gc.enable()
    gc.set_threshold(500_000, 20, 50)
    # Plug-ins of pydantic that happen to be installed must not be searched for or run.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _import_msgspec_alone()


def _import_msgspec_alone() -> None:
    """Import msgspec as if `typing_extensions` were missing, which it can do without.

    That and `inspect`, which it needs, take longer to import than msgspec.
    """
    name = "typing_extensions"
    if name in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's way to call it missing
    try:
        import msgspec  # noqa: F401 - whoever needs it finds it imported
    finally:
        del sys.modules[name]


def _open_closed_streams() -> None:
    """Open a stream that the shell closed (`>&-`) on the null device.

    Otherwise the next file that is opened, such as the ledger, would get its
    file descriptor, and everything that is printed would be written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            lowest = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(lowest, mode, encoding="utf-8"))  # noqa: SIM115 - as long as we


def _printed(text: str, command: str, values: Mapping[str, Any]) -> bool:
    """Print an answer to a command, if that is possible here."""
    if not text.isprintable():
        return False  # a profile may have any name: the parser's console escapes it
    if command == "build" and "quiet" in values:
        return True
    stream = sys.stderr if command == "build" else sys.stdout
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        return False  # the disk is full: the parser meets the same error, and reports it
    return True


def _remembered(command: str, values: Mapping[str, Any]) -> tuple[str | None, Index | None]:
    """The answer that the index remembers, if it is still valid, and that index."""
    if command not in _ANSWERED or not values.keys() <= _ANSWERED[command]:
        return None, None
    from flux2build.storage.index import Index
    from flux2build.storage.ledger_mark import answer_key, holds, ledger_key

    if not (spec := values.get("file") or _nearest_spec()):
        return None, None
    try:
        # Not normalized: `..` after a link leads to where the link leads.
        folder, name = os.path.split(os.path.join(os.getcwd(), spec))
    except OSError:
        return None, None  # the current folder was removed: the parser reports it
    index = Index.load(folder)
    text = index.answer(answer_key(command, name, values.get("profile", "")))
    if text is None or not holds(index.answer(ledger_key())):
        return None, index
    index.save()  # files that were hashed, because they had just been written, need not be again
    return text, index


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
