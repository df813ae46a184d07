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
from tests.laws.conftest import Staging
from tests.laws.crash import Ended, Play
from tests.laws.disk import files
from tests.laws.listener import Listener, listening
from tests.laws.scenes import scene

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
        re.sub("%..", lambda found: found[0].lower(), quote(key, safe="")),
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        json.dumps(key)[1:-1],
        html.escape(key),
        repr(key)[1:-1],
        data.hex(),
    }


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """Somebody else's server."""
    with listening() as found:
        yield found


def echo(key: str) -> str:
    """What a careless server says: the key, in every form."""
    return json.dumps({"detail": f"no entry for {' '.join(sorted(forms(key)))}"})


def faults(key: str, elsewhere: str) -> dict[str, dict[str, Any]]:
    """What goes wrong, by name: echoes, redirects, addresses of others, broken answers."""
    said = {"fault": "http", "body": echo(key), "times": 3}
    codes = {
        f"{stage} {code}": {**said, "stage": stage, "code": code}
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


def leaks(key: str, play: Play, runs: list[Ended], listener: Listener) -> list[str]:
    """Where the key, in any form, turned up although it must not."""
    texts = {f"output of run {number}": each.out + each.err for number, each in enumerate(runs)}
    texts |= {f"request {number}": each for number, each in enumerate(listener.heard)}
    for path in files(play.folder / "play"):
        inside = path.read_bytes().decode("utf-8", "replace")
        texts[str(path)] = f"{path.relative_to(play.folder)}\n{inside}"
    wanted = {form for form in forms(key) if len(form) > 3}
    return [
        f"{place} has {form!r}: …{text[max(0, text.index(form) - 80) : text.index(form) + 80]}…"
        for place, text in texts.items()
        for form in wanted
        if form in text
    ]


def played(play: Play, key: str, name: str, listener: Listener, control: str | None = None) -> Any:
    """Build, build again, and ask about it all, while one thing goes wrong."""
    play.restore()
    listener.heard.clear()
    play.server.reset(rules=[faults(key, listener.base)[name]])
    environment = {**play.environment, "BFL_API_KEY": key}
    commands = (
        ("build", "--yes"),
        ("build", "--yes", "--json", "-vv"),
        ("orders", "list", "--json", "--everything"),
        ("check",),
        ("doctor",),
    )
    runs = [
        play.nursery.start(words, play.tree, environment, control=control, traced=False).end()
        for words in commands
    ]
    assert not any(each.hung for each in runs)
    assert Exit.BUG not in {each.code for each in runs}, runs[0].err
    return leaks(key, play, runs, listener)


@pytest.mark.parametrize("key", CANARIES if DEEP else CANARIES[:2])
@pytest.mark.parametrize("name", NAMES if DEEP else _TELLING)
def test_the_key_stays_at_home(stage: Staging, listener: Listener, name: str, key: str) -> None:
    """Not in what is said, not in a file or its name, not at another server, in no form."""
    assert played(stage(scene("deliverables")), key, name, listener) == []


@pytest.mark.parametrize(
    ("control", "name"),
    [("key in clear", "submit 400"), ("redirect followed", "submit redirected 307")],
)
def test_a_leak_is_found(stage: Staging, listener: Listener, control: str, name: str) -> None:
    """The control: a key that is not masked, and a client that follows redirects, are found out."""
    found = played(stage(scene("deliverables")), CANARIES[0], name, listener, control)

    assert found


def test_a_bug_report_has_no_key(stage: Staging) -> None:
    """An exception that quotes the key is reported without it."""
    play = stage(scene("deliverables"))
    environment = {**play.environment, "BFL_API_KEY": CANARIES[1]}

    ended = play.nursery.start(
        ("build", "--yes"), play.tree, environment, control="bug with the key"
    ).end()

    assert ended.code == Exit.BUG
    assert "This is a bug in flux2build" in ended.err
    assert not [form for form in forms(CANARIES[1]) if form in ended.err]


def test_a_key_from_a_file_is_as_safe(stage: Staging, listener: Listener, tmp_path: Path) -> None:
    """A key that comes by `--env-file` is masked like one from the environment."""
    key = CANARIES[0]
    path = tmp_path / "keys"
    path.write_text(f"BFL_API_KEY={key}\n", "utf-8")
    play = stage(replace(scene("deliverables"), name="from a file"))
    listener.heard.clear()
    play.server.reset(rules=[faults(key, listener.base)["submit 400"]])
    environment = {k: v for k, v in play.environment.items() if k != "BFL_API_KEY"}
    words = ("build", "--yes", "--env-file", str(path))

    ended = play.nursery.start(words, play.tree, environment).end()

    assert ended.code == Exit.INCOMPLETE
    assert leaks(key, play, [ended], listener) == []
