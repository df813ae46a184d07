"""The program of a worker: takes requests from its input, and answers on its output.

It ends with its input, so that no worker outlives its build; a request to stop ends earlier
requests after the current step. Output of libraries goes to stderr. It is run by its name, and
nothing imports it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import BinaryIO, Final, TypeAlias

from flux2build.purchasing.weights import messages
from flux2build.purchasing.weights.failures import STOPPED
from flux2build.purchasing.weights.messages import Message, encoded

Requests: TypeAlias = "queue.SimpleQueue[tuple[Message, threading.Event]]"
"""Requests, each with an event that is set once nothing waits for its answer."""

_EXTRA: Final = frozenset({"accelerate", "diffusers", "numpy", "torch", "transformers"})


def main() -> None:
    """Answer requests in their order until the input ends."""
    requests: Requests = queue.SimpleQueue()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    while True:
        request, stopped = requests.get()
        answers.write(encoded(_answered(request, stopped, answers)))


def _listen(stream: BinaryIO, requests: Requests) -> None:
    """Take requests in; at the end of the stream the build is over, and so is this process."""
    stopped = threading.Event()
    try:
        while True:
            request = messages.read(stream)
            if request.kind == "stop":
                stopped.set()
                stopped = threading.Event()
            else:
                requests.put((request, stopped))
    except EOFError:
        os._exit(0)


def _answered(request: Message, stopped: threading.Event, answers: BinaryIO) -> Message:
    try:
        from flux2build.purchasing.weights import pipelines
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        return _failed("extra", f"there is no `{error.name}`")

    def on_step(step: int, steps: int) -> None:
        if stopped.is_set():
            raise pipelines.Failure(STOPPED, "nobody waits for it")
        answers.write(encoded(Message("step", {"step": step, "steps": steps})))

    try:
        if request.kind == "describe":
            return Message("done", pipelines.described(request.facts["device"]))
        picture, software = pipelines.rendered(request.facts, request.pictures, on_step)
    except pipelines.Failure as failure:
        return _failed(failure.fault, str(failure))
    return Message("done", {"software": software}, [picture])


def _failed(fault: str, message: str) -> Message:
    return Message("failed", {"fault": fault, "message": message})


if __name__ == "__main__":
    main()
