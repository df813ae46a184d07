"""Whatever lies where a file is expected, every command ends soon and says which file it is."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from flux2build.images import lettering
from flux2build.storage.disk import home
from tests.conftest import Site

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders")

SPEC: Final = """\
extends = ["base.toml"]
[project]
output = "img"
[vars]
locale = "pl"
[catalog]
path = "{locale}.po"
axis = "locale"
[defaults]
width = 64
height = 64
[asset.row]
prompt = "{{ row.sku }}"
rows = { file = "data.csv", key = "sku" }
[asset.page]
template = "page.j2"
[asset.word]
prompt = "{{ t('word') }}"
refs = ["ref.png"]
[asset.drawn]
source = "source.png"
deliver = [{ widths = [8], ops = [{ op = "text", text = "a", font = "font.ttf", size = 4 }] }]
"""
FONT: Final = Path(lettering.__file__ or "").parent / "fonts/NotoSans-Regular.ttf"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path may have about a hundred letters
        server.bind(path.name)
        os.chdir(here)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _endless(path: Path) -> None:
    path.touch()
    os.truncate(path, 201_400_000)  # more than any file may have


def _noise(path: Path) -> None:
    path.write_bytes(b"\xfe\x00\xff\x1b[2J\n" * 100)


DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
KINDS: Final[tuple[Callable[[Path], None], ...]] = (
    (_pipe, _socket, _device, Path.mkdir, _loop, _endless, _noise) if DEEP else (_pipe, _loop)
)
READ: Final = (
    *("assets.toml", "base.toml", "data.csv", "pl.po", "templates/page.j2"),
    *("ref.png", "source.png", "font.ttf"),
)
"""Every file that the spec names."""
OWN: Final = ("own.env", "config.toml", "cards.toml", "assets.lock")


@pytest.fixture
def reading(empty: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project that reads a file of every kind, and was built."""
    empty.write("assets.toml", SPEC)
    empty.write("base.toml", "[asset.base]\nprompt = 'x'\n")
    empty.write("data.csv", "sku\na\n")
    empty.write("pl.po", 'msgid "word"\nmsgstr "słowo"\n')
    empty.write("templates/page.j2", "a page")
    empty.write("own.env", "BFL_API_KEY=k\n")
    empty.write("config.toml", 'cards = "cards.toml"\n')
    empty.write("cards.toml", "")
    empty.draw("ref.png")
    empty.draw("source.png")
    shutil.copy(FONT, empty.folder / "font.ttf")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(empty.folder / "config.toml"))
    return empty


def _replaced(path: Path, kind: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    kind(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*READ, *OWN])
def test_what_is_read_is_named(reading: Site, name: str, kind: Callable[[Path], None]) -> None:
    """A file that cannot be read is an error with its name: of the spec, the lock or the settings."""
    assert reading.run("build", "--env-file", "own.env").code == 0
    _replaced(reading.folder / name, kind)

    for command in ("check", "plan", "build"):
        ran = reading.run(command, "--env-file", "own.env")
        assert ran.code in {1, 2, 3, 6}, ran
        assert Path(name).name in ran.out + ran.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["index", "ledger.jsonl", "claims", "store", "img/base.png"])
def test_what_is_ours_is_damage(reading: Site, name: str, kind: Callable[[Path], None]) -> None:
    """In place of our own files it is damage, or is made again; free pictures never need it."""
    assert reading.run("build").code == 0
    ours = {"index": reading.folder / ".flux2build/index", "img/base.png": reading.folder / name}
    path = ours.get(name, home() / name)
    shutil.rmtree(path, ignore_errors=True)
    _replaced(path, kind)

    for command in ("check", "plan", "orders list", "build"):
        assert reading.run(*command.split()).code in {0, 1, 2, 6}


@pytest.mark.parametrize("kind", KINDS)
def test_a_scenario_is_named(empty: Site, kind: Callable[[Path], None]) -> None:
    """So is the file of a simulator that never starts for it."""
    kind(empty.folder / "bad.toml")

    ran = empty.run("simulate", "--scenario", "bad.toml")

    assert (ran.code, "bad.toml" in ran.err) == (2, True)
