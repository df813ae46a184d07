"""`flux2build doctor`: what is ready, what is not, and what to do about it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flux2build import __version__
from flux2build.cli.commands.doctor import extras, machine
from flux2build.errors import Exit
from flux2build.extras import pip_install
from flux2build.images.encode import encoders
from flux2build.images.ops import OPS
from flux2build.images.ops.text import SetText
from flux2build.purchasing.spool import spool_of
from flux2build.session.home import user_journal
from flux2build.storage.disk import home
from flux2build.storage.store import Store
from tests import journals
from tests.conftest import Site
from tests.simulated import AT_ONCE, order_from, serving


def report(site: Site, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the lines by their names."""
    ran = site.run("doctor", "--json", *words)
    document = json.loads(ran.out)
    assert document["format_version"] == "1.0"
    return ran.code, {line["name"]: line for line in reversed(document["lines"])}


def test_a_ready_machine(site: Site) -> None:
    """Everything is named with where it is, and is well."""
    site.run("build")
    code, lines = report(site)

    assert code == Exit.DONE
    assert lines["flux2build"]["text"] == __version__
    for form in ("png", "jpeg", "webp", "avif"):
        assert lines[form]["text"].startswith("pillow ")
    assert lines["home"]["text"].startswith(str(home()))
    assert lines["store"]["text"] == "4 pictures"
    assert str(user_journal().path) in lines["ledger"]["text"]
    assert lines["root"]["text"] == str(site.folder)
    assert lines["spec"]["text"] == "assets.toml of `acme`: 4 assets, 12 files (default)"
    assert lines["lock"]["text"] == "assets.lock: 4 blocks"
    assert not [line for line in lines.values() if line["ok"] is False]


def test_people_read_aligned_lines(site: Site) -> None:
    """A mark, a name, what was found; a hint only where something can be done."""
    ran = site.run("doctor")

    assert f"ok   {'home':<18}  " in ran.out
    assert f"     {'bfl':<18}  BFL_API_KEY is not set\n" in ran.out
    assert "hint: only orders to `bfl` need it" in ran.out
    assert ran.err == ""


def test_keys_are_never_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is set, wherever it is set; what it is stays with the user."""
    monkeypatch.setenv("BFL_API_KEY", "geheim-1")
    monkeypatch.setenv("FLUX2BUILD_BFL_URL", "http://me:geheim-4@127.0.0.1:8080/x")
    site.write("keys.env", "REPLICATE_API_TOKEN=geheim-2\n")
    home().joinpath("config.toml").write_text(
        '[environment]\nCOMETAPI_KEY = "geheim-3"\n', encoding="utf-8"
    )
    code, lines = report(site, "--env-file", "keys.env")

    assert code == Exit.DONE
    assert lines["bfl"]["text"] == "BFL_API_KEY is set; orders go to 127.0.0.1:8080"
    assert lines["cometapi"]["text"] == "COMETAPI_KEY is set"
    assert lines["replicate"]["text"] == "REPLICATE_API_TOKEN is set"
    assert "geheim" not in site.run("doctor", "-vv", "--env-file", "keys.env").out


def test_a_key_in_quotes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that no provider would take is told, without being shown."""
    monkeypatch.setenv("BFL_API_KEY", '"secret-key"')
    ran = site.run("doctor")

    assert ran.code == Exit.SYSTEM
    assert "the value of `BFL_API_KEY` has quotes around it" in ran.out
    assert "secret-key" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_cannot_be_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A variable of other tools that names a missing file is told with the command that mends it."""
    monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    ran = site.run("doctor")

    assert ran.code == Exit.USAGE
    assert (
        f"`{name}` names `{tmp_path / 'none.pem'}`, which cannot be read: no such file" in ran.out
    )
    assert f"`unset {name}`" in ran.out


def test_certificates_that_can_be_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is named is a line of its own."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert f"`SSL_CERT_DIR` names {tmp_path}: can be read" in site.run("doctor").out


def test_a_home_that_cannot_be_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place for store and ledger nothing can be paid for: that is bad, and mendable."""
    site.write("file", "")
    monkeypatch.setenv("FLUX2BUILD_HOME", str(site.folder / "file" / "home"))
    code, lines = report(site)

    assert code == Exit.SYSTEM
    assert "cannot be written to: not a directory" in lines["home"]["text"]
    assert "`FLUX2BUILD_HOME` moves" in lines["home"]["hint"]


