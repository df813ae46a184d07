"""The routes of the simulated servers: all dialects at one base URL."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flux2build.providers.cards import shipped
from flux2build.simulator import control
from flux2build.simulator.access_log import AccessLog, classify
from flux2build.simulator.account import READY, AccountRefusalError, Reason, Task
from flux2build.simulator.answers import Answer, RefusalError, page, parsed, reply
from flux2build.simulator.connection_faults import respond
from flux2build.simulator.flux import CLUSTER, Flux
from flux2build.simulator.pictures import DENIED, picture
from flux2build.simulator.replicate import OWNER, SECRET, Predictions, described
from flux2build.simulator.scenario import Rule
from flux2build.simulator.simulation import Simulation

BFL: Final = Flux("bfl", shipped()["bfl"])
REPLICATE: Final = Predictions("replicate", shipped()["replicate"])
COMET_FLUX: Final = Flux("cometapi", shipped()["cometapi"], "/flux")
COMET_PREDICTIONS: Final = Predictions(
    "cometapi", {**REPLICATE.cards, **shipped()["cometapi-replicate"]}, "/replicate"
)
Dialect = Flux | Predictions

_LARGEST_BODY: Final = 200 * 2**20
_LONGEST_WAIT: Final = 60
_TICK: Final = 0.01
"""Seconds by which two clocks may disagree on whether a wait is over."""

_NOT_FOUND: Final = reply(404, {"detail": "Not Found"})

Endpoint = Callable[[Request], Awaitable[Response]]


def site(simulation: Simulation) -> Starlette:
    """The application of a simulation."""
    gateway = partial(_other, page(), "cometapi")
    routes = [
        *control.routes(simulation),
        *_prediction_routes(simulation, REPLICATE),
        *_prediction_routes(simulation, COMET_PREDICTIONS),
        *_file_routes(simulation),
        *_flux_routes(simulation, BFL),
        *_flux_routes(simulation, COMET_FLUX),
        Route("/delivery/{task}/{file}", partial(_download, simulation)),
        Route("/flux/{rest:path}", gateway, methods=["GET", "POST"]),
        Route("/replicate/{rest:path}", gateway, methods=["GET", "POST"]),
        Route("/{rest:path}", partial(_other, _NOT_FOUND, ""), methods=["GET", "POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={RefusalError: _refusal})
    app.add_middleware(AccessLog, simulation=simulation)
    return app


def _flux_routes(simulation: Simulation, dialect: Flux) -> list[Route]:
    root = f"{dialect.prefix}/v1"
    return [
        Route(f"{root}/get_result", partial(_flux_poll, simulation, dialect)),
        Route(f"{root}/credits", partial(_credits, simulation, dialect)),
        _post(f"{root}/{{model}}", partial(_submit, simulation, dialect)),
    ]


def _prediction_routes(simulation: Simulation, dialect: Predictions) -> list[Route]:
    root = f"{dialect.prefix}/v1"
    one = f"{root}/predictions/{{task}}"
    submit = partial(_submit, simulation, dialect)
    return [
        Route(f"{root}/models/{{owner}}/{{model}}", partial(_described, simulation, dialect)),
        _post(f"{root}/models/{{owner}}/{{model}}/predictions", submit),
        _post(f"{root}/predictions", submit),
        Route(f"{root}/predictions", partial(_listing, simulation, dialect)),
        Route(one, partial(_prediction, simulation, dialect)),
        _post(f"{one}/cancel", partial(_cancel, simulation, dialect)),
    ]


def _file_routes(simulation: Simulation) -> list[Route]:
    one = "/v1/files/{name}"
    return [
        _post("/v1/files", partial(_upload, simulation)),
        Route("/v1/files", partial(_files, simulation)),
        Route(one, partial(_uploaded, simulation)),
        Route(one, partial(_remove, simulation), methods=["DELETE"]),
        Route("/v1/webhooks/default/secret", partial(_webhook_secret, simulation)),
    ]


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    return respond(error.answer)


def _authenticated(
    simulation: Simulation, dialect: Dialect, request: Request, stage: str
) -> dict[str, Any]:
    """Log the purpose of a request, and let it pass with a good key; returns its log entry."""
    log_entry = classify(request, dialect.name, stage)
    dialect.authenticate(request.headers, simulation.scenario.keys)
    return log_entry


async def _submit(simulation: Simulation, dialect: Dialect, request: Request) -> Response:
    """The answer to an order; a prediction's answer may wait until the picture is ready."""
    model = await _model(request)
    log_entry = classify(request, dialect.name, "submit", model)
    if rule := simulation.rules.early("submit", dialect.name, model):
        log_entry["fault"] = rule.fault
        return respond(Answer(0, b""), rule)
    dialect.authenticate(request.headers, simulation.scenario.keys)
    body = await _object(request, dialect)
    order, unknown = dialect.read(model, body, simulation.scenario, simulation.storage.uploads.get)
    simulation.unknown.update((dialect.name, model, name) for name in unknown)
    rule = simulation.rules.meet(
        "submit", dialect.name, model, prompt=order.prompt, key=order.digest
    )
    log_entry["fault"] = rule.fault if rule else None
    if rule is not None and not rule.accepts:
        return respond(reply(200, {}), rule)
    try:
        task = simulation.accept(dialect.name, order, rule)
    except AccountRefusalError as error:
        wait = simulation.scenario.retry_after if error.reason is not Reason.CREDITS else None
        raise RefusalError(dialect.refused(error.reason, wait)) from error
    log_entry["task"] = task.id
    _call_back(simulation, dialect, task, body, _base(request))
    seconds = None if rule or isinstance(dialect, Flux) else _seconds_to_wait(request)
    if seconds is not None:
        await asyncio.sleep(max(0.0, min(seconds, task.ready - simulation.now() + _TICK)))
    # Even on a slow machine, an order with latency is not ready when it is accepted.
    moment = task.accepted if seconds is None else None
    report = simulation.report(task, _base(request), at=moment)
    return respond(dialect.accepted(report, rule), rule)


