"""What holds for every operation: documented, repeatable, harmless to what it is given."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image

from flux2build.images.ops import OPS
from flux2build.images.ops.contract import Canvas
from flux2build.tables.table import TableError

SAMPLES: dict[str, dict[str, Any]] = {
    "adjust": {"saturation": 1.5, "gamma": 1.2, "temperature": 20},
    "align": {"columns": 2, "pivot": "top-left"},
    "blur": {"radius": 2.5},
    "crop": {"ratio": "3:2", "focus": [0.2, 0.7]},
    "denoise": {"radius": 2},
    "duotone": {"shadows": "#102030", "highlights": "gold"},
    "flip": {},
    "grid": {"sources": [{"input": 1}], "columns": 2, "padding": 3},
    "key": {"color": "#408040"},
    "label": {"margin": 0, "text": "AI"},
    "matte": {"color": "#abc"},
    "overlay": {"source": {"input": 1}, "scale": 0.4, "blend": "screen", "opacity": 0.7},
    "pad": {"border": 5},
    "resize": {"width": 31},
    "rotate": {"degrees": 12.5},
    "round": {"percent": 30},
    "sharpen": {},
    "slice": {"columns": 3, "rows": 2, "cell": 4},
    "text": {"text": "Ag قمة", "size": 14, "min_size": 6, "stroke": 1, "shadow": {}},
    "tint": {"color": "tomato", "strength": 0.4},
    "vignette": {},
}
"""Parameters under which each operation of this family does something."""

DRAWN = """
import io
from PIL import Image
channels = [Image.linear_gradient("L").rotate(turn).resize((60, 40)) for turn in (0, 90, 180, 270)]
image = Image.merge("RGBA", channels)
target = io.BytesIO()
image.convert("RGB").save(target, "png")
inputs = [b"", target.getvalue()]
"""
COVERED = sorted(set(SAMPLES) & set(OPS))


def drawn() -> tuple[Image.Image, list[bytes]]:
    """A picture with gradients in every channel, and the inputs of a recipe."""
    channels = [
        Image.linear_gradient("L").rotate(turn).resize((60, 40)) for turn in (0, 90, 180, 270)
    ]
    image = Image.merge("RGBA", channels)
    target = io.BytesIO()
    image.convert("RGB").save(target, "png")
    return image, [b"", target.getvalue()]


def pixels(name: str) -> str:
    """The digest of what an operation makes of the picture."""
    image, inputs = drawn()
    made = OPS[name].model_validate(SAMPLES[name]).apply(image, inputs)
    return hashlib.sha256(made.tobytes()).hexdigest()


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_and_parameter_is_documented(name: str) -> None:
    """The docs and the editor's help are made of these sentences."""
    op = OPS[name]
    assert op.version >= 1
    assert op.__doc__
    schema = op.model_json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert all(field.get("description") for field in schema.get("properties", {}).values())


@pytest.mark.parametrize("name", sorted(OPS))
def test_unknown_parameters_are_refused(name: str) -> None:
    """A typing error never passes silently."""
    with pytest.raises(TableError, match="Extra inputs"):
        OPS[name].model_validate({**SAMPLES.get(name, {}), "colour_of_the_sea": 1})


@pytest.mark.parametrize("name", COVERED)
def test_parameters_survive_the_recipe(name: str) -> None:
    """What a recipe holds of them, defaults too, is valid and means the same."""
    params = OPS[name].model_validate(SAMPLES[name])
    held = json.loads(json.dumps(params.model_dump(exclude_none=True)))
    assert OPS[name].model_validate(held) == params


@pytest.mark.parametrize("name", COVERED)
def test_an_operation_leaves_its_picture_alone(name: str) -> None:
    """Pictures are shared between deliverables, so nobody may paint on them."""
    image, inputs = drawn()
    before = image.tobytes()
    made = OPS[name].model_validate(SAMPLES[name]).apply(image, inputs)
    assert image.tobytes() == before
    assert made.mode in {"RGB", "RGBA"}
    assert not made.info


@pytest.mark.parametrize("name", COVERED)
def test_what_is_foreseen_comes_true(name: str) -> None:
    """The size that a plan expects of an operation is the size that it gives."""
    image, inputs = drawn()
    op = OPS[name].model_validate(SAMPLES[name])
    canvas = op.foreseen(Canvas(image.size), [b"", b""])

    assert canvas is None or canvas.size == op.apply(image, inputs).size


def test_every_operation_gives_the_same_pixels_in_another_process() -> None:
    """Pixels depend on nothing but the picture, the parameters and the inputs."""
    script = f"""{DRAWN}
import hashlib
from flux2build.images.ops import OPS
for name, sample in {SAMPLES!r}.items():
    op = OPS[name]
    made = op.model_validate(sample).apply(image, inputs)
    print(name, hashlib.sha256(made.tobytes()).hexdigest())
"""
    there = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert dict(line.split() for line in there.stdout.splitlines()) == {
        name: pixels(name) for name in SAMPLES
    }
