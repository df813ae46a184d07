"""A fake paid provider behind a real client without a network; it remembers what it charged."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import ssl
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image

from flux2build.digest import Json
from flux2build.ledger import Ledger, fold
from flux2build.ledger.journal import Journal
from flux2build.model import AssetName, Generate, Order, Recipe, order_of
from flux2build.providers import bfl
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.http import Client, ClientDeps, Key, Limits
from flux2build.purchasing.remote_renderer import RemoteRenderer
from flux2build.purchasing.safekeeping import Places, Safekeeping
from flux2build.purchasing.spool import Spool
from flux2build.purchasing.webhooks import Webhooks
from flux2build.storage.store import Store

_SALTS: Final = itertools.count()
KEY: Final = "k" * 20
_BASE: Final = "https://api.bfl.ai"


@dataclass
class FakeClock:
    """A clock on which a sleep takes no time."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    """Seconds of every sleep, to the millisecond."""
    asleep: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the first sleep."""

    def now(self) -> float:
        """The moment."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.asleep.set()
        self.slept.append(round(seconds, 3))
        self.at += seconds
        await asyncio.sleep(0)


@dataclass
class FakeProvider:
    """The provider; what becomes of an order goes by its prompt, else it is delivered.

    `lost`: charged, and the answer does not arrive. `dropped`: not charged, and no
    answer arrives. `busy`: refused once for being too many. `moderated`, `failed`: given
    back. `small`: of another size. `keyless`: the key is refused. A number is a status that refuses.
    """

    fates: Mapping[str, str | int] = field(default_factory=dict)
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    """USD by prompt."""
    tells: bool = True
    """Whether answers name a cost."""
    named: str = "task"
    """How its tasks' ids begin."""
    charged: dict[str, list[Decimal]] = field(default_factory=dict)
    """What is charged, by prompt."""
    posts: list[str] = field(default_factory=list)
    """The prompts that were ordered, in order."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """What was posted with each."""
    asked: list[str] = field(default_factory=list)
    """Every other request, by path."""
    journal: Path | None = None
    """What the journal is to hold before an order comes."""
    written: list[int] = field(default_factory=list)
    """Lines in the journal as each order came."""
    delivered: bytes | None = None
    """What is delivered instead of pictures."""
    _salt: str = field(default_factory=lambda: str(next(_SALTS)))
    _tasks: dict[str, str] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)

    @property
    def total(self) -> Decimal:
        """The sum of what is charged."""
        return sum((cost for costs in self.charged.values() for cost in costs), Decimal(0))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.method == "POST":
            return self._order(request)
        self.asked.append(request.url.path)
        if request.method == "HEAD":
            return httpx.Response(404)
        if request.url.path == "/v1/get_result":
            return self._state(request.url.params["id"])
        size = (
            (48, 64)
            if self._fate(f"{self.named}{request.url.path.strip('/')}") == "small"
            else (64, 64)
        )
        return _page(200, self.delivered or picture(size, f"{self._salt}{request.url.path}"))

    def _fate(self, task: str) -> str | int:
        return self.fates.get(self._tasks[task], "")

    def _order(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        prompt = body["prompt"]
        self.posts.append(prompt)
        self.bodies.append(body)
        if self.journal is not None:
            self.written.append(len(self.journal.read_bytes().splitlines()))
        fate = self.fates.get(prompt, "")
        if isinstance(fate, int):
            return _json({"detail": "no"}, fate)
        if fate == "busy" and prompt not in self._busy:
            self._busy.add(prompt)
            return _json({"detail": "too many"}, 429)
        if fate == "dropped":
            raise httpx.ReadError("gone")
        self.charged.setdefault(prompt, []).append(self.costs.get(prompt, Decimal("0.03")))
        if fate == "lost":
            raise httpx.ReadTimeout("too late")
        task = f"{self.named}-{len(self._tasks) + 1}"
        self._tasks[task] = prompt
        return _json(
            {"id": task, "polling_url": f"{_BASE}/v1/get_result?id={task}", **self._cost(prompt)}
        )

    def _cost(self, prompt: str) -> dict[str, float]:
        cost = self.charged[prompt][-1]
        return {"cost": float(cost * 100)} if self.tells else {}

    def _state(self, task: str) -> httpx.Response:
        fate, prompt = self._fate(task), self._tasks[task]
        if fate in ("moderated", "failed"):
            self.charged[prompt].clear()
            status = "Content Moderated" if fate == "moderated" else "Error"
            return _json({"id": task, "status": status})
        if fate == "keyless":
            return _json({"detail": "no"}, 403)
        if fate == "forgotten":
            return _json({"id": task, "status": "Task not found"})
        found = {"sample": f"https://cdn.example/{task.removeprefix(self.named)}"}
        return _json({"id": task, "status": "Ready", "result": found, **self._cost(prompt)})


class Intercepted(FakeProvider):
    """A provider behind a proxy whose certificate nobody vouches for."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Nothing."""
        del request
        raise httpx.ConnectError("no") from ssl.SSLCertVerificationError("self-signed certificate")


