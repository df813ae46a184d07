"""Makes deliverables from masters: decode, apply the operations, encode.

Deliverables of one master share work: the master is decoded once, and operations
that several of them begin with are applied once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from PIL import Image
from pydantic import ValidationError

from flux2build.digest import Json, canonical, of_bytes
from flux2build.errors import Flux2BuildError, Problem, SpecError, did_you_mean
from flux2build.images.decode import decode
from flux2build.images.encode import encode
from flux2build.images.ops.contract import Op
from flux2build.model import Derive, Operation

A = TypeVar("A")
B = TypeVar("B")

Steps = tuple[str, ...]
"""Identifies an intermediate picture: the master's digest, then each operation as canonical text."""

Intermediate = Image.Image | Flux2BuildError
Ops = Mapping[str, type[Op]]


class Map(Protocol):
    """How independent pieces of work are done: `map`, or the `map` of a thread pool."""

    def __call__(self, work: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The results, in the order of the items."""


@dataclass(frozen=True, slots=True)
class Job:
    """One deliverable to make: its task, and the recipe's inputs, input 0 being the master."""

    task: Derive
    inputs: tuple[bytes, ...]


def derive(task: Derive, inputs: Sequence[bytes], ops: Ops) -> bytes:
    """The bytes of one deliverable.

    Raises:
        Flux2BuildError: an operation is unknown or of another version, or cannot be
            done with these inputs and parameters.
    """
    (result,) = derive_many([Job(task, tuple(inputs))], ops)
    if isinstance(result, Flux2BuildError):
        raise result
    return result


def derive_many(jobs: Sequence[Job], ops: Ops, run: Map = map) -> list[bytes | Flux2BuildError]:
    """The bytes of each deliverable, or the error that prevents it, in the order of the jobs.

    Pictures that several jobs share are made first, and all are kept until the end, so
    pass the jobs of one master at a time. The rest of the work of each job, encoding
    above all, goes through `run`.
    """
    all_steps = _steps_of(jobs)
    uses = Counter(steps[:end] for steps in all_steps for end in range(1, len(steps) + 1))
    pictures: dict[Steps, Intermediate] = {}
    for job, steps in zip(jobs, all_steps, strict=True):
        for depth in range(len(steps)):
            here = steps[: depth + 1]
            if here not in pictures and (uses[here] > 1 or not depth):
                pictures[here] = _advanced(pictures.get(here[:-1]), job, depth, ops)

    def finish(index: int) -> bytes | Flux2BuildError:
        job, steps = jobs[index], all_steps[index]
        done = max(end for end in range(1, len(steps) + 1) if steps[:end] in pictures)
        return _finished(pictures[steps[:done]], job, done, ops)

    return list(run(finish, range(len(jobs))))


def _steps_of(jobs: Sequence[Job]) -> list[Steps]:
    digests = {data: of_bytes(data) for job in jobs for data in job.inputs}
    return [_steps(job.task, [digests[data] for data in job.inputs]) for job in jobs]


def _steps(task: Derive, digests: Sequence[str]) -> Steps:
    operations = (
        canonical([step.op, step.version, _resolved(step.params, digests)]) for step in task.ops
    )
    return (digests[0], *operations)


def _resolved(value: Json, digests: Sequence[str]) -> Json:
    """Parameters with each `{"input": n}` replaced by the digest of that input."""
    if isinstance(value, Mapping):
        index = value.get("input")
        if len(value) == 1 and isinstance(index, int) and 0 <= index < len(digests):
            return digests[index]
        return {key: _resolved(item, digests) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_resolved(item, digests) for item in value]
    return value


def _advanced(before: Intermediate | None, job: Job, depth: int, ops: Ops) -> Intermediate:
    """The picture at `depth`: the decoded master, or one operation further than `before`."""
    if isinstance(before, Flux2BuildError):
        return before
    try:
        if before is None:
            return decode(job.inputs[0], "master")
        return _applied(before, job.task.ops[depth - 1], job.inputs, ops)
    except Flux2BuildError as error:
        return error


def _finished(picture: Intermediate, job: Job, done: int, ops: Ops) -> bytes | Flux2BuildError:
    """The file of a job whose first `done` steps are done."""
    for depth in range(done, len(job.task.ops) + 1):
        picture = _advanced(picture, job, depth, ops)
    if isinstance(picture, Flux2BuildError):
        return picture
    try:
        return encode(picture, job.task.encoding)
    except Flux2BuildError as error:
        return error


def _applied(
    image: Image.Image, operation: Operation, inputs: Sequence[bytes], ops: Ops
) -> Image.Image:
    op = _known(operation, ops)
    return _with_params(op, operation).apply(image, inputs)


def _known(operation: Operation, ops: Ops) -> type[Op]:
    op = ops.get(operation.op)
    if op is None:
        hint = did_you_mean(operation.op, ops)
        raise SpecError(f"unknown operation `{operation.op}`", hint=hint)
    if op.version != operation.version:
        raise SpecError(
            f"operation `{op.name}` is not the one that was planned",
            rows=(
                ("planned", f"version {operation.version}"),
                ("here", f"version {op.version}"),
            ),
            hint="plan again with this flux2build",
        )
    return op


def _with_params(op: type[Op], operation: Operation) -> Op:
    try:
        return op.model_validate(dict(operation.params))
    except ValidationError as error:
        problems = (
            Problem(
                f"operation `{op.name}`: {fault['msg'].removeprefix('Value error, ')}",
                rows=(("parameter", ".".join(map(str, fault["loc"])) or "all"),),
            )
            for fault in error.errors()
        )
        raise SpecError(*problems) from error
