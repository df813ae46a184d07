"""The key is told to its provider and to nobody else, whatever goes wrong."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

import pytest

from flux2build.errors import Exit
from tests.laws.conftest import MakeSandbox
from tests.laws.disk import files
from tests.laws.processes import Outcome
from tests.laws.recording_server import RecordingServer, recording
from tests.laws.situations import situation
from tests.laws.trials import Sandbox

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
CANARIES: Final = (
    "canary-0123456789abcdef",
    "bfl_sk+/=%20&<x>'y'\"q\"\\z",
    "n0t/a/path?key=1#frag~.-_:@!$()*,;[]{}|^`",
    "X" * 40 + "9",
)


def forms(key: str) -> set[str]:
    """The key as it may come out of a header, a URL, a form, JSON, a page or a traceback."""
    data = key.encode()
    return {
        key,
        quote(key),
        quote(key, safe=""),
        quote_plus(key),
        re.sub("%..", lambda match: match[0].lower(), quote(key, safe="")),
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        json.dumps(key)[1:-1],
        html.escape(key),
        repr(key)[1:-1],
        data.hex(),
    }


@pytest.fixture(scope="module")
def recorder() -> Iterator[RecordingServer]:
    """Somebody else's server."""
    with recording() as server:
        yield server


def echo(key: str) -> str:
    """What a careless server says: the key, in every form."""
    return json.dumps({"detail": f"no entry for {' '.join(sorted(forms(key)))}"})


def faults(key: str, elsewhere: str) -> dict[str, dict[str, Any]]:
    """What goes wrong, by name: echoes, redirects, addresses of others, broken answers."""
    echoing = {"fault": "http", "body": echo(key), "times": 3}
    codes = {
        f"{stage} {code}": {**echoing, "stage": stage, "code": code}
        for stage in ("submit", "poll", "download")
        for code in (400, 401, 402, 403, 404, 422, 500, 503)
    }
    gone = {
        f"{stage} redirected {code}": {
            "stage": stage,
            "fault": "redirect",
            "to": f"{elsewhere}/x",
            "code": code,
            "times": 3,
        }
        for stage in ("submit", "poll", "download")
        for code in (301, 302, 303, 307, 308)
    }
    broken = {
        f"{stage} {fault}": {"stage": stage, "fault": fault, "times": 3}
        for stage in ("submit", "poll", "download")
        for fault in ("drop-before-read", "drop-mid-headers", "short-body", "garbage", "wrong-type")
    }
    return {
        **codes,
        **gone,
        **broken,
        "polled elsewhere": {
            "stage": "submit",
            "fault": "polling-elsewhere",
            "to": f"{elsewhere}/v1/get_result",
        },
        "polled with the key": {
            "stage": "submit",
            "fault": "polling-elsewhere",
            "to": f"{elsewhere}/v1/get_result?key={quote(key, safe='')}",
        },
        "picture elsewhere": {"stage": "poll", "fault": "sample-elsewhere", "to": f"{elsewhere}/a"},
        "picture at the key": {
            "stage": "poll",
            "fault": "sample-elsewhere",
            "to": f"{elsewhere}/a?key={quote(key, safe='')}",
        },
        "status": {"stage": "poll", "fault": "status", "status": f"Waiting for {key}", "times": 3},
        "nothing": {"stage": "upload", "fault": "http"},
    }


NAMES: Final = sorted(faults("", ""))
_TELLING: Final = (
    "submit 400",
    "submit 500",
    "poll 500",
    "submit redirected 307",
    "download redirected 302",
    "polled elsewhere",
    "polled with the key",
    "picture elsewhere",
    "picture at the key",
    "status",
    "nothing",
)


