"""One text and one digest per value."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.digest import canonical, of_bytes, of_json

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(_VALUES)
def test_canonical_text_means_the_value(value: object) -> None:
    """Reading the canonical text gives the value back."""
    assert json.loads(canonical(value)) == value  # type: ignore[arg-type]  # hypothesis builds Json


@given(st.dictionaries(st.text(), st.integers()))
def test_order_of_keys_does_not_count(value: dict[str, int]) -> None:
    """Two tables with the same rows have the same digest, in whatever order."""
    assert of_json(value) == of_json(dict(reversed(value.items())))


def test_whole_floats_are_integers() -> None:
    """`5` and `5.0` ask for the same picture."""
    assert canonical({"guidance": 5.0}) == '{"guidance":5}'


def test_nan_is_refused() -> None:
    """A value that equals nothing has no digest."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(math.nan)


def test_golden_digest() -> None:
    """The digest of known bytes never changes."""
    assert (
        of_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
