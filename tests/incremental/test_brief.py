"""A plan in brief says what a reading of everything says, or there is none."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flux2build.digest import of_bytes
from flux2build.errors import UsageError
from flux2build.incremental.brief import brief, narrowed
from flux2build.incremental.brief_build import buildable
from flux2build.lockfile import dumps, loads
from flux2build.planning.plan import Plan
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

REFERENCES: Final = """
[asset.desk]
prompt = "a desk by a window"
refs = ["refs/desk.png", { asset = "icon" }]

[[asset.desk.deliver]]
path = "desk.webp"

[asset.photo]
source = "refs/photo.png"

[[asset.photo.deliver]]
path = "photo-{{ width }}.webp"
widths = [4, 8]

[manifest]
path = "pictures.json"
"""
FILES: Final = [
    "refs/desk.png",
    "refs/photo.png",
    "img/icon.png",
    "img/mascot.png",
    "img/desk.png",
    "img/desk.webp",
    "img/photo-8.webp",
    "img/hero-dark-32.webp",
    "img/pictures.json",
    "assets.toml",
    "assets.lock",
    "templates/hero.j2",
    ".flux2build/baseline",
    ".flux2build/index",
]


@pytest.fixture
def built(site: Site) -> Site:
    """A project with references, files of photos and a manifest, in which nothing is to be done."""
    site.draw("refs/desk.png", "teal")
    site.draw("refs/photo.png", "red")
    with site.folder.joinpath("assets.toml").open("a", encoding="utf-8") as spec:
        spec.write(REFERENCES)
    assert site.run("build").code == 0
    assert Path(".flux2build/baseline").is_file()
    return site


def swapped(path: Path) -> None:
    """Write as many other bytes, and put the time back: only the inode's change shows it."""
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def drawn(path: Path) -> None:
    """Another picture of the same size, or another text."""
    other = Path("refs/photo.png" if path.name == "desk.png" else "refs/desk.png")
    path.write_bytes(other.read_bytes() if path.suffix == ".png" else path.read_bytes() + b"\n")


def linked(path: Path) -> None:
    """A link to the same bytes outside of the project."""
    beyond = Path("..", path.name)
    beyond.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(beyond.absolute())


def hollowed(path: Path) -> None:
    """A folder in the place of a file."""
    path.unlink()
    path.mkdir()


EDITS: Final[dict[str, Callable[[Path], object]]] = {
    "touch": lambda path: path.touch(),
    "remove": lambda path: path.unlink(missing_ok=True),
    "damage": lambda path: path.write_bytes(path.read_bytes()[:-7] + b"damaged"),
    "swap": swapped,
    "draw": drawn,
    "link": linked,
    "hollow": hollowed,
    "rewrite": lambda path: path.write_bytes(path.read_bytes()),
}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(FILES), st.sampled_from([*EDITS])), max_size=3))
@example([("refs/desk.png", "remove"), ("assets.lock", "hollow")])
@example([("img/desk.png", "link"), (".flux2build/index", "touch"), ("img/photo-8.webp", "damage")])
def test_a_plan_in_brief_is_the_plan(built: Site, edits: list[tuple[str, str]]) -> None:
    """Whatever becomes of any file, what is printed in brief is what is printed without an index."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    try:
        for name, how in edits:
            if (path := Path(name)).is_file():
                EDITS[how](path)
        expected = _cold(built)
        assert [_said(built), _said(built)] == [expected, expected]
    finally:
        for path in {*before, *Path().rglob("*")}:
            if path in before and path.is_dir():
                path.rmdir()
            if path not in before and not path.is_dir():
                path.unlink()
            elif path in before and (path.is_symlink() or _bytes(path) != before[path]):
                path.unlink(missing_ok=True)
                path.write_bytes(before[path])


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _said(site: Site) -> tuple[int, str, str]:
    ran = site.run("plan")
    return ran.code, ran.out, ran.err


def _cold(site: Site) -> tuple[int, str, str]:
    """What a plan says of a tree without what flux2build knows of it."""
    own = [path for path in Path(".flux2build").iterdir() if path.is_file()]
    own.remove(Path(".flux2build/.gitignore"))
    before = {path: path.read_bytes() for path in own}
    for path in own:
        path.unlink()
    said = _said(site)
    for path, data in before.items():
        path.write_bytes(data)
    return said


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("name", "edit"),
    [("assets.toml", "damage"), ("assets.lock", "damage"), ("assets.lock", "draw")],
)
def test_more_than_pictures_is_read(name: str, edit: str) -> None:
    """Where anything differs that the recipes or the lock come from, nothing is told in brief."""
    Path("img/icon.png").unlink()
    EDITS[edit](Path(name))

    assert brief(Project.open(CommonOptions())) is None


@pytest.mark.parametrize("name", ["refs/desk.png", "refs/photo.png", "img/pictures.json"])
def test_what_is_no_picture_is_read(built: Site, name: str) -> None:
    """A source that is none any more, and a document, are told about in full."""
    Path("img/icon.png").unlink()
    path = Path(name)
    path.unlink() if path.suffix == ".png" else path.write_text("{}")

    expected = _cold(built)

    assert _said(built) == expected


def test_another_configuration_is_another_call(
    built: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another configuration, home or environment, nothing is known of the spec."""
    Path("img/icon.png").unlink()
    assert brief(Project.open(CommonOptions())) is not None
    for name in ("FLUX2BUILD_CONFIG", "FLUX2BUILD_HOME"):
        with monkeypatch.context() as patched:
            patched.setenv(name, str(tmp_path / "other"))
            assert brief(Project.open(CommonOptions())) is None
    assert brief(Project.open(CommonOptions(profile="final"))) is None
    assert built.run("plan").code == 0


