"""The example and the specs in the documents are real: they plan, offline and without a key."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.conftest import Site

ROOT: Final = Path(__file__).parents[1]
LARGEST_REFERENCE: Final = 60 * 1024


@pytest.fixture
def example(empty: Site) -> Site:
    """The example, copied away from its outputs."""
    made = shutil.ignore_patterns("public", "assets.lock", ".flux2build")
    shutil.copytree(ROOT / "examples", empty.folder / "examples", ignore=made)
    shutil.copytree(ROOT / "templates", empty.folder / "templates")
    return empty


def planned(site: Site, *words: str) -> dict[str, Any]:
    """What `plan --json` answers."""
    ran = site.run("plan", "--json", *words)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def snippets(page: str) -> list[str]:
    """The TOML of a page."""
    return re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("profile", ["draft", "final"])
def test_example_plans(example: Site, profile: str) -> None:
    """The example has some sixty pictures to render, in every profile."""
    found = planned(example, "-f", "examples/assets.toml", "-p", profile)

    assert 50 <= found["summary"]["render"] <= 70
    assert {Path(step["output"]).suffix for step in found["steps"]} == {
        ".png", ".avif", ".webp", ".jpeg", ".ico", ".json", ".html", ".webmanifest",
    }  # fmt: skip


def test_example_is_affordable(example: Site) -> None:
    """The example's final pictures stay within the example's own budget, and sketches are free."""
    draft = planned(example, "-f", "examples/assets.toml")
    final = planned(example, "-f", "examples/assets.toml", "-p", "final")

    assert draft["summary"]["price_max"] == "0"
    assert 0 < float(final["summary"]["price_max"]) <= 5


def test_references_are_small() -> None:
    """Nobody waits for the example's references when cloning."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "examples/refs").iterdir()}

    assert max(sizes.values()) < LARGEST_REFERENCE


def test_readme_spec_plans(empty: Site) -> None:
    """The spec in the README is one that flux2build takes."""
    shutil.copytree(ROOT / "examples" / "data", empty.folder / "data")
    (spec,) = snippets("README.md")
    empty.write("assets.toml", spec)

    assert planned(empty)["summary"]["render"] == 26


def test_reference_spec_plans(empty: Site) -> None:
    """The small spec of the reference page is one that flux2build takes."""
    empty.write("assets.toml", snippets("docs/spec.md")[1])

    assert planned(empty)["summary"]["render"] == 1


def test_lettering_spec_plans(empty: Site) -> None:
    """The spec of the page on lettering is one that flux2build takes, one rendering for all."""
    for locale in ("de", "ar", "th"):
        empty.write(f"locale/{locale}.po", 'msgid "headline"\nmsgstr "Acme"\n')
    empty.write("assets.toml", snippets("docs/lettering.md")[0])
    found = planned(empty)

    assert found["summary"]["render"] == 1
    assert len(found["steps"]) == 4
