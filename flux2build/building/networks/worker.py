"""The program of the process in which networks run: it reads pictures, and answers with results.

It ends with its input, so that it never outlives its build. Output of libraries goes to stderr. It
is run by its name, and nothing imports it.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from flux2build.purchasing.weights import messages
from flux2build.purchasing.weights.messages import Message, encoded

_EXTRA: Final = frozenset({"ncnn", "numpy", "onnxruntime"})


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            request = messages.read(sys.stdin.buffer)
        except EOFError:
            return
        answers.write(encoded(_answered(request)))
        answers.flush()


def _answered(request: Message) -> Message:
    try:
        from flux2build.building.networks import engines
    except ImportError as error:
        return _missing(error)
    try:
        mode, size, pixels = engines.made(request.facts, request.pictures[0])
    except engines.Failure as failure:
        return _failed(failure.fault, str(failure))
    except ImportError as error:
        return _missing(error)
    return Message("done", {"mode": mode, "size": size}, [pixels])


def _missing(error: ImportError) -> Message:
    if (error.name or "").partition(".")[0] not in _EXTRA:
        raise error
    return _failed("extra", f"there is no `{error.name}`")


def _failed(fault: str, message: str) -> Message:
    return Message("failed", {"fault": fault, "message": message})


if __name__ == "__main__":
    main()
