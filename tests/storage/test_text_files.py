"""Text files are decoded, or it is said what keeps them from being read."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Place, SpecError
from flux2build.storage.text_files import decoded, refuse_conflict, refuse_endless, unseen

POINTER: Final = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_every_text_is_read_back(text: str) -> None:
    """What was saved as UTF-8 is the same text, with a byte order mark and with CRLF too."""
    lines = text.replace("\r\n", "\n")

    assert decoded(text.encode(), "a.txt").removeprefix("\ufeff") == lines.removeprefix("\ufeff")
    assert decoded(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode(), "a.txt") == lines


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_byte_is_shown_in_its_line(mark: bytes) -> None:
    """Columns count characters, and a byte order mark is not one."""
    with pytest.raises(SpecError) as caught:
        decoded(mark + "ä\r\nöü".encode() + b"\xff!\r\n", "a.txt")
    (problem,) = caught.value.problems

    assert (problem.message, problem.place) == ("byte 0xff is not UTF-8", Place("a.txt", 2, 3))
    assert problem.excerpt == "öü\ufffd!"


@pytest.mark.parametrize("text", ["a = 1\r\n", "[asset.hero]\n", "é,ü\n"])
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_other_encodings_are_named(text: str, encoding: str, name: str) -> None:
    """A file in another encoding of Unicode is called by its name, even without a mark."""
    with pytest.raises(SpecError, match=f"`a.txt` is {name}") as caught:
        decoded(text.encode(encoding), "a.txt")

    assert caught.value.problems[0].hint == "save the file as UTF-8"


def test_a_pointer_is_no_text() -> None:
    """What Git LFS leaves in place of a file is never read as the file."""
    with pytest.raises(SpecError, match=r"`a\.txt` is a Git LFS pointer") as caught:
        decoded(POINTER, "a.txt")

    assert caught.value.problems[0].hint == "`git lfs pull` fetches it"


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        ("\xa0", "U+00A0 (no-break space)"),
        ("\u200b", "U+200B (zero width space)"),
        ("\ufeff", "U+FEFF (zero width no-break space)"),
        ("\u2028", "U+2028 (line separator)"),
        ("\r", "U+000D (carriage return)"),
        (" ", None),
        ("\t", None),
        ("\n", None),
        ("é", None),
    ],
)
def test_unseen_characters_have_names(letter: str, name: str | None) -> None:
    """A character that nobody sees is named by its number and its Unicode name."""
    assert unseen(letter) == name


@pytest.mark.parametrize("digits", ["9" * 5000, "_" * 5000, "x = " + "1" * 10_000_000])
def test_endless_numbers_are_refused(digits: str) -> None:
    """A number that no parser needs to see is found at once; other texts pass."""
    refuse_endless("9" * 4999 + " " + "x9" * 100_000)
    with pytest.raises(ValueError, match="too many digits"):
        refuse_endless(digits)


SIDES: Final = "<<<<<<< HEAD\nours\n||||||| base\nit\n=======\ntheirs\n>>>>>>> other\n"


@pytest.mark.parametrize("above", ["", "a = 1\n", "title\n=======\n", "<<<<<<< lone\n"])
def test_a_conflict_is_refused_where_it_begins(above: str) -> None:
    """Two sides between the markers of a merge are an error, whatever stands above them."""
    with pytest.raises(SpecError, match="a merge left its conflict markers here") as caught:
        refuse_conflict(above + SIDES, "a.txt", above=1)

    (problem,) = caught.value.problems
    assert problem.place == Place("a.txt", above.count("\n") + 2, 1)
    assert problem.excerpt == "<<<<<<< HEAD"


@pytest.mark.parametrize(
    "text",
    [
        "=======\n",
        "<<<<<<< HEAD\n=======\n",
        "<<<<<<< HEAD\n>>>>>>> other\n=======\n",
        SIDES.replace("\n", "\n "),
        SIDES.replace("<<<<<<<", "<<<<<<<<"),
        "<<<<<<< HEAD\n" * 200_000,
    ],
)
def test_a_lone_marker_is_a_line_like_others(text: str) -> None:
    """A heading that is underlined, or a marker without its fellows, is text, found out at once."""
    refuse_conflict(text, "a.txt")
