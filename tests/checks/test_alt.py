"""Alternative text is asked for only where the spec asks for it."""

from __future__ import annotations

import pytest

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site


def test_nobody_is_asked_for_texts_by_default(empty: Site) -> None:
    """A picture without a text is nothing to complain about until somebody wants one."""
    build(empty)

    assert check_json(empty) == []


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        ('[checks]\nalt = "error"', "error"),
        ('[checks]\nalt = "warning"', "warning"),
        ("[checks.alt]\ndecorative = true", "warning"),
    ],
)
def test_a_missing_text_is_as_severe_as_the_spec_says(
    empty: Site, policy: str, severity: str
) -> None:
    """One finding for each asset without a text, at the asset, with what to write."""
    build(empty, policy)
    (finding,) = check_json(empty)

    assert (finding["code"], finding["asset"]) == ("alt-missing", "bell")
    assert finding["severity"] == severity
    assert (
        empty.folder.joinpath("assets.toml").read_text().splitlines()[finding["line"] - 1]
        == "[asset.bell]"
    )
    assert 'alt = ""' in finding["hint"]


def test_decoration_has_no_text(empty: Site) -> None:
    """An empty text says that a picture is decoration, unless that is not accepted either."""
    build(empty, '[checks]\nalt = "error"')
    empty.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nalt = " "')
    assert paths(check_json(empty), "alt-missing") == []

    empty.edit("assets.toml", '[checks]\nalt = "error"', "[checks.alt]\ndecorative = false")
    assert paths(check_json(empty), "alt-missing") == ["bell"]


def test_assets_can_be_left_alone(empty: Site) -> None:
    """`exclude` speaks the selection grammar; a name that is none is a mistake in the spec."""
    build(empty, '[checks.alt]\nexclude = ["tag:small"]')
    assert check_json(empty) == []

    empty.edit("assets.toml", "tag:small", "tag:smal")
    ran = empty.run("check", "--output-format", "concise")
    assert ran.code == 2
    assert "assets.toml:9:11" in ran.err
    assert "did you mean `small`?" in ran.err
