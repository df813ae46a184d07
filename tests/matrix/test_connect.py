"""Before a word is said: what a build makes of an address where nobody, or nobody sensible, listens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest

from tests.conftest import Site
from tests.matrix.carriers import CARRIERS, SHORT, Carrier, Setup

NONSENSE: Final = b"\x16\x03\x01 this is not HTTP\r\n\r\n"


@contextmanager
def _listening(answer: bytes | None) -> Iterator[str]:
    """A port at which everybody is told the same, and hung up on; None is never an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        callers: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    return
                callers.append(caller)
                if answer is not None:
                    caller.sendall(answer)
                    caller.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for caller in callers:
                caller.close()


def _vacant() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(params=CARRIERS, ids=lambda one: one.name)
def setup(
    request: pytest.FixtureRequest,
    server: httpx.Client,
    empty: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> Setup:
    """A project that orders from each carrier in turn."""
    carrier: Carrier = request.param
    setup = Setup(empty, server, carrier, carrier.models[0])
    setup.open(monkeypatch)
    return setup


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_a_connection_nothing_is_ordered(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A closed port, or one without TLS behind `https`, proves that nothing was sent."""
    base = _vacant() if scheme == "http" else f"{setup.control.base_url}".replace("http", "https")
    setup.move_endpoint(monkeypatch, base)

    ran = setup.build()

    assert ran.code == 6, ran.err
    assert "was not ordered" in ran.err
    assert "Error)" not in ran.err
    assert setup.site.run("orders", "list", "--json").out.count('"order"') == 0
    setup.move_endpoint(monkeypatch, f"{setup.control.base_url}")
    assert setup.build().code == 0
    assert len(setup.charges) == 1


@pytest.mark.parametrize(
    "answer", [b"", NONSENSE, None], ids=["hangs up", "talks nonsense", "is silent"]
)
def test_whoever_takes_the_order_may_have_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    """Where something accepts connections and answers no order, it is in doubt, and not sent again."""
    setup.configure(*SHORT)
    with _listening(answer) as base:
        setup.move_endpoint(monkeypatch, base)
        ran = setup.build()
    assert ran.code == 5, ran.err
    assert "may have been bought" in ran.err

    setup.configure()
    setup.move_endpoint(monkeypatch, f"{setup.control.base_url}")
    assert setup.build().code == 5
    assert setup.posts == 0
    assert setup.site.run("orders", "resubmit", setup.order["order"]).code == 0
    assert setup.build().code == 0
    assert len(setup.charges) == 1
