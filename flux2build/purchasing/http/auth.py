"""The one place that attaches the key: a provider's calls, made under its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from flux2build.errors import Problem, SystemFault
from flux2build.providers.contract import Call, InDoubt, Refused, Remote, Reply, Waiting
from flux2build.purchasing.http.address_policy import (
    AddressScope,
    ForbiddenError,
    Resolve,
    may_have_key,
    scope_of_url,
    split,
)
from flux2build.purchasing.http.clock import Limits
from flux2build.purchasing.http.pool import Bounds, Pool
from flux2build.purchasing.http.redaction import Key, redacted

_Answer = TypeVar("_Answer", bound=Refused | InDoubt)


def checked(endpoint: str, provider: Remote) -> str:
    """An endpoint that is a URL.

    Raises:
        SystemFault: it is something else.
    """
    found = split(endpoint)
    if found is None or found.username is not None or found.query or found.fragment:
        raise SystemFault(
            Problem(
                f"`{provider.url_variable}` is not a URL of an API",
                rows=(("endpoint", redacted(endpoint)),),
                hint="expected something like `https://api.example.com`",
            )
        )
    return endpoint


@dataclass(slots=True)
class Auth:
    """Where a provider is met: its endpoint, the user's key, and what is known of both."""

    provider: Remote
    endpoint: str
    key: Key | None
    limits: Limits
    resolve: Resolve
    _scope: AddressScope | None = field(default=None, init=False)

    async def scope(self) -> AddressScope:
        """Where the endpoint lies; looked up once."""
        if self._scope is None:
            try:
                self._scope = await scope_of_url(self.endpoint, self.resolve)
            except (OSError, UnicodeError):
                return AddressScope.PUBLIC  # the strictest; asked again, as the network may be down
        return self._scope

    async def call(self, pool: Pool, call: Call, *, patience: float | None = None) -> Reply:
        """The answer to a call that carries the key, within the limits.

        Raises:
            ForbiddenError: the URL is not the provider's.
            SystemFault: the key would travel in clear.
            httpx.HTTPError: the network failed.
            BrokenError: the answer broke the bounds.
        """
        secret = await self._secret(call.url)
        bounds = Bounds(self.limits.reply_bytes, patience or self.limits.reply)
        return await pool.exchange(call, secret, bounds)

    async def _secret(self, url: str) -> Mapping[str, str]:
        if not may_have_key(url, self.endpoint, self.provider.hosts):
            there = split(url)
            host = there.hostname if there else "no host"
            raise ForbiddenError(f"`{host}` is not a host of `{self.provider.name}`")
        if self.key is None:
            return {}
        if not url.startswith("https://") and await self.scope() is AddressScope.PUBLIC:
            raise SystemFault(
                Problem(
                    f"the key of `{self.provider.name}` is not sent in clear",
                    rows=(("endpoint", redacted(self.endpoint)),),
                    hint=f"give `{self.provider.url_variable}` an https URL",
                )
            )
        return self.provider.credentials(self.key.reveal())

    def clean(self, text: str) -> str:
        """A text for people, without the key or a signed URL."""
        return redacted(text, self.key)

    def holds_key(self, text: str) -> bool:
        """Whether a server put the key into something that is to be kept or sent elsewhere."""
        return self.key is not None and self.key.telling and self.masked(text) != text

    def masked(self, text: str) -> str:
        """A text that is kept as it is, but for the key."""
        return self.key.masked(text) if self.key else text

    def cleaned(self, answer: _Answer) -> _Answer:
        """What a server said, without the key or a signed URL."""
        return replace(answer, message=self.clean(answer.message))

    def shown(self, waiting: Waiting) -> Waiting:
        """A server's state, without the key or a signed URL."""
        return replace(waiting, status=self.clean(waiting.status))
