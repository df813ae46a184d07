"""Runs a command line, and turns every outcome into an exit code."""

from __future__ import annotations

import errno
import io
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from flux2build import __version__
from flux2build.errors import Exit, Flux2BuildError, SystemFault, UsageError, brief

_FULL_TABLE: Final = frozenset({errno.EMFILE, errno.ENFILE})
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


def concluded(
    words: Sequence[str],
    command: Callable[[Sequence[str]], str],
    run: Callable[[Sequence[str]], int],
) -> int:
    """Run a command; `command` is its name, even if the words cannot be parsed."""
    try:
        _escape_unencodable()
        _require_folder()
        return int(run(words))
    except Flux2BuildError as error:
        return _fail(words, error)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; what was submitted is recorded and resumes\n")
        return Exit.INTERRUPTED
    except OSError as error:
        if (refusal := _refused(words, error)) is not None:
            return refusal
        return _bug(error, command(words))
    except Exception as bug:  # noqa: BLE001 - the one broad except: a bug becomes a report
        return _bug(bug, command(words))


def _escape_unencodable() -> None:
    """Escape characters that a stream's encoding lacks (`PYTHONIOENCODING=ascii`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _require_folder() -> None:
    """Make sure that the current folder exists.

    Raises:
        SystemFault: it was removed.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise SystemFault("the folder you are in is gone", hint="`cd` to one that is") from error


def _refused(words: Sequence[str], error: OSError) -> Exit | None:
    """Report an error of the system that is not a bug; None for any other error."""
    if error.errno in _FULL_TABLE:
        hint = "`ulimit -n 1024` lets a process have more of them"
        return _fail(words, SystemFault((error.strerror or "").lower(), hint=hint))
    if error.errno == errno.ENAMETOOLONG:
        return _fail(words, UsageError(f"`{brief(str(error.filename))}` is too long a file name"))
    if error.errno not in _FULL_DISK:
        return None
    from flux2build.console.console import silence

    silence(sys.stdout)  # at exit, nothing is written again
    return _fail(words, SystemFault(f"cannot write: {(error.strerror or '').lower()}"))


def _bug(bug: Exception, command: str) -> Exit:
    sys.stderr.write(_report(bug, command))
    return Exit.BUG


def _fail(words: Sequence[str], error: Flux2BuildError) -> Exit:
    """Print an error, and return the exit code."""
    from flux2build.console.console import Console

    Console(_color(words)).fail(error)
    return error.exit


def _color(words: Sequence[str]) -> str:
    """The value of `--color` or its variable, even if the words cannot be parsed."""
    color = os.environ.get("FLUX2BUILD_COLOR", "")
    for word, following in itertools.pairwise([*words, ""]):
        name, joined, value = word.partition("=")
        if name == "--color":
            color = value if joined else following
    return color if color in {"always", "never"} else "auto"


def _report(bug: Exception, command: str) -> str:
    """A report to paste: the traceback, without the values of variables.

    Its lines are indented, because the last ones may be text from others.
    """
    import platform
    import traceback

    from flux2build.console.escaping import clean

    trace = "".join(traceback.format_exception(type(bug), bug, bug.__traceback__))
    report = "".join(
        (
            "\nThis is a bug in flux2build; please report it with the text below.\n\n",
            f"flux2build {__version__}, Python {platform.python_version()}, ",
            f"{platform.system()} {platform.machine()}\n",
            f"command: {command}\n\n",
            *(f"| {clean(line)}\n" for line in trace.rstrip("\n").split("\n")),
        )
    )
    # A process that has read a key has imported this module, which can take keys out of a text.
    http = sys.modules.get("flux2build.purchasing.http")
    return str(http.unkeyed(report)) if http else report
