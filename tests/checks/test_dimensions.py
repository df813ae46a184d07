"""A file has the size that was asked for, whether it was rendered or derived."""

from __future__ import annotations

from tests.checks.sites import SPEC, build, check_json, paths
from tests.conftest import Site


def test_what_is_as_ordered_is_fine(empty: Site) -> None:
    """Orders and last scalings come out at their size."""
    build(empty)

    assert paths(check_json(empty), "wrong-size") == []


def test_another_size_than_ordered_is_an_error(empty: Site) -> None:
    """The lock says what came out: a master and a deliverable that are smaller are both named."""
    build(empty)
    empty.edit(
        "assets.lock",
        'output.width = 128\noutput.height = 96\noutput.format = "png"\noutput.source_type = "algorithmicMedia"',
        'output.width = 127\noutput.height = 96\noutput.format = "png"\noutput.source_type = "algorithmicMedia"',
    )
    empty.edit("assets.lock", "output.width = 64", "output.width = 63")
    findings = [f for f in check_json(empty) if f["code"] == "wrong-size"]

    assert {f["message"] for f in findings} == {
        "it is 127x96 pixels, not 128x96",
        "it is 63x48 pixels, not 64 wide",
    }
    assert all("--force" in f["hint"] for f in findings)


def test_a_shape_that_is_kept_is_not_judged(empty: Site) -> None:
    """Scaled to fit inside both sides, a picture has one of them only."""
    fit = SPEC.replace("widths = [64]", 'ops = [{ op = "resize", width = 64, height = 64 }]')
    build(empty, spec=fit)

    assert paths(check_json(empty), "wrong-size") == []
