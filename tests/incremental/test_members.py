"""Rows are told apart by the names they make where only some of them are read."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from flux2build.incremental.members import alike
from flux2build.model import member
from flux2build.storage import paths

KEYS = st.lists(
    st.text("aA1\u00e9\u2460\u00b2\u00bd\ufb01\uff11./ -", min_size=1, max_size=3), max_size=3
)


@given(KEYS)
@example(["a./b", "a/b"])
@example(["x .", "x"])
@example(["a\u2460", "a1"])
def test_keys_that_clash_are_alike(keys: list[str]) -> None:
    """No two keys that are one on some system have names and texts that seem to tell them apart."""
    trimmed = {key.strip() for key in keys}
    names = [str(member("shot", {"sku": paths.safe_name(key)})) for key in trimmed]

    clash = len({*map(paths.fold, trimmed)}) < len(trimmed)

    assert alike(names, "\n".join(keys)) or not clash
