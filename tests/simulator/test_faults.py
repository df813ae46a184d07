"""Every fault does what its name says, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from flux2build.images.formats.lookup import examine
from flux2build.simulator import Scenario, running

KEY = {"x-key": "canary"}
BEARER = {"authorization": "Bearer canary"}
ORDER = {"prompt": "a fox", "width": 128, "height": 64, "output_format": "png"}
PRO = "/v1/models/black-forest-labs/flux-2-pro/predictions"

Ask = Callable[[httpx.Client], httpx.Response]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server whose pictures are ready at once."""
    with running(Scenario(latency=0)) as base:
        yield base


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    """A client of the server, which starts from nothing in each test."""
    with httpx.Client(base_url=server, timeout=10, trust_env=False) as client:
        client.post("/_sim/reset")
        yield client


def rule(client: httpx.Client, stage: str, fault: str, **details: Any) -> None:
    """Put one rule in force."""
    one = {"stage": stage, "fault": fault, **details}
    answer = client.post("/_sim/scenario", json={"rules": [one]})
    assert answer.status_code == 200, answer.text


def buy(client: httpx.Client, **fields: Any) -> httpx.Response:
    """An order at BFL."""
    return client.post("/v1/flux-2-pro", json=ORDER | fields, headers=KEY)


def poll(client: httpx.Client) -> httpx.Response:
    """Ask for the latest task; buy one if there is none."""
    if not charges(client):
        buy(client)
    return client.get(f"/v1/get_result?id={charges(client)[-1]['id']}&cluster=eu1")


def fetch(client: httpx.Client) -> httpx.Response:
    """Fetch the picture of a task."""
    return client.get(poll(client).json()["result"]["sample"])


def charges(client: httpx.Client) -> list[dict[str, Any]]:
    """What stands charged."""
    listed: list[dict[str, Any]] = client.get("/_sim/charges").json()["charges"]
    return listed


STAGES: dict[str, Ask] = {"submit": buy, "poll": poll, "download": fetch}
CUTS = [
    ("drop-before-read", {}, httpx.RemoteProtocolError),
    ("drop-after-read", {}, httpx.RemoteProtocolError),
    ("drop-after-read", {"reset": True}, httpx.ReadError),
    ("drop-mid-headers", {}, httpx.RemoteProtocolError),
    ("drop-mid-headers", {"at": 0}, httpx.RemoteProtocolError),
    ("drop-mid-headers", {"at": 1}, httpx.RemoteProtocolError),
    ("short-body", {}, httpx.RemoteProtocolError),
    ("short-body", {"at": 0}, httpx.RemoteProtocolError),
    ("short-body", {"at": 1}, httpx.RemoteProtocolError),
    ("garbage", {}, httpx.RemoteProtocolError),
]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("fault", "details", "error"), CUTS)
def test_a_cut_connection_is_cut_on_the_wire(
    client: httpx.Client, stage: str, fault: str, details: dict[str, Any], error: type[Exception]
) -> None:
    """Each way to cut shows as what a client would see of it, once; then all is well."""
    rule(client, stage, fault, times="once", **details)
    with pytest.raises(error):
        STAGES[stage](client)
    assert STAGES[stage](client).status_code == 200


def test_what_was_not_read_does_not_reset_the_connection(client: httpx.Client) -> None:
    """A cut before a large order was read shows as an end without an answer, not as a reset."""
    rule(client, "submit", "drop-before-read")
    with pytest.raises(httpx.RemoteProtocolError):
        buy(client, input_image="A" * 4_000_000)


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ("drop-before-read", 0),
        ("drop-after-read", 1),
        ("drop-mid-headers", 1),
        ("short-body", 1),
        ("garbage", 0),
    ],
)
def test_a_lost_answer_may_hide_a_charge(client: httpx.Client, fault: str, count: int) -> None:
    """What is dropped before it is read costs nothing; an answer lost on its way does."""
    rule(client, "submit", fault)
    with pytest.raises(httpx.TransportError):
        buy(client)
    assert len(charges(client)) == count


@pytest.mark.parametrize("charged", [True, False])
def test_an_error_may_follow_a_purchase(client: httpx.Client, *, charged: bool) -> None:
    """A 500 can come before or after the order was accepted; the client cannot know."""
    rule(client, "submit", "http", code=500, charged=charged)
    assert buy(client).status_code == 500
    assert len(charges(client)) == charged


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 503, 504, 599])
def test_any_status_at_any_stage(client: httpx.Client, stage: str, code: int) -> None:
    """Every status code can be had at every stage."""
    rule(client, stage, "http", code=code, retry_after="7")
    answer = STAGES[stage](client)
    assert answer.status_code == code
    assert answer.headers["retry-after"] == "7"
    assert answer.json() == {"detail": "simulated fault"}


