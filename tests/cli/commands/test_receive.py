"""`flux2build receive`: real servers, real processes, and what is killed in between."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from flux2build.errors import Exit
from flux2build.extras import pip_install
from flux2build.simulator import Scenario
from flux2build.simulator.replicate import SECRET
from flux2build.storage.disk import home
from tests.conftest import Site
from tests.simulated import charges, order_from, scenario, serving
from tests.spawned import Process, flux2build

SPEC: Final = """\
[defaults]
provider = "{provider}"
width = 256
height = 256
seed = 7
[asset.fox]
prompt = "a fox"
"""
OURS: Final = "s" * 32
LATENCY: Final = 0.6
_SERVING: Final = ("flux2build.session.receiving", "flux2build.purchasing.receiving.server")


@pytest.fixture
def server() -> Iterator[httpx.Client]:
    """A provider whose pictures take a moment."""
    with serving(Scenario(latency=LATENCY, fast=True)) as control:
        yield control


@pytest.fixture
def shop(empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project of a user who has keys and secrets."""
    order_from(server.base_url, monkeypatch)
    monkeypatch.setenv("FLUX2BUILD_REPLICATE_URL", str(server.base_url))
    monkeypatch.setenv("REPLICATE_API_TOKEN", "practice")
    monkeypatch.setenv("REPLICATE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("FLUX2BUILD_WEBHOOK_SECRET", OURS)
    empty.write("assets.toml", SPEC.format(provider="bfl"))
    return empty


PUBLIC: Final = "http://127.0.0.1:1/f2b"
"""Where the receivers of these tests are said to be; a proxy would forward from there."""


@contextmanager
def receiving(folder: Path) -> Iterator[tuple[Process, str]]:
    """A receiver, and its URL."""
    with flux2build(folder, "receive", "--public-url", PUBLIC) as receiver:
        yield receiver, f"{receiver.line()}/f2b"


def name(url: str) -> None:
    """Let orders name a URL from now on."""
    home().joinpath("config.toml").write_text(f'[webhooks]\nurl = "{url}"\n', "utf-8")


def entries() -> Counter[tuple[str, str]]:
    """How often the ledger says what of which attempt."""
    lines = (home() / "ledger.jsonl").read_text("utf-8").splitlines()
    facts = [json.loads(line.partition(" ")[2]) for line in lines]
    return Counter((fact["kind"], fact["attempt"]) for fact in facts)


@pytest.mark.parametrize(("provider", "team"), [("bfl", False), ("replicate", True)])
def test_what_a_killed_build_ordered_is_filed(  # noqa: PLR0917 - fixtures and a case
    shop: Site,
    server: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    team: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """On another machine, before the address expires; a build there, or a team's, adopts it."""
    shop.write("assets.toml", SPEC.format(provider=provider))
    if team:
        (tmp_path / "team").mkdir()
        monkeypatch.setenv("FLUX2BUILD_STORE", (tmp_path / "team").as_uri())
    with receiving(shop.folder) as (receiver, url):
        name(url)
        gone = str(tmp_path / "gone")
        with flux2build(shop.folder, "build", "--yes", FLUX2BUILD_HOME=gone) as build:
            build.until("submitted fox")
            build.signal(signal.SIGKILL)
            assert build.ended() == -signal.SIGKILL
        receiver.until("filed ")
        receiver.interrupt()
        assert receiver.ended() == Exit.DONE
    if team:
        monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path / "third"))

    built = shop.run("build", "--max-cost", "0")

    assert (built.code, charges(server)) == (Exit.DONE, 1)
    assert "1 adopted" in built.err + built.out
    if not team:
        assert {kind for kind, _ in entries()} == {"intended", "ticketed", "delivered"}
        assert set(entries().values()) == {1}


def test_an_order_without_an_answer_is_filed(shop: Site, server: httpx.Client) -> None:
    """The connection broke behind the order: the callback alone tells which task was paid for."""
    scenario(server, {"stage": "submit", "fault": "drop-after-read", "times": "once"})
    with receiving(shop.folder) as (receiver, url):
        name(url)
        assert shop.run("build", "--yes").code == Exit.DECIDE
        receiver.until("submitted fox task=")
        receiver.until("filed fox")

    assert shop.run("build", "--max-cost", "0").code == Exit.DONE
    assert charges(server) == 1


def test_two_receivers_and_a_build_deliver_once(shop: Site, server: httpx.Client) -> None:
    """Each of them hears of each order, and one of them has it delivered."""
    shop.edit("assets.toml", 'prompt = "', 'matrix = { n = [1, 2, 3, 4] }\nprompt = "{{ n }} ')
    with receiving(shop.folder) as (one, first), receiving(shop.folder) as (two, second):
        with both(first, second) as url:
            name(url)
            assert shop.run("build", "--yes").code == Exit.DONE
        for receiver in (one, two):
            receiver.interrupt()
            assert receiver.ended() == Exit.DONE

    assert charges(server) == 4
    assert Counter(kind for kind, _ in entries()) == Counter(intended=4, ticketed=4, delivered=4)
    assert set(entries().values()) == {1}


