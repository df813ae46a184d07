"""Deliverables of one master share equal work, and fail one by one."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import ClassVar

import pytest
from PIL import Image

from flux2build.digest import Json
from flux2build.errors import Flux2BuildError, SpecError
from flux2build.images.decode import _normalised, decode, probe
from flux2build.images.derive import File, Job, derive_many, lettering
from flux2build.images.dominant import dominant_colours, written
from flux2build.images.ops import OPS as EVERY_OP
from flux2build.images.ops import crop, resize
from flux2build.images.ops.contract import Inputs, Op, Picture
from flux2build.model import Derive, Operation


class Paste(Op):
    """An operation for tests: the other picture instead of this one; it counts its calls."""

    name = "paste"
    version = 3
    calls: ClassVar[list[int]] = []

    source: Picture

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """The input that `source` names, at the size of the picture."""
        self.calls.append(1)
        assert not isinstance(self.source, str)
        index = self.source.model_dump()["input"]
        return decode(inputs[index], "source").resize(image.size)


def png(colour: str, size: tuple[int, int] = (80, 60)) -> bytes:
    """A picture of one colour."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "png")
    return target.getvalue()


MASTER = png("red")
OPS: dict[str, type[Op]] = {"crop": crop.OP, "resize": resize.OP}
SQUARE = Operation("crop", 1, {"ratio": "1:1"})


def scaled(width: int, form: str = "png") -> Derive:
    """A square of some width in some format."""
    return Derive((SQUARE, Operation("resize", 2, {"width": width})), {"format": form})


def derived(task: Derive) -> bytes:
    """The one file of a task."""
    (result,) = derive_many([Job(task, (MASTER,))], OPS)
    if isinstance(result, Flux2BuildError):
        raise result
    return result.data


def test_operations_apply_in_order_and_the_encoding_comes_last() -> None:
    """A deliverable is cropped, then scaled, then written in its format."""
    result = probe(derived(scaled(30, "webp")))
    assert (result.format, result.width, result.height) == ("webp", 30, 30)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    """Sharing, order and threads change no byte."""
    tasks = [scaled(width, form) for width in (10, 20, 30) for form in ("png", "jpeg", "avif")]
    jobs = [Job(task, (MASTER,)) for task in tasks]
    alone = [file for job in jobs for file in derive_many([job], OPS)]
    assert derive_many(jobs, OPS) == alone
    with ThreadPoolExecutor(4) as pool:
        assert derive_many(jobs, OPS, pool.map) == alone


def test_the_largest_pictures_are_encoded_first() -> None:
    """No core waits for a large file at the end; the files come in the order of the jobs."""
    begun: list[int] = []

    def run(finish: Callable[[int], File], indexes: Iterable[int]) -> list[File]:
        files = list(map(finish, indexes))
        begun.extend(probe(file.data).width for file in files)
        return files

    jobs = [Job(scaled(width, form), (MASTER,)) for width in (20, 40) for form in ("png", "webp")]
    files = derive_many(jobs, OPS, run)

    assert begun == [40, 40, 20, 20]
    assert [probe(each.data).width for each in files if isinstance(each, File)] == [20, 20, 40, 40]


def test_a_master_is_decoded_once_for_all_files() -> None:
    """However many files are made of it, and of whatever sizes and formats."""
    master = png("rebeccapurple", (70, 70))
    tasks = [scaled(width, form) for width in (10, 20, 30) for form in ("png", "jpeg", "webp")]
    decodings = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal decodings
        decodings += event == "call" and frame.f_code is _normalised.__code__

    sys.setprofile(count)
    try:
        files = derive_many([Job(task, (master,)) for task in tasks], OPS)
    finally:
        sys.setprofile(None)
    assert all(isinstance(file, File) for file in files)
    assert decodings == 1


