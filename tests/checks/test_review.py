"""The check `review`: pictures that need approval and have none."""

from __future__ import annotations

import pytest

from tests.conftest import Site


@pytest.mark.parametrize(
    ("own", "options", "codes"),
    [
        ('review = "required"', (), 0),
        ('review = "required"', ("--strict",), 1),
        ('review = "required"', ("--require-approved",), 1),
        ("", ("--strict",), 0),
        ("", ("--require-approved",), 1),
    ],
)
def test_what_needs_approval_is_told(
    empty: Site, own: str, options: tuple[str, ...], codes: int
) -> None:
    """It is a warning where the spec requires it, and an error where the command line does."""
    empty.write("assets.toml", f'[asset.fox]\nprompt = "a fox"\nwidth = 64\n{own}\n')
    empty.run("build")
    checked = empty.run("check", *options)

    assert checked.code == codes
    assert ("unapproved" in checked.out) == bool(own or codes)


def test_a_tag_that_no_asset_has_is_an_error(empty: Site) -> None:
    """What `required` selects has to be there."""
    empty.write(
        "assets.toml",
        '[asset.fox]\nprompt = "a fox"\n[checks.review]\nrequired = ["tag:brand"]\n',
    )
    refused = empty.run("plan")

    assert refused.code == 2
    assert "assets.toml:4" in refused.err


def test_what_was_decided_or_is_not_there_is_told_once(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can approve a picture that is not rendered, and one that was rejected has its own finding."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
    empty.write("assets.toml", '[asset.fox]\nprompt = "a fox"\nwidth = 64\n')
    assert "unapproved" not in empty.run("check", "--require-approved").out
    empty.run("build")
    assert empty.run("reject", "fox").code == 0

    checked = empty.run("check", "--require-approved")
    assert (checked.code, checked.out.count("error:")) == (1, 1)
