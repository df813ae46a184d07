"""Makes deliverables from masters: decode, apply the operations, encode.

Deliverables of one master share work: the master is decoded once, operations that several
of them begin with are applied once, and the colours of equal pixels are counted once, before
they are encoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial, reduce
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import Struct
from PIL import Image, ImageChops

from flux2build.digest import Digest, Json, canonical, of_bytes
from flux2build.errors import Flux2BuildError, Problem, SpecError, SystemFault, did_you_mean
from flux2build.images.decode import decoded
from flux2build.images.dominant import counted, written
from flux2build.images.encode import encode, flatten, ground
from flux2build.images.encoding import read
from flux2build.images.formats.contract import Encoder
from flux2build.images.ops.contract import Canvas, Letters, NetworkOp, Networks, Op
from flux2build.model import Derive, Operation
from flux2build.tables.table import TableError

Steps = tuple[str, ...]
"""Identifies an intermediate picture: the master's digest, then each operation as canonical text."""

Intermediate = Image.Image | Flux2BuildError
Ops = Mapping[str, type[Op]]
T = TypeVar("T")
_SHARED_BYTES: Final = 96 << 20
"""Bytes of shared pictures from which on the files that need them are made at once."""
_BYTES_PER_PIXEL: Final = 4
_VISIBLE_LEVELS: Final = 16
"""The least difference in a channel, in levels, that people see."""
_VISIBLE_SHARE: Final = 0.1
"""The part of a label that must remain to be seen; a growing canvas makes its share smaller."""


class Job(Struct, frozen=True):
    """One deliverable to make: its task, and the recipe's inputs, input 0 being the master."""

    task: Derive
    inputs: tuple[bytes, ...]


class File(NamedTuple):
    """A deliverable: its bytes, and its dominant colours as text; None if they were not counted."""

    data: bytes
    colours: str | None


class _Colours:
    """The dominant colours of the pictures made of one master, counted once; threads may share it."""

    def __init__(self) -> None:
        self._texts: dict[tuple[Steps, str | None], str] = {}

    def of(self, steps: Steps, picture: Image.Image, encoder: Encoder) -> str | None:
        """The colours that a file of the picture shows; None if only the file can tell."""
        if not encoder.keeps_colours:
            return None
        matte = ground(encoder) if picture.mode == "RGBA" else None
        if (text := self._texts.get((steps, matte))) is None:
            text = written(counted(flatten(picture, matte) if matte else picture))
            self._texts[steps, matte] = text
        return text


def no_networks(op: NetworkOp, _image: Image.Image) -> Image.Image:
    """Refuse an operation that needs a network, where there are no models.

    Raises:
        SystemFault: always.
    """
    raise SystemFault(f"there is no model for `{op.name}` here")


def derive_many(
    jobs: Sequence[Job],
    ops: Ops,
    run: Callable[..., Iterable[Any]] = map,
    networks: Networks = no_networks,
) -> list[File | Flux2BuildError]:
    """Each deliverable, or the error that prevents it, in the order of the jobs.

    Pictures that several jobs share are made before these jobs, and kept until the last of
    them, so pass the jobs of one master at a time. The rest of the work of each job, encoding
    above all, goes through `run`, the largest pictures first: `map`, or that of a pool of threads.
    """
    digest_of = cache(of_bytes)  # jobs share inputs: each is hashed once
    all_steps = [_steps(job, digest_of) for job in jobs]
    uses = Counter(steps[:end] for steps in all_steps for end in range(1, len(steps) + 1))
    pictures: dict[Steps, Intermediate] = {}
    colours, advanced = _Colours(), partial(_advanced, ops=ops, networks=networks)

    def finish(index: int) -> File | Flux2BuildError:
        job, steps = jobs[index], all_steps[index]
        start = _ready(steps, pictures)
        picture = pictures[steps[:start]]
        for depth in range(start, len(steps)):
            picture = advanced(picture, job, depth)
        if isinstance(picture, Flux2BuildError):
            return picture
        try:
            data = encode(picture, job.task.encoding)
            return File(data, colours.of(steps, picture, read(job.task.encoding)))
        except Flux2BuildError as error:
            return error

    files: list[File | Flux2BuildError] = []
    for number, (job, steps) in enumerate(zip(jobs, all_steps, strict=True), 1):
        for depth in range(len(steps)):
            here = steps[: depth + 1]
            if here not in pictures and (uses[here] > 1 or not depth):
                pictures[here] = advanced(pictures.get(here[:-1]), job, depth)
        if number == len(jobs) or _bytes(pictures) > _SHARED_BYTES:
            sizes = [_pixels(steps, pictures) for steps in all_steps[len(files) : number]]
            files += _largest_first(run, finish, dict(enumerate(sizes, len(files))))
            later = {s[:end] for s in all_steps[number:] for end in range(1, len(s) + 1)}
            for unused in pictures.keys() - later:
                del pictures[unused]
    return files


