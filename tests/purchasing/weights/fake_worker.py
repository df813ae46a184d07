"""A worker without torch: what becomes of a request goes by its prompt, else it is rendered."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from flux2build.purchasing.weights.messages import Message, encoded, read


def picture(arguments: dict[str, Any], form: str) -> bytes:
    """A picture of the size that is asked for."""
    file = io.BytesIO()
    Image.new("RGB", (arguments["width"], arguments["height"]), "teal").save(file, form)
    return file.getvalue()


def tell(message: Message) -> None:
    """Answer."""
    sys.stdout.buffer.write(encoded(message))
    sys.stdout.buffer.flush()


def main() -> None:
    """Answer every request; the software names the process and what it was asked for.

    One that hangs ends with its input, as the real one does.
    """
    while True:
        request = read(sys.stdin.buffer)
        facts, arguments = request.facts, request.facts["arguments"]
        fate, _, said = arguments["prompt"].partition(": ")
        tell(Message("step", {"step": 1, "steps": 2}))
        if fate.startswith("gated "):
            Path(fate.removeprefix("gated ")).read_text("utf-8")
        sys.stderr.write("a bar without an end\r" * 20_000 * (fate == "noisy"))
        if fate == "killed":
            sys.stderr.write("the last words\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        elif fate == "stopped":
            assert read(sys.stdin.buffer).kind == "stop"
            tell(Message("failed", {"fault": fate, "message": "nobody waits for it"}))
        elif fate == "hanging" or (fate == "once" and not Path(said).exists()):
            Path(said or os.devnull).touch()
            sys.stdin.buffer.read()
            return
        elif said and fate != "once":
            tell(Message("failed", {"fault": fate, "message": said}))
        else:
            tell(Message("step", {"step": 2, "steps": 2}))
            software = f"{os.getpid()} {facts['device']} {facts['seed']} {len(request.pictures)}"
            tell(Message("done", {"software": software}, [picture(arguments, facts["format"])]))


if __name__ == "__main__":
    main()
