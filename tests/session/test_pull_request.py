"""Pull requests from forks are recognized by what CI services say about an event."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from flux2build.session.pull_request import stranger

HOME = {"id": 100, "full_name": "acme/site", "fork": False}
FORK = {"id": 200, "full_name": "mallory/site", "fork": True}
CERTAIN, POSSIBLE = "a pull request from a fork", "a pull request that may be from a fork"


def request(head: Any, base: Any = HOME) -> dict[str, Any]:
    """The payload of a pull request."""
    return {"pull_request": {"head": {"repo": head}, "base": {"repo": base}}, "repository": base}


@pytest.mark.parametrize(
    ("event", "payload", "origin"),
    [
        ("pull_request", request(HOME), None),
        ("pull_request", request(FORK, FORK), None),
        ("pull_request", request(FORK), CERTAIN),
        ("pull_request_target", request(FORK), CERTAIN),
        ("pull_request_review", request(FORK), CERTAIN),
        ("pull_request", request(None), CERTAIN),
        ("pull_request", request({**FORK, "full_name": "acme/site"}), CERTAIN),
        ("pull_request", request({}, {}), CERTAIN),
        ("pull_request", {"pull_request": 3}, CERTAIN),
        ("pull_request", [], POSSIBLE),
        ("issue_comment", {"issue": {"pull_request": {"url": "…"}}}, POSSIBLE),
        ("issue_comment", {"issue": {}}, None),
        ("workflow_run", {"workflow_run": {"head_repository": FORK}, "repository": HOME}, CERTAIN),
        ("workflow_run", {"workflow_run": {"head_repository": HOME}, "repository": HOME}, None),
        ("push", {"repository": HOME}, None),
        ("workflow_dispatch", {}, None),
    ],
)
def test_github(tmp_path: Path, event: str, payload: object, origin: str | None) -> None:
    """A request is a stranger's if its branch lies in another repository, or a deleted one."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload), "utf-8")

    assert stranger({"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)}) == origin


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[" * 100_000, "pipe"])
def test_an_event_that_cannot_be_read(tmp_path: Path, content: bytes | str | None) -> None:
    """An unreadable event that a fork can cause may be a stranger's; a push is not one."""
    path = tmp_path / "event.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        os.mkfifo(path)
    where = {"GITHUB_EVENT_PATH": str(path)}

    for event in ("pull_request", "workflow_run", "issue_comment"):
        assert stranger({"GITHUB_EVENT_NAME": event, **where}) == POSSIBLE
    assert stranger({"GITHUB_EVENT_NAME": "push", **where}) is None


@pytest.mark.parametrize(
    ("variables", "origin"),
    [
        ({}, None),
        ({"CI_PIPELINE_SOURCE": "push", "CI_PROJECT_ID": "1"}, None),
        ({"CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"}, None),
        ({"CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}, CERTAIN),
        ({"CI_MERGE_REQUEST_PROJECT_ID": "1"}, CERTAIN),
        ({"SYSTEM_PULLREQUEST_ISFORK": "True"}, CERTAIN),
        ({"SYSTEM_PULLREQUEST_ISFORK": "False"}, None),
        ({"CIRCLE_PR_REPONAME": "site"}, CERTAIN),
    ],
)
def test_other_services(variables: dict[str, str], origin: str | None) -> None:
    """GitLab, Azure Pipelines and CircleCI report forks in variables."""
    assert stranger(variables) == origin
