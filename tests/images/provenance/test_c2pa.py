"""A manifest is found and read in every format, and whatever a stranger made of it, nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.encode import encode
from flux2build.images.formats import lookup
from flux2build.images.provenance.c2pa import PRESENT, certificate, read, source_type
from flux2build.images.provenance.iptc import source_type as mark
from flux2build.model import C2paManifest

FORMATS: Final = ["png", "jpeg", "webp", "avif"]
SIGNED: Final = {
    form: Path(__file__).with_name("manifests").joinpath(f"signed.{form}").read_bytes()
    for form in FORMATS
}
"""Small pictures that flux2build signed with a certificate of a test."""


@pytest.mark.parametrize("form", FORMATS)
def test_a_manifest_says_what_made_it(form: str) -> None:
    """The program and IPTC's term are read without any library, and no signer is named."""
    data = SIGNED[form]

    assert read(data) == C2paManifest(PRESENT, "", "flux2build 0.1.0")
    assert source_type(data) == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("form", FORMATS)
def test_a_signed_picture_counts_as_marked(form: str) -> None:
    """A file without XMP says in its manifest that it was generated."""
    assert mark(SIGNED[form]) == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("form", FORMATS)
def test_a_plain_picture_has_no_manifest(form: str) -> None:
    """Encoding writes no manifest."""
    plain = encode(Image.new("RGB", (32, 24), "red"), {"format": form})

    assert read(plain) is None
    assert lookup.c2pa(plain) == b""


@given(form=st.sampled_from(FORMATS), share=st.floats(0, 1), junk=st.binary(max_size=12))
def test_damage_never_breaks_the_reader(form: str, share: float, junk: bytes) -> None:
    """A file that is cut off or overwritten anywhere has a manifest, with or without names, or none."""
    data = SIGNED[form]
    at = int(share * len(data))
    for damaged in (data[:at], data[:at] + junk + data[at + len(junk) :], data[:at] + junk):
        manifest = read(damaged)
        assert manifest is None or manifest.state == PRESENT
        assert isinstance(certificate(damaged), bytes)


@given(st.binary(max_size=300))
def test_any_jumbf_is_read_without_a_fault(junk: bytes) -> None:
    """A store of random bytes is a manifest without names."""
    chunk = len(junk).to_bytes(4, "big") + b"caBX" + junk + bytes(4)
    manifest = read(SIGNED["png"][:8] + chunk)

    assert manifest is None or isinstance(manifest, C2paManifest)


def test_names_are_short_and_on_one_line() -> None:
    """What a stranger put into a name cannot break a lock or a terminal."""
    hostile = SIGNED["png"].replace(b"flux2build", b"\x1b[31m\n\n\n\nx")
    manifest = read(hostile)

    assert manifest is not None
    assert manifest.generator == "[31mx 0.1.0"
