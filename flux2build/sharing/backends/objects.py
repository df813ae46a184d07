"""An object store: `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.

obstore reads credentials, region and endpoint from the environment only, for example from
`AWS_ACCESS_KEY_ID`, `AWS_REGION` and `AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from flux2build.errors import SystemFault, UsageError, one_line
from flux2build.extras import pip_install
from flux2build.sharing.contract import Access, Backend, Kind, Listed, Unreachable, plain
from flux2build.sharing.keys import checked, is_key, most

if TYPE_CHECKING:
    from obstore.store import AzureStore, ClientConfig, GCSStore, RetryConfig, S3Store

    Place = AzureStore | GCSStore | S3Store

T = TypeVar("T")

_ENDPOINTS: Final = {
    "s3": (("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"), "https://s3.amazonaws.com"),
    "gs": (("GOOGLE_BASE_URL",), "https://storage.googleapis.com"),
    "az": (("AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT"), "https://blob.core.windows.net"),
}
"""The variables that move the endpoint of each kind, and the default, which chooses the proxy."""
_NO_PLACE: Final = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_URL: Final = re.compile(r"https?://\S+")
_STATUS: Final = re.compile(r"status code: (\d{3})\b")
_RETRIES: Final = 2


class Bucket:
    """Values as objects."""

    keeps_bytes = True

    def __init__(self, url: str, place: Place, once: Place) -> None:
        self._url = plain(url)
        self._place = place
        self._once = once
        """The same place, asked once only: a claim that was removed may be another's by the next try."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""
        path = checked(key)
        return self._reached(lambda: self._read(path))

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        path = checked(key)
        return self._reached(lambda: self._place.head(path)) is not None

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""
        path = checked(key)
        self._written(lambda: self._place.put(path, data))

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""
        from obstore.exceptions import AlreadyExistsError

        path = checked(key)
        try:
            self._written(lambda: self._place.put(path, data, mode="create"))
        except AlreadyExistsError:
            return False
        return True

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether of two requests to create a key exactly one succeeds."""
        return self.create(key, one) and not self.create(key, other)

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""
        path = checked(key)
        self._reached(lambda: self._once.delete(path))

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, a page at a time."""
        pages = iter(self._place.list(prefix.partition("/")[0], chunk_size=1000))
        while page := self._written(lambda: next(pages, None)):
            for each in page:
                if is_key(each["path"]) and each["path"].startswith(prefix):
                    yield Listed(each["path"], each["size"], each["last_modified"].timestamp())

    def sweep(self, before: float, *, remove: bool) -> int:  # noqa: ARG002 - whenever it was
        """Always 0: an object is whole, or does not exist."""
        return 0

    def at_once(self) -> AbstractContextManager[None]:
        """Answer each question by itself."""
        return nullcontext()

    def _read(self, key: str) -> bytes:
        answer = self._place.get(key)
        if (size := answer.meta["size"]) > most(key):
            raise self._unreachable(f"`{key}` has {size:,} bytes, which is too large")
        return bytes(answer.bytes())

    def _written(self, call: Callable[[], T]) -> T:
        """The result of a call that needs an object, or at least the bucket."""
        try:
            return self._answered(call)
        except FileNotFoundError:
            raise self._unreachable("there is no such bucket") from None

    def _reached(self, call: Callable[[], T]) -> T | None:
        """The result of a call; None where there is no such object."""
        try:
            return self._answered(call)
        except FileNotFoundError as error:
            if any(text in str(error) for text in _NO_PLACE):
                raise self._unreachable("there is no such bucket") from None
            return None

    def _answered(self, call: Callable[[], T]) -> T:
        """The result of a call.

        Raises:
            Unreachable: the place cannot be asked, or refuses.
            FileNotFoundError: there is no such object, or no such bucket.
        """
        from obstore import exceptions

        try:
            return call()
        except (FileNotFoundError, exceptions.AlreadyExistsError):
            raise
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError):
            raise self._unreachable("access is denied", _CREDENTIALS) from None
        except (exceptions.BaseError, OSError, ValueError) as error:
            why = _reason(error)
            raise self._unreachable(why, _CREDENTIALS if why in _DENIED else None) from None

    def _unreachable(self, why: str, hint: str | None = None) -> Unreachable:
        message = f"the team's store `{self._url}` cannot be used: {why}"
        return Unreachable(
            message, hint=hint or "see whether its name is right, and it can be reached from here"
        )


_DENIED: Final = {"it answers HTTP 401", "it answers HTTP 403"}
_CREDENTIALS: Final = (
    "credentials are read from the environment; they must allow to get, put and list objects"
)


def _reason(error: Exception) -> str:
    """The reason for a failure, without URLs, which may be signed, and without request data."""
    if status := _STATUS.search(str(error)):
        return f"it answers HTTP {status[1]}"
    text = _URL.sub("…", str(error).partition("\n")[0])
    return one_line(text.rpartition(" - ")[2] or type(error).__name__, 120)


class ObjectsKind:
    """Stores in a bucket."""

    prefixes: tuple[str, ...] = ("s3://", "gs://", "az://")
    example = "s3://bucket/prefix"

    def open(self, url: str, access: Access) -> Backend:
        """The backend of a URL.

        Raises:
            UsageError: it is not a bucket with a prefix and nothing else.
            SystemFault: the extra is missing.
        """
        parts = urlsplit(url)
        if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            message = f"`{plain(url)}` does not name a bucket and a prefix"
            raise UsageError(message, hint=f"write it like `{self.example}`; {_CREDENTIALS}")
        try:
            from obstore import exceptions
            from obstore.store import AzureStore, GCSStore, S3Store
        except ModuleNotFoundError as missing:
            message = f"`{parts.scheme}://` needs `obstore`, which is not installed"
            raise SystemFault(message, hint=f"`{pip_install('team')}`") from missing
        kinds: dict[str, type[Place]] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
        kind, client = kinds[parts.scheme], _client(parts.scheme, access)
        try:
            place, once = (
                kind.from_url(url, client_options=client, retry_config=_retrying(access, most))
                for most in (_RETRIES, 0)
            )
        except (exceptions.BaseError, ValueError) as error:
            message = f"`{plain(url)}` cannot be opened: {_reason(error)}"
            raise SystemFault(message, hint=_CREDENTIALS) from None
        return Bucket(url, place, once)


def _client(scheme: str, access: Access) -> ClientConfig:
    """The connection's options; unencrypted only if the environment's endpoint is `http://`."""
    names, usual = _ENDPOINTS[scheme]
    endpoint = next((value for name in names if (value := os.environ.get(name))), usual)
    options: ClientConfig = {
        "timeout": timedelta(seconds=access.patience),
        "connect_timeout": timedelta(seconds=min(10, access.patience)),
        "allow_http": endpoint.startswith("http://"),
        "user_agent": "flux2build",
    }
    if proxy := access.proxy(endpoint):
        options["proxy_url"] = proxy
    if trusted := access.certificates():
        ders = trusted.get_ca_certs(binary_form=True)
        options["root_certificate"] = "".join(map(ssl.DER_cert_to_PEM_cert, ders))
    return options


def _retrying(access: Access, most: int) -> RetryConfig:
    first = timedelta(seconds=access.patience / 500)
    return {
        "max_retries": most,
        "retry_timeout": timedelta(seconds=access.patience),
        "backoff": {"init_backoff": first, "max_backoff": first * 10},
    }


BACKEND: Final[Kind] = ObjectsKind()
