"""Commands that look at pictures, or bring one back, take what this machine lacks from the team's store."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from flux2build.cli.entry import main
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from tests.conftest import Site
from tests.laws.situations import HEAD
from tests.repositories import NEEDS_GIT, begin, commit, git
from tests.simulated import order_from, serving

pytestmark = NEEDS_GIT

SPEC: Final = f'{HEAD}[asset.fox]\nprompt = "a fox"\ncandidates = 2\n'
LOOKING: Final[dict[str, tuple[str, ...]]] = {
    "candidates": ("candidates", "--json"),
    "diff": ("diff", "--since", "HEAD~", "--json"),
    "report": ("report", "--since", "HEAD~", "--format", "html"),
}
"""Commands that only look."""
BRINGING: Final[dict[str, tuple[str, ...]]] = {
    "pick": ("pick", "fox", "2"),
    "rollback": ("rollback", "fox", "1"),
    "restore": ("restore", "{digest}", "img/fox.png"),
}
"""Commands that put a picture into its place."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and the machine that has bought two versions of a picture and committed its lock."""
    folder = tmp_path_factory.mktemp("built")
    folder.joinpath("store").mkdir()
    (tree := folder / "one").mkdir()
    begin(tree)
    tree.joinpath(".gitignore").write_text("img/\n.flux2build/\n")
    with pytest.MonkeyPatch.context() as settings, serving() as server:
        order_from(server.base_url, settings)
        settings.chdir(tree)
        settings.setenv("FLUX2BUILD_HOME", str(folder / "home-one"))
        settings.setenv("FLUX2BUILD_STORE", folder.joinpath("store").as_uri())
        for prompt in ("a fox", "a red fox"):
            tree.joinpath("assets.toml").write_text(SPEC.replace("a fox", prompt), "utf-8")
            assert main(["build", "--yes"]) == Exit.DECIDE
            assert main(["pick", "fox", "1"]) == Exit.DONE
            commit(tree)
    return folder


class Desk:
    """A clone with an empty home, beside the machine that it came from."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.store, self.one, self.site = folder / "store", folder / "one", site

    def run(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        """Run a command in the clone; `{digest}` is that of the first picture."""
        digest = self.first.removeprefix("sha256:")[:12]
        ran = self.site.run(*(word.format(digest=digest) for word in words))
        return ran.code, ran.out, ran.err

    def run_where_it_came_from(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        """Run a command on the machine that has everything."""
        with pytest.MonkeyPatch.context() as there:
            there.chdir(self.one)
            there.setenv("FLUX2BUILD_HOME", str(self.one.with_name("home-one")))
            return self.run(words)

    @property
    def first(self) -> str:
        """The first picture that shipped."""
        ran = self.site.run("history", "fox", "--json")
        return str(json.loads(ran.out)["pictures"][0]["sha256"])

    def pictures(self) -> set[str]:
        """The digests of what the clone's outputs and home hold."""
        outputs = [data for name, data in self.site.files().items() if name.startswith("img")]
        return {of_bytes(data) for data in outputs}


@pytest.fixture
def desk(
    built: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """A clone of that machine's project, which shares its store."""
    shutil.copytree(built, tmp_path / "team")
    folder = tmp_path / "team"
    git(folder, "clone", "-q", "one", "other")
    for name, value in (("user.name", "A"), ("user.email", "a@example.com")):
        git(folder / "other", "config", name, value)
    monkeypatch.chdir(folder / "other")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(folder / "home-other"))
    monkeypatch.setenv("FLUX2BUILD_STORE", folder.joinpath("store").as_uri())
    return Desk(folder, Site(folder / "other", capsys))


@pytest.mark.parametrize("words", LOOKING.values(), ids=LOOKING)
def test_looking(desk: Desk, words: tuple[str, ...]) -> None:
    """A clone with an empty home sees what the machine sees that has everything."""
    code, out, err = desk.run(words)
    expected = desk.run_where_it_came_from(words)

    assert code == expected[0], err
    assert shown(out) == shown(expected[1])


def shown(out: str) -> str | list[str]:
    """What was printed; of a page, only its pictures."""
    return re.findall(r"data:image[^\"]*", out) or out


@pytest.mark.parametrize("words", BRINGING.values(), ids=BRINGING)
def test_bringing(desk: Desk, words: tuple[str, ...]) -> None:
    """A picture that only the team's store has is put into its place."""
    code, _, err = desk.run(words)

    assert code == Exit.DONE, err
    wanted = json.loads(desk.site.run("candidates", "--json").out)["candidates"][1]["sha256"]
    assert desk.pictures() == {wanted if words[0] == "pick" else desk.first}


def test_history(desk: Desk) -> None:
    """It says what the team's store has; it asks for no picture, and knows a missing one."""
    (desk.store / "cas" / desk.first.removeprefix("sha256:")).unlink()

    shown = json.loads(desk.site.run("history", "fox", "--json").out)["pictures"]

    assert [each["where"] for each in shown] == [None, "the team's store"]
    assert "nobody has them here" in desk.site.run("history", "fox").out


@pytest.mark.parametrize("words", (LOOKING | BRINGING).values(), ids=LOOKING | BRINGING)
def test_wrong_bytes(desk: Desk, words: tuple[str, ...]) -> None:
    """Wrong bytes are said and never shown or put anywhere; what only looks goes on without them."""
    for path in desk.store.glob("cas/*"):
        path.chmod(0o600)
        path.write_bytes(b"wrong")

    code, out, err = desk.run(words)

    assert "the team's store has other bytes" in err
    assert code == (Exit.DONE if words in LOOKING.values() else Exit.SYSTEM)
    assert not desk.pictures()
    assert "image/webp" not in out


@pytest.mark.parametrize("words", (LOOKING | BRINGING).values(), ids=LOOKING | BRINGING)
def test_a_store_that_is_down(desk: Desk, words: tuple[str, ...]) -> None:
    """A store that is down is reported once, and the command goes on with what this machine has."""
    words = tuple(word.format(digest=desk.first.removeprefix("sha256:")) for word in words)
    desk.store.rename(desk.store.with_name("gone"))
    with pytest.MonkeyPatch.context() as without:
        without.delenv("FLUX2BUILD_STORE")
        alone = desk.run(words)

    code, out, err = desk.run(words)

    assert (code, out) == alone[:2]
    assert err.count("warning: the team's store is not there") == 1
