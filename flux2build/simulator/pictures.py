"""The pictures behind the result URLs, drawn when they are fetched, and their faults."""

from __future__ import annotations

import struct
import threading
import zlib
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from flux2build.images.formats.lookup import media_type
from flux2build.providers.sketch import drawing
from flux2build.simulator.account import Task
from flux2build.simulator.answers import Answer
from flux2build.simulator.scenario import Rule
from flux2build.simulator.simulation import Simulation
from flux2build.simulator.temporary_storage import TemporaryStorage

DENIED: Final = Answer(
    403,
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>Signature not valid in the specified time frame</Message></Error>",
    "application/xml",
)
"""A storage's answer to a URL that is not signed, or has expired."""
_TAIL: Final = {"png": 12, "jpeg": 2, "webp": 64}
"""Bytes that `no-end` removes: the end marker, where there is one."""
_DRAWING: Final = threading.Lock()


def picture(simulation: Simulation, task: Task, rule: Rule | None, *, foreign: bool) -> Answer:
    """The file that a task's result URL serves."""
    kind = media_type(task.format)
    fault = rule.fault if rule else None
    if rule is not None and fault == "wrong-size":
        task = replace(task, width=rule.width, height=rule.height)
    if rule is not None and fault == "wrong-format":
        other = "png" if task.format != "png" else "jpeg"
        task = replace(task, format=rule.format or other)
    if foreign or fault == "foreign-picture":
        return Answer(200, _foreign(task), kind)
    if fault == "not-a-picture":
        return Answer(200, b"this is not a picture\n" * 100, kind)
    fast = simulation.scenario.fast
    data = _quick(task) if fast else _draw(task, simulation.storage)
    if fault == "no-end":
        data = data[: -_TAIL[task.format]]
    return Answer(200, data, kind)


def _draw(task: Task, storage: TemporaryStorage) -> bytes:
    """A task's picture; two tasks with one order differ, as with real models."""
    prompt = storage.recall(task.id)["prompt"]
    return drawing.picture(
        prompt, task.width, task.height, task.format, task.id, storage.references(task.id)
    )


def _foreign(task: Task) -> bytes:
    """A picture of another order, of the same size and format."""
    words = "somebody else's picture"
    return drawing.picture(words, task.width, task.height, task.format, f"not {task.id}")


def _quick(task: Task) -> bytes:
    """The picture of this size, drawn once, with the task's name inside."""
    with _DRAWING:  # otherwise all first fetches would draw it at once
        data = _blank(task.width, task.height, task.format)
    return _STAMPS[task.format](data, task.id.encode())


@lru_cache(maxsize=16)
def _blank(width: int, height: int, form: str) -> bytes:
    return drawing.picture("a simulated picture", width, height, form, "fast")


def _in_png(data: bytes, name: bytes) -> bytes:
    content = b"tEXtTask\x00" + name
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[: -_TAIL["png"]] + chunk + data[-_TAIL["png"] :]


def _in_jpeg(data: bytes, name: bytes) -> bytes:
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(name) + 2) + name + data[2:]


def _in_webp(data: bytes, name: bytes) -> bytes:
    padded = name + b"\x00" * (len(name) % 2)
    content = data[8:] + b"TASK" + struct.pack("<I", len(name)) + padded
    return data[:4] + struct.pack("<I", len(content)) + content


_STAMPS: Final = {"png": _in_png, "jpeg": _in_jpeg, "webp": _in_webp}
