"""How long to wait: long enough to be polite, short enough to be fast."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Place, UsageError
from flux2build.purchasing.http import Limits, Monotonic, limits
from flux2build.purchasing.http.clock import Patience, backoff, span, too_slow
from flux2build.storage.toml_file import TomlFile
from tests.paid_provider import FakeClock

JITTER = st.floats(0, 1)
FILE = TomlFile("config.toml", "[limits]\nwait = 0\n")


@given(st.integers(1, 60), JITTER)
def test_backoff_grows_and_is_bounded(attempt: int, jitter: float) -> None:
    """A wait is never shorter than a quarter second nor longer than half a minute."""
    assert 0.25 <= backoff(attempt, jitter) <= 30
    assert backoff(attempt, jitter) <= backoff(attempt + 1, jitter)


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
    assert limits({"wait": 2, "in_flight": 3}, FILE) == Limits(wait=2, in_flight=3)
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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.25, "0.25 seconds"),
        (1.96, "2 seconds"),
        (2.4, "2 seconds"),
        (119.4, "119 seconds"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
    ],
)
def test_times_for_people(seconds: float, words: str) -> None:
    """Seconds, or minutes from two of them."""
    assert span(seconds) == words


def test_backoff_doubles() -> None:
    """The first wait is given, each further one is twice as long, up to the most."""
    assert [backoff(n, 1.0) for n in (1, 2, 7, 60)] == [0.5, 1.0, 30.0, 30.0]
    assert backoff(1, 0.0) == 0.25
    assert backoff(3, 1.0, 0.1, 0.3) == 0.3


def test_the_bounds_of_a_download() -> None:
    """Neither the last second of the grace nor the exact rate is too slow."""
    own = Limits(picture_rate=10, picture_seconds=100)

    assert not too_slow(0, 10, own)
    assert too_slow(0, 10.1, own)
    assert not too_slow(200, 20, own)
    assert too_slow(199, 20, own)
    assert not too_slow(10**6, 100, own)
    assert too_slow(10**6, 100.1, own)


def test_a_wait_is_said_once_in_a_while() -> None:
    """What takes five seconds is said, with its end; again when that is over, and anew after an answer."""
    clock, said = FakeClock(), list[str]()
    patience = Patience(clock, said.append)

    patience.tell("busy", 4.9, None)
    assert said == []
    patience.tell("busy", 5, 900)
    patience.tell("busy", 6, 900)
    assert said == ["busy: tried again in 5 seconds, and given up after 15 minutes"]
    clock.at = 30
    patience.tell("busy", 31, None)
    assert said[1:] == ["busy: tried again in 1 seconds"]
    patience.over()
    patience.tell("busy", 33, None)
    clock.at = 40
    patience.tell("busy", 41, 20)
    assert said[2:] == ["busy: tried again in 1 seconds, and given up after 0 seconds"]


def test_a_mistyped_limit_is_named_with_the_nearest() -> None:
    """The hint has the limit that was meant."""
    with pytest.raises(UsageError) as caught:
        limits({"wiat": 1, "deadline": 0.5}, TomlFile("config.toml", "[limits]\nwiat = 1\n"))

    (problem,) = caught.value.problems
    assert (problem.hint, problem.place) == ("did you mean `wait`?", Place("config.toml", 2, 1))