@pytest.mark.parametrize(
    ("body", "content_type", "starts"),
    [
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("empty", "application/json", b""),
        ('{"error": {"message": "no"}}', "application/json", b'{"error"'),
    ],
)
def test_any_body(client: httpx.Client, body: str, content_type: str, starts: bytes) -> None:
    """A 200 can carry a page, nothing, or some other JSON."""
    rule(client, "submit", "http", code=200, body=body)
    answer = buy(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.content.startswith(starts)


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:9/", "http://169.254.169.254/meta", "file:///etc/passwd"]
)
def test_redirects_lead_anywhere(client: httpx.Client, to: str) -> None:
    """A redirect may point to another host, a private address or a file."""
    rule(client, "submit", "redirect", to=to)
    answer = buy(client)
    assert (answer.status_code, answer.headers["location"]) == (307, to)
    assert charges(client) == []


def test_a_truncated_body_ends_in_silence(client: httpx.Client) -> None:
    """Without a length, half a picture looks like a whole response."""
    rule(client, "download", "truncated")
    answer = fetch(client)
    assert answer.status_code == 200
    assert "content-length" not in answer.headers
    assert examine(answer.content).fault


def test_a_wrong_media_type(client: httpx.Client) -> None:
    """The right bytes can come under the wrong name."""
    rule(client, "download", "wrong-type", media_type="image/gif")
    answer = fetch(client)
    assert answer.headers["content-type"] == "image/gif"
    assert examine(answer.content).format == "png"


def test_a_gzip_bomb_inflates(client: httpx.Client) -> None:
    """A few kilobytes on the wire become as many as the rule says."""
    rule(client, "download", "gzip-bomb", size=5_000_000)
    sample = poll(client).json()["result"]["sample"]
    with client.stream("GET", sample) as answer:
        wire = b"".join(answer.iter_raw())
    assert len(wire) < 20_000
    assert len(client.get(sample).content) == 5_000_000


def test_an_oversized_body_does_not_name_its_length(client: httpx.Client) -> None:
    """The picture is followed by zeros, up to the size of the rule."""
    rule(client, "download", "oversized", size=3_000_000)
    answer = fetch(client)
    assert "content-length" not in answer.headers
    assert len(answer.content) == 3_000_000


