"""Scenarios: read from TOML, complained about by name, matched by rules."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import UsageError
from flux2build.simulator import Rule, Scenario, load
from flux2build.simulator.scenario import FAULTS, Rules


def written(folder: Path, text: str) -> Path:
    """A scenario file."""
    path = folder / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_has_settings_and_rules(tmp_path: Path) -> None:
    """TOML settings arrive as they were written, rules in their order."""
    path = written(
        tmp_path,
        """
        latency = 2.5
        credits = 12.3
        [[rules]]
        stage = "submit"
        fault = "http"
        code = 503
        times = "once"
        [[rules]]
        stage = "download"
        fault = "truncated"
        """,
    )
    scenario = load(path)
    assert scenario.latency == 2.5
    assert scenario.credits == Decimal("12.3")
    assert [rule.fault for rule in scenario.rules] == ["http", "truncated"]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("latncy = 1", "`latncy`: unknown key `latncy`", 1),
        ("latency = 1\nfoo bar", "a key without a value", 2),
        ('[[rules]]\nstage = "submit"\nfault = "http"\ncod = 1', "`rules.0.cod`", 4),
        ("limit = -1", "`limit`", 1),
        ("limit = " + "[" * 1000, "nested too deeply", 1),
        ("limit = " + "9" * 5000, "too many digits", 1),
        ('[[rules]]\nstage = "submit"\nfault = "redirect"', "needs `to`", 1),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str, line: int) -> None:
    """A scenario that makes no sense is a usage error that says where."""
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, text))
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.place is not None
    assert problem.place.line == line


def test_an_unknown_setting_gets_the_nearest(tmp_path: Path) -> None:
    """A typing error is answered with the word that was meant."""
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, "latncy = 1"))
    assert caught.value.problems[0].hint == "did you mean `latency`?"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """A scenario that does not exist is reported."""
    with pytest.raises(UsageError, match="no such file"):
        load(tmp_path / "none.toml")


def test_changes_keep_the_rest() -> None:
    """Settings that a change does not name stay as they are."""
    changed = Scenario(latency=3, limit=5).changed({"limit": 6})
    assert (changed.latency, changed.limit) == (3, 6)


@given(
    nth=st.integers(1, 5),
    times=st.one_of(st.just("once"), st.just("always"), st.integers(1, 4)),
    requests=st.integers(0, 12),
)
def test_nth_and_times_pick_a_run_of_requests(nth: int, times: str | int, requests: int) -> None:
    """A rule strikes from its nth match, as often as it says, and never else."""
    rule = Rule.model_validate({"stage": "submit", "fault": "http", "nth": nth, "times": times})
    rules = Rules((rule,))
    applied = [rules.meet("submit", "bfl", "m", prompt="", key="") is rule for _ in range(requests)]
    many = {"once": 1, "always": requests}.get(str(times), times)
    assert isinstance(many, int)
    assert applied == [nth <= number < nth + many for number in range(1, requests + 1)]
    assert rules.hits == [sum(applied)]


def test_the_first_rule_that_strikes_hides_the_others() -> None:
    """A request that meets one rule is not counted by the rules behind it."""
    first = Rule(stage="poll", fault="http", times="once")
    second = Rule(stage="poll", fault="hang", times="once")
    rules = Rules((first, second))
    applied = [rules.meet("poll", "bfl", "m", prompt="", key="") for _ in range(3)]
    assert applied == [first, second, None]


@pytest.mark.parametrize("fault", sorted(frozenset[str]().union(*FAULTS.values())))
def test_every_fault_is_documented(fault: str) -> None:
    """The page about the simulator has a row for each fault."""
    page = Path(__file__).parents[2] / "docs" / "simulator.md"
    assert f"| `{fault}` |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("field", sorted(Scenario.model_fields))
def test_every_setting_is_documented(field: str) -> None:
    """The page about the simulator has a row for each setting."""
    page = Path(__file__).parents[2] / "docs" / "simulator.md"
    assert f"| `{field}` |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("field", sorted(Rule.model_fields))
def test_every_key_of_a_rule_is_documented(field: str) -> None:
    """The page about the simulator names each key of a rule."""
    page = Path(__file__).parents[2] / "docs" / "simulator.md"
    assert f"`{field}`" in page.read_text(encoding="utf-8")
