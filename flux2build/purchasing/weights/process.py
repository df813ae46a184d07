"""One worker: a process of its own, which holds a model in memory and renders with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import asdict

from flux2build.purchasing.weights.failures import WorkerError
from flux2build.purchasing.weights.messages import Message, encoded, receive
from flux2build.purchasing.weights.rendering import OnStep
from flux2build.purchasing.weights.request import Model, Rendered, Request

COMMAND: Final = (sys.executable, "-P", "-m", "flux2build.purchasing.weights.worker")
"""`-P`: a `torch.py` in the user's folder must not be imported instead of torch."""
_OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_MOST: Final = 8192
"""Most bytes of its output that are kept for a message."""


@dataclass(eq=False)
class Worker:
    """The worker of one device; its process starts with the first request, and after it died."""

    device: str
    command: Sequence[str] = COMMAND
    model: Model | None = field(default=None, init=False)
    """The model that it has in memory."""
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _printed: bytes = field(default=b"", init=False)
    _reading: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        return self._process.pid if self._process else None

    async def render(self, request: Request, on_step: OnStep) -> Rendered:
        """Render a picture; cancelling this ends the process.

        Raises:
            WorkerError: there is no picture.
        """
        facts = asdict(request) | {"model": asdict(request.model), "device": self.device}
        message = Message("render", facts, facts.pop("references"))
        answer = await self._told(message, on_step)
        self.model = request.model
        return Rendered(answer.pictures[0], answer.facts["software"])

    def stop(self) -> None:
        """End the current rendering after its step; the model stays in memory."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(encoded(Message("stop", {})))

    async def describe(self) -> tuple[str, int]:
        """The name of its device, and the bytes of the device's memory.

        Raises:
            WorkerError: there is no such device, or no library to ask.
        """
        answer = await self._told(Message("describe", {"device": self.device}), lambda *_step: None)
        return answer.facts["device"], answer.facts["memory"]

    async def _told(self, message: Message, on_step: OnStep) -> Message:
        """The answer to a message; the process starts if there is none."""
        try:
            return await self._answer(await self._started(), message, on_step)
        except (EOFError, ConnectionError):
            raise WorkerError("ended", await self._ending()) from None
        except WorkerError as error:
            if error.fault == "memory":
                await self.close()  # its memory is certainly freed
            raise
        except asyncio.CancelledError:
            await self.close()
            raise

    async def _answer(
        self, process: asyncio.subprocess.Process, message: Message, on_step: OnStep
    ) -> Message:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(encoded(message))
        await process.stdin.drain()
        while True:
            answer = await receive(process.stdout)
            match answer.kind:
                case "step":
                    on_step(answer.facts["step"], answer.facts["steps"])
                case "done":
                    return answer
                case _:
                    raise WorkerError(answer.facts["fault"], answer.facts["message"])

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **_OFFLINE},
            start_new_session=True,  # Ctrl-C is for the build, which decides what to stop
        )
        self._printed = b""
        self._reading = asyncio.create_task(self._listen(self._process))
        return self._process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read the process's whole output, so that it never waits, and keep its end."""
        assert process.stderr is not None
        while printed := await process.stderr.read(_MOST):
            self._printed = (self._printed + printed)[-_MOST:]

    async def _ending(self) -> str:
        """The end of the process, in words."""
        process, reading = self._process, self._reading
        assert process is not None
        assert reading is not None
        code = await process.wait()
        await reading
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = self._printed.decode(errors="replace").strip().splitlines()[-1:]
        return ": ".join([how, *last])

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process, self.model = self._process, None, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reading is not None:
            await self._reading
