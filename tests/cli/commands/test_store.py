"""`flux2build store`: the store that a team shares."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from flux2build import digest
from flux2build.cli import parser
from flux2build.errors import Exit
from flux2build.extras import pip_install
from flux2build.sharing.keys import Space, key_of
from tests.conftest import Ran, Site
from tests.laws.situations import HEAD
from tests.simulated import order_from, serving


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a store that a process serves."""
    command = [sys.executable, "-m", "flux2build", "store", "serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process it listens before it speaks, and wants the token that its environment has."""
    monkeypatch.setenv("FLUX2BUILD_STORE_TOKEN", "t0ken")
    with served(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
        path, headers = f"{url}/claims/{'1' * 64}", {"authorization": "Bearer t0ken"}
        assert httpx.put(path, content=b"claimed", trust_env=False).status_code == 401
        assert httpx.put(path, content=b"claimed", headers=headers, trust_env=False).is_success
    assert (tmp_path / "claims" / ("1" * 64)).read_bytes() == b"claimed"


def test_serve_to_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a token nobody but this machine is served."""
    assert parser.run(["store", "serve", str(tmp_path), "--host", "0.0.0.0"]) == Exit.USAGE
    assert "export FLUX2BUILD_STORE_TOKEN=" in capsys.readouterr().err


def test_serve_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is not created: its disk may not be mounted."""
    folder = tmp_path / "none"

    assert parser.run(["store", "serve", str(folder)]) == Exit.SYSTEM
    assert f"mkdir -p {folder}" in capsys.readouterr().err
    assert not folder.exists()


def test_serve_without_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain installation says what to install."""
    monkeypatch.delitem(sys.modules, "flux2build.sharing.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    assert parser.run(["store", "serve", str(tmp_path)]) == Exit.USAGE
    assert pip_install("team") in capsys.readouterr().err


SPEC: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox.webp"
"""
FILES: Final = 2


class Team:
    """A store, and a machine that has bought everything before it joined the team."""

    def __init__(self, site: Site, store: Path, settings: pytest.MonkeyPatch) -> None:
        self.site, self.store, self.settings = site, store, settings
        self.master = digest.of_bytes((site.folder / "img/fox.png").read_bytes())

    def run(self, *words: str) -> Ran:
        """Run a command of `store` on the machine."""
        return self.site.run("store", *words)

    def documents(self, *words: str) -> dict[str, Any]:
        """What a command prints as JSON."""
        document: dict[str, Any] = json.loads(self.run(*words, "--json").out)
        return document

    def move(self, home: str) -> None:
        """Go on as another machine, which has the same clone and nothing else."""
        self.settings.setenv("FLUX2BUILD_HOME", str(self.store.parent / home))
        for path in (self.site.folder / "img").iterdir():
            path.unlink()

    def at(self, key: str) -> Path:
        """Where a value lies."""
        return self.store / key

    @property
    def bytes(self) -> Path:
        """Where the bytes of the picture that was bought lie."""
        return self.at(key_of(Space.BYTES, self.master))


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """The provider."""
    with serving() as control:
        yield control


@pytest.fixture
def team(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    server: httpx.Client,
) -> Team:
    """A team with an empty store."""
    order_from(server.base_url, monkeypatch)
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "home"))
    site = Site(tmp_path / "site", capsys)
    site.write("assets.toml", SPEC)
    monkeypatch.chdir(site.folder)
    assert site.run("build", "--yes").code == Exit.DONE
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("FLUX2BUILD_STORE", (tmp_path / "store").as_uri())
    return Team(site, tmp_path / "store", monkeypatch)


