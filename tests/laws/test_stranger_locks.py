"""Whatever rows a stranger puts into the lock, only outputs of the spec are touched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import Final

import pytest

from flux2build.digest import of_bytes
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

SPEC: Final = """\
extends = ["more.toml"]
[project]
output = "out"
[profile.other]
output = "other"
[manifest]
typescript = "./src/assets.ts"
[asset.a]
prompt = "a bell"
refs = ["refs/desk.png", "out/kept.png"]
[asset.row]
rows = { file = "rows.csv", key = "name" }
template = "row.j2"
"""
TARGETS: Final = (
    ".git/HEAD",
    ".git/config",
    ".GIT/HEAD",
    ".git./HEAD",
    "sub/.git/HEAD",
    ".flux2build/index",
    "assets.toml",
    "ASSETS.TOML",
    "assets.toml.",
    "assets.toml ",
    "assets.lock",
    "more.toml",
    "rows.csv",
    "templates/row.j2",
    "templates/unused.png",
    "README.md",
    "refs/desk.png",
    "REFS/desk.png",
    "out/kept.png",
    "photos/héro.png",
    "photos/he\u0301ro.png",
    "photos/private.png",
    "../outside/secret.png",
    "/etc/hostname",
    "away/secret.png",
    "git/HEAD.png",
    "one.png",
    "desk-link/desk.png",
    "out/../refs/desk.png",
    "src/main.ts",
    "out//a.png",
    "C:/a.png",
    "con.png",
    "",
)
"""What a row may point at, in every spelling that some system takes for the same file."""


@pytest.fixture
def victim(empty: Site) -> Site:
    """A project of which git tracks all but one photo, built once."""
    folder, outside = empty.folder, empty.folder.parent / "outside"
    (folder / ".git").rmdir()
    subprocess.run(("git", "init", "-q", str(folder)), check=True)
    (folder / ".git" / "HEAD.png").write_bytes(b"of git")
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"secret")
    empty.write("assets.toml", SPEC)
    empty.write("more.toml", "[defaults]\nwidth = 64\nheight = 64\n")
    empty.write("rows.csv", "name\nred\n")
    empty.write("templates/row.j2", "a {{ name }} door")
    for name in (
        "templates/unused.png",
        "README.md",
        "photos/héro.png",
        "photos/private.png",
        "src/main.ts",
    ):
        empty.write(name, f"the bytes of {name}")
    empty.write("sub/.git/HEAD", "of a submodule")
    empty.write("draw.toml", '[project]\noutput = "refs"\n[asset.desk]\nprompt = "a desk"\n')
    assert empty.run("build", "-f", "draw.toml").code == 0
    (folder / "out").mkdir()
    shutil.copy(folder / "refs/desk.png", folder / "out/kept.png")
    for name in ("draw.toml", "draw.lock"):
        (folder / name).unlink()
    for name, target in (("away", "../outside"), ("git", ".git"), ("desk-link", "refs")):
        (folder / name).symlink_to(target)
    (folder / "one.png").symlink_to("refs/desk.png")
    assert empty.run("build").code == 0
    tracked = ("add", ".", ":!photos/private.png", ":!sub")
    subprocess.run(("git", *tracked), cwd=folder, check=True, capture_output=True)
    return empty


def everything(site: Site) -> dict[str, bytes | str]:
    """All files around a site, git's too, except what the spec's outputs and lock are."""
    base = site.folder.parent
    found: dict[str, bytes | str] = {}
    for path in base.rglob("*"):
        name = str(path.relative_to(base))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and "site/.flux2build" not in name:
            found[name] = path.read_bytes()
    for output in ("out/a.png", "out/row-red.png", "src/assets.ts", "assets.lock"):
        found.pop(f"site/{output}", None)
    return found


def claimed(site: Site, target: str, *, wanted: bool) -> str:
    """The lock in which a picture, wanted or not, is said to lie at a target."""
    project = Project.open(CommonOptions(file=str(site.folder / "assets.toml")))
    path = site.folder / target
    data = path.read_bytes() if target and path.is_file() else b"nothing"
    head, table, tail = project.lock_path.read_text("utf-8").partition(
        "[asset.a.default.generated]"
    )
    table += tail
    table = re.sub('output.path = ".*"', lambda _: f'output.path = "{target}"', table, count=1)
    table = re.sub('output.sha256 = ".*"', f'output.sha256 = "{of_bytes(data)}"', table, count=1)
    text = head + table
    return text if wanted else text.replace("[asset.a.", "[asset.gone.")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("wanted", [True, False], ids=["moved", "left over"])
def test_only_outputs_are_touched(victim: Site, *, wanted: bool) -> None:
    """No row makes `check`, `plan`, `build` or `prune` move, change or remove another file."""
    lock, before = victim.folder / "assets.lock", everything(victim)
    clean = lock.read_text("utf-8")
    for target in TARGETS:
        lock.write_text(clean, "utf-8")
        victim.run("build")
        lock.write_text(claimed(victim, target, wanted=wanted), "utf-8")
        if wanted:
            (victim.folder / "out/a.png").unlink()
        for words in (("check",), ("plan",), ("prune", "--yes"), ("build",), ("prune", "--yes")):
            ran = victim.run(*words)

            assert ran.code in {0, 1, 2}, (target, words, ran)
            assert everything(victim) == before, (target, words)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("folder", ['output = "new"', 'output = "out"\nmasters = "new"'])
def test_another_folder_takes_the_pictures_along(
    victim: Site, folder: str, *, tracked: bool
) -> None:
    """Nothing is drawn again; older files are removed if they are proved ours, and named if not."""
    older = victim.folder / "out/a.png"
    data = older.read_bytes()
    if not tracked:
        subprocess.run(("git", "rm", "-q", "-r", "--cached", "out"), cwd=victim.folder, check=True)
    victim.edit("assets.toml", 'output = "out"', folder)

    ran = victim.run("build")

    assert "2 restored" in ran.err
    assert victim.folder.joinpath("new/a.png").read_bytes() == data
    stays = tracked and "masters" not in folder  # the store proves it below a folder of outputs
    assert older.exists() is stays
    said = "`out/a.png` stays: git tracks it, and it may not be ours; `git rm -- 'out/a.png'`"
    assert (said in ran.err) is stays
    assert victim.folder.joinpath("out/kept.png").exists()


LISTEN: Final = """
import os, sys
from flux2build.cli.entry import main
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(os.path.realpath(str(args[0]))))
for words in ("check", "plan", "prune --yes", "build", "prune --yes"):
    main(words.split())
print("\\n".join(path for path in opened if path.endswith((sys.argv[1], "HEAD.png"))))
"""


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    "target", ["../outside/secret.png", "away/secret.png", "git/HEAD.png", "/outside/secret.png"]
)
def test_nothing_outside_is_read(victim: Site, target: str) -> None:
    """No row makes a command open a file out of the project or in git's folder."""
    (victim.folder / "assets.lock").write_text(claimed(victim, target, wanted=True), "utf-8")
    (victim.folder / "out/a.png").unlink()

    command = (sys.executable, "-c", LISTEN, "secret.png")
    ran = subprocess.run(command, check=True, capture_output=True, text=True)

    assert ran.stdout.splitlines()[-1:] in ([], [""]), ran.stdout
