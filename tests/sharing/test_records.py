"""The JSON of claims and receipts, which machines with different versions of flux2build share."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from flux2build import digest
from flux2build.model import Receipt
from flux2build.sharing.records import SharedClaim, SharedReceipt, from_json, to_json

ORDER: Final = digest.of_bytes(b"order")
PAYLOAD: Final = digest.of_bytes(b"payload")
INPUT: Final = digest.of_bytes(b"input")
OUTPUT: Final = digest.of_bytes(b"output")

CLAIM: Final = SharedClaim(
    order=ORDER,
    attempt="a1",
    account="0123456789ab",
    provider="bfl",
    model="flux-2-pro",
    payload=PAYLOAD,
    at="2026-11-27T00:00:00Z",
    task="t1",
    poll="https://api.example/t1",
    cost=Decimal("0.030"),
    expected={"format": "png", "width": 64},
)
CLAIMED: Final = (
    b'{"account":"0123456789ab","at":"2026-11-27T00:00:00Z","attempt":"a1","cost":"0.030",'
    b'"expected":{"format":"png","width":64},"model":"flux-2-pro","order":"%s","payload":"%s",'
    b'"poll":"https://api.example/t1","provider":"bfl","task":"t1","version":1}'
) % (ORDER.encode(), PAYLOAD.encode())

RECEIPT: Final = SharedReceipt(
    order=ORDER,
    payload=PAYLOAD,
    model="flux-2-pro",
    params={"height": 64, "width": 64},
    inputs=(INPUT,),
    take=2,
    output=OUTPUT,
    bytes=100,
    width=64,
    height=64,
    format="png",
    receipt=Receipt("bfl", "t1", Decimal("0.030"), "settled", 7, "a red fox"),
)
RECEIVED: Final = (
    b'{"bytes":100,"format":"png","height":64,"inputs":["%s"],"model":"flux-2-pro","order":"%s",'
    b'"output":"%s","params":{"height":64,"width":64},"payload":"%s","receipt":{"cost":"0.030",'
    b'"cost_source":"settled","prompt":"a red fox","provider":"bfl","seed":7,"task":"t1"},'
    b'"take":2,"version":1,"width":64}'
) % (INPUT.encode(), ORDER.encode(), OUTPUT.encode(), PAYLOAD.encode())


def test_format() -> None:
    """What is shared holds these facts and no others, and is read as it was written."""
    assert to_json(CLAIM) == CLAIMED
    assert to_json(RECEIPT) == RECEIVED
    assert from_json(CLAIMED, SharedClaim, ORDER) == CLAIM
    assert from_json(RECEIVED, SharedReceipt, ORDER) == RECEIPT


def test_later_facts() -> None:
    """What a later flux2build adds within the version is passed over."""
    data = CLAIMED.replace(b'"version"', b'"more":{"than":["is"]},"version"')

    assert from_json(data, SharedClaim, ORDER) == CLAIM


def test_what_may_be_missing() -> None:
    """A claim without a ticket is a whole one."""
    bare = replace(CLAIM, task="", poll="", cost=None, expected={})
    data = CLAIMED.replace(b'"cost":"0.030","expected":{"format":"png","width":64},', b"")
    data = data.replace(b'"poll":"https://api.example/t1",', b"").replace(b'"task":"t1",', b"")

    assert from_json(data, SharedClaim, ORDER) == bare


AT_ONCE: Final = """
import importlib, sys, threading
from concurrent.futures import ThreadPoolExecutor
from flux2build.sharing import records

sys.setswitchinterval(1e-6)
data, order = sys.stdin.buffer.read(), sys.argv[1]
with ThreadPoolExecutor(8) as threads:
    for _ in range(40):
        fresh, start = importlib.reload(records), threading.Barrier(8)

        def read(_number):
            start.wait()
            return fresh.from_json(data, fresh.SharedReceipt, order)

        list(threads.map(read, range(8)))
"""
"""Many first reads, each by eight threads at the same moment."""


def test_read_at_once() -> None:
    """Threads that read the first receipts of a process at the same moment get them."""
    command = [sys.executable, "-c", AT_ONCE, ORDER]
    ended = subprocess.run(
        command, input=RECEIVED, capture_output=True, check=False, cwd=Path(__file__).parents[2]
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