@pytest.mark.parametrize("what", ["a file", "a link"])
def test_folders_of_outputs_are_looked_at(built: Site, what: str) -> None:
    """Where the folder of outputs is none any more, a plan in brief says so, too."""
    Path("img").rename("../elsewhere")
    if what == "a file":
        Path("img").write_bytes(b"")
    else:
        Path("../elsewhere/icon.png").write_bytes(b"")
        Path("img").symlink_to(Path("../elsewhere").absolute())

    expected = _cold(built)

    assert expected[0] == 2
    assert _said(built) == expected


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", ["refs/desk.png", "img/icon.png", "img/photo-8.webp"])
def test_a_picture_needs_no_spec(name: str) -> None:
    """Where a picture has changed, the plan is there without the spec being read."""
    drawn(Path(name)) if name.startswith("refs") else Path(name).unlink()
    project = Project.open(CommonOptions())

    known = brief(project)

    assert known is not None
    plan = known.plan
    assert "spec" not in vars(project)
    whole = project.plan()
    judged = [step.recipe.output for step in plan.steps]
    assert plan.steps == tuple(s for s in whole.steps if s.recipe.output in judged)
    assert (plan.todo, plan.counts, plan.orders) == (whole.todo, whole.counts, whole.orders)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("words", "exclude", "force"),
    [
        ("hero[theme=dark] photo", "", ""),
        ("path:img/hero*", "tag:brand", ""),
        ("state:missing", "", "hero"),
        ("refs/desk.png assets.toml", "model:sketch", ""),
        ("", "reason:output-missing", "state:missing"),
    ],
)
def test_a_selection_needs_no_spec(words: str, exclude: str, force: str) -> None:
    """What a choice selects is known from the baseline, as is that there is no such thing."""
    Path("img/icon.png").unlink()
    project = Project.open(CommonOptions())
    choice = Choice(tuple(words.split()), tuple(exclude.split()), tuple(force.split()))
    known = brief(project)
    assert known is not None

    assert narrowed(project, known, choice) is not None
    assert "spec" not in vars(project)


@pytest.mark.usefixtures("built")
def test_names_that_do_not_exist_need_no_spec() -> None:
    """What a choice names in vain is known from the baseline, too."""
    project = Project.open(CommonOptions())
    known = brief(project)
    assert known is not None
    with pytest.raises(UsageError) as refused:
        narrowed(project, known, Choice(("icn", "state:due")))

    assert refused.value.problems[0].hint == "did you mean `icon`?"
    assert "spec" not in vars(project)


def test_an_asset_with_candidates_needs_no_other(site: Site) -> None:
    """After an edit of a picture with candidates, it alone is read, and can be built."""
    spec = Path("assets.toml")
    spec.write_text(spec.read_text("utf-8") + '\n[asset.lamp]\nprompt = "a lamp"\ncandidates = 2\n')
    assert site.run("build").code == 0
    site.edit("assets.toml", '"a lamp"', '"the lamp"')
    project = Project.open(CommonOptions())
    known = brief(project)

    assert known is not None
    assert buildable(project, known)
    assert ([*known.assets], len(known.plan.todo)) == (["lamp"], 3)


