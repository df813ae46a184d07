"""The happy path of each dialect, and what is charged for it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest

from flux2build.images.formats.lookup import examine
from flux2build.providers.sketch import drawing
from flux2build.simulator import Rule, Scenario
from flux2build.simulator.simulation import Simulation
from flux2build.simulator.web import site

KEY = {"x-key": "canary"}
BEARER = {"authorization": "Bearer canary"}
PRO = "/v1/models/black-forest-labs/flux-2-pro/predictions"


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        """The time now."""
        return self.time


class Client:
    """Plain calls to a simulation's ASGI application."""

    def __init__(self, simulation: Simulation) -> None:
        self._transport = httpx.ASGITransport(site(simulation))

    def get(self, url: str, **details: Any) -> httpx.Response:
        """A GET."""
        return self._send("GET", url, details)

    def post(self, url: str, **details: Any) -> httpx.Response:
        """A POST."""
        return self._send("POST", url, details)

    def delete(self, url: str, **details: Any) -> httpx.Response:
        """A DELETE."""
        return self._send("DELETE", url, details)

    def _send(self, method: str, url: str, details: dict[str, Any]) -> httpx.Response:
        async def send() -> httpx.Response:
            client = httpx.AsyncClient(transport=self._transport, base_url="http://sim.test")
            async with client:
                return await client.request(method, url, **details)

        return asyncio.run(send())


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    """A client of a simulation whose pictures take ten seconds."""
    simulation = Simulation(Scenario(latency=10), clock=clock)
    yield Client(simulation)
    simulation.storage.close()


def order(**fields: Any) -> dict[str, Any]:
    """A small order."""
    return {"prompt": "a fox", "width": 256, "height": 128, "output_format": "png"} | fields


def picture(width: int = 64, height: int = 64, form: str = "png") -> str:
    """A reference as base64."""
    return base64.b64encode(drawing.picture("a desk", width, height, form, "ref")).decode()


def charges(client: Client) -> list[dict[str, Any]]:
    """What stands charged."""
    listed: list[dict[str, Any]] = client.get("/_sim/charges").json()["charges"]
    return listed


def submitted(client: Client, model: str = "flux-2-pro", **fields: Any) -> dict[str, Any]:
    """The answer to an order at BFL that was accepted."""
    answer = client.post(f"/v1/{model}", json=order(**fields), headers=KEY)
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


def test_bfl_goes_from_pending_to_a_picture_of_the_size(client: Client, clock: Clock) -> None:
    """An order at BFL passes through the statuses of the contract and ends in its picture."""
    ticket = submitted(client, seed=7)
    statuses = []
    for _ in range(4):
        reply = client.get(ticket["polling_url"]).json()
        statuses.append(reply["status"])
        clock.time += 3.4
    assert statuses == ["Pending", "Pending", "Pending", "Ready"]
    assert reply["result"]["seed"] == 7
    assert reply["cost"] == 3
    download = client.get(reply["result"]["sample"])
    assert download.headers["content-type"] == "image/png"
    assert examine(download.content).width == 256
    assert examine(download.content).fault is None


def test_what_is_charged_is_an_exact_decimal_string(client: Client) -> None:
    """A charge names the task, the model, the dollars and the order."""
    ticket = submitted(client, model="flux-2-klein-4b", width=1440, height=1440)
    (charge,) = charges(client)
    assert charge["id"] == ticket["id"]
    assert charge["model"] == "flux-2-klein-4b"
    assert charge["usd"] == "0.015"
    assert charge["order"].startswith("sha256:")
    assert client.get("/_sim/charges").json()["total_usd"] == "0.015"


def test_the_same_order_twice_is_two_tasks_with_two_pictures(client: Client, clock: Clock) -> None:
    """The models are not reproducible, and a second submission is a second charge."""
    tickets = [submitted(client, seed=1) for _ in range(2)]
    clock.time += 11
    samples = [client.get(t["polling_url"]).json()["result"]["sample"] for t in tickets]
    first, second = (client.get(sample).content for sample in samples)
    assert first != second
    assert len({charge["order"] for charge in charges(client)}) == 1
    assert len(charges(client)) == 2