def test_push_and_pull(team: Team) -> None:
    """What one machine pushes another one pulls, and its builds then need no store and no money."""
    pushed, again = team.run("push"), team.run("push")
    pictures = team.site.files()
    team.move("other")
    pulled = team.run("pull")
    team.settings.delenv("FLUX2BUILD_STORE")
    team.settings.delenv("BFL_API_KEY")
    built = team.site.run("build")

    assert "shared 2 files and 1 receipt" in pushed.err
    assert "shared 0 files, 0.0 MB" in again.err
    assert "fetched 2 files" in pulled.err
    assert (pushed.code, pulled.code, built.code) == (Exit.DONE, Exit.DONE, Exit.DONE)
    assert team.site.files() == pictures


def test_another_picture(team: Team) -> None:
    """The receipt that the team has stays, and a lock with another picture is named."""
    team.run("push")
    (receipt,) = (team.store / "orders").iterdir()
    text = receipt.read_text()
    changed = text.replace(f'"output":"{team.master}"', f'"output":"{digest.of_bytes(b"other")}"')
    receipt.write_text(changed)

    assert team.documents("push")["other"] == ["img/fox.png"]
    assert "the team has another picture: img/fox.png" in team.run("push").out
    assert receipt.read_text() == changed != text


def test_push_replaces_a_damaged_receipt(team: Team) -> None:
    """What cannot be read is replaced by the lock's receipt; what a newer flux2build wrote stays."""
    team.run("push")
    (receipt,) = (team.store / "orders").iterdir()
    right = receipt.read_text()
    receipt.write_text(right[:40])
    mended = team.run("push")

    assert "shared 0 files and 1 receipt" in mended.err
    assert (mended.code, receipt.read_text()) == (Exit.DONE, right)

    newer = right.replace('"version":1', '"version":2')
    receipt.write_text(newer)
    told = team.run("push")

    assert (told.code, receipt.read_text()) == (Exit.SYSTEM, newer)
    assert "a newer flux2build wrote the receipt" in told.err


def test_damage_is_told_with_its_end(team: Team) -> None:
    """The message about an unreadable value names the command that mends it, not the one that reported it."""
    team.run("push")
    (receipt,) = (team.store / "orders").iterdir()
    receipt.write_text("")
    claim = team.at(key_of(Space.CLAIMS, team.master))
    claim.parent.mkdir(exist_ok=True)
    claim.write_text("")
    wrong = next(path for path in team.bytes.parent.iterdir())
    wrong.chmod(0o644)
    wrong.write_bytes(b"")
    team.settings.setenv("FLUX2BUILD_HOME", str(team.store.parent / "other"))

    told = team.run("verify").err

    assert "`flux2build store push` replaces it" in told
    assert f"`flux2build orders resubmit {claim.name[:8]}`" in told
    assert "`flux2build store verify` where they are right" in told


def test_pull_from_an_empty_store(team: Team) -> None:
    """What is nowhere is named."""
    team.move("other")
    pulled = team.documents("pull")

    assert (pulled["files"], pulled["absent"]) == (0, ["img/fox.png", "img/fox.webp"])


def test_status(team: Team) -> None:
    """It tells what the store has, and proves that it can be written."""
    team.run("push")

    status = team.documents("status")

    assert (status["cas"], status["orders"], status["claims"]) == (FILES, 1, 0)
    assert (status["writable"], status["waiting"]) == (True, 0)
    assert "2 files" in team.run("status").out


def test_store_that_is_down(team: Team) -> None:
    """A store that cannot be reached is the environment's fault, in every command and in `doctor`."""
    team.move("other")
    team.store.rmdir()
    for words in (["status"], ["push"], ["pull"], ["verify"], ["gc"]):
        ran = team.run(*words)
        assert (ran.code, "mkdir -p" in ran.err) == (Exit.SYSTEM, True), words
    doctor = team.site.run("doctor")
    assert doctor.code == Exit.SYSTEM
    assert "team store" in doctor.out


def test_doctor(team: Team) -> None:
    """`doctor` reaches the store."""
    assert "can be read and written" in team.site.run("doctor").out
    (team.site.folder.parent / "config.toml").write_text('[store]\nmode = "r"\n')
    team.settings.setenv("FLUX2BUILD_CONFIG", str(team.site.folder.parent / "config.toml"))
    assert "store can be read\n" in team.site.run("doctor").out