def lettering(job: Job, ops: Ops) -> Iterator[Letters]:
    """The letters that the operations of a job set, and what lies under them.

    A filter stands in for a network that only enlarges a picture. Other networks change it in
    unknown ways, so letters that are set after one are left out.

    Raises:
        Flux2BuildError: an operation cannot be done.
    """
    last = max(
        (at for at, step in enumerate(job.task.ops, 1) if ops[step.op].sets_words), default=0
    )
    picture = decoded(job.inputs[0], "input 0")
    for step in job.task.ops[:last]:
        operation = _operation(step, ops)
        if (letters := operation.letters(picture, job.inputs)) is not None:
            yield letters
        if not isinstance(operation, NetworkOp):
            picture = operation.apply(picture, job.inputs)
            continue
        canvas = operation.foreseen(Canvas(picture.size), job.inputs)
        if canvas is None or canvas.size == picture.size:
            return
        picture = picture.resize(canvas.size)


def discloses(job: Job, ops: Ops) -> bool:
    """Whether the finished picture shows a label that an operation of the job put on it.

    The pictures with and without the label are compared. A network may leave anything of a label,
    so the label counts as visible.

    Raises:
        Flux2BuildError: an operation cannot be done.
    """
    steps = [_operation(step, ops) for step in job.task.ops]
    first = next((at for at, step in enumerate(steps) if step.discloses), None)
    if first is None or all(step.discloses for step in steps[first:]):
        return first is not None
    if any(isinstance(step, NetworkOp) for step in steps):
        return True
    plain = decoded(job.inputs[0], "input 0")
    for step in steps[:first]:
        plain = step.apply(plain, job.inputs)
    labelled, most, visible = plain, 0.0, 0.0
    for step in steps[first:]:
        labelled = step.apply(labelled, job.inputs)
        if not step.discloses:
            plain = step.apply(plain, job.inputs)
        visible = _differing(labelled, plain)
        most = max(most, visible) if step.discloses else most
    return visible > most * _VISIBLE_SHARE


def _differing(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels in which two pictures of one size differ to the eye."""
    if one.size != other.size:  # it was cut to its content, which includes the label
        return 1.0
    channels = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).split()
    apart = reduce(ImageChops.lighter, channels)
    return sum(apart.histogram()[_VISIBLE_LEVELS:]) / (apart.width * apart.height)


def _ready(steps: Steps, pictures: Mapping[Steps, Intermediate]) -> int:
    """How many of the steps lead to a picture that is already made."""
    return max(end for end in range(1, len(steps) + 1) if steps[:end] in pictures)


def _largest_first(
    run: Callable[..., Iterable[Any]], finish: Callable[[int], T], pixels: Mapping[int, int]
) -> Iterable[T]:
    """The results in the order of the indices; work starts with the most pixels."""
    order = sorted(pixels, key=pixels.__getitem__, reverse=True)
    finished = dict(zip(order, run(finish, order), strict=True))
    return map(finished.__getitem__, pixels)


def _bytes(pictures: Mapping[Steps, Intermediate]) -> int:
    """The memory that pictures other than the masters take."""
    shared = (steps for steps in pictures if len(steps) > 1)
    return _BYTES_PER_PIXEL * sum(_pixels(steps, pictures) for steps in shared)


def _pixels(steps: Steps, pictures: Mapping[Steps, Intermediate]) -> int:
    """How many pixels the picture has from which the remaining steps start."""
    picture = pictures[steps[: _ready(steps, pictures)]]
    return picture.width * picture.height if isinstance(picture, Image.Image) else 0


def _steps(job: Job, digest_of: Callable[[bytes], Digest]) -> Steps:
    digests = [digest_of(data) for data in job.inputs]
    operations = (
        canonical([step.op, step.version, _resolved(step.params, digests)]) for step in job.task.ops
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


def _advanced(
    before: Intermediate | None, job: Job, depth: int, *, ops: Ops, networks: Networks
) -> Intermediate:
    """The picture at `depth`: the decoded master, or one operation further than `before`."""
    if isinstance(before, Flux2BuildError):
        return before
    try:
        if before is None:
            return decoded(job.inputs[0], "input 0")
        op = _operation(job.task.ops[depth - 1], ops)
        if isinstance(op, NetworkOp):
            return networks(op, before)
        return op.apply(before, job.inputs)
    except Flux2BuildError as error:
        return error


def _operation(step: Operation, ops: Ops) -> Op:
    """The operation with its parameters.

    Raises:
        SpecError: it is unknown, of another version, or refuses its parameters.
    """
    op = ops.get(step.op)
    if op is None:
        raise SpecError(f"unknown operation `{step.op}`", hint=did_you_mean(step.op, ops))
    if op.version != step.version:
        raise SpecError(
            f"operation `{op.name}` is not the one that was planned",
            rows=(("planned", f"version {step.version}"), ("here", f"version {op.version}")),
            hint="plan again with this flux2build",
        )
    try:
        return op.model_validate(dict(step.params))
    except TableError as error:
        problems = (
            Problem(
                f"operation `{op.name}`: {fault['msg'].removeprefix('Value error, ')}",
                rows=(("parameter", ".".join(map(str, fault["loc"])) or "all"),),
            )
            for fault in error.errors()
        )
        raise SpecError(*problems) from error
