"""Every spelling of a state and every shape of a result, with what is made of them."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest

from flux2build.providers import bfl, cometapi, cometapi_replicate, replicate
from flux2build.providers.contract import Ready, Refusal, Refused, Remote, Reply, Ticket, Waiting

URL: Final = "https://delivery.example/a.png"
BYTES: Final = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 80).decode()
TASK: Final = "task-123456"
REMOTES: Final = (bfl.PROVIDER, cometapi.PROVIDER, replicate.PROVIDER, cometapi_replicate.PROVIDER)
REMOTE: Final = pytest.mark.parametrize("remote", REMOTES, ids=lambda remote: remote.name)


def _status(remote: Remote, body: Any, status: int = 200) -> Waiting | Ready | Refused:
    return remote.status(Reply(status, {}, json.dumps(body).encode()))


def _spelled(word: str) -> list[str]:
    """A word as different servers write it."""
    parts = word.split()
    return [
        word,
        word.lower(),
        word.upper(),
        "_".join(parts).lower(),
        "-".join(parts),
        "".join(parts),
    ]


@REMOTE
@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("Error", "Failed", "failure", "errored", "rejected"), Refusal.FAILED),
        (("canceled", "Cancelled"), Refusal.FAILED),
        (("Request Moderated", "Input Moderated"), Refusal.REQUEST_MODERATED),
        (
            ("Content Moderated", "moderated", "blocked", "content policy violation", "NSFW"),
            Refusal.CONTENT_MODERATED,
        ),
        (("Task not found", "not found", "expired", "deleted"), Refusal.LOST),
    ],
)
def test_an_end_in_any_spelling(remote: Remote, words: tuple[str, ...], refusal: Refusal) -> None:
    """Case, blanks and hyphens tell nothing, and other servers' words mean what they mean there."""
    for word in (spelling for each in words for spelling in _spelled(each)):
        state = _status(remote, {"id": TASK, "status": word})

        assert isinstance(state, Refused), word
        assert (state.refusal, state.task) == (refusal, TASK), word


@REMOTE
@pytest.mark.parametrize(
    "more",
    [
        {"error": "content_policy_violation"},
        {"error": {"code": 7, "message": "Blocked by the safety system"}},
        {"details": {"Moderation Reasons": ["Derivative Works Filter"]}},
        {"error": "flagged as sensitive (E005)"},
        {"message": "NSFW content detected"},
    ],
    ids=str,
)
def test_a_failure_that_was_moderation(remote: Remote, more: dict[str, Any]) -> None:
    """It is told by what the failure says, and never ordered again unchanged."""
    state = _status(remote, {"id": TASK, "status": "Error", **more})

    assert isinstance(state, Refused)
    assert state.refusal is Refusal.CONTENT_MODERATED
    assert isinstance(_status(remote, {"id": TASK, **more}), Refused)
    if "error" in more:
        for word in ("Something", "Ready"):
            assert isinstance(_status(remote, {"id": TASK, "status": word, **more}), Refused)


@REMOTE
def test_an_order_that_goes_on_is_waited_for(remote: Remote) -> None:
    """A timeout may be that of a gateway, and details may tell of a moderation that was passed."""
    for body in ({"status": "timeout"}, {"status": "Pending", "details": {"moderation": "passed"}}):
        assert isinstance(_status(remote, {"id": TASK, **body}), Waiting)


@REMOTE
@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_refusal_that_was_moderation(remote: Remote, status: int) -> None:
    """An order that is refused for its words is moderated, whatever the HTTP status."""
    reply = Reply(status, {}, b'{"error": "content_policy_violation"}')
    answer = remote.ticket(reply, remote.endpoint)

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.REQUEST_MODERATED


