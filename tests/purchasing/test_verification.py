"""What arrives is compared with what was ordered."""

from __future__ import annotations

import io
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.digest import Json
from flux2build.errors import DecisionError, Problem
from flux2build.images.formats.contract import PictureError
from flux2build.purchasing.verification import verify_picture, verify_seed

FORMATS: Final = ("png", "jpeg", "webp")
SIDES: Final = st.sampled_from([16, 17, 32])


def _picture(width: int, height: int, form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, form)
    return file.getvalue()


SHAPES: Final = st.fixed_dictionaries(
    {}, optional={"width": SIDES, "height": SIDES, "format": st.sampled_from(FORMATS)}
)


@given(SHAPES, SIDES, SIDES, st.sampled_from(FORMATS))
def test_a_picture_is_what_was_ordered_or_a_person_decides(
    ordered: dict[str, Json], width: int, height: int, form: str
) -> None:
    """Exactly what was asked for is compared: size and format, and nothing that was left open."""
    arrived = {"width": width, "height": height, "format": form}
    wrong = [name for name, value in ordered.items() if arrived[name] != value]
    if not wrong:
        verify_picture("fox", ordered, _picture(width, height, form))
        return
    with pytest.raises(DecisionError) as error:
        verify_picture("fox", ordered, _picture(width, height, form))
    (problem,) = error.value.problems
    assert problem.message == "the picture of `fox` is not what was ordered"
    assert sorted(name for name, _ in problem.rows) == sorted(wrong)
    assert all(f"{arrived[name]}, ordered {ordered[name]}" == text for name, text in problem.rows)


@given(st.integers(1, 200))
def test_a_picture_that_is_not_whole_is_refused(cut: int) -> None:
    """A picture of which any part is missing is refused."""
    data = _picture(32, 32, "png")

    with pytest.raises(PictureError, match="fox"):
        verify_picture("fox", {}, data[: max(0, len(data) - cut)])


@given(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3))
def test_another_seed_is_another_picture(seed: int | None, named: int | None) -> None:
    """Seeds are compared if one was ordered and the server names one."""
    ordered: dict[str, Json] = {} if seed is None else {"seed": seed}

    if None in {seed, named} or seed == named:
        verify_seed("fox", ordered, named)
    else:
        with pytest.raises(DecisionError) as error:
            verify_seed("fox", ordered, named)
        assert error.value.problems == (
            Problem(
                "the picture of `fox` is not what was ordered",
                rows=(("seed", f"{named}, ordered {seed}"),),
            ),
        )
