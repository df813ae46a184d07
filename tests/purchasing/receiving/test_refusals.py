"""A flood of what is refused is a line a minute in the log."""

from __future__ import annotations

from flux2build.purchasing.receiving.refusals import Refusals


def test_each_reason_is_said_once_a_minute() -> None:
    """At once, then with how many there were in between."""
    said: list[str] = []
    moments = iter((0.0, 0.1, 59.9, 60.0, 60.1, 60.2))
    refusals = Refusals(said.append, lambda: next(moments))

    for reason in (*["it is too large"] * 5, "it is not signed"):
        refusals.note(reason)

    assert said == [
        "not heard: it is too large",
        "not heard: it is too large (2 more since it was said last)",
        "not heard: it is not signed",
    ]