def test_a_result_url_lives_ten_minutes_and_a_later_poll_signs_a_new_one(
    client: Client, clock: Clock
) -> None:
    """An expired or forged result URL is refused; asking again gives a good one."""
    ticket = submitted(client)
    clock.time += 11
    first = client.get(ticket["polling_url"]).json()["result"]["sample"]
    assert client.get(first.replace("sig=", "sig=0")).status_code == 403
    clock.time += 601
    assert client.get(first).status_code == 403
    again = client.get(ticket["polling_url"]).json()["result"]["sample"]
    assert client.get(again).status_code == 200


@pytest.mark.parametrize("word", ["forbidden", "explicit"])
def test_moderation_by_words_is_refunded(client: Client, clock: Clock, word: str) -> None:
    """A moderated order ends with its own status, costs nothing, and has no picture."""
    ticket = submitted(client, prompt=f"an {word.upper()} thing")
    assert len(charges(client)) == 1
    clock.time += 11
    reply = client.get(ticket["polling_url"]).json()
    status = {"forbidden": "Request Moderated", "explicit": "Content Moderated"}[word]
    assert reply["status"] == status
    assert reply["cost"] == 0
    assert charges(client) == []
    assert len(client.get("/_sim/charges").json()["refunds"]) == 1
    assert client.get("/_sim/state").json()["credits"] == "100000"


def test_pro_rewrites_the_prompt_unless_told_not_to(client: Client, clock: Clock) -> None:
    """The prompt that was used is reported, and `disable_pup` keeps it as it was."""
    tickets = [submitted(client), submitted(client, disable_pup=True)]
    clock.time += 11
    prompts = [client.get(t["polling_url"]).json()["result"]["prompt"] for t in tickets]
    assert prompts[0] != "a fox"
    assert prompts[1] == "a fox"


def test_bfl_wants_its_own_header(client: Client) -> None:
    """BFL does not accept a Bearer token as a key, and polling needs no key."""
    assert client.post("/v1/flux-2-pro", json=order()).status_code == 403
    assert client.post("/v1/flux-2-pro", json=order(), headers=BEARER).status_code == 403
    assert client.get(submitted(client)["polling_url"]).status_code == 200
    assert client.get("/v1/credits", headers=KEY).json() == {"credits": 99997}


def test_a_task_that_is_not_there_is_not_found(client: Client) -> None:
    """An unknown id has the status of the contract, not an error."""
    assert client.get("/v1/get_result?id=x").json()["status"] == "Task not found"
    assert client.get("/v1/get_result").status_code == 422


@pytest.mark.parametrize(
    ("model", "newer", "expected"),
    [
        ("flux-2-pro", False, ["Pending"] * 3),
        ("flux-2-klein-4b", True, ["Pending", "Reasoning", "Generating"]),
        ("flux-3-image", False, ["Pending", "Reasoning", "Generating"]),
    ],
)
def test_the_newer_states_are_those_of_flux_3(
    model: str,
    newer: bool,  # noqa: FBT001 - a case of the table
    expected: list[str],
) -> None:
    """FLUX.2 waits in one state, as its clients know no other; a scenario may show them all."""
    clock = Clock()
    client = Client(Simulation(Scenario(latency=10, newer_states=newer), clock=clock))
    ticket = client.post(f"/v1/{model}", json={"prompt": "a fox"}, headers=KEY).json()
    states = []
    for _ in expected:
        states.append(client.get(ticket["polling_url"]).json()["status"])
        clock.time += 3.4

    assert states == expected


def test_json_is_written_without_blanks(client: Client) -> None:
    """Answers look as FastAPI and Replicate write them, for clients that search their text."""
    at_bfl = client.post("/v1/flux-2-pro", json=order(), headers=KEY)
    polled = client.get(at_bfl.json()["polling_url"])
    at_replicate = client.post(PRO, json={"input": {"prompt": "ein Fuchs, süß"}}, headers=BEARER)

    for answer in (at_bfl, polled, at_replicate):
        whole = answer.json()
        assert answer.text == json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def test_a_model_is_described(client: Client) -> None:
    """A model at Replicate tells its name and the schema of its inputs."""
    path = "/v1/models/black-forest-labs/flux-2-klein-4b"
    model = client.get(path, headers=BEARER).json()
    inputs = model["latest_version"]["openapi_schema"]["components"]["schemas"]["Input"]

    assert (model["owner"], model["name"]) == ("black-forest-labs", "flux-2-klein-4b")
    assert inputs["properties"]["images"]["maxItems"] == 5
    assert client.get(f"{path}x", headers=BEARER).status_code == 404


