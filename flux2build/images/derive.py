"""Free local work: a master and its inputs become the bytes of a deliverable.

Deliverables of one master share work: it is decoded once, and operations that
several of them begin with are done once.
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
from flux2build.images.ops.contract import Op, Params
from flux2build.model import Derive, Operation

A = TypeVar("A")
B = TypeVar("B")

Path = tuple[str, ...]
"""How a picture came about: the master's digest, then each operation in canonical text."""

Made = Image.Image | Flux2BuildError
Ops = Mapping[str, Op]


class Lane(Protocol):
    """How independent pieces of work are done: `map`, or the `map` of a thread pool."""

    def __call__(self, work: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """The answers, in the order of the items."""


@dataclass(frozen=True, slots=True)
class Want:
    """One deliverable: what to do, and the recipe's inputs, input 0 being the master."""

    task: Derive
    inputs: tuple[bytes, ...]


def derive(task: Derive, inputs: Sequence[bytes], ops: Ops) -> bytes:
    """The bytes of one deliverable.

    Raises:
        Flux2BuildError: an operation is unknown or of another version, or an
            input or a parameter is unfit for it.
    """
    (made,) = derive_many([Want(task, tuple(inputs))], ops)
    if isinstance(made, Flux2BuildError):
        raise made
    return made


def derive_many(wants: Sequence[Want], ops: Ops, lane: Lane = map) -> list[bytes | Flux2BuildError]:
    """The bytes of many deliverables, or why there are none, in their order.

    Pictures that several deliverables share are made first, and all are kept
    until the end: give it the deliverables of one master at a time. The rest
    of the work of each, encoding above all, goes through `lane`.
    """
    paths = _paths(wants)
    uses = Counter(path[:end] for path in paths for end in range(1, len(path) + 1))
    made: dict[Path, Made] = {}
    for want, path in zip(wants, paths, strict=True):
        for depth in range(len(path)):
            here = path[: depth + 1]
            if here not in made and (uses[here] > 1 or not depth):
                made[here] = _stepped(made.get(here[:-1]), want, depth, ops)

    def finish(index: int) -> bytes | Flux2BuildError:
        want, path = wants[index], paths[index]
        done = max(end for end in range(1, len(path) + 1) if path[:end] in made)
        return _finished(made[path[:done]], want, done, ops)

    return list(lane(finish, range(len(wants))))


def _paths(wants: Sequence[Want]) -> list[Path]:
    digests = {data: of_bytes(data) for want in wants for data in want.inputs}
    return [_path(want.task, [digests[data] for data in want.inputs]) for want in wants]


def _path(task: Derive, digests: Sequence[str]) -> Path:
    steps = (
        canonical([step.op, step.version, _resolved(step.params, digests)]) for step in task.ops
    )
    return (digests[0], *steps)


def _resolved(value: Json, digests: Sequence[str]) -> Json:
    """Parameters with `{"input": n}` replaced by the digest of what it names."""
    if isinstance(value, Mapping):
        index = value.get("input")
        if len(value) == 1 and isinstance(index, int) and 0 <= index < len(digests):
            return digests[index]
        return {key: _resolved(item, digests) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_resolved(item, digests) for item in value]
    return value


def _stepped(before: Made | None, want: Want, depth: int, ops: Ops) -> Made:
    """The picture at `depth` of a path: the decoded master, or one operation further."""
    if isinstance(before, Flux2BuildError):
        return before
    try:
        if before is None:
            return decode(want.inputs[0], "master")
        return _applied(before, want.task.ops[depth - 1], want.inputs, ops)
    except Flux2BuildError as error:
        return error


def _finished(image: Made, want: Want, done: int, ops: Ops) -> bytes | Flux2BuildError:
    for depth in range(done, len(want.task.ops) + 1):
        image = _stepped(image, want, depth, ops)
    if isinstance(image, Flux2BuildError):
        return image
    try:
        return encode(image, want.task.encoding)
    except Flux2BuildError as error:
        return error


def _applied(
    image: Image.Image, operation: Operation, inputs: Sequence[bytes], ops: Ops
) -> Image.Image:
    op = _known(operation, ops)
    return op.apply(image, _params(operation, op), inputs)


def _known(operation: Operation, ops: Ops) -> Op:
    op = ops.get(operation.op)
    if op is None:
        hint = did_you_mean(operation.op, ops)
        raise SpecError(Problem(f"unknown operation `{operation.op}`", hint=hint))
    if op.version != operation.version:
        raise SpecError(
            Problem(
                f"operation `{op.name}` is not the one that was planned",
                rows=(("planned", f"version {operation.version}"), ("here", f"{op.version}")),
                hint="plan again with this flux2build",
            )
        )
    return op


def _params(operation: Operation, op: Op) -> Params:
    try:
        return op.params.model_validate(dict(operation.params))
    except ValidationError as error:
        problems = (
            Problem(
                f"operation `{op.name}`: {fault['msg'].removeprefix('Value error, ')}",
                rows=(("parameter", ".".join(map(str, fault["loc"])) or "all"),),
            )
            for fault in error.errors()
        )
        raise SpecError(*problems) from error