def test_a_relative_home(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported once, as what it is, and everything else is reported as usual."""
    monkeypatch.setenv("FLUX2BUILD_HOME", "data")
    code, lines = report(site)

    assert code == Exit.USAGE
    assert [name for name, line in lines.items() if line["ok"] is False] == ["home"]
    assert f"FLUX2BUILD_HOME={site.folder / 'data'}`" in lines["home"]["hint"]


def _folder(path: Path) -> None:
    path.mkdir()


def _file(path: Path) -> None:
    path.touch()


def _immutable(path: Path) -> None:
    path.touch()
    locked = shutil.which("chattr") and subprocess.run(["chattr", "+i", path], check=False)
    if not locked or locked.returncode:
        pytest.skip("files cannot be made immutable here")


@pytest.mark.parametrize(
    ("name", "broken", "line"),
    [
        ("ledger.jsonl", _immutable, "ledger"),
        ("ledger.jsonl.lock", _folder, "ledger"),
        ("claims", _file, "ledger"),
        ("store/sha256", _file, "store"),
    ],
)
def test_a_part_of_the_home_that_cannot_be_written(
    site: Site, name: str, broken: Callable[[Path], None], line: str
) -> None:
    """The report names what would keep an order from being noted or a picture from being stored."""
    path = home() / name
    path.parent.mkdir(exist_ok=True)
    broken(path)
    try:
        code, lines = report(site)
    finally:
        if broken is _immutable:
            subprocess.run(["chattr", "-i", path], check=True)

    assert code == Exit.SYSTEM
    assert [name for name, line in lines.items() if line["ok"] is False] == [line]
    assert f"`{path}`" in lines[line]["text"]


def test_what_lies_in_the_spool(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a build or a person, and the temporary folder does not keep it for ever."""
    monkeypatch.setenv("TMPDIR", str(site.folder.parent))
    spool_of(home()).keep(b"picture")
    code, lines = report(site)

    assert code == Exit.SYSTEM
    assert lines["spool"]["ok"] is False


def test_a_damaged_ledger(site: Site) -> None:
    """Damaged books are named with their line and what to do."""
    journals.wrote(journals.intended("a1"), journals.intended("a2"))
    path = user_journal().path
    path.write_bytes(b"00000000 {}\n" + path.read_bytes())
    code, lines = report(site)

    assert code == Exit.SYSTEM
    assert lines["ledger"]["ok"] is False
    assert f"{path}:1" in lines["ledger"]["text"]
    assert "backup" in lines["ledger"]["hint"]


def test_orders_that_wait_for_a_person(site: Site) -> None:
    """An order in doubt is not well, until someone has decided."""
    journals.wrote(journals.intended("a1"))
    code, lines = report(site)

    assert code == Exit.DECIDE
    assert lines["ledger"]["text"].endswith("1 order, 1 of them for a person to decide")
    assert lines["ledger"]["hint"] == "`flux2build orders` lists them"


def test_damaged_pictures_are_listed(site: Site) -> None:
    """What the store moved aside is named."""
    store = Store(home() / "store")
    digest = store.put(b"picture")
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"pickture")
    store.put(b"picture")
    code, lines = report(site)

    assert code == Exit.SYSTEM
    assert lines["damaged"]["text"] == str(store.damaged()[0])


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("assets.toml", "[asset.a]\npromt = 1\n", "spec", "assets.toml:2:1: "),
        ("assets.lock", "nonsense", "lock", "assets.lock:1"),
    ],
)
def test_a_broken_project(site: Site, name: str, text: str, line: str, message: str) -> None:
    """A spec or a lock that cannot be used is named with its place; the machine is told all the same."""
    site.write(name, text)
    code, lines = report(site)

    assert code == Exit.USAGE
    assert lines[line]["ok"] is False
    assert lines[line]["text"].startswith(message)
    assert lines["home"]["ok"] is True