def test_a_slow_body_comes_in_pieces(client: httpx.Client) -> None:
    """A body drips in pieces of the size in the rule, with a pause after each."""
    rule(client, "poll", "slow", piece=100, seconds=0.02)
    answer = poll(client)
    assert answer.json()["status"] == "Ready"
    assert answer.elapsed.total_seconds() >= 0.02 * (len(answer.content) // 100)


@pytest.mark.parametrize("stage", STAGES)
def test_a_hanging_server_ends_when_the_client_leaves(client: httpx.Client, stage: str) -> None:
    """An answer that does not come is a time-out, and the server lives on."""
    poll(client)
    rule(client, stage, "hang", times="once")
    client.timeout = httpx.Timeout(10, read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        STAGES[stage](client)
    client.timeout = httpx.Timeout(10)
    assert STAGES[stage](client).status_code == 200


def test_a_missing_id(client: httpx.Client) -> None:
    """An accepted order may come without its claim check."""
    rule(client, "submit", "missing-id")
    assert "id" not in buy(client).json()
    prediction = client.post(PRO, json={"input": {"prompt": "a"}}, headers=BEARER).json()
    assert "id" not in prediction
    assert len(charges(client)) == 2


def test_a_polling_url_elsewhere(client: httpx.Client) -> None:
    """The URL to ask may be on another host."""
    rule(client, "submit", "polling-elsewhere", to="http://10.0.0.1/x")
    assert buy(client).json()["polling_url"] == "http://10.0.0.1/x"
    prediction = client.post(PRO, json={"input": {"prompt": "a"}}, headers=BEARER).json()
    assert prediction["urls"]["get"] == "http://10.0.0.1/x"


def test_ready_at_submission(client: httpx.Client) -> None:
    """A gateway may answer an order with the finished picture."""
    client.post("/_sim/scenario", json={"latency": 60})
    rule(client, "submit", "ready-at-once")
    task = buy(client).json()
    assert task["status"] == "Ready"
    assert task["polling_url"] == task["result"]["sample"]
    assert examine(client.get(task["polling_url"]).content).width == 128
    body = {"input": {"prompt": "a"}}
    prediction = client.post(PRO, json=body, headers=BEARER).json()
    assert prediction["status"] == "succeeded"


@pytest.mark.parametrize("status", ["Request Moderated", "Content Moderated", "Error", "Failed"])
@pytest.mark.parametrize(("stage", "fault"), [("submit", "outcome"), ("poll", "status")])
def test_an_order_that_ends_badly_is_refunded(
    client: httpx.Client, stage: str, fault: str, status: str
) -> None:
    """Each bad end can be had, is final, and costs nothing; the prediction has failed."""
    rule(client, stage, fault, status=status)
    ticket = buy(client).json()
    for _ in range(2):
        reply = client.get(ticket["polling_url"]).json()
        assert (reply["status"], reply["cost"], reply["result"]) == (status, 0, None)
        assert reply["details"]
    prediction = client.post(PRO, json={"input": {"prompt": "a"}}, headers=BEARER).json()
    done = client.get(prediction["urls"]["get"], headers=BEARER).json()
    assert done["status"] == "failed"
    assert ("E005" in done["error"]) is status.endswith("Moderated")
    assert charges(client) == []


@pytest.mark.parametrize("status", ["Pending", "Reasoning", "Dreaming"])
def test_a_status_that_ends_nothing_keeps_the_charge(client: httpx.Client, status: str) -> None:
    """A status that is waiting, or unknown, changes nothing about the task."""
    rule(client, "poll", "status", status=status, times=2)
    ticket = buy(client).json()
    statuses = [client.get(ticket["polling_url"]).json()["status"] for _ in range(3)]
    assert statuses == [status, status, "Ready"]
    assert len(charges(client)) == 1


@pytest.mark.parametrize("status", ["canceled", "aborted", "dreaming"])
def test_words_of_replicate_pass_through(client: httpx.Client, status: str) -> None:
    """A status that BFL does not have is said as it is."""
    rule(client, "poll", "status", status=status)
    prediction = client.post(PRO, json={"input": {"prompt": "a"}}, headers=BEARER).json()
    done = client.get(prediction["urls"]["get"], headers=BEARER).json()
    assert (done["status"], done["output"]) == (status, None)


def test_a_stuck_order_never_ends(client: httpx.Client) -> None:
    """An order may stay pending for ever, in its slot."""
    rule(client, "submit", "stuck")
    ticket = buy(client).json()
    assert client.get(ticket["polling_url"]).json()["status"] == "Pending"
    assert client.get("/_sim/state").json()["active"]["bfl"] == 1


def test_a_price_that_is_not_the_listed_one(client: httpx.Client) -> None:
    """The bill may be higher than the list."""
    rule(client, "submit", "price", factor="2.5")
    assert buy(client).json()["cost"] == 7.5
    assert charges(client)[0]["usd"] == "0.075"


def test_someone_elses_id(client: httpx.Client) -> None:
    """The answer may be about another task."""
    rule(client, "poll", "foreign-id")
    ticket = buy(client).json()
    assert client.get(ticket["polling_url"]).json()["id"] != ticket["id"]


def test_someone_elses_picture(client: httpx.Client) -> None:
    """The URL, or only the bytes behind it, may be somebody else's."""
    honest = fetch(client).content
    rule(client, "poll", "foreign-sample")
    reply = poll(client).json()["result"]
    assert reply["prompt"] == "somebody else's picture"
    stolen = client.get(reply["sample"]).content
    rule(client, "download", "foreign-picture")
    swapped = fetch(client).content
    assert swapped == stolen != honest
    assert examine(swapped).width == 128


def test_a_sample_elsewhere_or_nowhere(client: httpx.Client) -> None:
    """The result may be at any address, or missing."""
    rule(client, "poll", "sample-elsewhere", to="file:///etc/passwd")
    assert poll(client).json()["result"]["sample"] == "file:///etc/passwd"
    rule(client, "poll", "missing-sample")
    assert poll(client).json()["result"] == {}


def test_an_expired_url(client: httpx.Client) -> None:
    """A URL may be expired when it comes, or when it is used."""
    rule(client, "poll", "expired-url", times="once")
    assert fetch(client).status_code == 403
    assert fetch(client).status_code == 200
    rule(client, "download", "expired-url")
    assert fetch(client).status_code == 403


def test_a_task_that_is_lost(client: httpx.Client) -> None:
    """A task may be unknown for a while; the charge stands."""
    rule(client, "poll", "not-found", times=1)
    assert poll(client).json()["status"] == "Task not found"
    assert poll(client).json()["status"] == "Ready"
    assert len(charges(client)) == 1


def test_pictures_that_are_not_what_was_ordered(client: httpx.Client) -> None:
    """A result may be of another size or format, without its end, or no picture at all."""
    rule(client, "download", "wrong-size", width=64, height=96)
    header = examine(fetch(client).content)
    assert (header.width, header.height) == (64, 96)
    rule(client, "download", "wrong-format")
    assert examine(fetch(client).content).format == "jpeg"
    rule(client, "download", "no-end")
    assert examine(fetch(client).content).fault
    rule(client, "download", "not-a-picture")
    assert examine(fetch(client).content).format == ""


def test_a_rule_counts_what_it_matches(client: httpx.Client) -> None:
    """`nth` and `times` pick requests out of those that the rule is about."""
    rule(client, "submit", "http", code=503, prompt="FOX", model="flux-2-*", nth=2, times=2)
    codes = [buy(client).status_code for _ in range(4)]
    assert codes == [200, 503, 503, 200]
    assert buy(client, prompt="a cat").status_code == 200
    assert client.get("/_sim/state").json()["rules_hit"] == [2]


def test_a_rule_can_count_per_task(client: httpx.Client) -> None:
    """With `per_task`, each task has its own first poll."""
    rule(client, "poll", "http", code=502, times="once", per_task=True)
    tickets = [buy(client).json() for _ in range(2)]
    codes = [client.get(t["polling_url"]).status_code for t in tickets for _ in range(2)]
    assert codes == [502, 200, 502, 200]


def test_a_rule_keeps_to_its_dialect(client: httpx.Client) -> None:
    """A fault of one carrier leaves the others alone."""
    rule(client, "submit", "http", code=503, dialect="cometapi")
    assert buy(client).status_code == 200
    assert client.post("/flux/v1/flux-2-pro", json=ORDER, headers=BEARER).status_code == 503
    body = {"input": {"prompt": "a"}}
    assert client.post("/replicate" + PRO, json=body, headers=BEARER).status_code == 503


def test_uploads_can_fail(client: httpx.Client) -> None:
    """Files have a stage of their own."""
    rule(client, "upload", "http", code=503)
    files = {"content": ("a.png", b"x", "image/png")}
    assert client.post("/v1/files", files=files, headers=BEARER).status_code == 503
    rule(client, "upload", "drop-before-read")
    with pytest.raises(httpx.TransportError):
        client.post("/v1/files", files=files, headers=BEARER)


def test_faults_are_written_down(client: httpx.Client) -> None:
    """The list of requests says which of them met a rule."""
    rule(client, "submit", "drop-after-read")
    with pytest.raises(httpx.TransportError):
        buy(client)
    (visit,) = client.get("/_sim/requests").json()["requests"]
    assert visit["fault"] == "drop-after-read"
    assert visit["task"] == charges(client)[0]["id"]


def test_a_bad_scenario_changes_nothing(client: httpx.Client) -> None:
    """An unknown setting is named, and the scenario in force stays."""
    answer = client.post("/_sim/scenario", json={"latncy": 1})
    assert answer.status_code == 422
    assert "latncy" in answer.text
    assert client.post("/_sim/scenario", content=b"[").status_code == 422
    assert client.get("/_sim/scenario").json()["latency"] == 0


def test_a_submission_can_wait_for_its_picture(client: httpx.Client) -> None:
    """`Prefer: wait` holds the answer until the picture is there, or for so many seconds."""
    client.post("/_sim/scenario", json={"latency": 0.05})
    body = {"input": {"prompt": "a"}}
    for prefer in ("wait", "wait=5"):
        prediction = client.post(PRO, json=body, headers=BEARER | {"prefer": prefer})
        assert prediction.json()["status"] == "succeeded"
    prediction = client.post(PRO, json=body, headers=BEARER | {"prefer": "wait=0"})
    assert prediction.json()["status"] != "succeeded"


def test_an_unknown_address_is_not_found(client: httpx.Client) -> None:
    """Strange routes and models have the answer of their API, a page at CometAPI."""
    assert client.get("/v2/flux").status_code == 404
    assert client.post("/v1/flux-9", json=ORDER, headers=KEY).status_code == 404
    assert client.get("/delivery/nothing/sample.png").status_code == 404
    assert client.get("/v1/files/none", headers=BEARER).status_code == 404
    assert client.post("/v1/predictions/none/cancel", headers=BEARER).status_code == 404
    for path in ("/flux/v1/none/at/all", "/replicate/v1/models/x/y/predictions"):
        answer = client.post(path, json={"input": {}}, headers=BEARER)
        assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")
    for path in ("/v1/flux-2-pro", PRO, "/flux/v1/flux-2-pro"):
        broken = client.post(path, content=b"{", headers=KEY | BEARER)
        assert broken.status_code in {400, 422}
        assert "detail" in broken.json()
    listed = client.post(PRO, content=b"[]", headers=BEARER)
    assert listed.status_code == 400
    assert charges(client) == []