def leaks(key: str, sandbox: Sandbox, runs: list[Outcome], recorder: RecordingServer) -> list[str]:
    """Where the key, in any form, turned up although it must not."""
    texts = {f"output of run {number}": each.out + each.err for number, each in enumerate(runs)}
    texts |= {f"request {number}": each for number, each in enumerate(recorder.requests)}
    for path in files(sandbox.folder / "live"):
        inside = path.read_bytes().decode("utf-8", "replace")
        texts[str(path)] = f"{path.relative_to(sandbox.folder)}\n{inside}"
    wanted = {form for form in forms(key) if len(form) > 3}
    return [
        f"{place} has {form!r}: …{text[max(0, text.index(form) - 80) : text.index(form) + 80]}…"
        for place, text in texts.items()
        for form in wanted
        if form in text
    ]


def leaks_of_builds(
    sandbox: Sandbox, key: str, name: str, recorder: RecordingServer, mutant: str | None = None
) -> Any:
    """Build, build again, and ask about it all, while one thing goes wrong."""
    sandbox.restore()
    recorder.requests.clear()
    sandbox.server.reset(rules=[faults(key, recorder.base)[name]])
    environment = {**sandbox.environment, "BFL_API_KEY": key}
    commands = (
        ("build", "--yes"),
        ("build", "--yes", "--json", "-vv"),
        ("orders", "list", "--json", "--everything"),
        ("check",),
        ("doctor",),
    )
    runs = [
        sandbox.fork_server.start(
            words, sandbox.tree, environment, mutant=mutant, traced=False
        ).end()
        for words in commands
    ]
    assert not any(each.hung for each in runs)
    assert Exit.BUG not in {each.code for each in runs}, runs[0].err
    return leaks(key, sandbox, runs, recorder)


@pytest.mark.parametrize("key", CANARIES if DEEP else CANARIES[:2])
@pytest.mark.parametrize("name", NAMES if DEEP else _TELLING)
def test_the_key_stays_at_home(
    make_sandbox: MakeSandbox, recorder: RecordingServer, name: str, key: str
) -> None:
    """Not in what is said, not in a file or its name, not at another server, in no form."""
    assert leaks_of_builds(make_sandbox(situation("deliverables")), key, name, recorder) == []


@pytest.mark.parametrize(
    ("mutant", "name"),
    [("key in clear", "submit 400"), ("redirect followed", "submit redirected 307")],
)
def test_a_leak_is_found(
    make_sandbox: MakeSandbox, recorder: RecordingServer, mutant: str, name: str
) -> None:
    """With a mutant: a key that is not masked, and a client that follows redirects, are found out."""
    leaks = leaks_of_builds(
        make_sandbox(situation("deliverables")), CANARIES[0], name, recorder, mutant
    )

    assert leaks


def test_a_bug_report_has_no_key(make_sandbox: MakeSandbox) -> None:
    """An exception that quotes the key is reported without it."""
    sandbox = make_sandbox(situation("deliverables"))
    environment = {**sandbox.environment, "BFL_API_KEY": CANARIES[1]}

    outcome = sandbox.fork_server.start(
        ("build", "--yes"), sandbox.tree, environment, mutant="bug with the key"
    ).end()

    assert outcome.code == Exit.BUG
    assert "This is a bug in flux2build" in outcome.err
    assert not [form for form in forms(CANARIES[1]) if form in outcome.err]


def test_a_key_from_a_file_is_as_safe(
    make_sandbox: MakeSandbox, recorder: RecordingServer, tmp_path: Path
) -> None:
    """A key that comes by `--env-file` is masked like one from the environment."""
    key = CANARIES[0]
    path = tmp_path / "keys"
    path.write_text(f"BFL_API_KEY={key}\n", "utf-8")
    sandbox = make_sandbox(replace(situation("deliverables"), name="from a file"))
    recorder.requests.clear()
    sandbox.server.reset(rules=[faults(key, recorder.base)["submit 400"]])
    environment = {k: v for k, v in sandbox.environment.items() if k != "BFL_API_KEY"}
    words = ("build", "--yes", "--env-file", str(path))

    outcome = sandbox.fork_server.start(words, sandbox.tree, environment).end()

    assert outcome.code == Exit.INCOMPLETE
    assert leaks(key, sandbox, [outcome], recorder) == []