def test_files_are_listed_and_removed(client: Client) -> None:
    """An uploaded file has all that Replicate tells of one, until it is removed."""
    files = {"content": ("desk.png", b"desk", "image/png")}
    upload = client.post("/v1/files", files=files, headers=BEARER).json()
    url = upload["urls"]["get"]

    assert upload.keys() >= {"id", "etag", "checksums", "created_at", "expires_at", "metadata"}
    assert client.get("/v1/files", headers=BEARER).json()["results"] == [upload]
    assert client.get(url, headers=BEARER).json() == upload
    assert client.delete(url, headers=BEARER).status_code == 204
    assert client.get(url, headers=BEARER).status_code == 404
    assert client.delete(url, headers=BEARER).status_code == 404


def test_a_webhook_takes_the_polling_url_away(client: Client) -> None:
    """The answer to an order with a webhook has another shape."""
    answer = submitted(client, webhook_url="https://example.org/hook")
    assert "polling_url" not in answer
    assert answer["webhook_url"] == "https://example.org/hook"


def test_flux_3_takes_no_size_and_no_seed(client: Client, clock: Clock) -> None:
    """flux-3-image refuses fields that it does not have, and is made at a ratio."""
    refused = client.post("/v1/flux-3-image", json=order(), headers=KEY)
    assert refused.status_code == 422
    assert {item["loc"][1] for item in refused.json()["detail"]} == {
        "width",
        "height",
        "output_format",
    }
    body = {"prompt": "a fox", "aspect_ratio": "16:9", "images": picture(256, 256)}
    ticket = client.post("/v1/flux-3-image", json=body, headers=KEY).json()
    clock.time += 11
    sample = client.get(ticket["polling_url"]).json()["result"]["sample"]
    header = examine(client.get(sample).content)
    assert (header.width, header.height) == (1360, 768)
    assert charges(client)[0]["usd"] == "0.048"


def test_cometapi_repeats_bfl_under_a_prefix(client: Client, clock: Clock) -> None:
    """CometAPI takes Bearer, names no cost, and answers strange routes with a page."""
    answer = client.post("/flux/v1/flux-2-pro", json=order(), headers=BEARER)
    ticket = answer.json()
    assert "cost" not in ticket
    assert ticket["polling_url"].startswith("http://sim.test/flux/v1/get_result?id=")
    clock.time += 11
    reply = client.get(f"/flux/v1/get_result?id={ticket['id']}").json()
    assert reply["status"] == "Ready"
    assert "cost" not in reply
    strange = client.post("/flux/v1/flux-9", json=order(), headers=BEARER)
    assert strange.headers["content-type"].startswith("text/html")
    assert client.post("/flux/v1/flux-2-pro", json=order()).status_code == 401


def test_replicate_makes_a_prediction(client: Client, clock: Clock) -> None:
    """A prediction goes from starting to succeeded, with one URL and the seed in its logs."""
    body = {"input": {"prompt": "a fox", "output_format": "jpg", "seed": 5}}
    answer = client.post(PRO, json=body, headers=BEARER)
    assert answer.status_code == 201
    prediction = answer.json()
    assert prediction["status"] == "starting"
    assert prediction["urls"]["get"] == f"http://sim.test/v1/predictions/{prediction['id']}"
    clock.time += 11
    done = client.get(prediction["urls"]["get"], headers=BEARER).json()
    assert done["status"] == "succeeded"
    assert done["logs"] == "Using seed: 5\n"
    assert isinstance(done["output"], str)
    download = client.get(done["output"])
    assert examine(download.content).format == "jpeg"
    assert charges(client)[0]["usd"] == "0.03"


