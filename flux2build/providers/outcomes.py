"""Reads the outcome of an order from a server's reply: its state, moderation, its pictures.

Words are compared without case, spaces and hyphens, and the words of different servers for one
state count as the same. A usable picture counts more than an unknown word.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from msgspec.structs import replace

from flux2build.errors import one_line
from flux2build.images.formats.lookup import sniff
from flux2build.providers import replies
from flux2build.providers.contract import Ready, Refusal, Refused, Reply, Waiting


class Word(Enum):
    """The meaning of the word for a state."""

    UNKNOWN = auto()
    """A task in an unknown state is still waited for: servers have added states before."""
    READY = auto()
    FAILED = auto()
    CANCELED = auto()
    ABORTED = auto()
    """Cancelled before it started."""
    REQUEST_MODERATED = auto()
    CONTENT_MODERATED = auto()
    LOST = auto()


_MEANINGS: Final = {
    Word.READY: "ready success succeeded successful complete completed done finished ok",
    Word.FAILED: "error errored fail failed failure rejected",
    Word.CANCELED: "canceled cancelled cancel",
    Word.ABORTED: "aborted",
    Word.REQUEST_MODERATED: "requestmoderated inputmoderated promptmoderated",
    Word.CONTENT_MODERATED: "contentmoderated outputmoderated moderated blocked flagged filtered "
    "contentfiltered contentpolicyviolation nsfw nsfwdetected",
    Word.LOST: "tasknotfound notfound expired deleted removed",
}
_WORDS: Final = {spelling: word for word, text in _MEANINGS.items() for spelling in text.split()}

_STATES: Final = ("status", "state", "task_status")
_REASONS: Final = ("details", "error", "failure_reason", "message", "detail")
_PLACES: Final = (
    *("result", "results", "output", "outputs", "sample", "images", "image", "data"),
    *("image_url", "b64_json", "base64", "image_base64"),
)
"""Where pictures are, the likeliest place first."""
_INNER_PLACES: Final = ("url", *_PLACES)
"""The same within such a place; elsewhere a URL may have another purpose."""

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{64}")


def judged(
    reply: Reply,
    read: Callable[[replies.Fields], Ready],
    *,
    charged: bool,
    unfinished: frozenset[str] = frozenset(),
) -> Waiting | Ready | Refused | None:
    """The outcome that a reply reports; None if it reports none.

    `read` reads the other facts about a picture; `charged` is the value for a failed order.
    In an `unfinished` state pictures may still be added.
    """
    body = replies.fields(reply)
    if body is None:
        return None
    state, word = _state(body), _word(body)
    pictures = () if word in _MODERATED or state in unfinished else _pictures_of(body)
    if pictures:
        picture, *others = pictures
        return replace(
            read(body), url=picture, task=replies.task_of(body), pictures=1 + len(others)
        )
    speaks = reply.status < 300 or (state and replies.task_of(body))
    if speaks and (ended := _ended(body, word, charged=charged)):
        return ended
    return _without_picture(body) if word is Word.READY else _waiting(body)


def says_ready(body: replies.Fields) -> bool:
    """Whether the state of a reply means that its order is ready."""
    return _word(body) is Word.READY


def _without_picture(body: replies.Fields) -> Waiting | Refused:
    """The outcome of an order that is ready, but whose reply has no picture."""
    if body.get("data_removed"):
        text = "the server has removed the picture"
        return Refused(Refusal.LOST, text, charged=True, task=replies.task_of(body))
    return Waiting(f"{one_line(_state(body), 60)}, without a picture")


def _ended(body: replies.Fields, word: Word, *, charged: bool) -> Refused | None:
    """How an order ended without a picture; None if it may still go on."""
    why, task, state = _why(body), replies.task_of(body), one_line(_state(body), 60)
    failed = word in {Word.FAILED, Word.CANCELED}
    # While an order goes on, its details may tell that moderation let it pass; an error may not.
    reason = why if failed or not state else replies.words(body.get("error"))
    if word in _MODERATED or (word is not Word.LOST and replies.moderation(reason)):
        kind = _MODERATED.get(word, Refusal.CONTENT_MODERATED)
        return Refused(kind, why or state.lower(), charged=charged, task=task)
    if failed:
        return Refused(Refusal.FAILED, why or state.lower(), charged=charged, task=task)
    if word is Word.ABORTED:
        return Refused(Refusal.FAILED, "aborted before it started", task=task)
    if word is Word.LOST:
        unknown = "not" in state.lower()
        text = "the server does not know the task" if unknown else f"the server says `{state}`"
        return Refused(Refusal.LOST, text, charged=True, task=task)
    return None


def _waiting(body: replies.Fields) -> Waiting | None:
    if state := one_line(_state(body), 60):
        return Waiting(state, replies.progress(body.get("progress")))
    return None


def _why(body: replies.Fields) -> str:
    """The reason why an order ended."""
    inner = body.get("data")
    bodies = (body, inner if isinstance(inner, Mapping) else {})
    texts = (replies.words(each.get(name)) for each in bodies for name in _REASONS)
    return one_line(next(filter(None, texts), ""))


def _word(body: replies.Fields) -> Word:
    """The meaning of a reply's state."""
    return _WORDS.get(re.sub(r"[\s_-]", "", _state(body)).casefold(), Word.UNKNOWN)


def _state(body: replies.Fields) -> str:
    """The state as the server words it; empty if it names none."""
    inner = body.get("data")
    bodies = (body, inner if isinstance(inner, Mapping) else {})
    states = (each.get(name) for each in bodies for name in _STATES)
    return next((state for state in states if isinstance(state, str)), "")


def _pictures_of(body: replies.Fields) -> tuple[str, ...]:
    """The URLs of a reply's pictures; one that stands in the reply itself is a `data:` URL."""
    return tuple(_pictures(body, _PLACES, 4))


def _pictures(value: object, places: Sequence[str], levels: int) -> Iterator[str]:
    if isinstance(value, str):
        if url := _picture(value):
            yield url
    elif levels and isinstance(value, list):
        for each in value:
            yield from _pictures(each, _INNER_PLACES, levels - 1)
    elif levels and isinstance(value, Mapping):
        # The same picture may stand there by its URL and by its bytes.
        for place in places:
            if pictures := list(_pictures(value.get(place), _INNER_PLACES, levels - 1)):
                yield from pictures
                return


def _picture(text: str) -> str | None:
    """The URL of a picture, from a text that is its URL or its base64."""
    if text.startswith("data:image/"):
        return text
    if not _BASE64.match(text):
        return replies.address(text)
    head = text[:64].translate(_PLAIN)
    return f"data:;base64,{text}" if sniff(base64.b64decode(head)) else None


_PLAIN: Final = str.maketrans("-_", "+/")
_MODERATED: Final = {
    Word.REQUEST_MODERATED: Refusal.REQUEST_MODERATED,
    Word.CONTENT_MODERATED: Refusal.CONTENT_MODERATED,
}
