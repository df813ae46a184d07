"""How a deliverable is written: what the spec may say, and what no encoder could follow."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flux2build.images.encode import encode
from tests.assetspec.specs import derived, headlines, problems, read

ASSET = 'project.output = "out"\n[asset.a]\nsource = "a.png"\n[[asset.a.deliver]]\n'
FILES = {"a.png": b""}


def encodings(deliver: str) -> list[dict[str, object]]:
    """The settings of the encoders, by a `deliver`."""
    return [dict(task.encoding) for _, task in derived(read(ASSET + deliver, FILES)).values()]


def test_an_encoding_has_no_more_than_the_spec_asks_for() -> None:
    """Settings reach the formats that have them; a default says nothing, and changes no key."""
    formats = 'formats = ["avif", "jpeg"]\n'
    assert encodings(formats + "speed = 4\nprofile = true\nquality = 70") == [
        {"format": "avif", "quality": 70, "speed": 4, "profile": True},
        {"format": "jpeg", "quality": 70, "profile": True},
    ]
    assert encodings(formats + "profile = false") == encodings(formats)


@pytest.mark.parametrize("colour", ["#FFF", "white", "#ffffff", "#FFFFFFFF"])
def test_a_colour_is_the_same_however_it_is_written(colour: str) -> None:
    """Another spelling of a matte derives nothing again."""
    assert encodings(f'formats = ["jpeg"]\nmatte = "{colour}"') == [
        {"format": "jpeg", "matte": "#ffffff"}
    ]


@pytest.mark.parametrize(
    ("deliver", "complaint"),
    [
        ('formats = ["jpeg"]\nspeed = 4', "6:1: none of the formats has `speed`"),
        (
            'formats = ["jpeg"]\nquality = 20\nmax_bytes = 9000',
            "jpeg: `quality` is below `min_quality`, where `max_bytes` would stop",
        ),
        ('formats = ["jpeg"]\nmatte = "whit"', "`whit` is not a colour; did you mean `white`?"),
        ('path = "a.avif"\nspeed = 11', "6:9: must be at most 10, not 11"),
    ],
)
def test_what_no_encoder_could_follow_is_said_before_building(deliver: str, complaint: str) -> None:
    """Each mistake has its place in the spec, and nothing is written."""
    found = headlines(ASSET + deliver, FILES)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "avif"])
def test_a_profile_is_embedded_on_request(form: str) -> None:
    """A file has a colour profile if the spec asks for one."""
    (encoding,) = encodings(f'formats = ["{form}"]\nprofile = true')
    data = encode(Image.new("RGB", (4, 4)), encoding)  # type: ignore[arg-type]  # read from a spec
    assert Image.open(io.BytesIO(data)).info["icc_profile"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("convert", "a file's format is what its `path` ends in, or `formats`; see also `quality`"),
        ("watermark", "here it is `overlay`"),
        ("resiez", "did you mean `resize`?"),
        ("thumbnail", "here it is `resize`"),
    ],
)
def test_operations_of_other_programs_are_known(name: str, hint: str) -> None:
    """Converting is not an operation, as the format is the file's; others are here under their names."""
    (problem,) = problems(f'{ASSET}ops = [{{ op = "{name}" }}]', FILES)
    assert (problem.message, problem.hint) == (f"unknown operation `{name}`", hint)