@pytest.mark.parametrize(
    "encoding",
    [
        {"format": "png"},
        {"format": "png", "matte": "#00ff00"},
        {"format": "png", "palette": 2},
        {"format": "webp", "lossless": True},
        {"format": "ico", "sizes": [16]},
    ],
    ids=str,
)
def test_colours_are_counted_as_the_file_shows_them(encoding: dict[str, Json]) -> None:
    """What is counted before encoding is what the lock would hold if the file were read."""
    dice = random.Random(3)
    master = io.BytesIO()
    Image.frombytes("RGBA", (40, 40), dice.randbytes(4 * 40 * 40)).save(master, "png")
    jobs = [Job(Derive((), {"format": "png"}), (master.getvalue(),))]
    jobs.append(Job(Derive((), encoding), (master.getvalue(),)))
    plain, file = derive_many(jobs, OPS)
    assert isinstance(plain, File)
    assert isinstance(file, File)
    for each in (plain, file):
        assert each.colours in {None, written(dominant_colours(each.data))}
    assert plain.colours
    assert (file.colours is None) is ("palette" in encoding or "sizes" in encoding)


def test_equal_beginnings_are_done_once_and_by_content() -> None:
    """Steps with equal parameters and equal input bytes are shared, whatever the input's index."""
    Paste.calls.clear()
    ops: dict[str, type[Op]] = {**OPS, "paste": Paste}

    def pasted(index: int, width: int) -> Derive:
        steps = (
            Operation("paste", 3, {"source": {"input": index}}),
            Operation("resize", 2, {"width": width}),
        )
        return Derive(steps, {"format": "png"})

    blue, green = png("blue"), png("green")
    jobs = [
        Job(pasted(1, 10), (MASTER, blue)),
        Job(pasted(2, 20), (MASTER, green, blue)),
        Job(pasted(1, 10), (MASTER, green, blue)),
    ]
    results = derive_many(jobs, ops)
    colours = [
        decode(file.data, "x").getpixel((0, 0)) for file in results if isinstance(file, File)
    ]
    assert colours == [(0, 0, 255), (0, 0, 255), (0, 128, 0)]
    assert len(Paste.calls) == 2


def test_one_failure_leaves_the_others_alone() -> None:
    """A deliverable that cannot be made is an error in its place of the list."""
    good, bad = Job(scaled(30), (MASTER,)), Job(scaled(3000), (MASTER,))
    lost = Job(scaled(30), (MASTER[:-20],))
    first, second, third, fourth = derive_many([good, bad, lost, good], OPS)
    assert isinstance(first, File)
    assert first == fourth
    assert "too few" in str(second)
    assert "cut off" in str(third)


def test_a_shared_step_that_fails_fails_everywhere_it_is_used() -> None:
    """Deliverables that begin with the same impossible step all say why."""
    steps = (Operation("crop", 1, {"width": 900}), SQUARE)
    jobs = [Job(Derive(steps[:end], {"format": "png"}), (MASTER,)) for end in (1, 1, 2)]
    assert all(isinstance(result, Flux2BuildError) for result in derive_many(jobs, OPS))


def test_no_jobs_give_no_files() -> None:
    """The list of results is empty."""
    assert derive_many([], OPS) == []


@pytest.mark.parametrize(
    ("operation", "complaint"),
    [
        (Operation("cropp", 1), "unknown operation `cropp`"),
        (Operation("crop", 2, {"ratio": "1:1"}), "`crop` is not the one that was planned"),
        (Operation("crop", 1, {"ratio": "1:1", "size": 3}), "Extra inputs"),
        (Operation("crop", 1, {}), "give one of `ratio`, `box`"),
    ],
)
def test_a_wrong_operation_is_an_error_of_the_spec(operation: Operation, complaint: str) -> None:
    """Unknown operations, other versions and wrong parameters are reported."""
    with pytest.raises(SpecError, match=complaint):
        derived(Derive((operation,), {"format": "png"}))


@pytest.mark.parametrize(
    ("op", "params", "told"),
    [
        ("upscale", {"model": "photo", "scale": 3}, [(720, 360)]),
        ("cutout", {"model": "u2net"}, []),
        ("blur", {"radius": 2}, [(240, 120)]),
    ],
)
def test_letters_are_told_as_far_as_what_lies_under_them_is_known(
    op: str, params: dict[str, Json], told: list[tuple[int, int]]
) -> None:
    """A picture that a network makes larger is foreseen; what another network leaves is not."""
    box: Json = [0, 0, "100%", "100%"]
    steps = (
        Operation(op, EVERY_OP[op].version, params),
        Operation("text", EVERY_OP["text"].version, {"text": "Open", "box": box}),
    )
    job = Job(Derive(steps, {"format": "png"}), (png("teal", (240, 120)),))
    assert [letters.mask.size for letters in lettering(job, EVERY_OP)] == told
