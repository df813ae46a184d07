"""What is made of every answer: its words, by the shape of what it brings, as one table."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flux2build.providers import bfl, replicate
from flux2build.providers.contract import Ready, Refused, Remote, Reply, Waiting
from tests.providers.test_outcomes import BYTES, TASK, URL

TABLE: Final = Path(__file__).with_name("answers.md")
PROTOCOLS: Final[Mapping[str, Remote]] = {
    "Black Forest Labs and CometAPI": bfl.PROVIDER,
    "Replicate and its format at CometAPI": replicate.PROVIDER,
}
SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "nothing": {},
    "`result.sample`": {"result": {"sample": URL}},
    "`output: [URL]`": {"output": [URL]},
    "`images[].url`": {"images": [{"url": URL}]},
    "base64": {"result": {"image_base64": BYTES}},
    "`data:` URL": {"result": {"sample": f"data:image/png;base64,{BYTES}"}},
    "two URLs": {"output": [URL, f"{URL}?2"]},
    "moderation as an error": {"error": "content_policy_violation"},
    "another error": {"error": "out of memory"},
}
WORDS: Final = (
    *("Ready", "SUCCESS", "completed", "Pending", "processing", "queued", "on its way"),
    *("failed", "Cancelled", "aborted", "rejected"),
    *("request_moderated", "CONTENT MODERATED", "nsfw", "task_not_found", "expired"),
)
"""Words of the vendors and of servers like theirs, in the spellings that were met."""


def verdict(state: Waiting | Ready | Refused) -> str:
    """What an answer means, in a word."""
    if isinstance(state, Ready):
        return f"ready, of {state.pictures} the first" if state.pictures > 1 else "ready"
    return state.refusal.value if isinstance(state, Refused) else "waits"


def lines() -> Iterator[str]:
    """The table, for each protocol."""
    yield "<!-- `WRITE_DOCS=1 pytest tests/providers/test_answers.py` writes this. -->"
    for name, remote in PROTOCOLS.items():
        yield from ("", f"| {name} | {' | '.join(SHAPES)} |", f"|---{'|---' * len(SHAPES)}|")
        for word in (*WORDS, ""):
            state = {"status": word} if word else {}
            bodies = ({"id": TASK, **state, **shape} for shape in SHAPES.values())
            replies = (Reply(200, {}, json.dumps(body).encode()) for body in bodies)
            verdicts = (verdict(remote.status(reply)) for reply in replies)
            yield f"| {word or '(none)'} | {' | '.join(verdicts)} |"


def test_the_table_of_answers() -> None:
    """Every word of a server with every shape of a result means what the table says."""
    text = "\n".join((*lines(), ""))
    if os.environ.get("WRITE_DOCS"):
        TABLE.write_text(text, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == text
