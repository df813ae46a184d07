"""What an order names to be called back: on this machine, and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from flux2build.providers import bfl, replicate
from flux2build.providers.contract import Message
from flux2build.simulator import Scenario, running
from flux2build.simulator.replicate import SECRET
from flux2build.simulator.scenario import Rule
from flux2build.simulator.webhooks import PAUSES, Callback

Heard = queue.Queue[tuple[dict[str, str], bytes]]
"""The headers and bodies of the calls so far."""


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Heard]]:
    """A URL on this machine, which answers with these statuses in turn, and what is posted to it."""
    heard: Heard = queue.Queue()
    answers = iter(statuses)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(next(answers, 200))
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
        server.shutdown()
        thread.join()


def test_bfl_calls_back() -> None:
    """The call tells of the picture, and is signed with the secret of the order."""
    with running(Scenario(latency=0, fast=True)) as base, receiver() as (url, heard):
        order = {"prompt": "a fox", "webhook_url": url, "webhook_secret": "hush"}
        task = httpx.post(f"{base}/v1/flux-2-pro", json=order, headers={"x-key": "k"}).json()
        headers, body = heard.get(timeout=10)

    told = json.loads(body)
    expected = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    assert (told["id"], told["status"]) == (task["id"], "Ready")
    assert told["result"]["sample"].startswith(base)
    assert headers["x-bfl-signature"] == f"sha256={expected}"


def test_replicate_calls_back() -> None:
    """The call is the finished prediction, signed as Standard Webhooks are."""
    bearer = {"authorization": "Bearer k"}
    with running(Scenario(latency=0, fast=True)) as base, receiver() as (url, heard):
        order = {"input": {"prompt": "a fox"}, "webhook": url}
        path = "/v1/models/black-forest-labs/flux-2-pro/predictions"
        task = httpx.post(f"{base}{path}", json=order, headers=bearer).json()
        headers, body = heard.get(timeout=10)
        key = httpx.get(f"{base}/v1/webhooks/default/secret", headers=bearer).json()["key"]

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    secret = base64.b64decode(key.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert json.loads(body)["id"] == task["id"] == headers["webhook-id"]
    assert json.loads(body)["status"] == "succeeded"
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize(
    ("statuses", "calls"), [((), 1), ((204,), 1), ((500, 307, 201), 3), ((500,) * 9, 4)]
)
def test_a_receiver_that_refuses_is_called_again(statuses: tuple[int, ...], calls: int) -> None:
    """A call that is not accepted is repeated a few times, as it was, and then dropped."""
    with receiver(*statuses) as (url, heard):
        asyncio.run(Callback(f"{url}?a=b c", b"{}", {"x-sign": "y"}).made((0,) * len(PAUSES)))

    assert heard.qsize() == calls
    assert {(headers["x-sign"], body) for headers, body in heard.queue} == {("y", b"{}")}


def test_a_receiver_that_is_not_there_misses_the_call() -> None:
    """Nobody else notices: the call is dropped in the end."""
    with receiver() as (url, _):
        pass
    asyncio.run(Callback(url, b"").made((0,)))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8080/", True),
        ("https://127.0.0.1/x", False),
        ("http://10.0.0.1/x", False),
        ("http://example.org/x", False),
        ("http://127.0.0.1.example.org/x", False),
        ("ftp://localhost/x", False),
    ],
)
def test_only_this_machine_is_called(url: str, local: bool) -> None:  # noqa: FBT001 - a case of the table
    """A receiver elsewhere is never called: practice leaves the machine alone."""
    assert Callback(url, b"").local is local


@pytest.mark.parametrize(
    ("fault", "more", "calls", "right"),
    [
        ("lost", {}, 0, 0),
        ("late", {"seconds": 0.1}, 1, 1),
        ("doubled", {}, 2, 2),
        ("wrong-signature", {}, 1, 0),
    ],
)
@pytest.mark.parametrize("dialect", ["bfl", "replicate"])
def test_a_rule_spoils_the_calls(
    dialect: str, fault: str, more: dict[str, Any], calls: int, right: int
) -> None:
    """A call is lost, late, doubled or signed wrongly, for whatever orders a rule names."""
    rule = Rule.model_validate({"stage": "callback", "fault": fault, "prompt": "fox"} | more)
    settings = Scenario(latency=0, fast=True, rules=(rule,))
    with running(settings) as base, receiver() as (url, heard):
        for prompt in ("a fox", "an owl"):
            _order(dialect, base, url, prompt)
        got = [heard.get(timeout=10) for _ in range(calls + 1)]

    assert len([1 for headers, body in got if _signed(dialect, headers, body)]) == right + 1
    assert heard.empty()


def _order(dialect: str, base: str, url: str, prompt: str) -> None:
    """Place an order that is to be called back."""
    if dialect == "bfl":
        order = {"prompt": prompt, "webhook_url": url, "webhook_secret": "hush"}
        httpx.post(f"{base}/v1/flux-2-pro", json=order, headers={"x-key": "k"}).raise_for_status()
        return
    path = "/v1/models/black-forest-labs/flux-2-pro/predictions"
    body = {"input": {"prompt": prompt}, "webhook": url}
    httpx.post(f"{base}{path}", json=body, headers={"authorization": "Bearer k"}).raise_for_status()


def _signed(dialect: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a receiver that knows the secrets believes a call."""
    message = Message(headers, body)
    if dialect == "bfl":
        return isinstance(bfl.Bfl().task_of_message(message, "hush", time.time()), str)
    return isinstance(replicate.Replicate().task_of_message(message, SECRET, time.time()), str)
