"""When an order is asked for: not before it can be ready, soon after, and ever more seldom."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.purchasing.http.usual_time import Expected, UsualTime, until_next

UNKNOWN = Expected()


@given(st.floats(0, 900), st.none() | st.floats(0.1, 300), st.integers(0, 10**4))
def test_questions_are_never_rude_nor_rare(elapsed: float, usual: float | None, asked: int) -> None:
    """Between two questions lie a fiftieth of a second to five, except before a picture can be ready."""
    wait = until_next(elapsed, Expected(usual, usual), asked)

    assert wait >= 0.02
    assert wait <= 5 or (usual is not None and elapsed + wait <= usual + 1e-9)


@pytest.mark.parametrize(("elapsed", "wait"), [(0, 0.5), (4, 0.5), (20, 2.0), (49, 4.9), (51, 5.0)])
def test_an_order_of_unknown_pace_is_asked_for_after_a_tenth_of_its_age(
    elapsed: float, wait: float
) -> None:
    """No sooner than the user's limit says, and no later than five seconds."""
    assert until_next(elapsed, UNKNOWN) == pytest.approx(wait)


def test_the_wait_grows_with_each_question() -> None:
    """From a hundredth of an order's age to a twentieth, once the usual time has passed."""
    expected = Expected(18, 20)
    waits = [until_next(0, expected), until_next(18, expected, 1)]
    waits += [until_next(40, expected, asked) for asked in range(1, 6)]

    assert waits == pytest.approx([18, 2, 0.4, 0.8, 1.6, 2.0, 2.0])


@pytest.mark.parametrize("least", [0.5, 3.0])
def test_a_patient_user_asks_seldom_once_the_usual_time_has_passed(least: float) -> None:
    """The shortest wait follows from the user's limit."""
    assert until_next(1.0, Expected(0.5, 0.5), 1, least) == pytest.approx(least / 25)


def asked(latency: Callable[[int], float], orders: int = 200) -> tuple[float, float]:
    """Questions for each order, and how late it was found ready, in parts of its time; on average."""
    usual, questions, late = UsualTime(), 0, 0.0
    for number in range(orders):
        ready, elapsed, before, expected = latency(number), 0.0, 0, usual.next()
        while True:
            elapsed += until_next(elapsed, expected, before)
            questions += 1
            if elapsed >= ready:
                break
            before += 1
        usual.learn(elapsed, at_first=not before)
        late += elapsed / ready - 1
    return questions / orders, late / orders


@pytest.mark.parametrize(
    ("latency", "questions", "late"),
    [
        (lambda _: 1.7, 2, 0.02),
        (lambda _: 60.0, 2.5, 0.02),
        (lambda number: 8 + 4 * random.Random(number).random(), 8, 0.04),
        (lambda number: 2.0 if number < 50 else 1.0, 2, 0.12),
        (lambda number: 2.0 if number < 50 else 4.0, 4, 0.02),
    ],
    ids=["quick", "slow", "uneven", "becomes-faster", "becomes-slower"],
)
def test_few_questions_find_a_picture_soon(
    latency: Callable[[int], float], questions: float, late: float
) -> None:
    """Whatever the pace of the server, and when it changes."""
    average = asked(latency)

    assert average[0] <= questions
    assert average[1] <= late


def test_only_the_last_orders_count() -> None:
    """A server that has become slower is left alone for longer, once nobody is served so fast."""
    usual = UsualTime()
    for seconds in (2.0, *[9.0] * 23):
        usual.learn(seconds, at_first=False)
    assert usual.next() == Expected(2.0, 2.0)

    usual.learn(9.0, at_first=False)

    assert usual.next() == Expected(9.0, 9.0)


def test_orders_of_unknown_pace_are_asked_for_in_turn() -> None:
    """So that one of them soon shows how long they take; none waits twice as long for that."""
    usual = UsualTime()

    waits = [until_next(0, usual.next()) for _ in range(8)]

    assert len(set(waits)) == 8
    assert max(waits) < 2 * min(waits) == 1.0
