"""Keep one comment with the report in a pull request: written once something has changed, then updated.

    python comment.py REPORT.md

The environment names the repository, the pull request and the token, as action.yml says. Where the token
may not write, as in a pull request from a fork, there is no comment, and that is no failure.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARKER = "<!-- flux2build report -->"
LARGEST = 65_536
CHANGES = ("<details", "\n- error: ")
"""What the report says of a change; a person's text cannot, as its markup is spelled out."""
AUTHOR = os.environ.get("COMMENT_AUTHOR", "github-actions[bot]")
"""Whose comment it is: anybody may write one that begins with the marker."""
SECONDS = 30
PAGES = 20


def asked(method: str, path: str, content: dict[str, str] | None = None) -> Any:
    """What GitHub answers."""
    server = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    request = urllib.request.Request(  # noqa: S310 - GitHub's own address
        f"{server}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        data=json.dumps(content).encode() if content else None,
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - likewise
        return json.load(answer)


def comments(number: int) -> Iterator[dict[str, Any]]:
    """All comments of a pull request."""
    for page in range(1, PAGES + 1):
        some = asked("GET", f"issues/{number}/comments?per_page=100&page={page}")
        yield from some
        if len(some) < 100:
            return


def ours(number: int) -> dict[str, Any] | None:
    """The comment of an earlier run."""
    return next(
        (
            each
            for each in comments(number)
            if each["user"]["login"] == AUTHOR and each["body"].startswith(MARKER)
        ),
        None,
    )


def kept(number: int, text: str) -> str:
    """Write or update the comment; return what was done."""
    earlier = ours(number)
    if earlier is None and not any(each in text for each in CHANGES):
        return "nothing has changed, so there is no comment"
    if earlier is not None and earlier["body"].strip() == text.strip():
        return "the comment is as it was"
    if earlier is not None:
        asked("PATCH", f"issues/comments/{int(earlier['id'])}", {"body": text})
        return "the comment was updated"
    asked("POST", f"issues/{number}/comments", {"body": text})
    return "the comment was written"


def main() -> None:
    """Keep the comment, and say what was done."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    if page := os.environ.get("ARTIFACT"):
        text = f"{text}\n[The whole report]({page}) has the pictures side by side.\n"
    try:
        print(kept(int(os.environ["NUMBER"]), text[:LARGEST]))
    except urllib.error.HTTPError as error:
        print(f"::notice::There is no comment: GitHub answered {error.code}.")
    except OSError as error:
        print(f"::notice::There is no comment: {error}".replace("\n", " "))


if __name__ == "__main__":
    main()
