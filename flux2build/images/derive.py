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
_KEPT: Final = 96 << 20
"""Bytes of shared pictures that are kept at once, before the files are made that need them."""
_BYTES_PER_PIXEL: Final = 4
_SEEN: Final = 16
"""By how many levels of a channel a pixel has to differ to be seen."""
_LEFT: Final = 0.1
"""How much of a label has to be left for it to be seen; canvases that grow make its share smaller."""


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
        self._known: dict[tuple[Steps, str | None], str] = {}

    def of(self, steps: Steps, picture: Image.Image, encoder: Encoder) -> str | None:
        """The colours that a file of the picture shows; None if only the file can tell."""
        if not encoder.keeps_colours:
            return None
        matte = ground(encoder) if picture.mode == "RGBA" else None
        if (text := self._known.get((steps, matte))) is None:
            text = written(counted(flatten(picture, matte) if matte else picture))
            self._known[steps, matte] = text
        return text


def no_networks(op: NetworkOp, _image: Image.Image) -> Image.Image:
    """Where there are no models, there is no picture.

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
    digest_of = cache(of_bytes)  # jobs share their inputs, and each is hashed once
    all_steps = [_steps(job, digest_of) for job in jobs]
    uses = Counter(steps[:end] for steps in all_steps for end in range(1, len(steps) + 1))
    pictures: dict[Steps, Intermediate] = {}
    colours, advanced = _Colours(), partial(_advanced, ops=ops, networks=networks)

    def finish(index: int) -> File | Flux2BuildError:
        job, steps = jobs[index], all_steps[index]
        done = _begun(steps, pictures)
        picture = pictures[steps[:done]]
        for depth in range(done, len(steps)):
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
        if number == len(jobs) or _bytes(pictures) > _KEPT:
            sizes = [_pixels(steps, pictures) for steps in all_steps[len(files) : number]]
            files += _largest_first(run, finish, dict(enumerate(sizes, len(files))))
            later = {s[:end] for s in all_steps[number:] for end in range(1, len(s) + 1)}
            for gone in pictures.keys() - later:
                del pictures[gone]
    return files


def lettering(job: Job, ops: Ops) -> Iterator[Letters]:
    """The letters that the operations of a job set, and what lies under them.

    A network that only makes a picture larger is stood in for by a filter. What another one leaves of it
    is not known, and letters that are set after that are not told.

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
    """Whether a label that an operation of a job puts on a picture is still to be seen at its end.

    The pictures with it and without it are compared. What a network leaves of a label is not known,
    so it counts as seen.

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
    labelled, most, seen = plain, 0.0, 0.0
    for step in steps[first:]:
        labelled = step.apply(labelled, job.inputs)
        if not step.discloses:
            plain = step.apply(plain, job.inputs)
        seen = _differing(labelled, plain)
        most = max(most, seen) if step.discloses else most
    return seen > most * _LEFT


def _differing(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels in which two pictures of one size differ to the eye."""
    if one.size != other.size:  # it is cut to what is in it, so the label is in it
        return 1.0
    channels = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).split()
    apart = reduce(ImageChops.lighter, channels)
    return sum(apart.histogram()[_SEEN:]) / (apart.width * apart.height)


def _begun(steps: Steps, pictures: Mapping[Steps, Intermediate]) -> int:
    """How many of some steps lead to a picture that is there."""
    return max(end for end in range(1, len(steps) + 1) if steps[:end] in pictures)


def _largest_first(
    run: Callable[..., Iterable[Any]], finish: Callable[[int], T], pixels: Mapping[int, int]
) -> Iterable[T]:
    """What becomes of each number, in their order; the one with most pixels is begun first."""
    order = sorted(pixels, key=pixels.__getitem__, reverse=True)
    finished = dict(zip(order, run(finish, order), strict=True))
    return map(finished.__getitem__, pixels)


def _bytes(pictures: Mapping[Steps, Intermediate]) -> int:
    """The memory of pictures beside the masters."""
    shared = (steps for steps in pictures if len(steps) > 1)
    return _BYTES_PER_PIXEL * sum(_pixels(steps, pictures) for steps in shared)


def _pixels(steps: Steps, pictures: Mapping[Steps, Intermediate]) -> int:
    """The pixels of the picture from which some steps go on."""
    picture = pictures[steps[: _begun(steps, pictures)]]
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
