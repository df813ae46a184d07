"""Why something is done: stable codes with their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SENTENCES: Mapping[str, str] = {
    "never-rendered": "never rendered",
    "never-derived": "new deliverable",
    "never-written": "new document",
    "prompt-changed": "prompt changed",
    "model-changed": "model changed",
    "seed-changed": "seed changed",
    "take-changed": "another take is asked for",
    "param-changed": "`{}` changed",
    "param-added": "`{}` added",
    "param-removed": "`{}` removed",
    "ref-changed": "`{}` changed",
    "ref-added": "`{}` is a new input",
    "ref-removed": "`{}` is no longer an input",
    "ref-order-changed": "inputs are in another order",
    "upstream-changed": "the picture of `{}` changed",
    "upstream-pending": "waits for `{}`",
    "ops-changed": "operations changed",
    "encoding-changed": "encoding changed",
    "encoder-changed": "written by `{}`",
    "document-changed": "another kind of document is asked for",
    "facts-changed": "what it tells changed",
    "facts-pending": "waits for files that it tells of",
    "output-missing": "the file is missing",
    "output-modified": "the file was modified",
    "output-pointer": "a Git LFS pointer stands in for the file",
    "output-moved": "moved from `{}`",
    "same-order": "the same order as `{}`",
    "already-made": "this very picture was made before",
    "in-flight": "already ordered, on its way",
    "in-doubt": "may have been ordered already",
    "kept-aside": "what arrived is not what was ordered",
    "moderated": "was refused by moderation, unchanged since",
    "requested": "asked for",
    "meta-changed": "tags, alt text or title changed",
    "key-schema": "recorded by other rules of keying",
}
"""Every reason code with its sentence; `{}` is the reason's subject."""


PENDING: Final = frozenset({"upstream-pending", "facts-pending"})
"""Reasons that may come to nothing once upstream is made."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable code, its subject if it has one, and a sentence."""

    code: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.code}:{self.subject}" if self.subject else self.code

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return SENTENCES[self.code].format(self.subject)
