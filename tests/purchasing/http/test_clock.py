"""How long to wait: long enough to be polite, short enough to be fast."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Place, UsageError
from flux2build.purchasing.http import Limits, Monotonic, limits
from flux2build.purchasing.http.clock import backoff, too_slow, until_next
from flux2build.storage.toml_file import TomlFile

JITTER = st.floats(0, 1)
FILE = TomlFile("config.toml", "[limits]\nwait = 0\n")


@given(st.integers(1, 60), JITTER)
def test_backoff_grows_and_is_bounded(attempt: int, jitter: float) -> None:
    """A wait is never shorter than a quarter second nor longer than half a minute."""
    assert 0.25 <= backoff(attempt, jitter) <= 30
    assert backoff(attempt, jitter) <= backoff(attempt + 1, jitter)


@given(st.floats(0, 900), st.none() | st.floats(0.1, 300))
def test_questions_are_never_rude_nor_rare(elapsed: float, typical: float | None) -> None:
    """Between two questions lie a twentieth of a second to five, except before a picture can be ready."""
    wait = until_next(elapsed, typical)

    assert wait >= 0.05
    assert wait <= 5 or (typical is not None and elapsed + wait <= typical)


@pytest.mark.parametrize("latency", [1.0, 2.0, 8.0, 30.0, 100.0])
def test_a_ready_picture_is_noticed_soon(latency: float) -> None:
    """Once the usual time is known, a picture is noticed within a tenth of it."""
    at = 0.0
    while at < latency:
        at += until_next(at, latency)

    assert at - latency <= max(0.2, latency / 10)


@pytest.mark.parametrize(
    ("received", "elapsed", "expected"),
    [
        (0, 5, False),
        (10, 11, True),
        (11 * 8 * 1024, 11, False),
        (10**9, 121, True),
    ],
)
def test_crawling_downloads_are_given_up(received: int, elapsed: float, expected: bool) -> None:  # noqa: FBT001  # a table
    """After a grace, a rate below the floor or a time above the cap ends a download."""
    assert expected is too_slow(received, elapsed, Limits())


def test_machine_clock_moves_on() -> None:
    """The real clock waits and never runs backwards."""
    clock = Monotonic()
    before = clock.now()
    asyncio.run(clock.sleep(0))

    assert clock.now() >= before


def test_limits_of_a_user_are_laid_over_the_usual_ones() -> None:
    """One line changes one limit; what a build asks for at once counts more."""
    assert limits({}, FILE) == Limits()
    assert limits({"wait": 2, "in_flight": 3}, FILE, 7) == Limits(wait=2, in_flight=7)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"wiat": 1}, "there is no limit `wiat`"),
        ({"wait": 0}, "limit `wait` is a number above 0, not 0"),
        ({"wait": True}, "limit `wait` is a number above 0, not True"),
        ({"wait": "1"}, "limit `wait` is a number above 0, not '1'"),
        ({"wait": float("inf")}, "limit `wait` is a number above 0, not inf"),
        ({"attempts": 2.5}, "limit `attempts` is a whole number above 0, not 2.5"),
    ],
)
def test_wrong_limits_are_named(table: dict[str, object], expected: str) -> None:
    """A limit that there is not, or that is no amount, is a mistake in the user's file."""
    with pytest.raises(UsageError) as error:
        limits(table, FILE)

    (problem,) = error.value.problems
    assert problem.message == expected
    assert problem.place is not None
    assert problem.place == Place(
        "config.toml", 2 if "wait" in table else 1, 8 if "wait" in table else 2
    )
