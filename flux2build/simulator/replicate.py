"""The dialect of Replicate's predictions, which CometAPI repeats."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from flux2build.digest import of_bytes
from flux2build.providers.capabilities import Card
from flux2build.providers.pricing import MEGAPIXEL
from flux2build.simulator import answers, orders, schema
from flux2build.simulator.account import ENDED, READY, Reason
from flux2build.simulator.answers import Answer, RefusalError, TaskReport, key_in, page, reply
from flux2build.simulator.orders import SIDES, ReceivedOrder, Reference, Uploaded, floored
from flux2build.simulator.scenario import Rule, Scenario
from flux2build.simulator.webhooks import Callback

OWNER: Final = "black-forest-labs"
MODERATED: Final = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
_SIGNING_KEY: Final = b"the signing key of a simulated account"
SECRET: Final = f"whsec_{base64.b64encode(_SIGNING_KEY).decode()}"
"""The key with which callbacks are signed, as customers see it."""
_KEPT: Final = 24 * 3600
"""Seconds until an uploaded file expires."""
_BORN: Final = 1_764_028_800.0
"""When the models appeared."""
_DATA_URL: Final = 256 * 1024 * 4 // 3 + 64
"""Characters of the longest data URL that is accepted: 256 KiB of bytes."""
_WORDS: Final = {
    "Pending": "starting",
    "Reasoning": "processing",
    "Generating": "processing",
    READY: "succeeded",
    **dict.fromkeys(ENDED, "failed"),
}


class Predictions(Struct, frozen=True):
    """Replicate's API: `POST /v1/models/<owner>/<name>/predictions`, then ask by id."""

    name: str
    cards: Mapping[str, Card]
    """Its models, with their limits and prices."""
    prefix: str = ""
    """Where a gateway repeats it, with habits of its own: its URLs are Replicate's, every output is
    a list, it has no files and so takes large data URLs, and unknown routes answer an HTML page."""

    def authenticate(self, headers: Mapping[str, str], keys: Sequence[str]) -> None:
        """Pass a request with a Bearer token (or the older scheme `Token`)."""
        key = key_in(headers) or key_in(headers, "Token")
        if key is None:
            raise RefusalError(_problem(401, "Unauthenticated", "You did not pass a token."))
        if keys and key not in keys:
            detail = "You did not pass a valid authentication token"
            raise RefusalError(_problem(401, "Invalid token", detail))

    def read(
        self, model: str, body: Any, scenario: Scenario, uploaded: Uploaded
    ) -> tuple[ReceivedOrder, list[str]]:
        """An order checked against the model's schema, and the inputs that it ignores."""
        shipped = schema.document("replicate")
        if model not in self.cards:
            raise RefusalError(page() if self.prefix else self.unknown(""))
        shape = shipped["schemas"][model]
        inputs = body.get("input")
        if not isinstance(inputs, dict):
            raise _invalid([("input", "input is required")])
        mistakes = [
            (".".join(map(str, each["loc"][1:])), each["msg"])
            for each in schema.complaints(inputs, "replicate", model)
        ]
        unknown = schema.unknown_fields(inputs, shape)
        if scenario.strict:
            mistakes += [(name, "Additional property is not allowed") for name in unknown]
        if mistakes:
            raise _invalid(mistakes)
        return self._order(model, schema.defaults(shape) | inputs, uploaded), unknown

    def malformed(self, message: str) -> Answer:
        """The answer to a body that is not JSON."""
        return _problem(400, "Bad request", message)

    def refused(self, reason: Reason, retry_after: str | None) -> Answer:
        """402, or 429 with the seconds in its text."""
        if reason is Reason.CREDITS:
            detail = "You have insufficient credit to run this model."
            return _problem(402, "Insufficient credit", detail)
        wait = retry_after or "1"
        detail = f"Request was throttled. Your rate limit resets in ~{wait}s."
        headers = {"retry-after": retry_after} if retry_after else {}
        return reply(429, {"detail": detail, "status": 429}, headers)

    def accepted(self, report: TaskReport, rule: Rule | None) -> Answer:
        """The prediction, as it is now."""
        value = self.prediction(report)
        if rule is not None and rule.fault == "missing-id":
            del value["id"]
        if rule is not None and rule.fault == "polling-elsewhere":
            value["urls"] = dict.fromkeys(value["urls"], rule.to)
        return reply(201, value)

    def polled(self, report: TaskReport) -> Answer:
        """The prediction, as it is now."""
        return reply(200, self.prediction(report))

    def callback(self, report: TaskReport, body: Mapping[str, Any], at: float) -> Callback | None:
        """The call that reports the end of a task, signed as in Standard Webhooks."""
        events = body.get("webhook_events_filter") or ["completed"]
        if not (url := body.get("webhook")) or "completed" not in events:
            return None
        data, timestamp = answers.compact(self.prediction(report)), f"{int(at)}"
        signed = f"{report.id}.{timestamp}.".encode() + data
        digest = hmac.new(_SIGNING_KEY, signed, hashlib.sha256).digest()
        headers = {
            "webhook-id": report.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
        return Callback(str(url), data, headers)

    def model(self, name: str) -> dict[str, Any]:
        """The JSON object of a model, with the schema of its inputs."""
        shipped = schema.document("replicate")
        about = shipped["models"][name]
        output = {"type": "string", "format": "uri"}
        listed = {"type": "array", "items": output} if about["output"] == "list" else output
        schemas = {"Input": shipped["schemas"][name], "Output": listed}
        version = {
            "id": of_bytes(name.encode()).removeprefix("sha256:"),
            "created_at": _instant(_BORN),
            "cog_version": "0.16.9",
            "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": schemas}},
        }
        return {
            "url": f"https://replicate.com/{OWNER}/{name}",
            "owner": OWNER,
            "name": name,
            "description": self.cards[name].note,
            "visibility": "public",
            "is_official": True,
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": 1,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": version,
        }

    def unknown(self, task: str) -> Answer:
        """The answer about a prediction that does not exist, or not any more."""
        detail = f"The requested resource {task} could not be found."
        return reply(404, {"detail": detail, "status": 404})

    def prediction(self, report: TaskReport) -> dict[str, Any]:
        """The JSON object of a task."""
        task = report.task
        status = _WORDS.get(report.status, report.status)
        started = status not in {"starting", "aborted"}
        over = status in {"succeeded", "failed", "canceled", "aborted"}
        error = MODERATED if report.status.endswith("Moderated") else "Prediction failed."
        base = "https://api.replicate.com" if self.prefix else report.base
        root = f"{base}/v1/predictions/{report.id}"
        return {
            "id": report.id,
            "model": f"{OWNER}/{task.model}",
            "version": "hidden",
            "input": dict(report.echo),
            "logs": f"Using seed: {report.seed}\n" if started else "",
            "output": self._output(report),
            "data_removed": False,
            "error": error if status == "failed" else None,
            "status": status,
            "created_at": _instant(task.accepted),
            "started_at": _instant(task.accepted) if started else None,
            "completed_at": _instant(task.ready) if over else None,
            "metrics": _metrics(report) if status == "succeeded" else {},
            "urls": {
                "get": root,
                "cancel": f"{root}/cancel",
                "web": f"https://replicate.com/p/{report.id}",
            },
        }

    def _output(self, report: TaskReport) -> str | list[str] | None:
        if report.url is None or report.status != READY:
            return None
        about = schema.document("replicate")["models"][report.task.model]
        return [report.url] if self.prefix or about["output"] == "list" else report.url

    def _order(self, model: str, inputs: Mapping[str, Any], uploaded: Uploaded) -> ReceivedOrder:
        references = self._references(inputs, uploaded)
        card = self.cards[model]
        width, height = _size(card, inputs, references, max(16, card.multiple))
        upsampled = inputs.get("prompt_upsampling", False)
        input_pixels = [reference.pixels for reference in references]
        form, resolution = inputs.get("output_format", "png"), inputs.get("resolution", "")
        return ReceivedOrder(
            model=model,
            prompt=inputs["prompt"],
            reported_prompt=inputs["prompt"] + (", in fine detail" if upsampled else ""),
            width=width,
            height=height,
            format="jpeg" if form == "jpg" else form,
            seed=inputs.get("seed"),
            references=tuple(references),
            credits=orders.credits_for(card, width * height, input_pixels, resolution),
            billed_pixels=width * height,
            echo=inputs,
        )

    def _references(self, inputs: Mapping[str, Any], uploaded: Uploaded) -> list[Reference]:
        references = []
        name = "images" if "images" in inputs else "input_images"
        for index, text in enumerate(inputs.get(name, ())):
            if not self.prefix and text.startswith("data:") and len(text) > _DATA_URL:
                raise _invalid([(f"{name}.{index}", "data URLs are taken up to 256kb")])
            try:
                references.append(orders.reference_of(text, uploaded))
            except orders.BadReferenceError as error:
                raise _invalid([(f"{name}.{index}", str(error))]) from error
        return references


