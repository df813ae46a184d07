"""Every fault of the servers, with what a build must make of it: the table of the matrix.

An outcome is the exit code, what stands charged, and how it goes on when the
fault is over. Faults strike once or always; `once` may differ, because what
passes is waited out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build comes to, and how the order is brought to its end."""

    exit: int
    charges: int
    """Charges that stand after the build."""
    end: str = "build"
    """`build`: the next one succeeds by itself; else what a person must do first."""
    total: int = 1
    """Charges that stand in the end."""
    says: str = ""
    """Words that must be in what people are told."""


FINE: Final = Outcome(0, 1)
LATER: Final = Outcome(3, 1, says="not here yet")
"""It is paid for and stays in the ledger; the next build collects it."""
LOCKED_OUT: Final = Outcome(6, 1, says="the provider refuses the key")
"""The same, but with this key nobody may ask for it."""
ELSEWHERE: Final = Outcome(5, 1, says="orders adopt ORDER")
"""The same, but somebody should look at what the server answers."""
LOST: Final = Outcome(5, 1, says="was bought, and is lost")
"""The server denies what it took; if it comes to its senses, the next build collects it."""
CHARGED: Final = Outcome(5, 1, "adopt", says="may have been bought")
FREE: Final = Outcome(5, 0, "resubmit", says="may have been bought")
"""In doubt, and in truth not bought; only a person can know."""
REFUSED: Final = Outcome(3, 0, says="failed (invalid)")
FAILED: Final = Outcome(3, 0, says="failed (failed)")
KEYLESS: Final = Outcome(6, 0, says="the key is missing or refused")
BROKE: Final = Outcome(4, 0, says="the account is empty")
UNREACHED: Final = Outcome(6, 0, says="was not ordered")
MODERATED: Final = Outcome(3, 0, "edit", says="moderated")
"""It is not sent again unchanged."""
ASIDE: Final = Outcome(5, 1, "write-off", total=2, says="is kept aside")
"""Paid for and not what was ordered: given up, it is bought anew."""
TAKEN: Final = Outcome(5, 1, "take", says="is kept aside")
"""The same, taken as it is."""
STUCK: Final = Outcome(3, 1, "write-off", total=2, says="not here yet")
"""It never ends: only giving it up lets the next build order anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One thing that goes wrong at one stage; `unless` holds what differs where."""

    stage: str
    fault: str
    always: Outcome
    once: Outcome | None = None
    """The same as always, when nothing is said."""
    details: dict[str, Any] = field(default_factory=dict)
    unless: dict[str, Outcome] = field(default_factory=dict)
    """Outcomes by a trait: a dialect, `seedless`, `sizeless`, `formatless`, each with `:once`."""
    only: str = ""
    """The dialects that can meet it, when not all."""

    @property
    def name(self) -> str:
        """Stage, fault and what tells it apart."""
        shown = "-".join(str(value) for value in self.details.values())
        return f"{self.stage}:{self.fault}{f'-{shown}' if shown else ''}"[:60]

    def expected(self, times: str, traits: frozenset[str]) -> Outcome:
        """The outcome for a carrier and a model with these traits."""
        for trait in sorted(traits):
            for key in (f"{trait}:{times}", trait):
                if key in self.unless:
                    return self.unless[key]
        return self.once if times == "once" and self.once else self.always


def _http(
    stage: str, code: int, always: Outcome, once: Outcome | None = None, **more: Any
) -> Fault:
    details = {"code": code, **more}
    return Fault(stage, "http", always, once, details)


CUTS: Final = ("drop-before-read", "drop-after-read", "drop-mid-headers", "short-body", "truncated")
GARBLED: Final = '{"id": "x", "polling'
BIG: Final = 4_000_000
PRIVATE: Final = "http://10.0.0.1/sample.png"
METADATA: Final = "http://169.254.169.254/latest/meta-data"
NOWHERE: Final = "http://127.0.0.1:9/"
DRIP: Final = {"piece": 200, "seconds": 0.01}
CRAWL: Final = {"piece": 1, "seconds": 0.05}

