"""Scenarios: how the simulated servers behave, and what goes wrong; read from TOML or JSON.

A scenario consists of settings and rules. A rule names a stage, narrows it, and names
a fault; `docs/simulator.md` has a table of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.validation_errors import validated
from flux2build.errors import Problem, SpecError, UsageError
from flux2build.storage import regular, toml_text
from flux2build.storage.toml_file import TomlFile
from flux2build.tables import table
from flux2build.tables.marks import Before
from flux2build.tables.table import Field, Table

Stage = Literal["submit", "poll", "download", "upload", "callback"]
Dialect = Literal["bfl", "cometapi", "replicate"]

EARLY: Final = frozenset({"drop-before-read"})
"""Faults decided before the request's body is read."""

REFUSING: Final = frozenset({"http", "redirect", "garbage"})
"""Faults that keep a submission from being accepted, unless the rule says `charged = true`."""

NEEDS: Final[Mapping[str, str]] = {
    "redirect": "to",
    "polling-elsewhere": "to",
    "sample-elsewhere": "to",
    "status": "status",
    "outcome": "status",
}
"""Faults that require another key."""

FAULTS: Final[Mapping[str, frozenset[str]]] = {
    "any": frozenset({
        "http", "redirect", "drop-before-read", "drop-after-read", "drop-mid-headers", "short-body",
        "truncated", "garbage", "wrong-type", "gzip-bomb", "oversized", "slow", "hang",
    }),
    "submit": frozenset({
        "missing-id", "ready-at-once", "polling-elsewhere", "outcome", "stuck", "price",
    }),
    "poll": frozenset({
        "status", "foreign-id", "foreign-sample", "sample-elsewhere", "missing-sample",
        "expired-url", "not-found",
    }),
    "download": frozenset({
        "wrong-size", "wrong-format", "foreign-picture", "no-end", "not-a-picture", "expired-url",
    }),
    "callback": frozenset({"lost", "late", "doubled", "wrong-signature"}),
}  # fmt: skip
"""Every fault by the stage at which it makes sense; `any` are faults of a connection to the server."""

_KINDS: Final = frozenset().union(*FAULTS.values())


class Rule(Table):
    """When something goes wrong, and what."""

    stage: Stage
    fault: str
    dialect: Dialect | None = None
    model: str | None = None
    """A pattern: `flux-2-*`."""
    prompt: str | None = None
    """Text that the prompt contains, in any case."""
    nth: int = Field(default=1, ge=1)
    """The first matching request that is hit, counted from 1."""
    times: Literal["once", "always"] | Annotated[int, Field(ge=1)] = "always"
    per_task: bool = False
    """Count per task (per distinct order at submission), not over all requests."""

    code: int = Field(default=500, ge=200, le=599)
    body: str = "json"
    """`json`, `html`, `empty`, or the text itself."""
    retry_after: str | None = None
    to: str | None = None
    status: str | None = None
    media_type: str = "text/html"
    at: float = Field(default=0.5, ge=0, le=1)
    """Where a body or a head is cut, as a share of its length."""
    reset: bool = False
    """Cut with a TCP reset instead of an orderly close."""
    seconds: float = Field(default=3600, ge=0)
    """How long `hang` and `late` wait, and `slow` between two pieces."""
    size: int = Field(default=64 * 2**20, ge=0)
    """Bytes of an `oversized` body, or of a `gzip-bomb` once inflated."""
    piece: int = Field(default=1, ge=1)
    """Bytes that `slow` sends at a time."""
    width: int = Field(default=64, ge=16, le=4096)
    height: int = Field(default=64, ge=16, le=4096)
    format: Literal["png", "jpeg", "webp"] | None = None
    factor: Decimal = Decimal(2)
    """What `price` multiplies the price with."""
    charged: bool | None = None
    """Whether a submission that goes wrong is accepted and charged nevertheless."""

    @table.rule
    def _makes_sense(self) -> None:
        if self.fault not in _KINDS:
            raise ValueError(f"unknown fault `{self.fault}`; known: {', '.join(sorted(_KINDS))}")
        connected = frozenset() if self.stage == "callback" else FAULTS["any"]
        if self.fault not in connected | FAULTS.get(self.stage, frozenset()):
            raise ValueError(f"`{self.fault}` cannot happen at the stage `{self.stage}`")
        if self.fault in EARLY and (self.prompt is not None or self.per_task):
            raise ValueError(f"`{self.fault}` happens before the prompt is known")
        needed = NEEDS.get(self.fault)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"`{self.fault}` needs `{needed}`")

    @property
    def accepts(self) -> bool:
        """Whether a submission to which this rule applies is accepted and charged."""
        return self.fault not in REFUSING if self.charged is None else self.charged

    def concerns(self, stage: str, dialect: str, model: str) -> bool:
        """Whether this rule is about requests of this kind."""
        return (
            self.stage == stage
            and self.dialect in {None, dialect}
            and (self.model is None or fnmatchcase(model, self.model))
        )

    def mentions(self, prompt: str) -> bool:
        """Whether a prompt contains the text that this rule names."""
        return self.prompt is None or self.prompt.casefold() in prompt.casefold()

    def hits(self, count: int) -> bool:
        """Whether the `count`th matching request goes wrong."""
        if self.times == "always":
            return count >= self.nth
        last = self.nth + (1 if self.times == "once" else self.times)
        return self.nth <= count < last