def picture(size: tuple[int, int], salt: str = "") -> bytes:
    """A PNG of a size, another one for another salt."""
    out = io.BytesIO()
    Image.new("RGB", size, f"#{zlib.crc32(salt.encode()) & 0xFFFFFF:06x}").save(out, "png")
    return out.getvalue()


def _page(status: int, body: bytes) -> httpx.Response:
    headers = {"content-length": str(len(body))}
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


def _json(body: Any, status: int = 200) -> httpx.Response:
    return _page(status, json.dumps(body).encode())


async def _resolve(host: str) -> Sequence[str]:
    del host
    return ["93.184.216.34"]


def recipe(prompt: str, name: str = "") -> Recipe:
    """A picture to be bought; it is called like its prompt."""
    asset = AssetName(name or prompt)
    params: dict[str, Json] = {"width": 64, "height": 64, "format": "png"}
    return Recipe(asset, Generate("bfl", "flux-2-pro", prompt, params), (), f"{asset}.png")


def order(wanted: Recipe) -> Order:
    """What a recipe orders."""
    assert isinstance(wanted.task, Generate)
    return order_of(wanted.task, ())


@dataclass
class Buyer:
    """A user with a ledger and a store, who buys at one provider within one run's budget."""

    home: Path
    provider: FakeProvider
    budget: BudgetGuard = field(default_factory=BudgetGuard)
    prices: Mapping[str, Decimal | None] = field(default_factory=dict)
    """The most an order may cost, by prompt; 0.03 where none is named."""
    forced: frozenset[str] = frozenset()
    account: str = "abc"
    posts: int = 4
    in_flight: int | None = None
    webhooks: Webhooks | None = None
    expected: int = 0
    """The bytes that its pictures may have."""
    said: list[str] = field(default_factory=list)
    halt: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ledger(self) -> Ledger:
        """What the journal adds up to."""
        return fold(self.journal.read())

    @property
    def store(self) -> Store:
        """The store."""
        return Store(self.home / "store")

    def _price(self, wanted: Recipe) -> Decimal | None:
        assert isinstance(wanted.task, Generate)
        return self.prices.get(wanted.task.prompt, Decimal("0.03"))

    def buy(self, *prompts: str, keeping: Safekeeping | None = None) -> list[Any]:
        """Order several at once; the outcome of each: `Bought`, or an exception."""
        wanted = [recipe(prompt) for prompt in prompts]
        return asyncio.run(self._buy(wanted, keeping or self.keeping()))

    async def _buy(self, wanted: Sequence[Recipe], keeping: Safekeeping) -> list[Any]:
        async with self.client() as client:
            renderer = self.renderer(client, keeping)
            return await asyncio.gather(
                *(renderer.buy(order(each), each, nothing) for each in wanted),
                return_exceptions=True,
            )

    def client(self) -> Client:
        """A client of the provider."""
        transport = httpx.MockTransport(self.provider)
        deps = ClientDeps(FakeClock(), lambda: 1.0, _resolve, transport, halt=self.halt)
        return Client(
            bfl.PROVIDER,
            Key(KEY),
            limits=Limits(posts=self.posts, in_flight=self.in_flight),
            deps=deps,
        )

    @property
    def journal(self) -> Journal:
        """The ledger's file."""
        return Journal(self.home / "ledger.jsonl")

    @property
    def spool(self) -> Spool:
        """Where things go while ledger or store cannot be written."""
        return Spool(self.home.with_name("spool"))

    def keeping(self) -> Safekeeping:
        """Where everything is kept that this user buys."""
        tree = self.home.with_name("tree")
        places = Places(tree / "assets.lock", (tree / "img" / "fox.png",), self.expected)
        return Safekeeping(self.store, self.journal, self.spool, places, self.said.append)

    def renderer(self, client: Client, keeping: Safekeeping | None = None) -> RemoteRenderer:
        """The renderer under test."""
        return RemoteRenderer(
            client=client,
            books=Bookkeeping(keeping or self.keeping(), self.budget, "/project", self.said.append),
            price=self._price,
            cards=bfl.PROVIDER.cards,
            account=self.account,
            forced=self.forced,
            webhooks=self.webhooks,
        )


async def nothing() -> list[Any]:
    """No references."""
    return []
