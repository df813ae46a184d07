"""The words in a picture, read by rapidocr, which the extra `ocr` installs with its models.

It is imported with the first picture to read, and never fetches a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from flux2build.errors import Flux2BuildError

EXTRA: Final = "ocr"
_LINE: Final = re.compile(r"(0\.\d\d|1\.00) (.+)")


class Line(NamedTuple):
    """A line of words, and the reader's confidence in it, from 0 to 1."""

    text: str
    confidence: float


@cache
def installed() -> bool:
    """Whether the reader is there, without importing it."""
    return all(find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def read(data: bytes) -> tuple[Line, ...]:
    """Read the words in a picture, from the top; empty if it has none, or is not a picture.

    One thread at a time may call it: the reader takes some hundred megabytes.
    """
    from flux2build.images.decode import decoded

    try:
        picture = decoded(data, "the picture").convert("RGB")
    except Flux2BuildError:
        return ()
    answer = _reader()(picture)
    texts: Sequence[str] = answer.txts or ()
    scores: Sequence[float] = answer.scores or ()
    return tuple(Line(*each) for each in zip(texts, scores, strict=True))


def written(lines: Sequence[Line]) -> str:
    """The lines as text for the lock: `0.99 GRAND OPENING`."""
    return "\n".join(f"{confidence:.2f} {' '.join(text.split())}" for text, confidence in lines)


def parsed(text: str) -> tuple[Line, ...]:
    """The lines in the lock's text; malformed ones are skipped."""
    return tuple(_lines(text))


def _lines(text: str) -> Iterator[Line]:
    for line in text.split("\n"):
        if match := _LINE.fullmatch(line):
            yield Line(match[2], float(match[1]))


@cache
def _reader() -> Any:
    from importlib.resources import files

    import rapidocr

    models = list(files("rapidocr").joinpath("models").iterdir())
    tasks = {"Det": "det", "Cls": "cls", "Rec": "rec"}
    paths = {
        f"{task}.model_path": str(path)
        for task, word in tasks.items()
        for path in models
        if fnmatch(path.name, f"*_{word}_*.onnx")
    }
    # One thread gives the same answer on every machine; without a path it would fetch a model.
    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
    return rapidocr.RapidOCR(params={"Global.log_level": "critical", **threads, **paths})
