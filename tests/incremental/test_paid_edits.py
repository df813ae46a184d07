"""Builds that buy after an edit: they read what was edited, and order what a cold build orders."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import Exit
from flux2build.incremental.brief import brief, narrowed
from flux2build.incremental.brief_build import buildable
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from tests.conftest import Site
from tests.incremental.test_caches import Edit, drawn, removed, replaced
from tests.simulated import charges, order_from, scenario, serving

_UNLIKE: Final = re.compile(
    r"sha256:[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{12,32}\b|\d{4}-\d{2}-\d{2}T[0-9:+.]+|^(receipt\.seed|output\.(bytes|colours)) = .*$",
    re.MULTILINE,
)
"""What two purchases of the same picture do not have in common."""
_TREES: Final = "warm", "cold"
_EDITS: Final[dict[str, Edit]] = {
    "a prompt": replaced("assets.toml", "a bell", "a ball"),
    "a prompt of what others are made of": replaced("assets.toml", "friendly fox", "small fox"),
    "a template": replaced("templates/hero.j2", "mood", "tone"),
    "an alternative text": replaced("assets.toml", "name }} fox", "name }} cub"),
    "a size": replaced("assets.toml", 'a bell"', 'a bell"\nwidth = 512'),
    "a reference": drawn("refs/desk.png", "red"),
    "no master": removed("final/icon.png"),
    "no derived file": removed("final/hero-dark-32.webp"),
    "two orders that are one": replaced("assets.toml", "a desk", "a bell"),
    "a rejected size": replaced("assets.toml", 'a bell"', 'a bell"\nwidth = 9999'),
}


class Shops:
    """Two trees that are edited alike, each with a provider of its own; one forgets what it knows."""

    def __init__(
        self, site: Site, place: Path, stack: ExitStack, patch: pytest.MonkeyPatch
    ) -> None:
        self._site, self._place, self._patch = site, place, patch
        self.servers = {tree: stack.enter_context(serving()) for tree in _TREES}
        self.team = False
        """Whether each tree has a store."""
        for tree in _TREES:
            shutil.copytree(site.folder, place / tree)

    def each(self) -> Iterator[str]:
        """Go to one tree after the other."""
        for tree in _TREES:
            self._patch.setenv("FLUX2BUILD_HOME", str(self._place / f"home-{tree}"))
            if self.team:
                self._patch.setenv("FLUX2BUILD_STORE", f"file://{self._place}/team-{tree}")
            order_from(self.servers[tree].base_url, self._patch)
            with chdir(self._place / tree):
                yield tree

    def edit(self, edit: Edit) -> None:
        """Edit both trees."""
        for _ in self.each():
            edit()

    def both(self, command: str) -> int:
        """Run a command in both trees, which has to say and to spend the same; return its exit code."""
        said = list[tuple[int, str, list[str], int]]()
        for tree in self.each():
            if tree == "cold":
                shutil.rmtree(".flux2build", ignore_errors=True)
            ran, server = self._site.run(*command.split(), "-p", "final"), self.servers[tree]
            texts = (_UNLIKE.sub("?", each) for each in (ran.out, ran.err))
            out, err = (each.replace(str(server.base_url), "?") for each in texts)
            said.append((ran.code, out, sorted(err.splitlines()), charges(server)))
        assert said[0] == said[1], command
        return said[0][0]

    def known(self, *names: str, force: str = "") -> bool:
        """Whether the next build needs to read no more than what was edited."""
        for tree in self.each():
            if tree == "warm":
                opened = Project.open(CommonOptions(profile="final"))
                project = joined(opened, lambda problems: pytest.fail(str(problems)))
                choice = Choice(names, force=tuple(force.split()))
                known = (whole := brief(project)) and narrowed(project, whole, choice)
                return bool(known and buildable(project, known))
        return False

    def locks(self) -> list[str]:
        """The lock of each tree."""
        paths = (self._place / tree / "assets.lock" for tree in _TREES)
        return [_UNLIKE.sub("?", path.read_text("utf-8")) for path in paths]


@pytest.fixture
def shops(
    site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shops]:
    """Two trees in which everything is bought."""
    site.draw("refs/desk.png")
    site.edit("assets.toml", "= 1024", "= 256")
    with site.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write('\n[budget]\nper_run = 0.5\n\n[asset.desk]\nprompt = "a desk"\n')
        spec.write('refs = ["refs/desk.png"]\n')
    with ExitStack() as stack:
        shops = Shops(site, tmp_path_factory.mktemp("trees"), stack, monkeypatch)
        assert shops.both("build --yes") == Exit.DONE
        yield shops


def test_what_is_ordered_after_an_edit(shops: Shops) -> None:
    """A build after an edit reads no more than that, and orders, says and locks what a cold one does."""
    for name, edit in [*_EDITS.items(), ("a prompt as before", _EDITS["a prompt"])]:
        shops.edit(edit)
        refused = name == "a rejected size"
        assert shops.known() is not refused, name
        code = shops.both("build --yes --json" if "size" in name else "build --yes")
        assert code == (Exit.USAGE if refused else Exit.DONE), name
        if refused:
            shops.edit(edit)
        assert shops.both("plan --exit-code") == Exit.DONE, name
        locks = shops.locks()
        assert locks[0] == locks[1], name


def test_consent_to_orders_after_an_edit(shops: Shops) -> None:
    """What is bought by a build that did not read the spec needs the consent that it always needs."""
    shops.edit(_EDITS["a prompt"])
    for terms in ("", "--max-cost 0.01"):
        assert shops.known()
        assert shops.both(f"build {terms}") == Exit.BUDGET
    assert shops.both("build --max-cost 0.2") == Exit.DONE
    shops.edit(replaced("assets.toml", "per_run = 0.5", "per_run = 0.02"))
    assert shops.both("build") == Exit.DONE
    shops.edit(replaced("assets.toml", "a ball", "a bull"))
    assert shops.known()
    assert shops.both("build --yes") == Exit.BUDGET


def test_an_order_in_doubt_after_an_edit(shops: Shops) -> None:
    """An order whose answer was lost is never sent again, whatever is edited then."""
    for server in shops.servers.values():
        scenario(server, {"stage": "submit", "prompt": "ball", "fault": "drop-after-read"})
    shops.edit(_EDITS["a prompt"])
    assert shops.known()
    assert shops.both("build --yes") == Exit.DECIDE
    for server in shops.servers.values():
        scenario(server)
    for edit in ("a template", "a prompt", "a prompt"):
        shops.both("build --yes")
        shops.edit(_EDITS[edit])
    locks = shops.locks()
    assert locks[0] == locks[1]


def test_names_and_a_team_after_an_edit(shops: Shops) -> None:
    """With a team's store, and for what names select, no more is read, asked and bought either."""
    shops.team = True
    for tree in shops.each():
        Path(f"../team-{tree}").mkdir()
    assert shops.both("build --yes") == Exit.DONE
    for edit in ("a prompt", "a template", "no master"):
        shops.edit(_EDITS[edit])
    for names in ("icon", "hero[theme=dark]", "icon+", "2+hero --exclude icon", "* --exclude hero"):
        shops.both(f"plan {names}")
        shops.both(f"check {names}")
    shops.both("plan hero[dark]")
    for name in ("icon", "hero"):
        shops.edit(_EDITS["a reference"])
        assert shops.both("build --yes --force desk") == Exit.DONE
        shops.edit(_EDITS["a prompt" if name == "icon" else "a template"])
        assert shops.known(name)
        assert shops.both(f"build {name} --yes") == Exit.DONE
    assert shops.known(force="desk")
    assert shops.both("build --force desk --yes") == Exit.DONE
    assert shops.both("build --yes") == shops.both("plan --exit-code") == Exit.DONE
    locks = shops.locks()
    assert locks[0] == locks[1]