SUBMIT: Final = (
    *(_http("submit", code, REFUSED) for code in (400, 404, 405, 413, 422)),
    _http("submit", 400, REFUSED, body="html"),
    _http("submit", 422, KEYLESS, body='{"detail": "Invalid API key format"}'),
    *(_http("submit", code, KEYLESS) for code in (401, 403)),
    _http("submit", 402, BROKE),
    _http("submit", 403, BROKE, body='{"error": {"message": "user quota is not enough"}}'),
    _http("submit", 429, UNREACHED, FINE, retry_after="0"),
    _http("submit", 429, UNREACHED, FINE, retry_after="soon"),
    _http("submit", 429, BROKE, body='{"error": {"message": "insufficient quota"}}'),
    *(_http("submit", code, FREE) for code in (408, 409, 418, 500, 502, 503, 504, 599)),
    *(_http("submit", code, CHARGED, charged=True) for code in (408, 500, 502, 503, 504)),
    *(_http("submit", code, FREE, body="html") for code in (200, 500, 503)),
    _http("submit", 200, FREE, body="empty"),
    _http("submit", 200, FREE, body='{"error": {"message": "no"}}'),
    _http("submit", 200, CHARGED, body=GARBLED, charged=True),
    _http("submit", 200, CHARGED, body='{"id": ["?"]}', charged=True),
    _http("submit", 200, FREE, body="[1, 2]"),
    *(Fault("submit", "redirect", FREE, details={"to": to}) for to in (NOWHERE, METADATA)),
    Fault("submit", "redirect", CHARGED, details={"to": "/v1/elsewhere", "charged": True}),
    Fault("submit", "garbage", FREE),
    Fault("submit", "drop-before-read", FREE),
    *(Fault("submit", fault, CHARGED) for fault in CUTS[1:]),
    *(Fault("submit", fault, CHARGED, details={"at": 0}) for fault in CUTS[2:]),
    *(Fault("submit", fault, CHARGED, details={"at": 1}) for fault in CUTS[2:]),
    Fault("submit", "drop-after-read", CHARGED, details={"reset": True}),
    Fault("submit", "short-body", CHARGED, details={"reset": True}),
    Fault("submit", "wrong-type", FINE),
    Fault("submit", "gzip-bomb", CHARGED, details={"size": BIG}),
    Fault("submit", "oversized", CHARGED, details={"size": BIG}),
    Fault("submit", "slow", FINE, details=DRIP),
    Fault("submit", "slow", CHARGED, details=CRAWL),
    Fault("submit", "hang", CHARGED, details={"seconds": 5}),
    # A URL in the answer names the task; where that is nobody's to be asked, the endpoint is asked.
    Fault("submit", "missing-id", FINE),
    Fault(
        "submit",
        "polling-elsewhere",
        FINE,
        details={"to": "http://10.0.0.1/v1/get_result?id=1"},
    ),
    Fault("submit", "ready-at-once", FINE),
    Fault("submit", "price", FINE, details={"factor": "2.5"}),
    Fault("submit", "stuck", STUCK),
    *(
        Fault("submit", "outcome", MODERATED, details={"status": f"{what} Moderated"})
        for what in ("Request", "Content")
    ),
    *(Fault("submit", "outcome", FAILED, details={"status": s}) for s in ("Error", "Failed")),
    Fault("submit", "outcome", STUCK, details={"status": "Dreaming"}),
)

POLL: Final = (
    *(_http("poll", code, LATER, FINE) for code in (400, 402, 408, 422, 429, 500, 502, 503, 504)),
    _http("poll", 403, LOCKED_OUT, FINE),
    Fault("poll", "http", LOCKED_OUT, FINE, {"code": 401, "body": "html"}),
    Fault(
        "poll", "http", LATER, FINE, {"code": 404}, {"predictions": LOST, "predictions:once": FINE}
    ),
    _http("poll", 404, LATER, FINE, body="html"),
    _http("poll", 200, LATER, FINE, body="html"),
    _http("poll", 200, LATER, FINE, body="empty"),
    _http("poll", 200, LATER, FINE, body=GARBLED),
    _http("poll", 200, LATER, FINE, body='{"error": {"message": "no"}}'),
    _http("poll", 200, LATER, FINE, body='{"status": 7, "result": "?"}'),
    *(Fault("poll", "redirect", LATER, FINE, {"to": to}) for to in (NOWHERE, METADATA)),
    *(Fault("poll", fault, LATER, FINE) for fault in (*CUTS, "garbage")),
    Fault("poll", "drop-after-read", LATER, FINE, {"reset": True}),
    Fault("poll", "wrong-type", FINE),
    Fault("poll", "gzip-bomb", LATER, FINE, {"size": BIG}),
    Fault("poll", "oversized", LATER, FINE, {"size": BIG}),
    Fault("poll", "slow", FINE, details=DRIP),
    Fault("poll", "slow", LATER, FINE, CRAWL),
    Fault("poll", "hang", LATER, FINE, {"seconds": 5}),
    *(
        Fault("poll", "status", LATER, FINE, {"status": status})
        for status in ("Pending", "Reasoning", "Generating", "starting", "Dreaming")
    ),
    *(
        Fault("poll", "status", MODERATED, details={"status": f"{what} Moderated"})
        for what in ("Request", "Content")
    ),
    *(Fault("poll", "status", FAILED, details={"status": s}) for s in ("Error", "Failed")),
    Fault(
        "poll",
        "status",
        LOST,
        FINE,
        {"status": "Task not found"},
    ),
    *(
        Fault("poll", "status", FAILED, details={"status": status}, only="predictions")
        for status in ("canceled", "aborted")
    ),
    Fault("poll", "not-found", LOST, FINE),
    Fault("poll", "foreign-id", ELSEWHERE),
    Fault("poll", "foreign-sample", ASIDE, unless={"seedless": FINE}),
    *(
        Fault("poll", "sample-elsewhere", LATER, details={"to": to})
        for to in (METADATA, PRIVATE, "http://[::]/")
    ),
    *(
        Fault("poll", "sample-elsewhere", LATER, FINE, {"to": to})
        for to in ("file:///etc/passwd", "gopher://x/", "nonsense")
    ),
    Fault("poll", "missing-sample", LATER, FINE),
    Fault("poll", "expired-url", LATER, FINE),
)