def test_replicate_lists_the_outputs_of_klein(client: Client, clock: Clock) -> None:
    """Klein has its own names for inputs, and a list for an output."""
    body = {"input": {"prompt": "a fox", "images": [], "output_megapixels": "0.25"}}
    url = PRO.replace("flux-2-pro", "flux-2-klein-4b")
    prediction = client.post(url, json=body, headers=BEARER).json()
    clock.time += 11
    done = client.get(prediction["urls"]["get"], headers=BEARER).json()
    (output,) = done["output"]
    found = examine(client.get(output).content)
    assert (found.format, found.width, found.height) == ("jpeg", 512, 512)


def test_the_urls_of_cometapi_lead_to_replicate(client: Client, clock: Clock) -> None:
    """CometAPI's predictions name a foreign host; only its own route knows them."""
    body = {"input": {"prompt": "a fox"}}
    prediction = client.post("/replicate" + PRO, json=body, headers=BEARER).json()
    assert prediction["urls"]["get"].startswith("https://api.replicate.com/")
    assert client.get(f"/v1/predictions/{prediction['id']}", headers=BEARER).status_code == 404
    clock.time += 11
    done = client.get(f"/replicate/v1/predictions/{prediction['id']}", headers=BEARER).json()
    assert isinstance(done["output"], list)
    assert client.get(f"/flux/v1/get_result?id={prediction['id']}").json()["status"] == "Ready"


def test_a_prediction_may_name_its_model_as_a_version(client: Client) -> None:
    """`POST /v1/predictions` takes `owner/name` as version."""
    body = {"version": "black-forest-labs/flux-2-dev", "input": {"prompt": "a fox"}}
    prediction = client.post("/v1/predictions", json=body, headers=BEARER)
    assert prediction.json()["model"] == "black-forest-labs/flux-2-dev"
    nobody = client.post("/v1/predictions", json={"input": {}}, headers=BEARER)
    assert nobody.status_code == 404


def test_predictions_are_listed_newest_first(client: Client) -> None:
    """The listing names inputs, so that a lost task can be found again."""
    for prompt in ("one", "two"):
        client.post(PRO, json={"input": {"prompt": prompt}}, headers=BEARER)
    listed = client.get("/v1/predictions", headers=BEARER).json()["results"]
    assert [prediction["input"]["prompt"] for prediction in listed] == ["two", "one"]


def test_a_cancelled_prediction_costs_nothing(client: Client) -> None:
    """Cancelling before the end refunds."""
    prediction = client.post(PRO, json={"input": {"prompt": "a fox"}}, headers=BEARER).json()
    done = client.post(prediction["urls"]["cancel"], headers=BEARER).json()
    assert done["status"] == "canceled"
    assert charges(client) == []


def test_an_uploaded_file_is_a_reference(client: Client) -> None:
    """A file goes up as multipart, down into the picture, and is billed by its size."""
    data = drawing.picture("a desk", 1040, 1024, "png", "ref")
    files = {"content": ("desk.png", data, "image/png")}
    upload = client.post("/v1/files", files=files, headers=BEARER).json()
    assert upload["name"] == "desk.png"
    assert upload["size"] == len(data)
    body = {"input": {"prompt": "a fox", "input_images": [upload["urls"]["get"]]}}
    client.post(PRO, json=body, headers=BEARER)
    client.post(PRO, json={"input": {"prompt": "a fox"}}, headers=BEARER)
    assert [charge["usd"] for charge in charges(client)] == ["0.06", "0.03"]


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"other": ("desk.png", b"x")}},
        {"data": {"content": "no file"}},
        {"json": {"content": "no form"}},
    ],
    ids=["another part", "a field", "no form"],
)
def test_an_upload_needs_a_file(client: Client, body: dict[str, Any]) -> None:
    """Only a part that is called `content` and is a file counts."""
    answer = client.post("/v1/files", headers=BEARER, **body)

    assert (answer.status_code, answer.json()["detail"]) == (400, "Missing content")


