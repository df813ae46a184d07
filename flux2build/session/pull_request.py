"""Detects from a CI service's variables whether a pull request, or a fork's, started this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from flux2build.storage import regular

_FORK: Final = "a pull request from a fork"
_UNKNOWN: Final = "a pull request that may be from a fork"
_FOREIGN: Final = ("pull_request", "workflow_run", "issue_comment")
"""The prefixes of the names of events that a fork can cause."""


def stranger(environment: Mapping[str, str]) -> str | None:
    """The pull request that started this process, if it is or may be from a fork.

    GitHub, Gitea and Forgejo describe the event in a file; where that cannot be read, the
    event may have been anybody's.
    """
    if _elsewhere(environment):
        return _FORK
    event = environment.get("GITHUB_EVENT_NAME", "")
    if not event:
        return None
    payload = _payload(environment.get("GITHUB_EVENT_PATH", ""))
    if payload is None:
        return _UNKNOWN if event.startswith(_FOREIGN) else None
    return _origin(event, payload)


def requested(environment: Mapping[str, str]) -> bool:
    """Whether a pull request from anybody started this process."""
    event = environment.get("GITHUB_EVENT_NAME", "")
    numbers = ("CI_MERGE_REQUEST_IID", "SYSTEM_PULLREQUEST_PULLREQUESTID", "CIRCLE_PULL_REQUEST")
    named = any(environment.get(name) for name in numbers)
    return named or event.startswith("pull_request") or stranger(environment) is not None


def _elsewhere(environment: Mapping[str, str]) -> bool:
    """Whether GitLab, Azure Pipelines or CircleCI report a fork."""
    source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    target = environment.get("CI_MERGE_REQUEST_PROJECT_ID", "")
    azure = environment.get("SYSTEM_PULLREQUEST_ISFORK", "").lower() == "true"
    return source != target or azure or bool(environment.get("CIRCLE_PR_REPONAME"))


def _payload(path: str) -> Mapping[str, Any] | None:
    """GitHub's description of an event; None if it cannot be read."""
    try:
        payload = json.loads(regular.read(path))
    except (OSError, ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _origin(event: str, payload: Mapping[str, Any]) -> str | None:
    """The origin of an event of GitHub, if it is or may be a fork."""
    if event == "workflow_run":
        home, head = payload.get("repository"), _within(payload, event).get("head_repository")
    elif event.startswith("pull_request"):
        request = _within(payload, "pull_request")
        home, head = (_within(request, end).get("repo") for end in ("base", "head"))
    else:
        # A comment on a pull request does not say whose branch it is about.
        return _UNKNOWN if _within(payload, "issue").get("pull_request") else None
    return None if _same(home, head) else _FORK


def _within(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = table.get(name)
    return value if isinstance(value, dict) else {}


def _same(home: object, head: object) -> bool:
    """Whether two repositories are the same; a deleted one, or one without an id, is another."""
    if not isinstance(home, dict) or not isinstance(head, dict):
        return False
    return home.get("id") is not None and home.get("id") == head.get("id")
