"""The dialect of BFL, which CometAPI repeats under a prefix."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from flux2build.providers.capabilities import Card
from flux2build.providers.pricing import MEGAPIXEL
from flux2build.simulator import answers, orders, schema
from flux2build.simulator.account import ENDED, READY, Reason
from flux2build.simulator.answers import Answer, RefusalError, TaskReport, page, refusal, reply
from flux2build.simulator.orders import ReceivedOrder, Reference, Uploaded, floored
from flux2build.simulator.scenario import Rule, Scenario
from flux2build.simulator.webhooks import Callback

CLUSTER: Final = "eu1"
"""Marks the polling URL, as the regional host does at BFL."""

_NEWER: Final = frozenset({"Reasoning", "Generating"})
_REWRITERS: Final = ("flux-2-pro", "flux-2-max")


class Flux(Struct, frozen=True):
    """BFL's API: `POST /v1/<model>`, then `GET <polling_url>`."""

    name: str
    cards: Mapping[str, Card]
    """Its models, with their limits and prices."""
    prefix: str = ""
    """Where a gateway repeats it, with habits of its own: it accepts the key in any header,
    answers unknown routes with an HTML page, and does not say what an order costs."""

    def authenticate(self, headers: Mapping[str, str], keys: Sequence[str]) -> None:
        """Pass a request with a key."""
        key = headers.get("x-key", "").strip() or None
        if self.prefix:
            key = answers.key_in(headers) or headers.get("authorization", "").strip() or key
        if key is None:
            raise self._keyless("Not authenticated")
        if keys and key not in keys:
            raise self._keyless("Not authenticated - Invalid Authentication")

    def read(
        self, model: str, body: Any, scenario: Scenario, uploaded: Uploaded
    ) -> tuple[ReceivedOrder, list[str]]:
        """An order checked against BFL's document, and the fields that the document does not have."""
        shipped = schema.document("bfl")
        if model not in self.cards:
            raise RefusalError(page() if self.prefix else reply(404, {"detail": "Not Found"}))
        name = shipped["models"][model]
        shape = shipped["schemas"][name]
        mistakes = schema.complaints(body, "bfl", name)
        unknown = schema.unknown_fields(body, shape)
        if scenario.strict and not mistakes:
            mistakes = [schema.complaint("extra_forbidden", "not permitted", n) for n in unknown]
        if mistakes:
            raise refusal(422, {"detail": mistakes})
        fields = schema.defaults(shape) | {k: v for k, v in body.items() if v is not None}
        references = _references(fields, uploaded)
        card = self.cards[model]
        if "resolution" in card.params:
            return _flux3(card, fields, references), unknown
        return _flux2(card, fields, references, scenario.odd_sizes), unknown

    def malformed(self, message: str) -> Answer:
        """The answer of FastAPI to a body that is not JSON."""
        complaint = schema.complaint("json_invalid", "JSON decode error", 0)
        return reply(422, {"detail": [complaint | {"ctx": {"error": message}}]})

    def refused(self, reason: Reason, retry_after: str | None) -> Answer:
        """402, or 429 while too much is under way."""
        if reason is Reason.CREDITS:
            return reply(402, {"detail": "Insufficient credits"})
        headers = {"retry-after": retry_after} if retry_after else {}
        return reply(429, {"detail": "Rate limit exceeded: too many active tasks"}, headers)

    def accepted(self, report: TaskReport, rule: Rule | None) -> Answer:
        """The id and the polling URL, which is missing when a webhook was named."""
        task = report.task
        cluster = "" if self.prefix else f"&cluster={CLUSTER}"
        poll = f"{report.base}{self.prefix}/v1/get_result?id={task.id}{cluster}"
        value: dict[str, Any] = {"id": task.id, "polling_url": poll}
        if report.echo.get("webhook_url"):
            value = {"id": task.id, "status": "Pending", "webhook_url": report.echo["webhook_url"]}
        if not self.prefix:
            value["cost"] = answers.number(task.credits)
            value["input_mp"] = orders.in_megapixels(task.input_pixels)
            value["output_mp"] = orders.in_megapixels(task.output_pixels)
        match rule.fault if rule else None:
            case "missing-id":
                del value["id"]
            case "polling-elsewhere" if rule:
                value["polling_url"] = rule.to
            case "ready-at-once":
                value |= {"status": READY, "result": _result(report), "polling_url": report.url}
            case _:
                pass
        return reply(200, value)

    def polled(self, report: TaskReport) -> Answer:
        """The status of a task, with its result once there is one."""
        hidden = report.status in _NEWER and not report.newer
        status = "Pending" if hidden else report.status
        value: dict[str, Any] = {"id": report.id, "status": status}
        value |= dict.fromkeys(("result", "progress", "details", "preview"))
        if report.status == READY:
            value["result"] = _result(report)
        elif report.status in ENDED:
            blocked = {"Moderation Reasons": ["Derivative Works Filter"]}
            moderated = report.status.endswith("Moderated")
            value["details"] = blocked if moderated else {"error": "simulated"}
        else:
            value["progress"] = round(report.progress, 3)
        if report.cost is not None and not self.prefix and report.status in ENDED | {READY}:
            value["cost"] = answers.number(report.cost if report.status == READY else Decimal(0))
        return reply(200, value)

    def callback(self, report: TaskReport, body: Mapping[str, Any], at: float) -> Callback | None:
        """The call that reports the end of a task; None if the order does not name a URL for it."""
        if not (url := body.get("webhook_url")):
            return None
        ready = report.status == READY
        end = {"result": _result(report)} if ready else {"error": report.status, "message": ""}
        content = {"id": report.id, "status": READY if ready else "Error", **end}
        data = answers.compact(content | {"timestamp": at})
        secret = str(body.get("webhook_secret") or "").encode()
        signature = hmac.new(secret, data, hashlib.sha256).hexdigest()
        return Callback(str(url), data, {"x-bfl-signature": f"sha256={signature}"})

    def unknown(self, task: str) -> Answer:
        """The status of a task that does not exist, or not on this cluster."""
        return reply(200, {"id": task, "status": "Task not found", "result": None})

    def _keyless(self, message: str) -> RefusalError:
        if self.prefix:
            error = {"message": "Invalid token", "type": "invalid_request_error", "code": ""}
            return refusal(401, {"error": error})
        return refusal(403, {"detail": message})