def test_polling_goes_on(shop: Site, server: httpx.Client) -> None:
    """A callback that is not believed is not missed; the log says so, and no secret."""
    scenario(server, {"stage": "callback", "fault": "wrong-signature"})
    with receiving(shop.folder) as (receiver, url):
        name(url)
        assert shop.run("build", "--yes").code == Exit.DONE
        receiver.until("not heard: its signature is missing or wrong")
        receiver.interrupt()
        assert receiver.ended() == Exit.DONE

    assert charges(server) == 1
    assert {kind for kind, _ in entries()} == {"intended", "ticketed", "delivered"}
    assert OURS not in receiver.said


def test_a_callback_that_was_missed_is_made_up_for(shop: Site, server: httpx.Client) -> None:
    """What is pending when a receiver starts is filed, though nobody calls."""
    scenario(server, {"stage": "callback", "fault": "lost"})
    home().joinpath("config.toml").write_text("[limits]\ndeadline = 0.1\n", "utf-8")
    assert shop.run("build", "--yes").code == Exit.INCOMPLETE
    name(PUBLIC)

    with receiving(shop.folder) as (receiver, _):
        receiver.until("filed fox")

    assert charges(server) == 1


def test_a_stranger_cannot_steer_the_log(shop: Site) -> None:
    """Nothing that is posted is printed, whatever its bytes mean to a terminal or a workflow."""
    with receiving(shop.folder) as (receiver, url):
        for path in ("/%1b%5d0;x", "/::error::x", "/bfl/x.y%0a::x"):
            headers = {b"webhook-id": b"\x9b31m"}
            httpx.post(f"{url}{path}", content=b"\x1b[31m", headers=headers, trust_env=False)
        receiver.interrupt()
        assert receiver.ended() == Exit.DONE

    lines = receiver.said.splitlines()
    assert lines.count("not heard: no order is called back here") == 1
    assert "\x1b" not in receiver.said
    assert "::" not in receiver.said


@pytest.mark.parametrize(
    ("variables", "code", "message"),
    [
        ({"FLUX2BUILD_WEBHOOK_SECRET": ""}, Exit.SYSTEM, "`FLUX2BUILD_WEBHOOK_SECRET` is not"),
        ({"FLUX2BUILD_WEBHOOK_SECRET": "s" * 23}, Exit.SYSTEM, "fewer than 24 characters"),
        ({"REPLICATE_WEBHOOK_SECRET": "hush"}, Exit.SYSTEM, "`REPLICATE_WEBHOOK_SECRET` does"),
        (
            {"REPLICATE_WEBHOOK_SECRET": "", "BFL_API_KEY": ""},
            Exit.SYSTEM,
            "callbacks of `replicate` are refused: `REPLICATE_WEBHOOK_SECRET` is not set",
        ),
        ({"BFL_API_KEY": "", "REPLICATE_API_TOKEN": ""}, Exit.SYSTEM, "set `BFL_API_KEY` or"),
        ({"FLUX2BUILD_PUBLIC_URL": "http://x.example"}, Exit.USAGE, "providers cannot call"),
        ({"FLUX2BUILD_PUBLIC_URL": ""}, Exit.USAGE, "no public URL is named"),
        ({"FLUX2BUILD_HOST": "192.0.2.1"}, Exit.SYSTEM, "cannot listen on `192.0.2.1:0`"),
    ],
)
def test_what_is_missing_is_said(
    shop: Site,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    code: Exit,
    message: str,
) -> None:
    """Nothing is received without secrets, keys and a URL that providers can call."""
    for variable, value in {"FLUX2BUILD_PUBLIC_URL": PUBLIC, **variables}.items():
        monkeypatch.setenv(variable, value)

    ran = shop.run("receive")

    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_an_order_names_no_callback_without_its_secret(
    shop: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants callbacks and cannot tell them from others is told so before the order."""
    name(PUBLIC)
    monkeypatch.setenv("FLUX2BUILD_WEBHOOK_SECRET", "")

    ran = shop.run("build", "--yes")

    assert ran.code == Exit.SYSTEM
    assert "`FLUX2BUILD_WEBHOOK_SECRET` is not set" in ran.err
    assert "openssl rand -hex 32" in ran.err
    assert charges(server) == 0
    assert "openssl rand -hex 32" in shop.run("doctor").out


def test_without_its_extra_it_says_what_to_install(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain installation has no server inside, and says how to get one."""
    for module in [each for each in sys.modules if each.startswith(("uvicorn", *_SERVING))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    ran = shop.run("receive", "--public-url", PUBLIC)

    assert ran.code == Exit.SYSTEM
    assert pip_install("team") in ran.err


@contextmanager
def both(*urls: str) -> Iterator[str]:
    """A URL whose messages reach several receivers."""

    class Fan(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            senders = [Thread(target=self._pass_on, args=(url, body)) for url in urls]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            self.send_response(200)
            self.end_headers()

        def _pass_on(self, url: str, body: bytes) -> None:
            httpx.post(f"{url}{self.path}", content=body, headers=dict(self.headers), timeout=30)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Fan) as fan:
        thread = Thread(target=fan.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{fan.server_port}"
        fan.shutdown()
        thread.join()
