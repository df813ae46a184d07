"""The pictures behind the result URLs, and their faults."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flux2build.images.formats.lookup import media_type
from flux2build.simulator import pictures
from flux2build.simulator.account import Task
from flux2build.simulator.answers import Answer
from flux2build.simulator.scenario import Rule
from flux2build.simulator.simulation import Simulation

_DENIED: Final = (
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>Signature not valid in the specified time frame</Message></Error>"
)
_TAIL: Final = {"png": 12, "jpeg": 2, "webp": 64}
"""Bytes that `no-end` removes: the end marker, where there is one."""


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
        return Answer(200, pictures.foreign(task), kind)
    if fault == "not-a-picture":
        return Answer(200, b"this is not a picture\n" * 100, kind)
    fast = simulation.scenario.fast
    data = pictures.quick(task) if fast else pictures.draw(task, simulation.storage)
    if fault == "no-end":
        data = data[: -_TAIL[task.format]]
    return Answer(200, data, kind)


def denied() -> Answer:
    """A storage's answer to a URL that is not signed, or has expired."""
    return Answer(403, _DENIED, "application/xml")
