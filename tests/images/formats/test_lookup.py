"""Formats that are known by name only."""

from __future__ import annotations

import pytest

from flux2build.images.formats.lookup import examine, media_type, sniff


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"8BPS", "psd"),
        (b"<!DOCTYPE html><title>404</title>", "html"),
        (b"\x00\x00\x00\x0cJXL ", "jpeg xl"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(16), "heic"),
        (b"plain words", ""),
    ],
)
def test_formats_that_nobody_decodes_have_names(data: bytes, form: str) -> None:
    """A message can say what a file is, even when it is of no use."""
    assert sniff(data) == form
    assert examine(data).format == form


def test_an_unknown_format_gets_a_media_type() -> None:
    """What is not known is called by its name."""
    assert media_type("jpeg") == "image/jpeg"
    assert media_type("heic") == "image/heic"