def test_every_problem_has_a_line(site: Site) -> None:
    """Several mistakes in the spec are several lines."""
    site.write("assets.toml", "[asset.a]\npromt = 1\n[asset.b]\nwidht = 2\n")
    lines = json.loads(site.run("doctor", "--json").out)["lines"]

    places = [line["text"].partition(": ")[0] for line in lines if line["name"] == "spec"]
    assert {"assets.toml:2:1", "assets.toml:4:1"} <= set(places)


def test_a_broken_configuration(site: Site) -> None:
    """A mistake in the user's own file is told, and does not hide the rest."""
    home().joinpath("config.toml").write_text("carts = 1", encoding="utf-8")
    code, lines = report(site)

    assert code == Exit.USAGE
    assert "`carts` is not a setting" in lines["config"]["text"]
    assert lines["config"]["hint"] == "did you mean `cards`?"


def test_a_folder_that_cannot_be_locked(site: Site) -> None:
    """Where a build could not keep others out, `check` and `plan` still work."""
    site.write(".flux2build", "in the way")
    code, lines = report(site)

    assert code == Exit.SYSTEM
    assert "cannot be written to: not a directory" in lines["folder"]["text"]
    assert lines["folder"]["hint"] == "`check` and `plan` work here; building does not"
    assert site.run("plan").code == Exit.DONE


def test_without_a_project(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a project nothing is wrong; a spec that was named must be there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, lines = report(site)
    assert (code, lines["spec"]["ok"]) == (Exit.DONE, None)
    assert "`flux2build init` writes a starter" in lines["spec"]["hint"]

    code, lines = report(site, "-f", "none.toml")
    assert (code, lines["spec"]["ok"]) == (Exit.USAGE, False)


def test_nothing_is_left_behind(site: Site) -> None:
    """Looking leaves no file but flux2build's own disposable folder."""
    before = site.files()
    report(site)

    assert site.files() == before
    assert {path.name for path in site.folder.joinpath(".flux2build").iterdir()} == {".gitignore"}
    assert not [path for path in home().iterdir() if "doctor" in path.name]


def test_what_this_pillow_cannot_do() -> None:
    """A codec that is missing is bad, with how to get it; plain scripts need no shaping."""
    versions = {**encoders(), "avif": "pillow 13.0.0, libavif unknown"}
    lines = {line.name: line for line in machine(versions, shapes_text=False)}

    assert lines["avif"].ok is False
    assert "pip install" in (lines["avif"].hint or "")
    assert (lines["png"].ok, lines["raqm"].ok) == (True, None)
    assert "simple scripts only" in lines["raqm"].text


def test_what_an_extra_would_add() -> None:
    """An operation whose extra is missing is named with what installs it, and is not a fault."""

    class Missing(SetText):
        @classmethod
        def installed(cls) -> bool:
            """The libraries are not there."""
            return False

    (there,) = extras({"crop": OPS["crop"], "text": OPS["text"]})
    (missing,) = extras({"text": Missing})

    assert (there.name, there.ok) == ("lettering", True)
    assert (missing.name, missing.ok) == ("lettering", None)
    assert missing.hint == f"`{pip_install('lettering')}`"


def test_accounts_are_asked_with_live_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each provider with a key tells what is left, or why that is not known."""
    with serving(AT_ONCE.changed({"credits": "1234.5", "keys": ["practice"]})) as server:
        order_from(server.base_url, monkeypatch)
        monkeypatch.setenv("COMETAPI_KEY", "practice")
        code, lines = report(site, "--live")
        asked = len(server.get("/_sim/requests").json()["requests"])
        report(site)
        assert len(server.get("/_sim/requests").json()["requests"]) == asked
        monkeypatch.setenv("BFL_API_KEY", "wrong")
        refused, bad = report(site, "--live")

    assert code == Exit.DONE
    assert lines["account of bfl"]["text"] == "$12.345 left"
    assert "this provider does not tell" in lines["account of cometapi"]["text"]
    assert "account of replicate" not in lines
    assert refused == Exit.SYSTEM
    assert "Not authenticated" in bad["account of bfl"]["text"]
