"""The callback URL of an order, from which the receiver knows the order.

The URL holds the ledger's facts about the attempt and the order, apart from the prompt, so that its
picture can be filed on a machine without that ledger. A code in it, made with the user's secret,
proves that the order was placed with that secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest, Json
from flux2build.ledger import Intended, entry_from_json, entry_to_json
from flux2build.model import Order
from flux2build.providers.contract import Callback

FEWEST: Final = 24
"""Characters of the shortest secret."""
UNKNOWN: Final = "unknown"
"""The asset of an attempt that is known only from its URL."""


class Called(Struct, frozen=True):
    """An attempt, from its callback's URL."""

    intended: Intended
    callback: Callback
    params: Mapping[str, Json]
    inputs: tuple[Digest, ...]
    take: int


class Webhooks(Struct, frozen=True):
    """The URL for a user's callbacks, and the secret that ties them to orders."""

    url: str
    """The public URL, without a slash at its end."""
    secret: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def callback(self, order: Order, intended: Intended) -> Callback:
        """The callback of an attempt.

        It does not contain names of assets or paths of this machine.
        """
        entry = entry_to_json(replace(intended, asset=UNKNOWN, project=""))
        ordered = {"params": order.params, "inputs": order.inputs, "take": order.take}
        text = json.dumps([entry, ordered], separators=(",", ":"))
        data = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
        return self._callback(f"{intended.provider}/{data}")

    def called(self, path: str) -> Called | None:
        """The attempt of a callback's path; None if this secret did not sign it."""
        name, _, code = path.rpartition(".")
        callback = self._callback(name)
        if not hmac.compare_digest(code.encode(), callback.url.rpartition(".")[2].encode()):
            return None
        try:
            data = zlib.decompress(base64.urlsafe_b64decode(f"{name.partition('/')[2]}=="))
            text, ordered = json.loads(data)
            intended = entry_from_json(text)
        except (binascii.Error, zlib.error, ValueError):
            return None
        if not isinstance(intended, Intended):
            return None
        inputs = tuple(map(Digest, ordered["inputs"]))
        return Called(intended, callback, ordered["params"], inputs, ordered["take"])

    def _callback(self, name: str) -> Callback:
        code, secret = self._code("url", name), self._code("secret", name)
        return Callback(f"{self.url}/{name}.{code}", secret)

    def _code(self, use: str, name: str) -> str:
        """The code for a name and a use, which only this secret can make."""
        text = f"flux2build webhook {use} {name}"
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
