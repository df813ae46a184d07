"""Lines of the journal: what a crash leaves is told from damage, and what is sound is saved."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from flux2build.ledger import Entry, Foreign, entry_to_json
from flux2build.ledger.lines import MISFIT, decoded, encoded, ranges, suspects
from flux2build.ledger.salvage import Salvage, saved
from tests import journals

SENT = journals.intended("fox")
NAMED = replace(SENT, asset="füchse 狐")
ENTRIES: tuple[Entry, ...] = (SENT, journals.ticketed(SENT), NAMED)
LINES = tuple(encoded(entry) for entry in ENTRIES)
NEWER = Foreign(kind="refund", schema=9, text='{"kind":"refund","schema":9}')


def line(text: bytes) -> bytes:
    """A line with a sound checksum, without its end."""
    return b"%08x %s" % (zlib.crc32(text), text)


def test_a_line_word_for_word() -> None:
    """The CRC-32 of the JSON in eight hexadecimal digits, a space, the JSON, and a line feed."""
    small = next(text for n in range(10**6) if zlib.crc32(text := b"%d" % n) < 16**7)

    assert encoded(NEWER) == b'%08x {"kind":"refund","schema":9}\n' % zlib.crc32(
        NEWER.text.encode()
    )
    assert decoded(line(small)) == small.decode()
    assert decoded(line(small).lstrip(b"0")) is None


@pytest.mark.parametrize(
    ("text", "json"),
    [
        (b"", ""),
        (b"\r", ""),
        (b"\r\r", ""),
        (line(b"{}"), "{}"),
        (line(b"{}") + b"\r", "{}"),
        (line(b'{"a b":"c d"}'), '{"a b":"c d"}'),
        (line(b"X"), "X"),
        (line(b"\xff"), "\ufffd"),
        (line("狐".encode()), "狐"),
        (line(b"{}").upper(), None),
        (b" " + line(b"{}"), None),
        (line(b"{}") + b" ", None),
        (b"{}", None),
    ],
)
def test_what_a_line_holds(text: bytes, json: str | None) -> None:
    """Blank lines are empty; a line with a wrong checksum holds nothing that can be trusted."""
    assert decoded(text) == json


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        ([b""], []),
        ([b"torn"], []),
        ([LINES[0][:-9]], []),
        ([b"\0\0", b""], []),
        ([b"12 {\0}", b"\0", b"torn"], []),
        ([b"torn", b""], [7]),
        ([b"torn", b"torn"], [7, 8]),
        ([b"\0", b"torn", b""], [7, 8]),
        ([b"\0".join((b"", LINES[0][:-1], b"")), b""], [7]),
        ([b"x" + LINES[0][:-1] + LINES[1][:-1]], [7]),
        ([b"\0", LINES[0][:-1] + LINES[1][:-1], b""], [7, 8]),
    ],
)
def test_what_a_crash_may_have_torn(lines: list[bytes], bad: Sequence[int]) -> None:
    """A last line without its end, and lines with zeros for lost bytes; everything else is damage."""
    assert list(suspects(7, lines)) == [(number, MISFIT) for number in bad]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], ""),
        ([3], "3"),
        ([3, 4], "3-4"),
        ([1, 2, 3, 5, 7, 8], "1-3, 5, 7-8"),
        (range(1, 16, 2), "1, 3, 5, 7, 9, 11, 13, 15"),
        (range(1, 18, 2), "1, 3, 5, 7, 9, 11, 13, 15, …"),
    ],
)
def test_ranges_in_words(numbers: Sequence[int], words: str) -> None:
    """Neighbours are one range; only the first eight of many ranges are named."""
    assert ranges(numbers) == words


WHOLE = b"".join(LINES)
Edit = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("edit", "sound", "complete"),
    [
        (lambda whole: whole, 3, True),
        (lambda whole: whole.replace(b"\n", b"\r\n"), 3, True),
        (lambda whole: b"\xef\xbb\xbf \t" + whole.replace(b"\n", b"\r\n\n"), 3, True),
        (lambda whole: whole.replace(b"\n", b""), 3, True),
        (lambda whole: whole.replace(b"\n", b"\r"), 3, True),
        (lambda whole: whole.replace(b"\n", b" | "), 0, False),
        (lambda whole: b"noise" + whole, 3, False),
        (lambda whole: b"?" + whole, 3, False),
        (lambda whole: whole + b"noise", 2, False),
        (lambda whole: whole + whole[:30], 3, False),
        (lambda whole: codecs.BOM_UTF16_LE + whole.decode().encode("utf-16-le"), 3, True),
        (lambda whole: codecs.BOM_UTF16_BE + whole.decode().encode("utf-16-be"), 3, True),
        (lambda whole: codecs.BOM_UTF32_LE + whole.decode().encode("utf-32-le"), 3, True),
        (lambda whole: codecs.BOM_UTF32_BE + whole.decode().encode("utf-32-be"), 3, True),
        (lambda whole: codecs.BOM_UTF16_LE + whole.decode().encode("utf-16-le")[:-1], 2, False),
    ],
)
def test_what_is_sound_is_saved(edit: Edit, sound: int, *, complete: bool) -> None:
    """Every sound line is found, wherever it stands; anything else in the file is reported."""
    data = edit(WHOLE)

    salvage = saved(data)

    assert salvage.entries == ENTRIES[:sound]
    assert salvage.lines == tuple(each[:-1] for each in LINES[:sound])
    assert salvage.data == data
    assert (salvage.complete, salvage.newer) == (complete, False)


@pytest.mark.parametrize("bad", [line(b'{"kind":"ticketed"}'), line(b'{"kind":'), LINES[1][:-2]])
def test_what_is_no_entry_is_not_saved(bad: bytes) -> None:
    """A sound checksum around something else, and an entry without its end, are left out."""
    salvage = saved(LINES[0] + bad + b"\n" + LINES[2])

    assert salvage.entries == (ENTRIES[0], ENTRIES[2])
    assert not salvage.complete


def test_entries_of_a_newer_version_are_saved() -> None:
    """They are kept word for word, and reported."""
    salvage = saved(LINES[0] + encoded(NEWER))

    assert salvage.entries == (ENTRIES[0], NEWER)
    assert salvage.newer
    assert salvage.complete
    assert saved(b"") == Salvage()
    assert [entry_to_json(entry) for entry in salvage.entries][1] == NEWER.text
