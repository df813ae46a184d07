"""Two tiers: sketches while you work, real pictures when you ship; neither counts for the other."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from flux2build.lockfile import loads
from tests.conftest import Site
from tests.simulated import charges, order_from, serving


@pytest.fixture
def provider(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A simulated provider for the profile `final`."""
    site.edit("assets.toml", "[profile.final]", "[profile.draft]\n\n[profile.final]")
    site.edit("assets.toml", 'name = "acme"', 'name = "acme"\nprofile = "draft"')
    with serving() as control:
        order_from(control.base_url, monkeypatch)
        yield control


def test_a_comp_never_counts_for_the_real_picture(site: Site, provider: httpx.Client) -> None:
    """A clean draft leaves everything of the final profile to be paid for, and says so."""
    assert site.run("build").code == 0
    assert site.run("check").code == 0

    assert site.run("check", "--profile", "final").code == 1
    plan = site.run("plan", "--profile", "final")
    assert "never rendered" in plan.out
    assert plan.out.splitlines()[-1].endswith("Price: $0.15.")
    assert charges(provider) == 0


def test_the_real_picture_leaves_the_comps_alone(site: Site, provider: httpx.Client) -> None:
    """Each profile has its files, its blocks in the lock and its own answer to `check`."""
    site.run("build")
    sketches = {name: data for name, data in site.files().items() if name.startswith("img/")}

    assert site.run("build", "--profile", "final", "--yes").code == 0

    assert charges(provider) == 4
    assert {n: d for n, d in site.files().items() if n.startswith("img/") and "final" not in n} == (
        sketches
    )
    lock = loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    assert {profile for _, profile in lock.blocks} == {"draft", "final"}
    for profile in ("draft", "final"):
        assert site.run("check", "--profile", profile).code == 0
        assert site.run("build", "--profile", profile, "--yes").code == 0
    assert charges(provider) == 4


def test_an_edit_is_drafted_first_and_bought_once(site: Site, provider: httpx.Client) -> None:
    """Ten drafts of a prompt cost nothing; the final build orders the last one only."""
    site.run("build", "--profile", "final", "--yes")
    before = charges(provider)
    for take in range(10):
        site.edit("assets.toml", "a bell" if not take else f"a bell {take - 1}", f"a bell {take}")
        assert site.run("build").code == 0
    assert charges(provider) == before

    assert site.run("build", "--profile", "final", "--yes").code == 0

    assert charges(provider) == before + 1
