"""`check`: tells the truth, offline, without writing, in every output format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from flux2build.digest import of_bytes
from tests.conftest import Ran, Site
from tests.golden import text

CLEAN = "Up to date (default): 12 files. Nothing to do.\n"


@pytest.fixture
def built(site: Site) -> Site:
    """The site with everything built."""
    assert site.run("build").code == 0
    return site


@pytest.fixture
def damaged(built: Site) -> Site:
    """A picture is missing, one was drawn over, a deliverable is missing."""
    built.folder.joinpath("img/mascot.png").unlink()
    built.folder.joinpath("img/hero-dark-32.webp").unlink()
    built.folder.joinpath("img/icon.png").write_bytes(b"drawn over by hand")
    return built


def codes(ran: Ran) -> list[tuple[str, str]]:
    """Code and file of every finding."""
    return [(f["code"], f["path"]) for f in json.loads(ran.out)["findings"]]


@pytest.mark.parametrize("form", ["full", "concise"])
def test_clean(built: Site, form: str) -> None:
    """Where everything is current it says so, with exit code 0."""
    ran = built.run("check", "--output-format", form)

    assert (ran.code, ran.out + ran.err) == (0, CLEAN)


def test_nothing_built(site: Site) -> None:
    """Before the first build everything is to be rendered; findings that say the same are printed once."""
    ran = site.run("check")

    assert (ran.code, ran.err) == (1, "")
    assert ran.out == text("""
        error: `mascot`: never rendered [never-rendered]
          --> assets.toml:19:8
           |
        19 | [asset.mascot]
           |        ^^^^^^
           = file: img/mascot.png
           hint: `flux2build build` renders it, free
        error: never rendered, waits for `mascot` [never-rendered]
          --> assets.toml:25:8
           |
        25 | [asset.hero]
           |        ^^^^
           = asset: hero[theme=light], hero[theme=dark]
           = file: img/hero-light.png, img/hero-dark.png
           hint: `flux2build build` renders it, free
        error: new deliverable [never-derived]
          --> assets.toml:30:14
           |
        30 | [[asset.hero.deliver]]
           |              ^^^^^^^
           = asset: hero[theme=light], hero[theme=dark]
           = file: img/hero-light-32.webp, img/hero-light-64.webp, img/hero-light-32.jpeg and 5 more
           hint: `flux2build build` derives it, free
        error: `icon`: never rendered [never-rendered]
          --> assets.toml:36:8
           |
        36 | [asset.icon]
           |        ^^^^
           = file: img/icon.png
           hint: `flux2build build` renders it, free
        12 errors in 12 files.
        """)


def test_damage(damaged: Site) -> None:
    """Missing and edited files are distinguished, each with the command that mends it."""
    ran = damaged.run("check")

    assert (ran.code, ran.err) == (1, "")
    assert ran.out == text("""
        error: `mascot`: the file is missing [output-missing]
          --> assets.toml:19:8
           |
        19 | [asset.mascot]
           |        ^^^^^^
           = file: img/mascot.png
           hint: `flux2build build` restores it, free
        error: `hero[theme=dark]`: the file is missing [output-missing]
          --> assets.toml:30:14
           |
        30 | [[asset.hero.deliver]]
           |              ^^^^^^^
           = file: img/hero-dark-32.webp
           hint: `flux2build build` derives it, free
        error: `icon`: the file was modified [output-modified]
          --> assets.toml:36:8
           |
        36 | [asset.icon]
           |        ^^^^
           = file: img/icon.png
           hint: `flux2build build` restores it, free
        3 errors in 12 files.
        """)


def test_hints_mend(damaged: Site) -> None:
    """What the hints say is enough."""
    damaged.run("build")

    assert damaged.run("check").out == CLEAN


def test_concise(damaged: Site) -> None:
    """One line each for grep; the count is talk."""
    ran = damaged.run("check", "--output-format", "concise")

    assert ran.out == text("""
        assets.toml:19:8: error output-missing: mascot: the file is missing
        assets.toml:30:14: error output-missing: hero[theme=dark]: the file is missing
        assets.toml:36:8: error output-modified: icon: the file was modified
        """)
    assert ran.err == "3 errors in 12 files.\n"


def test_concise_lines_name_files_from_here(damaged: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is found by an editor from the folder where the check was typed."""
    monkeypatch.chdir(damaged.folder.parent)
    spec = f"{damaged.folder.name}/assets.toml"
    ran = damaged.run("check", "-f", spec, "--output-format", "concise", "mascot")

    assert ran.out == f"{spec}:19:8: error output-missing: mascot: the file is missing\n"