def _size(
    card: Card, inputs: Mapping[str, Any], references: list[Reference], multiple: int
) -> tuple[int, int]:
    """The size in pixels of an aspect ratio, a size class or custom sides."""
    if inputs["aspect_ratio"] == "custom":
        width, height = inputs.get("width", 1024), inputs.get("height", 1024)
        if width * height > card.max_pixels:
            raise _invalid([("width", "the picture is larger than 4 megapixels")])
        return floored(width + multiple // 2, multiple), floored(height + multiple // 2, multiple)
    first = (references[0].width, references[0].height) if references else (1024, 1024)
    matches = inputs["aspect_ratio"] == "match_input_image"
    ratio = first if matches else orders.ratio_of(inputs["aspect_ratio"])
    size = inputs.get("resolution") or inputs.get("output_megapixels") or "1"
    if size == "match_input_image":
        return orders.fitted(ratio, min(4.0, first[0] * first[1] / MEGAPIXEL), multiple=multiple)
    if size in SIDES:
        return orders.fitted(ratio, SIDES[size] ** 2 / MEGAPIXEL, side=4096)
    return orders.fitted(ratio, float(size.removesuffix(" MP")), multiple=multiple)


def _metrics(report: TaskReport) -> dict[str, Any]:
    seconds = round(report.task.ready - report.task.accepted, 3)
    return {
        "predict_time": seconds,
        "total_time": seconds,
        "image_count": 1,
        "image_output_megapixel_count": orders.in_megapixels(report.task.output_pixels),
        "image_input_megapixel_count": orders.in_megapixels(report.task.input_pixels),
    }


def described(file: str, data: bytes, base: str, now: float, **fields: str) -> dict[str, Any]:
    """The JSON object of an uploaded file."""
    return {
        "id": file,
        "name": fields["name"],
        "content_type": fields["content_type"],
        "size": len(data),
        "etag": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "checksums": {"sha256": hashlib.sha256(data).hexdigest()},
        "metadata": {},
        "created_at": _instant(now),
        "expires_at": _instant(now + _KEPT),
        "urls": {"get": f"{base}/v1/files/{file}"},
    }


def _instant(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _problem(status: int, title: str, detail: str, **more: object) -> Answer:
    return reply(status, {"title": title, "detail": detail, "status": status} | more)


def _invalid(fields: list[tuple[str, str]]) -> RefusalError:
    detail = "".join(f"- input.{name}: {text}\n" for name, text in fields)
    invalid = [{"type": "invalid", "field": name, "description": text} for name, text in fields]
    answer = _problem(422, "Input validation failed", detail, invalid_fields=invalid)
    return RefusalError(answer)