def _call_back(
    simulation: Simulation, dialect: Dialect, task: Task, body: dict[str, Any], base: str
) -> None:
    """Report the end of a task, if the order asks for it and the receiver is on this machine."""

    async def called() -> None:
        await asyncio.sleep(max(0.0, task.ready - simulation.now()))
        rule = _rule(simulation, "callback", task)
        fault = rule.fault if rule else ""
        if rule and fault == "late":
            await asyncio.sleep(rule.seconds)
        callback = dialect.callback(simulation.report(task, base), body, simulation.now())
        if callback is not None and fault != "lost":
            signed = callback.missigned if fault == "wrong-signature" else callback
            for _ in range(2 if fault == "doubled" else 1):
                await signed.made()

    now = simulation.report(task, base, at=task.accepted)
    callback = dialect.callback(now, body, task.accepted)
    if callback is not None and callback.local and task.ready < float("inf"):
        calling = asyncio.ensure_future(called())
        simulation.calling.add(calling)
        calling.add_done_callback(simulation.calling.discard)


async def _described(simulation: Simulation, dialect: Predictions, request: Request) -> Response:
    """A model, with the schema of its inputs."""
    _authenticated(simulation, dialect, request, "model")
    model = await _model(request)
    exists = model in dialect.cards
    return respond(reply(200, dialect.model(model)) if exists else dialect.unknown(""))


async def _webhook_secret(simulation: Simulation, request: Request) -> Response:
    _authenticated(simulation, REPLICATE, request, "secret")
    return respond(reply(200, {"key": SECRET}))


async def _model(request: Request) -> str:
    """The model that a path names, with its owner if it is not the usual one."""
    model = str(request.path_params.get("model") or await _version(request))
    owner = request.path_params.get("owner", OWNER)
    return model if owner == OWNER else f"{owner}/{model}"


async def _version(request: Request) -> str:
    """The model that a body names as `version: "owner/name"`."""
    try:
        version = str(parsed(await request.body()).get("version", ""))
    except (ValueError, TypeError):
        return ""
    return version.partition(":")[0].removeprefix(f"{OWNER}/")


def _seconds_to_wait(request: Request) -> float | None:
    """The seconds of `Prefer: wait=n`."""
    word, _, seconds = request.headers.get("prefer", "").partition("=")
    if word.strip() != "wait":
        return None
    return min(_LONGEST_WAIT, int(seconds)) if seconds.isdigit() else _LONGEST_WAIT


async def _object(request: Request, dialect: Dialect) -> dict[str, Any]:
    if int(request.headers.get("content-length", 0)) > _LARGEST_BODY:
        raise RefusalError(reply(413, {"detail": "Request Entity Too Large"}))
    try:
        return parsed(await request.body())
    except (ValueError, TypeError) as error:
        raise RefusalError(dialect.malformed(str(error))) from error


async def _flux_poll(simulation: Simulation, dialect: Flux, request: Request) -> Response:
    name = request.query_params.get("id")
    if name is None:
        missing = {"type": "missing", "loc": ["query", "id"], "msg": "Field required"}
        return respond(reply(422, {"detail": [missing]}))
    elsewhere = dialect is BFL and request.query_params.get("cluster") != CLUSTER
    simulation.rebuilt_polls += elsewhere
    lost = elsewhere and simulation.scenario.strict_polling
    return _poll(simulation, dialect, "" if lost else name, request)


async def _prediction(simulation: Simulation, dialect: Predictions, request: Request) -> Response:
    dialect.authenticate(request.headers, simulation.scenario.keys)
    return _poll(simulation, dialect, request.path_params["task"], request)


def _poll(simulation: Simulation, dialect: Dialect, name: str, request: Request) -> Response:
    log_entry = classify(request, dialect.name, "poll")
    task = simulation.account.find(name, dialect.name, simulation.now())
    if task is None:
        return respond(dialect.unknown(name or str(request.query_params.get("id", ""))))
    log_entry |= {"task": task.id, "model": task.model}
    rule = _rule_for(simulation, "poll", task, request)
    if rule is not None and rule.fault == "not-found":
        return respond(dialect.unknown(name))
    return respond(dialect.polled(simulation.report(task, _base(request), rule)), rule)


