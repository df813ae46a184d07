"""Messages between a build and its worker: facts as JSON, then the bytes of pictures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

from msgspec import Struct

_LENGTH: Final = 4
"""Bytes of the length of the facts, in front of them."""
_PICTURES: Final = "pictures"


class Message(Struct, frozen=True):
    """A message of one side to the other."""

    kind: str
    """To the worker `render`, `describe` or `stop`; from it `step`, `done` or `failed`."""
    facts: Mapping[str, Any]
    pictures: Sequence[bytes] = ()


def encoded(message: Message) -> bytes:
    """A message as bytes."""
    sizes = [len(picture) for picture in message.pictures]
    facts = {"kind": message.kind, "facts": message.facts, _PICTURES: sizes}
    head = json.dumps(facts).encode()
    return b"".join((len(head).to_bytes(_LENGTH, "big"), head, *message.pictures))


def read(stream: IO[bytes]) -> Message:
    """The next message of a stream.

    Raises:
        EOFError: there is none.
    """
    head = json.loads(_exactly(stream, int.from_bytes(_exactly(stream, _LENGTH), "big")))
    pictures = [_exactly(stream, size) for size in head[_PICTURES]]
    return Message(head["kind"], head["facts"], pictures)


async def receive(stream: asyncio.StreamReader) -> Message:
    """The next message of a worker.

    Raises:
        EOFError: the worker has ended.
    """
    length = int.from_bytes(await stream.readexactly(_LENGTH), "big")
    head = json.loads(await stream.readexactly(length))
    pictures = [await stream.readexactly(size) for size in head[_PICTURES]]
    return Message(head["kind"], head["facts"], pictures)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
