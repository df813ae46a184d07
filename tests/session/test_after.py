"""What a build concludes is what a reading of everything finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from flux2build.session.after import after
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms
from flux2build.session.project import Project
from flux2build.session.wiring import Listeners, premises, run
from tests.conftest import Site

DOCUMENTS: Final = '[manifest]\npath = "pictures.json"\n\n[asset.hero]'
EDITS: Final[dict[str, Callable[[Site], object]]] = {
    "nothing": lambda _site: None,
    "the lock is gone": lambda site: site.folder.joinpath("assets.lock").unlink(),
    "a prompt": lambda site: site.edit("assets.toml", "a friendly fox", "a shy fox"),
    "a template": lambda site: site.edit("templates/hero.j2", "desk", "window"),
    "a text that renders nothing": lambda site: site.edit("assets.toml", 'alt = "The', 'alt = "A'),
    "a name": lambda site: site.edit("assets.toml", "[asset.icon]", "[asset.bell]"),
    "a path": lambda site: site.edit("assets.toml", "hero-{{ theme }}-", "{{ theme }}-"),
    "an output": lambda site: site.write("img/icon.png", "not ours"),
    "a missing output": lambda site: site.folder.joinpath("img/mascot.png").unlink(),
    "an asset less": lambda site: site.edit("assets.toml", '[asset.icon]\nprompt = "a bell"\n', ""),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("force", [(), ("icon",)], ids=["", "forced"])
def test_a_build_knows_what_it_did(
    site: Site, edit: Callable[[Site], object], force: tuple[str, ...]
) -> None:
    """Lock, files and plan after a build are those that another reading finds."""
    site.edit("assets.toml", "[asset.hero]", DOCUMENTS)
    assert site.run("build").code == 0
    edit(site)
    project = Project.open(CommonOptions())
    if force and "icon" not in project.spec.named:
        pytest.skip("it has another name")
    plan = project.plan(Choice(force=force))

    def tell(*_: object, **__: object) -> None:
        """Nobody listens."""

    listeners = Listeners(tell, tell, tell, tell)
    project = after(project, run(project, plan, premises(project, plan), Terms(), listeners))

    anew = project.reread()
    assert (project.lock, project.lock_bytes) == (anew.lock, anew.lock_bytes)
    assert project.files() == anew.files()
    assert project.whole == anew.whole
    assert not any(step.drift for step in project.whole.steps)