def test_github(damaged: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations name files by their path in the repository, wherever the spec lies in it."""
    out = damaged.run("check", "--output-format", "github").out.splitlines()
    assert out[0] == (
        "::error title=flux2build output-missing,file=assets.toml,line=19,col=8"
        "::mascot: the file is missing%0A`flux2build build` restores it, free"
    )
    below = damaged.folder / "site"
    below.mkdir()
    for name in ("assets.toml", "templates", "img", "assets.lock"):
        damaged.folder.joinpath(name).rename(below / name)
    monkeypatch.chdir(below)

    again = damaged.run("check", "--output-format", "github").out.splitlines()

    assert [line.replace("file=site/", "file=") for line in again] == out
    assert "file=site/assets.toml" in again[0]


@pytest.mark.parametrize("words", [("--json",), ("--output-format", "json")])
def test_json(damaged: Site, words: tuple[str, ...]) -> None:
    """The documented JSON, one object for each finding."""
    value = json.loads(damaged.run("check", *words).out)

    assert value["format_version"] == "1.0"
    assert value["findings"][0] == {
        "code": "output-missing",
        "severity": "error",
        "asset": "mascot",
        "path": "img/mascot.png",
        "file": "assets.toml",
        "line": 19,
        "column": 8,
        "message": "the file is missing",
        "hint": "`flux2build build` restores it, free",
    }
    assert len(value["findings"]) == 3


def test_json_when_clean(built: Site) -> None:
    """Without findings the list is empty."""
    assert json.loads(built.run("check", "--json").out) == {"format_version": "1.0", "findings": []}


def test_changed_inputs(built: Site) -> None:
    """A changed prompt, reference, template and row of data are each reported where they are used."""
    built.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a gong"')
    built.edit("templates/hero.j2", "at a desk", "in a train")

    findings = codes(built.run("check", "--json"))

    assert [path for code, path in findings if code == "prompt-changed"] == [
        "img/hero-light.png",
        "img/hero-dark.png",
        "img/icon.png",
    ]
    assert {code for code, _ in findings} == {"prompt-changed", "upstream-pending"}


def test_orphans(built: Site) -> None:
    """What the spec no longer wants is reported, and the hint names the command that removes it."""
    built.edit("assets.toml", '[asset.icon]\nprompt = "a bell"\n', "")
    ran = built.run("check")

    assert (ran.code, ran.out) == (
        1,
        text("""
        error: `icon`: the spec no longer wants this output [orphan]
          = file: img/icon.png
          hint: `flux2build prune` shows what is left over, and what `--yes` would remove
        1 error in 11 files.
        """),
    )


def test_selected(damaged: Site) -> None:
    """A selection is checked with everything it is made of, and nothing else."""
    assert codes(damaged.run("check", "icon", "--json")) == [("output-modified", "img/icon.png")]
    assert damaged.run("check", "icon").out.endswith("1 error in 1 file.\n")
    dark = codes(damaged.run("check", "hero[theme=light]", "--json"))
    assert dark == [("output-missing", "img/mascot.png")]


def conflict(site: Site) -> None:
    """Leave the markers of a merge in the lock."""
    lock = site.folder / "assets.lock"
    lines = lock.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith("output.sha256"))
    other = lines[at].replace("sha256:", "sha256:0")[:-3] + '"\n'
    lines[at : at + 1] = ["<<<<<<< HEAD\n", lines[at], "=======\n", other, ">>>>>>> theirs\n"]
    lock.write_text("".join(lines))


def test_conflicts_in_the_lock(built: Site) -> None:
    """Conflict markers are drift, whatever the last answer was, and a build reconciles them."""
    assert built.run("plan").out == built.run("check").out == CLEAN
    conflict(built)

    for words in (("check",), ("plan",), ("check",), ("check", "mascot")):
        ran = built.run(*words)
        assert "merge conflicts" in ran.out + ran.err
        assert ran.code == (words[0] == "check")
    assert built.run("plan", "--exit-code").code == 1
    ran = built.run("build")
    assert ran.err == f"reconciled both sides of assets.lock\n{CLEAN}"
    assert built.run("check").out == CLEAN


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        (
            "version = 1",
            "version = 9",
            "lock-newer",
            "`assets.lock` has version 9, this flux2build reads version 1",
        ),
        ("version = 1", "", "lock-damaged", "`assets.lock` is damaged: it does not say its `version`"),
        ("take = 1", "take = ", "lock-damaged", "`assets.lock` is damaged: there is no value"),
        ("take = 1", 'take = "x"', "lock-damaged", "`generated.take` of `hero[theme=dark]` is not a whole number from 0 up"),
    ],
)  # fmt: skip
def test_unusable_locks(built: Site, old: str, new: str, code: str, message: str) -> None:
    """A newer and a damaged lock are distinguished, placed, and never rebuilt over."""
    lock = built.folder / "assets.lock"
    changed = lock.read_text().replace(old, new, 1)
    lock.write_text(changed)

    ran, machine = built.run("check"), json.loads(built.run("check", "--json").out)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}\n")
    assert " --> assets.lock:" in ran.err
    assert [(f["code"], f["message"]) for f in machine["findings"]] == [(code, message)]
    assert machine["findings"][0]["file"] == "assets.lock"
    assert built.run("build").code == 2
    assert lock.read_text() == changed


def test_stale_locks(built: Site) -> None:
    """A lock of an older commit is drift like any other, file by file."""
    old = built.folder.joinpath("assets.lock").read_text()
    built.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a gong"')
    built.run("build")
    built.folder.joinpath("assets.lock").write_text(old)

    assert codes(built.run("check", "--json")) == [("prompt-changed", "img/icon.png")]


def pointer(path: Path) -> None:
    """Put a Git LFS pointer in a file's place, as a clone without LFS does."""
    data = path.read_bytes()
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid {of_bytes(data)}\nsize {len(data)}\n"
    )


