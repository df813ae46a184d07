"""The C2PA manifest of a picture's file: whether there is one, and which program wrote it.

It is read, not verified: only the libraries of the extra `provenance` can say whether the signature
fits, and whose it is. Nothing here raises, whatever the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from flux2build.images.formats import lookup
from flux2build.images.formats.isobmff import boxes
from flux2build.model import C2paManifest

NONE: Final = "none"
PRESENT: Final = "present"
VALID: Final = "valid"
INVALID: Final = "invalid"

_TERM: Final = rb"digitalsourcetype/([A-Za-z]{1,60})"
_DEEPEST: Final = 16
_LONGEST: Final = 120


def read(data: bytes) -> C2paManifest | None:
    """The manifest in a picture's file, not verified; None where there is none."""
    store = lookup.c2pa(data)
    if not store:
        return None
    try:
        parts = dict(_active(store))
        claim = next((parts[label] for label in parts if label.startswith(b"c2pa.claim")), b"")
        return C2paManifest(PRESENT, generator=_generator(claim))
    except (IndexError, ValueError, RecursionError):
        return C2paManifest(PRESENT)


def certificate(data: bytes) -> bytes:
    """The certificate that signed the manifest in a picture's file, as DER; empty if unreadable."""
    try:
        return _leaf(dict(_active(lookup.c2pa(data))).get(b"c2pa.signature", b""))
    except (IndexError, ValueError, RecursionError):
        return b""


def printable(text: str) -> str:
    """The text as one short line of printable characters."""
    return "".join(char for char in text if char.isprintable())[:_LONGEST].strip()


def source_type(data: bytes) -> str:
    """The first of IPTC's terms in the manifest; empty when there is none."""
    term = re.search(_TERM, lookup.c2pa(data))
    return term[1].decode("ascii") if term else ""


def _active(store: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The label and the CBOR of each box of the active manifest: the last one of a store."""
    (_, content), *_ = _contents(store)
    manifests = [inside for kind, inside in _contents(content) if kind == b"jumb"]
    for kind, inside in _contents(manifests[-1]):
        if kind == b"jumb":
            (_, description), *rest = _contents(inside)
            label = description[17:].split(b"\x00")[0]
            yield label, next((body for kind, body in rest if kind == b"cbor"), b"")


def _contents(data: bytes) -> list[tuple[bytes, bytes]]:
    """The kind and the content of each whole box; JUMBF is made of the boxes of ISO media."""
    contents = []
    with suppress(IndexError, ValueError):
        for kind, start, stop in boxes(data):
            contents.append((kind, data[start:stop]))
    return contents


def _generator(claim: bytes) -> str:
    """The program that made a claim: its first generator, or the line that older claims have."""
    match _cbor(claim, 0)[0]:
        case {
            "claim_generator_info": [{"name": str(name), **more}, *_] | {"name": str(name), **more}
        }:
            version = more.get("version")
            return printable(f"{name} {version}" if isinstance(version, str) else name)
        case {"claim_generator": str(line)}:
            return printable(line)
        case _:
            return ""


def _leaf(signature: bytes) -> bytes:
    """The first certificate of the chain in a COSE signature's headers."""
    value, _ = _cbor(signature, 0)
    members = value if isinstance(value, list) else []
    headers = [member for member in members[:2] if isinstance(member, dict)]
    if members and isinstance(members[0], bytes) and members[0]:
        protected, _ = _cbor(members[0], 0)
        headers += [protected] if isinstance(protected, dict) else []
    chains = (header.get(33, header.get("x5chain")) for header in headers)
    chain = next((chain for chain in chains if chain), b"")
    leaf = chain[0] if isinstance(chain, list) else chain
    return leaf if isinstance(leaf, bytes) else b""


def _cbor(data: bytes, at: int, depth: int = 0) -> tuple[object, int]:
    """The CBOR value at a place, and where the next one begins.

    Raises:
        IndexError, ValueError: the value is cut off, nested too deep, or of a kind that
            claims do not use.
    """
    if depth > _DEEPEST:
        raise ValueError(depth)
    kind, small = data[at] >> 5, data[at] & 31
    if small > 27:
        raise ValueError(small)
    width = 1 << (small - 24) if small > 23 else 0
    number = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else small
    at += 1 + width
    if number > len(data) and kind in {2, 3, 4, 5}:
        raise ValueError(number)
    match kind:
        case 2 | 3:
            content = data[at : at + number]
            return (content if kind == 2 else content.decode("utf-8", "replace")), at + number
        case 4:
            return _array(data, at, number, depth)
        case 5:
            flat, at = _array(data, at, 2 * number, depth)
            keys = (key if isinstance(key, str | int) else str(key) for key in flat[::2])
            return dict(zip(keys, flat[1::2], strict=True)), at
        case 6:
            return _cbor(data, at, depth + 1)
        case _:
            return (number if kind == 0 else None), at


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[object], int]:
    values = []
    for _ in range(count):
        value, at = _cbor(data, at, depth + 1)
        values.append(value)
    return values, at
