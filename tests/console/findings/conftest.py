"""A site to report on."""

from __future__ import annotations

import pytest

from flux2build.errors import Exit
from tests.checks.sites import SPEC
from tests.conftest import Site


@pytest.fixture
def nested(empty: Site) -> Site:
    """A site whose spec lies in a folder of the repository, with an error, a warning and an orphan."""
    policy = '[checks]\nalt = "error"\nmax-bytes = { bytes = 9 }\n\n[asset.fox]'
    empty.write("web/assets.toml", SPEC.replace("[asset.fox]", policy, 1))
    assert empty.run("build", "-f", "web/assets.toml").code == Exit.DONE
    empty.edit(
        "web/assets.toml",
        "[[asset.fox.deliver]]\npath",
        "[[asset.fox.deliver]]\nquality = 70\npath",
    )
    empty.edit("web/assets.toml", 'formats = ["webp", "jpeg"]', 'formats = ["webp"]')
    return empty
