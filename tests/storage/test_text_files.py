"""Text files are decoded, or the byte that is not UTF-8 is shown in its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Place, SpecError
from flux2build.storage.text_files import decoded, refuse_endless


@given(st.text())
def test_every_text_is_read_back(text: str) -> None:
    """What was saved as UTF-8 is the same text, with or without a byte order mark."""
    assert decoded(b"\xef\xbb\xbf" + text.encode(), "a.txt") == text


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_byte_is_shown_in_its_line(mark: bytes) -> None:
    """Columns count characters, and a byte order mark is not one."""
    with pytest.raises(SpecError) as caught:
        decoded(mark + "ä\r\nöü".encode() + b"\xff!\r\n", "a.txt")
    (problem,) = caught.value.problems

    assert (problem.message, problem.place) == ("byte 0xff is not UTF-8", Place("a.txt", 2, 3))
    assert problem.excerpt == "öü\ufffd!"


@pytest.mark.parametrize("digits", ["9" * 5000, "_" * 5000, "x = " + "1" * 10_000_000])
def test_endless_numbers_are_refused(digits: str) -> None:
    """A number that no parser needs to see is found at once; other texts pass."""
    refuse_endless("9" * 4999 + " " + "x9" * 100_000)
    with pytest.raises(ValueError, match="too many digits"):
        refuse_endless(digits)
