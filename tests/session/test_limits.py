"""Limits of pictures: the usual ones, or those of the user of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from flux2build.images import limits
from flux2build.images.limits import PixelLimits
from flux2build.purchasing.http import Limits
from flux2build.session import config_faults
from tests.conftest import Site


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Leave the usual limits to other tests."""
    yield
    limits.use(PixelLimits())


def allow(text: str) -> None:
    """Write the limits of the user."""
    Path(os.environ["FLUX2BUILD_CONFIG"]).write_text(f"[limits]\n{text}\n", encoding="utf-8")


def test_a_user_may_allow_larger_and_smaller_sources(empty: Site) -> None:
    """The plan refuses what is too large by the numbers of today, whatever it found sound before."""
    Image.new("RGB", (5001, 5000)).save(empty.folder / "large.png")
    Image.new("RGB", (100, 100)).save(empty.folder / "small.png")
    spec = '[asset.a]\nsource = "NAME.png"\ndeliver = [{ path = "a.webp", widths = [32] }]\n'
    empty.write("assets.toml", spec.replace("NAME", "large"))

    refused = empty.run("plan")
    allow("source_pixels = 26_000_000")
    built = empty.run("build")
    empty.write("assets.toml", spec.replace("NAME", "small"))
    allow("")
    planned = empty.run("plan")
    allow("source_pixels = 9_999")
    again = empty.run("plan")

    assert refused.code == again.code == 2
    assert "`large.png` is too large: 5001x5000 pixels" in refused.err
    assert "raise `source_pixels` under `[limits]` of your configuration" in refused.err
    assert built.code == planned.code == 0
    assert "`small.png` is too large: 100x100 pixels" in again.err


def test_a_user_may_allow_larger_pictures_to_be_made(empty: Site) -> None:
    """What an operation makes has a limit of its own."""
    Image.new("RGB", (100, 100)).save(empty.folder / "s.png")
    pad = '{ op = "pad", width = 200, height = 200 }'
    deliver = f'deliver = [{{ path = "a.png", ops = [{pad}] }}]'
    empty.write("assets.toml", f'[asset.a]\nsource = "s.png"\n{deliver}\n')

    allow("made_pixels = 39_999")
    refused = empty.run("plan")
    allow("made_pixels = 40_000")

    assert "a picture of 200x200 pixels is too large to make" in refused.err
    assert empty.run("build").code == 0


def test_every_limit_of_a_connection_is_known() -> None:
    """A name that is a limit nowhere is refused before anything connects."""
    assert set(Limits.__struct_fields__) == config_faults.OF_CONNECTIONS