def test_pointers(built: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone in which Git LFS fetched nothing is not taken for edited files, and buys nothing."""
    monkeypatch.setenv("FLUX2BUILD_HOME", str(built.folder.parent / "elsewhere"))
    pointer(built.folder / "img/mascot.png")
    pointer(built.folder / "img/hero-dark-32.webp")

    ran = built.run("check", "mascot")
    assert ran.out == text("""
        error: `mascot`: a Git LFS pointer stands in for the file [output-pointer]
          --> assets.toml:19:8
           |
        19 | [asset.mascot]
           |        ^^^^^^
           = file: img/mascot.png
           hint: `git lfs pull` fetches it
        1 error in 1 file.
        """)
    assert codes(built.run("check", "--json")) == [
        ("output-pointer", "img/mascot.png"),
        ("output-pointer", "img/hero-dark-32.webp"),
    ]
    ran = built.run("build", "mascot")
    assert (ran.code, ran.err) == (
        6,
        text("""
        error: `mascot`: `img/mascot.png` is a Git LFS pointer; its picture was paid for already
          hint: `git lfs pull` fetches it
        Built: 1 failed, 0 up to date.
        """),
    )


def test_references_behind_pointers(site: Site) -> None:
    """A reference that Git LFS has not fetched counts as what its pointer says, until it is needed."""
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a bell"\nrefs = ["ref.png"]')
    Image.new("RGB", (8, 8), "teal").save(site.folder / "ref.png")
    site.run("build")
    pointer(site.folder / "ref.png")

    assert site.run("check").out == CLEAN
    site.edit("assets.toml", 'prompt = "a bell"', 'prompt = "a gong"')
    ran = site.run("build")
    assert (ran.code, ran.err.splitlines()[:2]) == (
        2,
        ["error: `ref.png` is a Git LFS pointer, not a picture", "  --> assets.toml:38:9"],
    )


def test_paths_of_strangers(built: Site) -> None:
    """A lock that claims files elsewhere makes nobody read, move or remove them."""
    outside = built.folder.parent / "precious.txt"
    outside.write_bytes(b"mine")
    lock = built.folder / "assets.lock"
    text_of = lock.read_text().replace('"img/icon.png"', '"../precious.txt"')
    sha = of_bytes(built.folder.joinpath("img/icon.png").read_bytes())
    lock.write_text(text_of.replace(sha, of_bytes(b"mine")))

    built.run("check")
    built.run("build")
    built.edit("assets.toml", '[asset.icon]\nprompt = "a bell"\n', "")
    built.run("prune", "--yes")

    assert outside.read_bytes() == b"mine"


TRACE = """
import os, sys
from flux2build.cli.entry import main
seen = []
def hook(event, args):
    if APART and APART in str(args):
        return
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
        seen.append((event, str(args[0])))
    elif event.split(".")[0] in ("socket", "subprocess", "shutil", "tempfile") or event in WRITES:
        seen.append((event, str(args)))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WRITES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
          "os.truncate", "os.utime", "os.chown", "os.system", "os.exec", "os.fork", "os.posix_spawn"}
APART, *CALLS = sys.argv[1:]
sys.dont_write_bytecode = True
sys.addaudithook(hook)
codes = {main(words.split()) for words in CALLS}
sys.stderr.write(f"{codes} {seen}")
"""


def traced(*calls: str, apart: str = "") -> str:
    """What calls came to, and all they wrote, sent or started, apart from what has a text in its name."""
    words = [sys.executable, "-c", TRACE, apart, *calls]
    return subprocess.run(words, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("state", ["clean", "drift", "never built", "in conflict"])
def test_reads_only(site: Site, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` opens no socket and writes no file: not beside the spec, not in the user's folders.

    It only remembers, in flux2build's own folder, that a tree is clean.
    """
    if state != "never built":
        site.run("build")
    if state == "drift":
        site.folder.joinpath("img/icon.png").write_bytes(b"drawn over by hand")
        site.edit("assets.toml", "a friendly fox", "a friendly red fox")
    if state == "in conflict":
        conflict(site)
    monkeypatch.setenv("FLUX2BUILD_HOME", str(site.folder.parent / "no such home"))

    memory = _memory(site)
    calls = ("check", "check --json", "check mascot", "check --output-format github")
    output = traced(*calls, apart=".flux2build")

    assert output.endswith(f"{{{int(state != 'clean')}}} []"), output
    assert state == "clean" or _memory(site) == memory


def _memory(site: Site) -> dict[str, bytes]:
    """What flux2build's own folder holds."""
    return {path.name: path.read_bytes() for path in site.folder.glob(".flux2build/*")}


def test_the_trace_would_tell(site: Site) -> None:
    """The same trace of a build shows its effects, so an empty one means something."""
    output = traced("build -q icon")

    assert "'os.rename'" in output
    assert "assets.lock" in output
    assert str(site.folder / ".flux2build") in output
