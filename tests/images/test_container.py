"""A container is told and measured without decoding a pixel."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.container import examine, sniff

SIZED = ["png", "jpeg", "gif", "webp"]


def saved(form: str, **options: object) -> bytes:
    """A small picture's file."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize((70, 30)).convert("RGB").save(target, form, **options)
    return target.getvalue()


@pytest.mark.parametrize("form", [*SIZED, "avif"])
def test_the_size_is_read_from_the_header(form: str) -> None:
    """Format and size are known without Pillow."""
    container = examine(saved(form))
    assert (container.format, container.width, container.height) == (form, 70, 30)
    assert container.fault is None


def test_both_kinds_of_webp_tell_their_size() -> None:
    """Lossless WebP writes its size in another place than lossy WebP."""
    container = examine(saved("webp", lossless=True))
    assert (container.width, container.height) == (70, 30)


@pytest.mark.parametrize("form", SIZED)
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_every_true_prefix_has_a_fault(form: str, options: dict[str, bool]) -> None:
    """No file that lost its last bytes looks whole."""
    data = saved(form, **options)
    assert examine(data).fault is None
    assert all(examine(data[:end]).fault for end in range(16, len(data)))


@given(st.binary(max_size=64), st.sampled_from([*SIZED, "avif"]), st.integers(0, 64))
@settings(max_examples=100)
def test_no_bytes_make_it_raise(noise: bytes, form: str, keep: int) -> None:
    """Whatever the bytes, there is an answer."""
    assert examine(START[form][:keep] + noise).frames >= 0


START = {form: saved(form) for form in [*SIZED, "avif"]}


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"8BPS", "psd"),
        (b"<!DOCTYPE html><title>404</title>", "html"),
        (b"\x00\x00\x00\x0cJXL ", "jpeg xl"),
        (b"plain words", ""),
    ],
)
def test_formats_that_nobody_decodes_have_names(data: bytes, form: str) -> None:
    """A message can say what a file is, even when it is of no use."""
    assert sniff(data) == form
