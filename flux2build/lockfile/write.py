"""Writes `assets.lock`: TOML, one block per asset and profile, in a form that merges by lines.

    version = 1
    revision = 2

    [asset."hero[theme=light]".final]
    meta = "sha256:…"

    [asset."hero[theme=light]".final.generated]
    key = "sha256:…"
    output.sha256 = "sha256:…"
    …
    prompt = [
        "A desk by a window. ",
        "Morning light.",
    ]

    [asset."hero[theme=light]".final.candidate.1]
    …

    [asset."hero[theme=light]".final.review]
    sha256 = "sha256:…"
    by = "Ann <ann@example.com>"
    state = "approved"
    at = "2026-11-27T09:00:00Z"
    …

    [asset."hero[theme=light]".final.deliver."public/hero.webp"]
    …

    [asset."hero[theme=light]".final.write."public/hero.json"]
    …

Blocks are sorted and keys have a fixed order. `key` stands next to the output's
digest, so that git never takes one without the other: changes of neighbouring
lines conflict. So the state of a review stands between who decided and when. A prompt is an array of its sentences, which are joined without
separators: they merge one by one, and an editor that trims or wraps lines cannot
alter them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from flux2build.digest import Json, canonical
from flux2build.images.provenance import c2pa
from flux2build.lockfile.block import (
    Block,
    Candidate,
    Derived,
    Generated,
    Lockfile,
    Review,
    Written,
)
from flux2build.model import Operation, Output, Receipt

VERSION: Final = 1
"""The version of the format; a reader of another version refuses it."""

_TOP: Final = (
    "# Written by flux2build: the receipt of every picture. Commit it, and let flux2build edit it."
)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SENTENCES: Final = r"(?<=\n)|(?<=[.!?;] )"
_UNSAFE: Final = '[\x00-\x1f\x7f-\x9f"\\\\\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]'
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def dumps(lock: Lockfile) -> str:
    """Return the text of a lock, which does not depend on the order of its blocks."""
    return "\n".join(_lines(lock)) + "\n"


def _lines(lock: Lockfile) -> Iterator[str]:
    yield from head_lines(lock)
    for _, block in sorted(lock.blocks.items()):
        yield from block_lines(block)


def head_lines(lock: Lockfile) -> Iterator[str]:
    """Return the lines before the blocks."""
    yield _TOP
    yield f"version = {VERSION}"
    yield f"revision = {max(lock.needed, lock.revision)}"
    yield from _extra(lock.extra)


def block_lines(block: Block) -> Iterator[str]:
    """Return the lines of a block, the first of them empty."""
    table = f"asset.{_key(block.asset)}.{_key(block.profile)}"
    yield from ("", f"[{table}]")
    yield f'meta = "{block.meta}"'
    yield from _extra(block.extra)
    if block.generated:
        yield from ("", f"[{table}.generated]", *_generated(block.generated))
    for candidate in sorted(block.candidates, key=lambda candidate: candidate.number):
        yield from ("", f"[{table}.candidate.{candidate.number}]", *_candidate(candidate))
    if block.review:
        yield from ("", f"[{table}.review]", *_review(block.review))
    for derived in sorted(block.derived, key=lambda derived: derived.output.path):
        yield from ("", f"[{table}.deliver.{_key(derived.output.path)}]", *_derived(derived))
    for written in sorted(block.written, key=lambda written: written.output.path):
        yield from ("", f"[{table}.write.{_key(written.output.path)}]", *_written(written))


def _generated(row: Generated) -> Iterator[str]:
    yield f'key = "{row.key}"'
    yield from _output(row.output)
    if row.output.source_type is not None and row.output.manifest is None:
        yield f'output.manifest = "{c2pa.NONE}"'
    yield f"output.path = {_string(row.output.path)}"
    yield f"schema = {row.schema}"
    yield f"provider = {_string(row.provider)}"
    yield f"model = {_string(row.model)}"
    yield f"take = {row.take}"
    yield from _text("prompt", row.prompt)
    yield from _table("params", row.params)
    yield from _array("inputs", [f"{each.name} {each.sha256}" for each in row.inputs])
    yield from _receipt(row.receipt)
    if row.picked:
        yield "picked = true"
    yield from _extra(row.extra, dotted=True)


def _candidate(candidate: Candidate) -> Iterator[str]:
    yield f'key = "{candidate.key}"'
    yield from _output(candidate.output)
    yield f"take = {candidate.take}"
    if candidate.seed is not None:
        yield f"seed = {candidate.seed}"
    yield from _receipt(candidate.receipt)
    yield from _extra(candidate.extra, dotted=True)


def _review(review: Review) -> Iterator[str]:
    yield f'sha256 = "{review.sha256}"'
    yield f"by = {_string(review.by)}"
    yield f'state = "{review.state}"'
    yield f"at = {_string(review.at)}"
    yield f"note = {_string(review.note)}"
    yield from _extra(review.extra)


def _derived(row: Derived) -> Iterator[str]:
    yield f'key = "{row.key}"'
    yield from _output(row.output)
    yield f"schema = {row.schema}"
    yield f"encoder = {_string(row.encoder)}"
    yield from _array("ops", [_operation(op) for op in row.ops])
    yield from _table("encoding", row.encoding)
    yield from _array("inputs", [f"{each.name} {each.sha256}" for each in row.inputs])
    yield from _extra(row.extra, dotted=True)


def _written(row: Written) -> Iterator[str]:
    yield f'key = "{row.key}"'
    yield f'output.sha256 = "{row.output.sha256}"'
    yield f"output.bytes = {row.output.bytes}"
    yield f"schema = {row.schema}"
    yield f"document = {_string(row.document)}"
    yield f"version = {row.version}"
    yield from _extra(row.extra, dotted=True)


def _output(output: Output) -> Iterator[str]:
    yield f'output.sha256 = "{output.sha256}"'
    yield f"output.bytes = {output.bytes}"
    yield f"output.width = {output.width}"
    yield f"output.height = {output.height}"
    yield f"output.format = {_string(output.format)}"
    if output.source_type is not None:
        yield f"output.source_type = {_string(output.source_type)}"
    if output.colours:
        yield f"output.colours = {_string(output.colours)}"
    if output.text is not None:
        yield f"output.text = {_string(output.text)}"
    if output.unsigned:
        yield f'output.unsigned = "{output.unsigned}"'
    if output.manifest:
        yield f"output.manifest = {_string(output.manifest.state)}"
        yield f"output.signer = {_string(output.manifest.signer)}"
        yield f"output.generator = {_string(output.manifest.generator)}"


def _receipt(receipt: Receipt) -> Iterator[str]:
    yield f"receipt.provider = {_string(receipt.provider)}"
    yield f"receipt.task = {_string(receipt.task)}"
    if receipt.cost is not None:
        yield f'receipt.cost = "{receipt.cost:f}"'
    yield f"receipt.cost_source = {_string(receipt.cost_source)}"
    if receipt.seed is not None:
        yield f"receipt.seed = {receipt.seed}"
    if receipt.prompt is not None:
        yield from _text("receipt.prompt", receipt.prompt)


def _operation(op: Operation) -> str:
    return canonical({"op": op.op, "version": op.version, "params": op.params})


def _text(key: str, text: str) -> Iterator[str]:
    pieces = [piece for piece in re.split(_SENTENCES, text) if piece]
    if len(pieces) > 1:
        yield from _array(key, pieces)
    else:
        yield f"{key} = {_string(text)}"


def _array(key: str, items: list[str]) -> Iterator[str]:
    if not items:
        yield f"{key} = []"
        return
    yield f"{key} = ["
    for item in items:
        yield f"    {_string(item)},"
    yield "]"


def _table(key: str, table: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line for each entry; nested values are canonical JSON under `<key>_json`."""
    nested = {}
    for name in sorted(table):
        value = table[name]
        if isinstance(value, (bool, int, float, str)):
            yield f"{key}.{_key(name)} = {toml_value(value)}"
        else:
            nested[name] = canonical(value)
    for name, value in nested.items():
        yield f"{key}_json.{_key(name)} = {_string(value)}"


def _extra(extra: Mapping[str, Json], *, dotted: bool = False) -> Iterator[str]:
    for key in sorted(extra):
        value = extra[key]
        if dotted and isinstance(value, Mapping) and value:
            for name in sorted(value):
                yield f"{_key(key)}.{_key(name)} = {toml_value(value[name])}"
        else:
            yield f"{_key(key)} = {toml_value(value)}"


def toml_value(value: Json) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {toml_value(value[key])}" for key in sorted(value))
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return canonical(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    """A TOML string: literal where quotes alone would need escapes, else basic."""
    plain = text.replace('"', "").replace("\\", "")
    safe = plain.isprintable() or not re.search(_UNSAFE, plain)
    if safe and plain == text:
        return f'"{text}"'
    if safe and "'" not in plain:
        return f"'{text}'"
    return f'"{re.sub(_UNSAFE, _escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04X}"