ICON: Final = r"\[asset\.icon\..*?(?=\[asset\.mascot)"
"""The block of an asset in a lock; that of another one follows."""
LOCKS: Final[dict[str, tuple[str, str, bool]]] = {
    "a block less": (ICON, "", False),
    "blocks in another order": (rf"({ICON})(.*?)(?=\[asset\.photo)", r"\2\1", False),
    "a block twice": (f"({ICON})", r"\1\1", False),
    "a block of nothing that is wanted": (f"({ICON})", r"\1[asset.kite.default]\n", False),
    "another profile": (r"asset\.icon\.default", "asset.icon.draft", False),
    "other words": (r"(icon\.default\]\nmeta = .sha256:)....", r"\g<1>0000", False),
    "another request": (r"(icon.*?\nkey = .sha256:)....", r"\g<1>0000", True),
    "another prompt": (r"a bell", "a ball", True),
    "other bytes": (r"(icon.*?sha256 = .sha256:)....", r"\g<1>0000", True),
    "a file of another": (r"img/icon\.png", "img/mascot.png", False),
    "a file of nobody": (r"img/icon\.png", "img/none.png", False),
    "a derived file of another": (r"img/desk\.webp", "img/photo-8.webp", False),
    "more space": (f"({ICON})", r"\1\n", False),
    "a broken block": (r"a bell", 'a "bell', False),
    "a key that is new": (r"(icon.*?\nkey = )", r"new = 1\n\g<1>", False),
    "a comment": (r"(\[asset\.icon\.default\])", r"\1\n# of it", False),
}
"""What becomes of the text of a lock, and whether it takes no reading of the spec to know what follows."""


@pytest.mark.usefixtures("built")
def test_another_lock_beside_the_same_spec() -> None:
    """Whatever a merge or a hand makes of the lock, a plan in brief is the plan, or there is none."""
    path = Path("assets.lock")
    before = path.read_bytes()
    for name, (old, new, alone) in LOCKS.items():
        text, count = re.subn(old, new, before.decode(), count=1, flags=re.DOTALL)
        assert count == 1, name
        path.write_text(text)
        project = Project.open(CommonOptions())
        known = brief(project)
        assert known is not None or not alone, name
        if known is not None:
            assert _telling(known.plan) == _telling(project.plan()), name
            assert dumps(loads(text, path.name)) == text, name
        path.write_bytes(before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(r"(draft\]\n.*?)a bell", r"\1a ball", id="a block of another profile"),
        pytest.param(r"img/icon\.png", "img/elsewhere.png", id="a file that nothing is known of"),
    ],
)
def test_a_block_that_concerns_more_is_not_read_alone(empty: Site, old: str, new: str) -> None:
    """What a block of another profile, or with a file that was never looked at, changes is said as cold."""
    spec = '[project]\nname = "k"\noutput = "img"\n[profile.draft]\noutput = "draft"\nwidth = 64\n'
    empty.write("assets.toml", f'{spec}[asset.icon]\nprompt = "a bell"\n')
    assert [empty.run(*words.split()).code for words in ("build -p draft", "build")] == [0, 0]
    shutil.rmtree(Path(os.environ["FLUX2BUILD_HOME"], "store"))
    shutil.move("img/icon.png", "img/elsewhere.png")
    path = Path("assets.lock")
    text, count = re.subn(old, new, path.read_text("utf-8"), count=1, flags=re.DOTALL)
    assert count == 1
    path.write_text(text, "utf-8")
    project = Project.open(CommonOptions())
    known = brief(project)

    assert known is None or _telling(known.plan) == _telling(project.plan())


def test_what_can_be_derived_again_is_not_kept(site: Site) -> None:
    """A build of what was not up to date before keeps no derived file that it replaces, as a cold one does not."""
    assert site.run("build").code == 0
    before = of_bytes(Path("img/hero-dark-32.webp").read_bytes())
    site.edit("templates/hero.j2", "desk", "window")
    shutil.rmtree(".flux2build")
    assert site.run("plan").code == 0
    assert site.run("build").code == 0

    assert before != of_bytes(Path("img/hero-dark-32.webp").read_bytes())
    assert not Project.open(CommonOptions()).store.has(before)


def _telling(plan: Plan) -> tuple[object, ...]:
    """What a plan says of files that are not simply kept, and how many are."""
    steps = [step for step in plan.steps if step.drift or step.verdict.reasons]
    return steps, plan.counts, plan.orphans


@pytest.mark.parametrize("command", ["approve icon", "hold desk", "pick lamp 2", "prune --yes"])
def test_a_decision_needs_no_spec(site: Site, command: str) -> None:
    """After a command that changes the lock, the blocks that differ are read, and no spec is."""
    spec = Path("assets.toml")
    lamp = '\n[asset.lamp]\nprompt = "a lamp"\ncandidates = 2\n'
    spec.write_text(f'{spec.read_text("utf-8")}{lamp}\n[asset.desk]\nprompt = "a desk"\n')
    assert site.run("build").code == 0
    if command.startswith("prune"):
        site.edit("assets.toml", lamp, "")
        assert site.run("build").code == 0
    assert site.run(*command.split()).code == 0
    project = Project.open(CommonOptions())
    known = brief(project)

    assert known is not None
    assert "spec" not in vars(project)
    assert (known.plan.todo, known.plan.orphans) == ((), project.plan().orphans)