DOWNLOAD: Final = (
    *(_http("download", code, LATER, FINE) for code in (400, 401, 403, 404, 429, 500, 502, 503)),
    _http("download", 404, LATER, FINE, body="html"),
    _http("download", 200, ASIDE, FINE, body="html"),
    _http("download", 200, LATER, FINE, body="empty"),
    _http("download", 204, LATER, FINE, body="empty"),
    *(
        Fault("download", "redirect", LATER, details={"to": to})
        for to in (METADATA, PRIVATE, "file:///etc/passwd")
    ),
    Fault("download", "redirect", LATER, FINE, {"to": NOWHERE}),
    *(Fault("download", fault, LATER, FINE) for fault in (*CUTS, "garbage")),
    Fault("download", "short-body", LATER, FINE, {"at": 1}),
    Fault("download", "truncated", LATER, FINE, {"at": 1}),
    Fault("download", "short-body", LATER, FINE, {"reset": True}),
    Fault("download", "wrong-type", FINE),
    Fault("download", "wrong-type", FINE, details={"media_type": "image/gif"}),
    Fault("download", "gzip-bomb", LATER, details={"size": BIG}),
    Fault("download", "oversized", LATER, details={"size": BIG}),
    Fault("download", "slow", LATER, FINE, CRAWL),
    Fault("download", "hang", LATER, FINE, {"seconds": 5}),
    Fault(
        "download",
        "wrong-size",
        ASIDE,
        details={"width": 64, "height": 96},
        unless={"sizeless": FINE},
    ),
    Fault("download", "wrong-format", TAKEN, unless={"formatless": FINE}),
    # Of the right size and format, at the right address: nobody can tell that it is another's.
    Fault("download", "foreign-picture", FINE),
    Fault("download", "no-end", ASIDE, FINE),
    Fault("download", "not-a-picture", ASIDE, FINE),
    Fault("download", "expired-url", LATER, FINE),
)

UPLOAD: Final = tuple(
    Fault(fault.stage, fault.fault, fault.always, fault.once, fault.details, only="uploads")
    for fault in (
        *(_http("upload", code, REFUSED) for code in (400, 404, 405, 413, 422)),
        *(_http("upload", code, KEYLESS) for code in (401, 403)),
        _http("upload", 402, BROKE),
        _http("upload", 429, UNREACHED, FINE, retry_after="0"),
        *(_http("upload", code, UNREACHED, FINE) for code in (500, 502, 503, 504)),
        _http("upload", 200, FAILED, body="html"),
        Fault("upload", "redirect", FAILED, details={"to": NOWHERE}),
        *(Fault("upload", fault, UNREACHED, FINE) for fault in (*CUTS[:4], "garbage")),
        Fault("upload", "truncated", FAILED),
        Fault("upload", "wrong-type", FINE),
        Fault("upload", "gzip-bomb", UNREACHED, FINE, {"size": BIG}),
        Fault("upload", "oversized", UNREACHED, FINE, {"size": BIG}),
        Fault("upload", "slow", UNREACHED, FINE, CRAWL),
        Fault("upload", "hang", UNREACHED, FINE, {"seconds": 5}),
    )
)

FAULTS: Final = (*SUBMIT, *POLL, *DOWNLOAD, *UPLOAD)
