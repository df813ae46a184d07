"""`adjust` changes tones by its parameters, and alpha never."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.ops.adjust import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


LEVEL = st.integers(0, 255)
NEUTRAL = {"brightness": 1, "contrast": 1, "saturation": 1, "gamma": 1, "temperature": 0}


def dot(*channels: int) -> Image.Image:
    """A picture of one pixel."""
    return Image.new("RGBA" if len(channels) == 4 else "RGB", (1, 1), channels)


@given(LEVEL, LEVEL, LEVEL, LEVEL)
def test_neutral_settings_change_nothing(red: int, green: int, blue: int, alpha: int) -> None:
    """Factors of 1 and a temperature of 0 give back every pixel."""
    image = dot(red, green, blue, alpha)
    assert applied(image, **NEUTRAL).tobytes() == image.tobytes()


@given(
    LEVEL,
    st.fixed_dictionaries(
        {
            "brightness": st.floats(0, 4),
            "contrast": st.floats(0, 4),
            "saturation": st.floats(0, 4),
            "gamma": st.floats(0.1, 10),
            "temperature": st.floats(-100, 100),
        }
    ),
)
@settings(max_examples=40)
def test_alpha_is_never_touched(alpha: int, params: dict[str, float]) -> None:
    """Whatever the settings, transparency stays."""
    assert pixel(applied(dot(90, 120, 200, alpha), **params), 0, 0)[3] == alpha


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"brightness": 0}, (0, 0, 0)),
        ({"brightness": 2}, (200, 160, 120)),
        ({"contrast": 0}, (128, 128, 128)),
        ({"contrast": 2}, (72, 32, 0)),
        ({"gamma": 2}, (160, 143, 124)),
    ],
)
def test_each_factor_does_what_its_name_says(
    params: dict[str, float], expected: tuple[int, ...]
) -> None:
    """Known settings give known levels."""
    assert pixel(applied(dot(100, 80, 60), **params), 0, 0) == expected


def test_no_saturation_is_grey_of_the_same_lightness() -> None:
    """Grey is weighted as eyes do: green counts most."""
    assert pixel(applied(dot(0, 255, 0), saturation=0), 0, 0) == (182, 182, 182)


def test_warm_is_red_and_cold_is_blue() -> None:
    """The sign of the temperature decides which channel grows."""
    warm = pixel(applied(dot(100, 100, 100), temperature=50), 0, 0)
    cold = pixel(applied(dot(100, 100, 100), temperature=-50), 0, 0)
    assert warm[0] > 100 > warm[2]
    assert cold[2] > 100 > cold[0]


@pytest.mark.parametrize(
    ("params", "complaint"), [({}, "give at least one of"), ({"gamma": 0}, "0.1")]
)
def test_settings_that_do_nothing_or_too_much_are_refused(
    params: dict[str, object], complaint: str
) -> None:
    """An operation without a setting is a mistake; a gamma of 0 has no meaning."""
    with pytest.raises(TableError, match=complaint):
        OP.model_validate(params)