def test_replicate_wants_bearer(client: Client) -> None:
    """Replicate knows no `x-key`, and polls need the key too."""
    body = {"input": {"prompt": "a fox"}}
    assert client.post(PRO, json=body, headers=KEY).status_code == 401
    assert client.get("/v1/predictions/x", headers=KEY).status_code == 401


def test_references_are_billed_by_begun_megapixels(client: Client) -> None:
    """Each reference counts as its megapixels, rounded up."""
    submitted(client, width=1024, height=1024, input_image=picture())
    submitted(client, input_image=picture(), input_image_2=picture(1040, 1024))
    assert [charge["usd"] for charge in charges(client)] == ["0.045", "0.075"]


def test_pro_takes_nine_megapixels_in_and_out(client: Client) -> None:
    """Eight references are too many for an output of two megapixels."""
    names = ["input_image", *(f"input_image_{n}" for n in range(2, 9))]
    body = order(width=1440, height=1440) | dict.fromkeys(names, picture())
    assert client.post("/v1/flux-2-pro", json=body, headers=KEY).status_code == 400
    body |= {"width": 1024, "height": 1024}
    assert client.post("/v1/flux-2-pro", json=body, headers=KEY).status_code == 200


PRICES = [
    ("flux-2-pro", 512, 512, "3"),
    ("flux-2-pro", 1024, 1024, "3"),
    ("flux-2-pro", 1040, 1024, "4.5"),
    ("flux-2-pro", 1920, 1080, "4.5"),
    ("flux-2-pro", 1920, 1088, "4.5"),
    ("flux-2-pro", 2048, 1536, "6"),
    ("flux-2-pro", 2048, 2048, "7.5"),
    ("flux-2-max", 1024, 1024, "7"),
    ("flux-2-max", 2048, 2048, "16"),
    ("flux-2-flex", 1024, 1024, "5"),
    ("flux-2-flex", 2048, 2048, "20"),
    ("flux-2-klein-9b", 2048, 2048, "2.1"),
]


@pytest.mark.parametrize(("model", "width", "height", "price"), PRICES)
def test_the_published_examples_of_prices(
    client: Client, model: str, width: int, height: int, price: str
) -> None:
    """Every worked example of the price lists is charged to the credit."""
    answer = submitted(client, model=model, width=width, height=height)
    assert Decimal(str(answer["cost"])) == Decimal(price)
    assert charges(client)[0]["credits"] == price


def test_sides_are_rounded_down_to_sixteen(client: Client, clock: Clock) -> None:
    """1920x1080 is billed as asked and delivered as 1920x1072, as was seen at BFL."""
    ticket = submitted(client, width=1920, height=1080)
    assert ticket["output_mp"] == 1.98
    clock.time += 11
    sample = client.get(ticket["polling_url"]).json()["result"]["sample"]
    assert examine(client.get(sample).content).height == 1072


def test_twenty_four_may_be_under_way(client: Client, clock: Clock) -> None:
    """One more is refused without a charge, until one has finished."""
    for number in range(24):
        submitted(client, seed=number)
    refused = client.post("/v1/flux-2-pro", json=order(seed=99), headers=KEY)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert len(charges(client)) == 24
    clock.time += 11
    submitted(client, seed=99)
    assert client.get("/_sim/state").json()["peak_active"]["bfl"] == 24


def test_submissions_per_minute_may_be_limited(client: Client, clock: Clock) -> None:
    """Beyond the rate the answer is 429, and a minute later all is well."""
    client.post("/_sim/scenario", json={"creates_per_minute": 1, "retry_after": None})
    body = {"input": {"prompt": "a fox"}}
    assert client.post(PRO, json=body, headers=BEARER).status_code == 201
    refused = client.post(PRO, json=body, headers=BEARER)
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    clock.time += 60
    assert client.post(PRO, json=body, headers=BEARER).status_code == 201


def test_without_credit_nothing_is_accepted(client: Client) -> None:
    """402 at every dialect, and no charge."""
    client.post("/_sim/scenario", json={"credits": "2.9"})
    body = {"input": {"prompt": "a fox"}}
    assert client.post("/v1/flux-2-pro", json=order(), headers=KEY).status_code == 402
    assert client.post("/flux/v1/flux-2-pro", json=order(), headers=BEARER).status_code == 402
    assert client.post(PRO, json=body, headers=BEARER).status_code == 402
    assert charges(client) == []