class Rules:
    """The rules in force, in the order of the scenario, and how often each has matched."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._matches: Counter[tuple[int, str]] = Counter()
        self.hits = [0] * len(rules)
        """How often each rule has applied."""

    def early(self, stage: str, dialect: str, model: str) -> Rule | None:
        """The rule that applies to a request before its body is read."""
        return self._first((stage, dialect, model), early=True)

    def meet(self, stage: str, dialect: str, model: str, *, prompt: str, key: str) -> Rule | None:
        """The first rule that applies to a request; later rules do not count the request.

        `key` names the task, or the order at submission, for rules that count per task.
        """
        return self._first((stage, dialect, model), prompt, key)

    def _first(
        self, where: tuple[str, str, str], prompt: str = "", key: str = "", *, early: bool = False
    ) -> Rule | None:
        for index, rule in enumerate(self._rules):
            concerns = (rule.fault in EARLY) is early and rule.concerns(*where)
            counted = key if rule.per_task else ""
            if concerns and rule.mentions(prompt) and self._applies(index, counted):
                return rule
        return None

    def _applies(self, index: int, key: str) -> bool:
        self._matches[index, key] += 1
        applies = self._rules[index].hits(self._matches[index, key])
        self.hits[index] += applies
        return applies


def _exact(value: object) -> object:
    """A TOML float as the decimal that was written, not as its binary neighbour."""
    return str(value) if isinstance(value, float) else value


class Scenario(Table):
    """All settings of the simulated servers."""

    latency: float = Field(default=0.5, ge=0)
    """Seconds from acceptance to the finished picture."""
    limit: int = Field(default=24, ge=0)
    """Most orders unfinished at once, per dialect; more are answered 429."""
    credits: Annotated[Decimal, Before(_exact)] = Field(default=Decimal(100_000), ge=0)
    """The balance at the start, in credits of 0.01 USD."""
    creates_per_minute: int = Field(default=0, ge=0)
    """Most submissions accepted per minute and dialect; 0 for no limit."""
    retry_after: str | None = "1"
    """The header of a 429, if any."""
    keys: tuple[str, ...] = ()
    """The keys that are accepted; any key, if none are named."""
    request_words: tuple[str, ...] = ("forbidden",)
    """A prompt with one of these ends as `Request Moderated`."""
    content_words: tuple[str, ...] = ("explicit",)
    """A prompt with one of these ends as `Content Moderated`."""
    expiry: float | None = Field(default=None, ge=0)
    """Seconds until a result URL expires; by default 10 minutes, or an hour where the API says so."""
    retention: float = Field(default=3600, ge=0)
    """Seconds after which a finished task is forgotten."""
    strict: bool = False
    """Answer 422 to unknown fields everywhere, not only where the API does."""
    strict_polling: bool = False
    """Know a task only at the `polling_url` that was given out, as a regional cluster does."""
    odd_sizes: Literal["floor", "exact", "refuse"] = "floor"
    """What happens to a side that is not a multiple of 16."""
    newer_states: bool = False
    """Whether orders of FLUX.2 show the states that BFL added with FLUX.3, too."""
    final_cost: bool = True
    """Whether the last poll names the settled cost, as BFL does."""
    fast: bool = False
    """Serve one picture per size, drawn once and made distinct by a comment inside it."""
    rules: tuple[Rule, ...] = ()

    def changed(self, changes: Mapping[str, Any]) -> Scenario:
        """This scenario with other settings; `rules`, when given, replace the rules."""
        return read(self.model_dump() | dict(changes), TomlFile("scenario", ""))


def load(path: Path) -> Scenario:
    """The scenario in a TOML file.

    Raises:
        UsageError: the file cannot be read, or a setting is unknown or impossible.
    """
    try:
        file = TomlFile(str(path), regular.text(path))
        table = toml_text.parsed(file.text, file.name)
    except SpecError as error:
        raise UsageError(*error.problems) from error
    return read(table, file)


def read(table: Mapping[str, Any], file: TomlFile) -> Scenario:
    """A scenario from the values of a file.

    Raises:
        UsageError: a setting is unknown or impossible.
    """
    try:
        return validated(Scenario, table, (), strict=False)
    except FaultyError as error:
        raise UsageError(*(_problem(fault, file) for fault in error.faults)) from None


def _problem(fault: Fault, file: TomlFile) -> Problem:
    where = ".".join(map(str, fault.key))
    message = f"`{where}`: {fault.message}" if where else fault.message
    return file.located(Problem(message, hint=fault.hint), fault.key, name=fault.name)
