"""Digests: `sha256:` and 64 hex digits; bytes are equal exactly if their digests are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final, NewType

Digest = NewType("Digest", str)

_AS_THEY_ARE: Final = frozenset({str, int, bool})

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def of_bytes(data: bytes) -> Digest:
    """Return the digest of bytes."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def of_json(value: Json) -> Digest:
    """Return the digest of a value's canonical JSON."""
    return of_bytes(canonical(value).encode())


def canonical(value: Json) -> str:
    """Return the canonical JSON of a value: sorted keys, no spaces, no escapes, no NaN.

    A float without a fraction is written as the integer it equals, so that
    `5` and `5.0` in a spec ask for the same picture.
    """
    return _ENCODER.encode(_plain(value))


_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def quoted(text: str) -> str:
    """Return the canonical JSON of a text."""
    return encode_basestring(text)


def _plain(value: Json) -> Json:
    if value is None or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def short(digest: str) -> str:
    """Return the first 12 hex digits, enough for people to tell digests in a listing apart."""
    return digest.removeprefix("sha256:")[:12]


def half(digest: str) -> str:
    """Return the first 32 hex digits, enough for caches to tell digests apart."""
    return digest.removeprefix("sha256:")[:32]
