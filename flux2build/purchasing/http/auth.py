"""The only place that attaches the key to a call, and only for the provider's own hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from flux2build.errors import SystemFault
from flux2build.providers.contract import Call, InDoubt, Refused, Remote, Reply, Waiting
from flux2build.purchasing.http.address_policy import (
    AddressScope,
    ForbiddenError,
    Resolve,
    may_have_key,
    scope_of_url,
    secured,
    split,
)
from flux2build.purchasing.http.clock import Limits
from flux2build.purchasing.http.pool import Bounds, Pool
from flux2build.purchasing.http.sending import Sending
from flux2build.purchasing.redaction import Key, redacted

_Answer = TypeVar("_Answer", bound=Refused | InDoubt)


def checked_endpoint(endpoint: str, provider: Remote) -> str:
    """The checked endpoint.

    Raises:
        SystemFault: it is not.
    """
    parts = split(endpoint)
    if parts is None or parts.username is not None or parts.query or parts.fragment:
        raise SystemFault(
            f"`{provider.url_variable}` is not a URL of an API",
            rows=(("endpoint", redacted(endpoint)),),
            hint="expected something like `https://api.example.com`",
        )
    return endpoint


@dataclass(slots=True)
class Auth:
    """A provider's endpoint and the user's key; makes calls with both, and keeps the key secret."""

    provider: Remote
    endpoint: str
    key: Key | None
    limits: Limits
    resolve: Resolve
    _scope: AddressScope | None = field(default=None, init=False)

    async def scope(self) -> AddressScope:
        """Where the endpoint lies; looked up once, if the network lets it."""
        if self._scope is None:
            try:
                self._scope = await scope_of_url(self.endpoint, self.resolve)
            except (OSError, UnicodeError):
                return AddressScope.PUBLIC  # the strictest; asked again, as the network may be down
        return self._scope

    async def call(
        self,
        pool: Pool,
        call: Call,
        *,
        patience: float | None = None,
        sending: Sending | None = None,
        pictured: bool = False,
    ) -> Reply:
        """The answer to a call that carries the key, within the limits.

        A `pictured` answer may hold a picture in base64.

        Raises:
            ForbiddenError: the URL is not the provider's.
            SystemFault: the key would be sent in clear.
            ExchangeError: the network failed, or the answer exceeds the bounds.
        """
        secret = await self._secret(call.url)
        most = self.limits.reply_bytes + pictured * (self.limits.picture_bytes * 4 // 3)
        bounds = Bounds(most, patience or self.limits.reply)
        return await pool.exchange(call, secret, bounds, sending)

    def may_have_key(self, url: str) -> bool:
        """Whether a URL is the endpoint's or the provider's, so that the key may go there."""
        return may_have_key(url, self.endpoint, self.provider.hosts)

    def secured(self, url: str) -> str:
        """A URL with https where it names a host that is met over https anyway."""
        return secured(url, self.endpoint, self.provider.hosts)

    async def _secret(self, url: str) -> Mapping[str, str]:
        if not self.may_have_key(url):
            parts = split(url)
            host = parts.hostname if parts else "no host"
            raise ForbiddenError(f"`{host}` is not a host of `{self.provider.name}`")
        if self.key is None:
            return {}
        if not url.startswith("https://") and await self.scope() is AddressScope.PUBLIC:
            raise SystemFault(
                f"the key of `{self.provider.name}` is not sent in clear",
                rows=(("endpoint", redacted(self.endpoint)),),
                hint=f"give `{self.provider.url_variable}` an https URL",
            )
        return self.provider.credentials(self.key.reveal())

    def redacted(self, text: str) -> str:
        """A text for people, with the key and signed URLs masked."""
        return redacted(text, self.key)

    def holds_key(self, text: str) -> bool:
        """Whether a server put the key into a text that will be kept or sent elsewhere."""
        return self.key is not None and self.key.unmistakable and self.masked(text) != text

    def masked(self, text: str) -> str:
        """A text in which only the key is masked."""
        return self.key.masked(text) if self.key else text

    def redacted_answer(self, answer: _Answer) -> _Answer:
        """A refusal or doubt whose message is fit for people."""
        return replace(answer, message=self.redacted(answer.message))

    def redacted_state(self, waiting: Waiting) -> Waiting:
        """A state whose text is fit for people."""
        return replace(waiting, status=self.redacted(waiting.status))
