"""A build as people read it: a line for each step, each problem once, and one line to sum it up."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flux2build.building.report import Event, Report, WaitingError
from flux2build.console.build_view import BuildView, as_json, decisions, summary
from flux2build.console.console import Console
from flux2build.errors import Exit, IncompleteError, Problem
from flux2build.model import AssetName
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.verdict import Action, Verdict
from tests.assetspec.specs import read
from tests.golden import text
from tests.journals import intended
from tests.snapshots import deliverable, master

SPEC = read('[asset.fox]\nprompt = "x"')
FOX, CUT, OTHER = master(), deliverable(), deliverable(path="img/2.webp", size=9)
FAILED = Verdict(Action.ASK)


def shown(
    capsys: pytest.CaptureFixture[str], *events: Event, verbosity: int = 0, color: str = "never"
) -> str:
    """What is printed of events."""
    view = BuildView(Console(color, verbosity), SPEC.located)
    for event in events:
        view.show(event)
    return capsys.readouterr().err


def done(action: Action, code: str = "requested", subject: str = "") -> Event:
    """Something that was done about the fox."""
    return Event(FOX, Verdict(action, (Reason(ReasonCode(code), subject),)))


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A verb, a file, and why; what is kept is not worth a line."""
    err = shown(
        capsys,
        done(Action.RENDER, "prompt-changed"),
        done(Action.ADOPT, "same-order", "owl"),
        done(Action.KEEP, "meta-changed"),
    )

    assert err == text("""
        render   img/fox.png  (prompt changed)
        adopt    img/fox.png  (the same order as `owl`)
        """)


def test_beside_a_bar_steps_are_named_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar says how far a build is; `watch`, which has many builds, names each picture too."""
    monkeypatch.setenv("TERM", "xterm")
    for naming, told in ((False, ""), (True, "render   img/fox.png  (asked for)")):
        BuildView(Console("always"), SPEC.located, naming=naming).show(done(Action.RENDER))

        assert capsys.readouterr().err.strip() == told


def test_a_hint_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What helps with several assets is said with the first one."""
    wrong = [Problem(f"{name} stays", hint="let them have a folder") for name in ("fox", "owl")]

    err = shown(capsys, *(Event(FOX, FAILED, (problem,)) for problem in wrong))

    assert err.count("let them have a folder") == 1


def test_problems_say_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A problem is headed by its asset, unless it names it already."""
    err = shown(
        capsys,
        Event(FOX, FAILED, (Problem("refused", hint="try again"),)),
        Event(FOX, FAILED, (Problem("`fox` was refused"),)),
    )

    assert err == "error: `fox`: refused\n  hint: try again\nerror: `fox` was refused\n"


def test_problems_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with several files of an asset for one reason is one error, with its source line."""
    problems = (Problem("`logo.png` is not a picture"),)
    err = shown(capsys, Event(CUT, FAILED, problems), Event(OTHER, FAILED, problems))

    assert err == text("""
        error: `fox`: `logo.png` is not a picture
         --> assets.toml:1:1
          |
        1 | [asset.fox]
          | ^
        """)


def test_what_keeps_all_from_being_made_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A cluster that is gone is nobody's own problem; a second one is another problem."""
    gone, left = Problem("the cluster is gone", hint="build again"), Problem("no worker is left")
    owl = replace(FOX, asset=AssetName("owl"))
    events = [
        Event(step, FAILED, (each,), for_all=True) for step in (FOX, owl) for each in (gone, left)
    ]
    err = shown(capsys, *events)

    assert err == "error: the cluster is gone\n  hint: build again\nerror: no worker is left\n"


def test_every_problem_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A failure for several reasons gives all of them."""
    err = shown(capsys, Event(CUT, FAILED, (Problem("too dark"), Problem("too small"))))

    assert "error: `fox`: too dark\n" in err
    assert "error: `fox`: too small\n" in err


def test_blocked(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that another asset blocks is printed; one that its own asset blocks is not."""
    problems = (Problem("blocked"),)
    err = shown(
        capsys,
        Event(FOX, FAILED, problems, AssetName("den")),
        Event(CUT, FAILED, problems, AssetName("fox")),
    )

    assert err == "blocked  img/fox.png  (`den` was not made)\n"


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet says what is wrong, and nothing else."""
    err = shown(
        capsys, done(Action.RENDER), Event(FOX, FAILED, (Problem("refused"),)), verbosity=-1
    )

    assert err == "error: `fox`: refused\n"


def test_terminals_show_a_bar_instead(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a bar moves, steps have no lines; with -v they do."""
    monkeypatch.setenv("TERM", "xterm")

    assert shown(capsys, done(Action.RENDER), color="always") == ""
    assert "render" in shown(capsys, done(Action.RENDER), color="always", verbosity=1)


def report() -> Report:
    """A build in which several things happened."""
    report = Report()
    report.done = [(FOX, Verdict(action)) for action in (*Action, Action.KEEP)]
    report.failures = [(FOX, IncompleteError("refused"))]
    report.blocked = [(CUT, AssetName("fox"))]
    return report


def test_summary() -> None:
    """What was done is counted by kind, what failed behind it, what stayed last."""
    assert summary(report()) == (
        "Built: 1 restored, 1 adopted, 1 collected, 1 rendered, 1 derived, "
        "1 failed, 1 blocked, 2 up to date."
    )
    assert summary(Report()) == "Built: 0 up to date."


def test_json() -> None:
    """The same as one document."""
    value = as_json(report(), [intended("1")], Exit.INCOMPLETE)

    assert value["failed"] == [{"asset": "fox", "output": "img/fox.png", "message": "refused"}]
    assert value["blocked"] == [{"asset": "fox", "output": "img/fox.webp", "by": "fox"}]
    assert value["collected"] == [{"asset": "icon", "order": "1"}]
    assert value["exit_code"] == 3
    assert "sketches" not in value
    standing = as_json(Report(sketches=("img/fox.png",)), [], Exit.DONE)
    assert standing["sketches"] == ["img/fox.png"]


def test_a_decision_names_how_many_wait_for_it() -> None:
    """One waits, two wait."""
    reason = Reason(ReasonCode.UNPICKED)
    waiting = [(FOX, WaitingError(AssetName("sheet"), reason))]
    others = [(replace(FOX, asset=AssetName("owl")), WaitingError(AssetName("sheet"), reason))]
    said = [next(decisions(Report(waiting=each)))[0] for each in (waiting, waiting + others)]

    assert said == [
        "`sheet` waits for a pick; 1 asset waits for it",
        "`sheet` waits for a pick; 2 assets wait for it",
    ]