SHAPES: Final[list[dict[str, Any]]] = [
    {"result": {"sample": URL}},
    {"result": {"sample": [URL]}},
    {"result": URL},
    {"result": {"url": URL}},
    {"result": {"images": [{"url": URL, "width": 64}]}},
    {"images": [{"url": URL}]},
    {"image": {"url": URL}},
    {"output": URL},
    {"output": [URL]},
    {"output": {"images": [URL]}},
    {"data": [{"url": URL}]},
    {"data": {"result": {"sample": URL}}},
    {"sample": URL},
    {"result": {"sample": f"data:image/png;base64,{BYTES}"}},
    {"result": {"image_base64": BYTES}},
    {"data": [{"b64_json": BYTES}]},
    {"output": BYTES},
    {"images": [BYTES]},
]


STATES: Final = (
    *("Ready", "READY", "succeeded", "Success", "COMPLETED", "done", "finished", "ok"),
    *("Rendered", "Pending", "Stage 7", "", None, 3),
)


@REMOTE
@pytest.mark.parametrize("state", STATES, ids=repr)
def test_a_usable_result_is_ready(remote: Remote, state: Any) -> None:
    """Wherever the picture stands, and whatever the word."""
    for shape in SHAPES:
        answer = _status(remote, {"id": TASK, "status": state, **shape})

        assert isinstance(answer, Ready), shape
        assert answer.url in {URL, f"data:;base64,{BYTES}", f"data:image/png;base64,{BYTES}"}
        assert (answer.task, answer.pictures) == (TASK, 1), shape


@REMOTE
@pytest.mark.parametrize(
    "body",
    [
        {"status": "Pending", "polling_url": URL, "urls": {"get": URL}, "url": URL},
        {"status": "Pending", "input": {"images": [URL]}, "webhook_url": URL},
        {"status": "Ready", "result": {"sample": None}},
        {"status": "succeeded", "output": []},
        {"status": "queued", "preview": {"sample": URL}},
        {"result": "QUJD" * 40},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_is_no_result(remote: Remote, body: dict[str, Any]) -> None:
    """Other URLs, texts and previews are no pictures."""
    assert isinstance(_status(remote, {"id": TASK, **body}), Waiting)


@REMOTE
def test_blocked_pictures_are_not_fetched(remote: Remote) -> None:
    """What stands beside a moderation is not the picture that was ordered."""
    answer = _status(remote, {"id": TASK, "status": "Content Moderated", "result": {"sample": URL}})

    assert isinstance(answer, Refused)


@REMOTE
def test_two_pictures_are_counted(remote: Remote) -> None:
    """The first one counts, and the others are not passed over in silence."""
    answer = _status(remote, {"id": TASK, "status": "succeeded", "output": [URL, f"{URL}?2"]})

    assert isinstance(answer, Ready)
    assert (answer.url, answer.pictures) == (URL, 2)


def test_unfinished_output_is_waited_for() -> None:
    """Replicate adds to the output of a prediction that is still processed."""
    body = {"id": TASK, "status": "processing", "output": [URL]}

    assert isinstance(_status(replicate.PROVIDER, body), Waiting)


@REMOTE
@pytest.mark.parametrize("status", [401, 429, 500, 502, 503])
def test_an_envelope_is_no_end(remote: Remote, status: int) -> None:
    """A server in trouble says `error` of the inquiry; without a task it says nothing of the order."""
    body = {"status": "error", "message": "upstream timed out"}

    assert isinstance(_status(remote, body, status), Waiting)


@pytest.mark.parametrize(
    ("remote", "body"),
    [
        (bfl.PROVIDER, {"polling_url": f"https://api.us1.bfl.ai/v1/get_result?id={TASK}"}),
        (bfl.PROVIDER, {"polling_url": f"https://gateway.bfl.ai/v1/tasks/{TASK}"}),
        (cometapi.PROVIDER, {"polling_url": f"https://api.bfl.ai/v1/get_result?id={TASK}&a=b"}),
        (replicate.PROVIDER, {"urls": {"get": f"https://api.replicate.com/v1/predictions/{TASK}"}}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_task_may_be_named_by_its_url(remote: Remote, body: dict[str, Any]) -> None:
    """An order was accepted where the answer says where to ask for it."""
    ticket = remote.ticket(Reply(200, {}, json.dumps(body).encode()), remote.endpoint)

    assert isinstance(ticket, Ticket)
    assert ticket.task == TASK