def test_no_store(team: Team) -> None:
    """Without a store the commands tell how to name one."""
    team.settings.delenv("FLUX2BUILD_STORE")
    ran = team.run("status")

    assert ran.code == Exit.USAGE
    assert "export FLUX2BUILD_STORE=" in ran.err


def test_verify(team: Team) -> None:
    """Wrong and missing bytes are mended by whoever has them, and told by everybody else."""
    team.run("push")
    team.bytes.chmod(0o644)
    team.bytes.write_bytes(b"wrong")
    other = next(path for path in team.bytes.parent.iterdir() if path != team.bytes)
    other.write_bytes(b"wrong")
    stranger = team.at(key_of(Space.CLAIMS, team.master))
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_text('{"version": 2}')
    home = team.store.parent / "home"
    team.settings.setenv("FLUX2BUILD_HOME", str(team.store.parent / "other"))
    told = team.run("verify")
    team.settings.setenv("FLUX2BUILD_HOME", str(home))
    mended = team.documents("verify")

    assert told.code == Exit.SYSTEM
    assert told.err.count("has other bytes than") == FILES
    assert "a newer flux2build wrote the claim" in told.err
    assert f"cas/{team.bytes.name}" in mended["mended"]
    assert digest.of_bytes(team.bytes.read_bytes()) == team.master
    name = team.bytes.name
    team.bytes.unlink()
    assert f"cas/{name}" in team.documents("verify")["mended"]


def test_gc(team: Team) -> None:
    """What no lock names and nobody paid for is removed, once it is a day old; what is paid stays."""
    team.run("push")
    stray, fresh = (team.at(key_of(Space.BYTES, digest.of_bytes(b))) for b in (b"stray", b"fresh"))
    for path in (stray, fresh):
        path.write_bytes(b"stray" if path == stray else b"fresh")
    for path in team.bytes.parent.iterdir():
        if path != fresh:
            os.utime(path, (1, 1))
    listed = team.documents("gc")["leftovers"]
    assert [each["digest"] for each in listed] == [digest.of_bytes(b"stray")]
    assert stray.exists()

    team.run("gc", "--yes")
    assert (stray.exists(), fresh.exists()) == (False, True)

    (team.site.folder / "assets.lock").unlink()
    team.run("gc", "--yes")
    assert {path.name for path in team.bytes.parent.iterdir()} == {team.bytes.name, fresh.name}

    team.run("gc", "--yes", team.bytes.name[:12])
    assert not team.bytes.exists()
    assert list((team.store / "orders").iterdir()) == []
    assert team.run("gc", "--yes", "0" * 12).code == Exit.USAGE


def test_what_was_never_finished(team: Team) -> None:
    """What a writer left that was killed is never listed, shared or fetched, and goes once it is old."""
    team.run("push")
    known = team.documents("status")
    half = [team.at(f"{space}/.flux2build-{age}.tmp") for space in Space for age in ("old", "new")]
    for path in half:
        path.write_bytes(b"half")
        if "old" in path.name:
            os.utime(path, (1, 1))

    assert {**team.documents("status"), "milliseconds": known["milliseconds"]} == known
    assert team.documents("gc")["leftovers"] == team.documents("pull")["damaged"] == []
    announced = team.run("gc").err
    assert f"{len(Space)} files that were never finished; `--yes` removes them" in announced
    assert all(path.exists() for path in half)
    assert f"removed {len(Space)} files that were never finished" in team.run("gc", "--yes").err
    assert [path.exists() for path in half] == ["new" in path.name for path in half]


def test_gc_needs_to_know_what_is_paid(team: Team) -> None:
    """With a receipt that cannot be read nothing is removed."""
    team.run("push")
    (receipt,) = (team.store / "orders").iterdir()
    receipt.write_text("{}")

    assert team.run("gc", "--yes").code == Exit.SYSTEM