async def _listing(simulation: Simulation, dialect: Predictions, request: Request) -> Response:
    """The latest hundred predictions, newest first."""
    _authenticated(simulation, dialect, request, "list")
    base, now = _base(request), simulation.now()
    tasks = [simulation.account.find(name, dialect.name, now) for name in simulation.account.tasks]
    latest = [task for task in reversed(tasks) if task][:100]
    results = [dialect.prediction(simulation.report(task, base)) for task in latest]
    return respond(reply(200, {"previous": None, "next": None, "results": results}))


async def _cancel(simulation: Simulation, dialect: Predictions, request: Request) -> Response:
    _authenticated(simulation, dialect, request, "cancel")
    now = simulation.now()
    task = simulation.account.find(request.path_params["task"], dialect.name, now)
    if task is None:
        return respond(dialect.unknown(request.path_params["task"]))
    if now < task.ready:
        simulation.account.end(task, "canceled", now)
    return respond(dialect.polled(simulation.report(task, _base(request))))


async def _credits(simulation: Simulation, dialect: Flux, request: Request) -> Response:
    _authenticated(simulation, dialect, request, "credits")
    balance = simulation.account.balance(simulation.now())
    return respond(reply(200, {"credits": float(balance)}))


async def _upload(simulation: Simulation, request: Request) -> Response:
    log_entry = classify(request, REPLICATE.name, "upload")
    rules = simulation.rules
    rule = rules.early("upload", "replicate", "") or rules.meet(
        "upload", "replicate", "", prompt="", key=""
    )
    log_entry["fault"] = rule.fault if rule else None
    if rule is not None and rule.fault == "drop-before-read":
        return respond(Answer(0, b""), rule)
    REPLICATE.authenticate(request.headers, simulation.scenario.keys)
    async with request.form() as form:
        upload = form.get("content")
        if not isinstance(upload, UploadFile):
            return respond(reply(400, {"detail": "Missing content", "status": 400}))
        data = await upload.read()
    name = secrets.token_hex(20)
    description = described(
        name,
        data,
        _base(request),
        simulation.now(),
        name=upload.filename or "file",
        content_type=upload.content_type or "application/octet-stream",
    )
    simulation.storage.uploads.add(name, data, description)
    return respond(reply(201, description), rule)


async def _uploaded(simulation: Simulation, request: Request) -> Response:
    _authenticated(simulation, REPLICATE, request, "file")
    name = request.path_params["name"]
    description = simulation.storage.uploads.descriptions.get(name)
    return respond(reply(200, description) if description else REPLICATE.unknown(name))


async def _files(simulation: Simulation, request: Request) -> Response:
    """The files that were uploaded, newest first."""
    _authenticated(simulation, REPLICATE, request, "file")
    results = list(simulation.storage.uploads.descriptions.values())[::-1]
    return respond(reply(200, {"previous": None, "next": None, "results": results}))


async def _remove(simulation: Simulation, request: Request) -> Response:
    _authenticated(simulation, REPLICATE, request, "file")
    name = request.path_params["name"]
    if not simulation.storage.uploads.remove(name):
        return respond(REPLICATE.unknown(name))
    return Response(status_code=204)


async def _download(simulation: Simulation, request: Request) -> Response:
    log_entry = classify(request, "", "download")
    path, query = request.url.path, request.query_params
    task = simulation.account.tasks.get(request.path_params["task"])
    if task is None or task.status(simulation.now()) != READY:
        return respond(_NOT_FOUND)
    log_entry |= {"task": task.id, "model": task.model, "dialect": task.dialect}
    rule = _rule_for(simulation, "download", task, request)
    expired = rule is not None and rule.fault == "expired-url"
    if expired or not simulation.admits(path, query.get("se", ""), query.get("sig", "")):
        return respond(DENIED)
    answer = await asyncio.to_thread(picture, simulation, task, rule, foreign="foreign." in path)
    return respond(answer, rule)


def _rule_for(simulation: Simulation, stage: str, task: Task, request: Request) -> Rule | None:
    """The rule that applies to a request about a task, if any."""
    early = simulation.rules.early(stage, task.dialect, task.model)
    rule = early or _rule(simulation, stage, task)
    request.scope["state"]["log_entry"]["fault"] = rule.fault if rule else None
    return rule


def _rule(simulation: Simulation, stage: str, task: Task) -> Rule | None:
    """The rule that applies to a task by its order, if any."""
    prompt = simulation.storage.recall(task.id)["prompt"]
    return simulation.rules.meet(stage, task.dialect, task.model, prompt=prompt, key=task.id)


async def _other(answer: Answer, dialect: str, request: Request) -> Response:
    """The answer to a request that no API has a route for."""
    classify(request, dialect, "other")
    return respond(answer)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
