"""Errors of workers, in words for people."""

from __future__ import annotations

from typing import Final

from flux2build.errors import (
    Flux2BuildError,
    HaltedError,
    IncompleteError,
    Rows,
    SystemFault,
    one_line,
)
from flux2build.extras import pip_install
from flux2build.purchasing.weights.request import Model

STOPPED: Final = "stopped"
"""The fault of a picture that nothing waits for any more."""


class WorkerError(Exception):
    """A request did not return a picture."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        """`memory`, `extra`, `device`, `weights`, `odd`, `library`, `stopped`, or `ended` without an answer."""


def failure(
    asset: str,
    error: WorkerError,
    device: str,
    model: Model,
    configuration: str = "your configuration",
) -> Flux2BuildError:
    """The error for a picture that was not rendered; `configuration` names the file to change."""
    said = one_line(str(error))
    rows: Rows = (("device", device), ("weights", model.folder))
    match error.fault:
        case "extra":
            message = f"rendering with open weights needs an extra: {said}"
            failed: Flux2BuildError = SystemFault(message, hint=f"`{pip_install('local')}`")
        case "device":
            hint = f"`devices` in `[local]` of {configuration} names those to use"
            failed = SystemFault(f"there is no device `{device}`: {said}", hint=hint)
        case "weights":
            hint = "see that they are whole, or fetch them again"
            failed = SystemFault(f"the weights cannot be loaded: {said}", rows=rows, hint=hint)
        case "memory":
            rows, message = (*rows, ("library", said)), f"`{asset}` needs more memory than there is"
            failed = IncompleteError(
                message, rows=rows, hint=_smaller(model, device, configuration)
            )
        case "odd":
            hint = f'another seed may do, or `dtype = "float32"` in `[local]` of {configuration}'
            failed = IncompleteError(f"no picture came of `{asset}`: {said}", rows=rows, hint=hint)
        case "ended":
            message = f"the worker that rendered `{asset}` ended by {said}"
            hint = f"build again; if memory ran out, {_smaller(model, device, configuration)}"
            failed = IncompleteError(message, rows=rows, hint=hint)
        case "stopped":
            failed = HaltedError()
        case _:
            failed = IncompleteError(f"`{asset}` cannot be rendered: {said}", rows=rows)
    return failed


def _smaller(model: Model, device: str, configuration: str) -> str:
    """A hint for using less memory."""
    further = {"none": "model", "model": "sequential"}.get(model.offload)
    smaller = "render a smaller size or with fewer references"
    if further is None or device == "cpu":
        return smaller
    return f'set `offload = "{further}"` in `[local]` of {configuration}, or {smaller}'