def _references(fields: Mapping[str, Any], uploaded: Uploaded) -> list[Reference]:
    listed = fields.get("images") or []
    texts_by_field = {"images": [listed] if isinstance(listed, str) else listed}
    for place in range(1, 9):
        name = "input_image" if place == 1 else f"input_image_{place}"
        texts_by_field[name] = [fields[name]] if name in fields else []
    references = []
    for name, texts in texts_by_field.items():
        for text in texts:
            try:
                references.append(orders.reference_of(text, uploaded))
            except orders.BadReferenceError as error:
                complaint = schema.complaint("value_error", f"Invalid image: {error}", name)
                raise refusal(422, {"detail": [complaint]}) from error
    return references


def _flux2(
    card: Card, fields: Mapping[str, Any], references: list[Reference], odd: str
) -> ReceivedOrder:
    model, requested = card.model, _requested_size(card, fields, references)
    if requested[0] * requested[1] > card.max_pixels:
        raise refusal(422, {"detail": f"{requested[0]}x{requested[1]} is more than 4 megapixels"})
    if odd == "refuse" and any(side % 16 for side in requested):
        raise refusal(422, {"detail": "width and height must be multiples of 16"})
    size = requested if odd == "exact" else (floored(requested[0]), floored(requested[1]))
    pixels = requested[0] * requested[1]
    inputs = [reference.pixels for reference in references]
    if (most := card.input_megapixels) is not None:
        total = orders.megapixels(pixels) + sum(map(orders.megapixels, inputs))
        if total > most:
            raise refusal(400, {"detail": f"{total} MP of input and output, {most} MP at most"})
    rewrites = model.startswith(_REWRITERS) and not fields.get("disable_pup")
    rewrites = rewrites or (model == "flux-2-flex" and fields.get("prompt_upsampling", True))
    return ReceivedOrder(
        model=model,
        prompt=fields["prompt"],
        reported_prompt=_rewritten(fields["prompt"]) if rewrites else fields["prompt"],
        width=size[0],
        height=size[1],
        format=fields.get("output_format") or "jpeg",
        seed=fields.get("seed"),
        references=tuple(references),
        credits=orders.credits_for(card, pixels, inputs, ""),
        billed_pixels=pixels,
        echo=fields,
    )


def _requested_size(
    card: Card, fields: Mapping[str, Any], references: Sequence[Reference]
) -> tuple[int, int]:
    """The requested size, else that of the first reference, within the model's limits."""
    if "width" in fields or "height" in fields:
        return fields.get("width", 1024), fields.get("height", 1024)
    if not references:
        return 1024, 1024
    first = references[0]
    most = min(1.0, (card.max_pixels / first.pixels) ** 0.5)
    return max(64, floored(int(first.width * most))), max(64, floored(int(first.height * most)))


def _flux3(card: Card, fields: Mapping[str, Any], references: list[Reference]) -> ReceivedOrder:
    least, most = card.reference_side, card.reference_pixels
    for reference in references:
        if min(reference.width, reference.height) < least:
            raise refusal(422, {"detail": f"an image must be at least {least}x{least}"})
        if most is not None and reference.pixels > most:
            raise refusal(400, {"detail": f"an image has more than {most} pixels"})
    side = orders.SIDES[fields["resolution"]]
    ratio = (1, 1) if fields["aspect_ratio"] == "auto" else orders.ratio_of(fields["aspect_ratio"])
    width, height = orders.fitted(ratio, side * side / MEGAPIXEL, side=4096)
    return ReceivedOrder(
        model=card.model,
        prompt=fields["prompt"],
        reported_prompt=_rewritten(fields["prompt"]),
        width=width,
        height=height,
        format="png" if len(fields["prompt"]) % 2 else "jpeg",
        seed=None,
        references=tuple(references),
        credits=orders.credits_for(card, 0, (), fields["resolution"]),
        billed_pixels=width * height,
        echo=fields,
    )


def _rewritten(prompt: str) -> str:
    return f"{prompt}, in soft natural light, rendered in fine detail"


def _result(report: TaskReport) -> dict[str, Any]:
    if report.url is None:
        return {}
    start, end = report.task.accepted, report.task.ready
    return {
        "sample": report.url,
        "prompt": report.reported_prompt,
        "seed": report.seed,
        "start_time": start,
        "end_time": end,
        "duration": end - start,
    }