def test_only_named_keys_pass_where_some_are_named(client: Client) -> None:
    """A scenario can know its customers."""
    client.post("/_sim/scenario", json={"keys": ["other"]})
    assert client.post("/v1/flux-2-pro", json=order(), headers=KEY).status_code == 403
    answer = client.post(PRO, json={"input": {"prompt": "a"}}, headers=BEARER)
    assert answer.status_code == 401


def test_every_request_is_written_down_without_its_key(client: Client) -> None:
    """The list says where a key was seen, and never what it was."""
    client.get(submitted(client)["polling_url"])
    listed = client.get("/_sim/requests")
    assert "canary" not in listed.text
    first, second = listed.json()["requests"]
    assert set(first["key"]) == {"x-key"}
    assert second["key"] == {}
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/flux-2-pro", 200)
    assert first["host"] == "sim.test"
    assert first["body_bytes"] > 50
    assert (first["stage"], second["stage"]) == ("submit", "poll")


def test_reset_forgets_everything(client: Client) -> None:
    """After a reset the server is as it was when it started."""
    submitted(client)
    client.post("/_sim/scenario", json={"latency": 0})
    client.post("/_sim/reset")
    assert charges(client) == []
    assert client.get("/_sim/requests").json() == {"requests": []}
    assert client.get("/_sim/scenario").json()["latency"] == 10


def test_a_poll_at_another_address_is_counted_and_may_fail(client: Client) -> None:
    """Only the URL that was given out is sure to know the task."""
    ticket = submitted(client)
    rebuilt = f"/v1/get_result?id={ticket['id']}"
    assert client.get(rebuilt).json()["status"] == "Pending"
    client.post("/_sim/scenario", json={"strict_polling": True})
    assert client.get(rebuilt).json()["status"] == "Task not found"
    assert client.get(ticket["polling_url"]).json()["status"] == "Pending"
    assert client.get("/_sim/state").json()["rebuilt_polls"] == 2


def test_a_finished_task_is_forgotten_after_its_retention(client: Client, clock: Clock) -> None:
    """An old task is not found any more."""
    ticket = submitted(client)
    clock.time += 3700
    assert client.get(ticket["polling_url"]).json()["status"] == "Task not found"


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_fast_pictures_are_whole_and_distinct(clock: Clock, form: str) -> None:
    """The fast mode serves valid files of the right size that differ by task."""
    simulation = Simulation(Scenario(latency=0, fast=True), clock=clock)
    client = Client(simulation)
    files = []
    for _ in range(2):
        ticket = submitted(client, output_format=form)
        sample = client.get(ticket["polling_url"]).json()["result"]["sample"]
        files.append(client.get(sample).content)
    assert files[0] != files[1]
    for data in files:
        header = examine(data)
        assert (header.format, header.width, header.height, header.fault) == (form, 256, 128, None)


def test_a_rule_needs_what_its_fault_needs() -> None:
    """A rule that could never work is refused when it is read."""
    with pytest.raises(ValueError, match="needs `to`"):
        Rule(stage="submit", fault="redirect")
    with pytest.raises(ValueError, match="cannot happen at the stage"):
        Rule(stage="submit", fault="wrong-size")
    with pytest.raises(ValueError, match="unknown fault `wat`"):
        Rule(stage="submit", fault="wat")
    with pytest.raises(ValueError, match="before the prompt is known"):
        Rule(stage="submit", fault="drop-before-read", prompt="fox")


def test_an_order_that_takes_time_is_not_ready_as_it_is_accepted() -> None:
    """However slow the machine, the answer to an order is of the moment of its acceptance."""
    moments = count(1_800_000_000, 60)
    simulation = Simulation(Scenario(latency=1), clock=lambda: float(next(moments)))
    body = {"input": {"prompt": "a fox"}}

    prediction = Client(simulation).post(PRO, json=body, headers=BEARER).json()

    assert prediction["status"] == "starting"
    simulation.storage.close()
