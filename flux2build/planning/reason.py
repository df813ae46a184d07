"""Reasons for actions: stable codes with their phrases."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Self

from msgspec import Struct

from flux2build.model import Recipe


class ReasonCode(StrEnum):
    """A reason's stable code, as `--json` writes it, with the phrase that people read."""

    phrase: str
    """The reason in words; `{}` is its subject."""

    def __new__(cls, code: str, phrase: str = "") -> Self:
        """Make a member out of its code and phrase."""
        member = str.__new__(cls, code)
        member._value_, member.phrase = code, phrase
        return member

    NEVER_RENDERED = "never-rendered", "never rendered"
    NEVER_DERIVED = "never-derived", "new deliverable"
    NEVER_WRITTEN = "never-written", "new document"
    PROMPT_CHANGED = "prompt-changed", "prompt changed"
    MODEL_CHANGED = "model-changed", "model changed"
    SEED_CHANGED = "seed-changed", "seed changed"
    TAKE_CHANGED = "take-changed", "another take is asked for"
    PARAM_CHANGED = "param-changed", "`{}` changed"
    PARAM_ADDED = "param-added", "`{}` added"
    PARAM_REMOVED = "param-removed", "`{}` removed"
    REF_CHANGED = "ref-changed", "`{}` changed"
    REF_ADDED = "ref-added", "`{}` is a new input"
    REF_REMOVED = "ref-removed", "`{}` is no longer an input"
    REF_ORDER_CHANGED = "ref-order-changed", "inputs are in another order"
    UPSTREAM_CHANGED = "upstream-changed", "the picture of `{}` changed"
    UPSTREAM_PENDING = "upstream-pending", "waits for `{}`"
    OPS_CHANGED = "ops-changed", "operations changed"
    ENCODING_CHANGED = "encoding-changed", "encoding changed"
    ENCODER_CHANGED = "encoder-changed", "written by `{}`"
    DOCUMENT_CHANGED = "document-changed", "another kind of document is asked for"
    FACTS_CHANGED = "facts-changed", "the files that it describes changed"
    FACTS_PENDING = "facts-pending", "waits for files that it describes"
    OUTPUT_MISSING = "output-missing", "the file is missing"
    OUTPUT_MODIFIED = "output-modified", "the file was modified"
    OUTPUT_POINTER = "output-pointer", "a Git LFS pointer stands in for the file"
    OUTPUT_UNKNOWN = (
        "output-unknown",
        "its file is there already, and nothing tells where it comes from",
    )
    OUTPUT_MOVED = "output-moved", "moved from `{}`"
    PAID_FINAL = "paid-final", "the profile `{}` paid for the file that is there"
    SAME_ORDER = "same-order", "the same order as `{}`"
    ALREADY_MADE = "already-made", "the same picture exists already"
    IN_FLIGHT = "in-flight", "already ordered, on its way"
    IN_DOUBT = "in-doubt", "may have been ordered already"
    KEPT_ASIDE = "kept-aside", "what arrived is not what was ordered"
    TEAM_STORE = "team-store", "from the team's store"
    PAID_FOR = "paid-for", "paid for already, its bytes are not here"
    LOST = "lost", "was bought, and is lost"
    UNRECORDED = "unrecorded", "may have been ordered before, and the ledger has no record of it"
    SHARED_DAMAGED = "shared-damaged", "its {} in the team's store is damaged"
    SHARED_NEWER = "shared-newer", "a newer flux2build wrote its {} in the team's store"
    CLAIMED = "claimed", "another machine of the team has claimed it, and nothing came of it"
    UNPICKED = "unpicked", "waits for a pick"
    FIRST_CANDIDATE = "first-candidate", "the first candidate stands in"
    UPSTREAM_UNPICKED = "upstream-unpicked", "waits for the pick of `{}`"
    APPROVED = "approved", "is approved, and not rendered again"
    HELD = "held", "is held as it is"
    REJECTED = "rejected", "was rejected"
    DISPUTED = "disputed", "has two decisions that contradict each other"
    UPSTREAM_UNAPPROVED = "upstream-unapproved", "waits for the approval of `{}`"
    UPSTREAM_WAITING = "upstream-waiting", "waits for `{}`, which waits for a person"
    UNWANTED = "unwanted", "nothing here asks for it"
    MODERATED = "moderated", "was refused by moderation, unchanged since"
    REQUESTED = "requested", "asked for"
    META_CHANGED = "meta-changed", "tags, alt text or title changed"
    KEY_SCHEMA = "key-schema", "recorded under another key schema"


DECIDED: Final = frozenset(
    {ReasonCode.APPROVED, ReasonCode.HELD, ReasonCode.REJECTED, ReasonCode.DISPUTED}
)
"""A person's decisions about a picture that contradict the spec."""

WAITING: Final = DECIDED | {
    ReasonCode.UNPICKED,
    ReasonCode.UPSTREAM_UNPICKED,
    ReasonCode.UPSTREAM_UNAPPROVED,
    ReasonCode.UPSTREAM_WAITING,
}
"""Reasons to make nothing until a person has decided about a picture."""

PENDING: Final = frozenset({ReasonCode.UPSTREAM_PENDING, ReasonCode.FACTS_PENDING})
"""Reasons that may disappear once the inputs are made."""


SETTLED_BY: Final = {
    ReasonCode.IN_DOUBT: "see `flux2build orders list`, then `orders adopt`, `resubmit` or `write-off`",
    ReasonCode.KEPT_ASIDE: "see `flux2build orders list`, then `orders adopt` or `write-off`",
    ReasonCode.LOST: "see `flux2build orders list`, then `orders adopt` or `resubmit`",
    ReasonCode.CLAIMED: "see `flux2build orders list`, then `orders adopt`, `resubmit` or `write-off`",
    ReasonCode.SHARED_DAMAGED: "see `flux2build orders list`, then `orders adopt`, `resubmit` or `write-off`",
    ReasonCode.SHARED_NEWER: "update flux2build",
}
"""How a person settles an open order, by the reason why the build cannot."""


class Reason(Struct, frozen=True):
    """The reason for an action: a code and its subject, if it has one."""

    code: ReasonCode
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.code}:{self.subject}" if self.subject else self.code

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return self.code.phrase.format(self.subject)


def because(recipe: Recipe, reasons: Iterable[Reason]) -> str:
    """Put the reasons for an action on a recipe into words."""
    own = Reason(ReasonCode.UPSTREAM_PENDING, recipe.asset)
    return ", ".join("follows its master" if r == own else r.sentence for r in reasons)
