"""Quick reading of a lock in its canonical text: one pattern for each kind of table.

A pattern matches only text that the careful reader of `read.py` accepts, and captures the values
that it would return. An unusual block is left to the careful reader, and so is the whole lock where
that does not help: a lock that was edited by hand, damaged, or written by a newer flux2build reads
the same, and its faults are reported in the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, TypeVar

from flux2build.digest import Digest, Json
from flux2build.images.provenance.c2pa import NONE
from flux2build.lockfile.block import Block, Derived, Generated, LockedInput, Written
from flux2build.lockfile.text import NotCanonical, tables
from flux2build.lockfile.values import BadValue, as_operations, as_path, as_picture_path, params
from flux2build.model import OWNER, AssetName, C2paManifest, Operation, Output, Receipt
from flux2build.storage.paths import fold

Blocks = dict[tuple[AssetName, str], Block]

_PLAIN: Final = r'[^"\\\x00-\x1f\x7f]'
_ESCAPE: Final = r'\\(?:["\\ntr]|u(?!D[89A-F])[0-9A-F]{4})'
_STRING: Final = rf"""(?:"{_PLAIN}*+(?:{_ESCAPE}{_PLAIN}*+)*+"|'[^'\x00-\x1f\x7f]*+')"""
_STRINGS: Final = rf"\[\n(?:    {_STRING},\n)++\]"
_TEXT: Final = rf"({_STRING}|{_STRINGS})"
_DIGEST: Final = '"(sha256:[0-9a-f]{64})"'
_COUNT: Final = "(0|[1-9][0-9]{0,15})"
_NAME: Final = rf'(?:[A-Za-z0-9_-]++|"{_PLAIN}++")'
_INPUTS: Final = rf'(\[\]|\[\n(?:    "{_PLAIN}+ sha256:[0-9a-f]{{64}}",\n)++\])'
_INPUT: Final = re.compile(r'"(.+) (sha256:[0-9a-f]{64})",')


def _line(key: str, value: str) -> str:
    return rf"{re.escape(key)} = {value}\n"


def _maybe(key: str, value: str) -> str:
    return f"(?:{_line(key, value)})?+"


def _table(key: str) -> str:
    return rf"((?:{key}(?:_json)?\.[^\n]*+\n)*+)"


_OUTPUT: Final = "".join(
    (
        _line("output.sha256", _DIGEST),
        _line("output.bytes", _COUNT),
        _line("output.width", _COUNT),
        _line("output.height", _COUNT),
        _line("output.format", f"({_STRING})"),
        _maybe("output.source_type", f"({_STRING})"),
        _maybe("output.colours", f"({_STRING})"),
        _maybe("output.text", f"({_STRING})"),
        _maybe("output.unsigned", _DIGEST),
        _maybe("output.manifest", f"({_STRING})"),
        _maybe("output.signer", f"({_STRING})"),
        _maybe("output.generator", f"({_STRING})"),
    )
)
_RECEIPT: Final = "".join(
    (
        _line("receipt.provider", f"({_STRING})"),
        _line("receipt.task", f"({_STRING})"),
        _maybe("receipt.cost", r'"([0-9]{1,30}(?:\.[0-9]{1,30})?)"'),
        _line("receipt.cost_source", f"({_STRING})"),
        _maybe("receipt.seed", "(-?(?:0|[1-9][0-9]{0,15}))"),
        _maybe("receipt.prompt", _TEXT),
    )
)
_GENERATED: Final = "".join(
    (
        _line("key", _DIGEST),
        _OUTPUT,
        _line("output.path", f"({_STRING})"),
        _line("schema", _COUNT),
        _line("provider", f"({_STRING})"),
        _line("model", f"({_STRING})"),
        _line("take", _COUNT),
        _line("prompt", _TEXT),
        _table("params"),
        _line("inputs", _INPUTS),
        _RECEIPT,
        _maybe("picked", "(true|false)"),
    )
)
_DERIVED: Final = "".join(
    (
        _line("key", _DIGEST),
        _OUTPUT,
        _line("schema", _COUNT),
        _line("encoder", f"({_STRING})"),
        _line("ops", rf"(\[\]|{_STRINGS})"),
        _table("encoding"),
        _line("inputs", _INPUTS),
    )
)
_WRITTEN: Final = "".join(
    (
        _line("key", _DIGEST),
        _line("output.sha256", _DIGEST),
        _line("output.bytes", _COUNT),
        _line("schema", _COUNT),
        _line("document", f"({_STRING})"),
        _line("version", _COUNT),
    )
)
_TOP: Final = re.compile(r"(?:#[^\x00-\x1f\x7f]*+\n)*+version = 1\nrevision = ([0-9]{1,9})\n")
_NEXT: Final = re.compile(rf'\n\[asset\.{_NAME}\.(?:{_NAME}|"")\]\n')
_SIZE: Final = 12
"""How many values `_OUTPUT` captures."""


@cache
def _block_pattern() -> re.Pattern[str]:
    """A block up to its generated picture; the pattern is compiled when there is a lock to read."""
    return re.compile(
        rf'\n\[(asset\.({_NAME})\.({_NAME}|""))\]\nmeta = {_DIGEST}\n'
        rf"(?:\n\[\1\.generated\]\n{_GENERATED})?+"
    )


@cache
def _row_pattern(lines: str) -> re.Pattern[str]:
    """A row from its path on, given the pattern of its lines."""
    return re.compile(rf"({_NAME})\]\n{lines}")


def top(text: str) -> tuple[int, int]:
    """The revision of a lock, and where its first block starts; `NotCanonical` if it starts otherwise."""
    match = _TOP.match(text)
    if match is None:
        raise NotCanonical
    return int(match[1]), match.end()


def blocks(text: str, start: int, careful: Callable[[str], Blocks]) -> Blocks:
    """The blocks from a place of a lock on; `careful` reads the text of one that is unusual.

    Raises:
        NotCanonical: the parts of the text do not stand by themselves.
    """
    result: Blocks = {}
    while start < len(text):
        try:
            block, end = _block(text, start)
        except (NotCanonical, ValueError, RecursionError, BadValue):
            following = _NEXT.search(text, start + 1)
            end = following.start() if following else len(text)
            several = careful(text[start:end])
            if not result.keys().isdisjoint(several):
                raise NotCanonical from None
            result |= several
        else:
            key = block.asset, block.profile
            if key in result:
                raise NotCanonical
            result[key] = block
        start = end
    return result


def _block(text: str, start: int) -> tuple[Block, int]:
    """The block that starts here, and where it ends."""
    match = _block_pattern().match(text, start)
    if match is None:
        raise NotCanonical
    table, asset, profile, meta, key, *values = match.groups()
    generated = _generated(key, *values) if key else None
    derived: tuple[Derived, ...] = ()
    written: tuple[Written, ...] = ()
    end = match.end()
    if text.startswith(f"\n[{table}.", end):
        derived, end = _rows(text, end, f"\n[{table}.deliver.", _DERIVED, _derived)
        written, end = _rows(text, end, f"\n[{table}.write.", _WRITTEN, _written)
        if text.startswith(f"\n[{table}.", end):
            raise NotCanonical
    name = AssetName(asset.strip('"'))
    return Block(name, profile.strip('"'), Digest(meta), generated, derived, written), end


R = TypeVar("R", Derived, Written)


def _rows(
    text: str, start: int, header: str, lines: str, make: Callable[..., R]
) -> tuple[tuple[R, ...], int]:
    """The rows of one kind from here on, sorted by path, and where they end."""
    rows: dict[str, R] = {}
    while text.startswith(header, start):
        match = _row_pattern(lines).match(text, start + len(header))
        if match is None:
            raise NotCanonical
        row, start = make(*match.groups()), match.end()
        if row.output.path in rows:
            raise NotCanonical
        rows[row.output.path] = row
    return tuple([rows[path] for path in sorted(rows)]), start


def _generated(key: str, *values: Any) -> Generated:
    output, values = values[:_SIZE], values[_SIZE:]
    path, schema, provider, model, take, prompt, parameters, inputs, *receipt, picked = values
    if _string(model).startswith(OWNER):
        raise NotCanonical  # an older row, which is renamed
    return Generated(
        Digest(key),
        int(schema),
        _string(provider),
        _string(model),
        _text(prompt),
        _values("params", parameters),
        int(take),
        _inputs(inputs),
        _output(as_picture_path(_string(path)), *output),
        _receipt(*receipt),
        picked == "true",
    )


def _derived(path: str, key: str, *values: Any) -> Derived:
    output, (schema, encoder, ops, encoding, inputs) = values[:_SIZE], values[_SIZE:]
    return Derived(
        Digest(key),
        int(schema),
        _operations(ops),
        _values("encoding", encoding),
        _inputs(inputs),
        _output(as_picture_path(path.strip('"')), *output),
        _string(encoder),
    )


def _written(path: str, *values: Any) -> Written:
    key, sha256, size, schema, document, version = values
    name = as_path(path.strip('"'))
    if fold(name).endswith((".lock", ".toml")):
        raise NotCanonical  # it may be the lock or its spec
    output = Output(name, Digest(sha256), int(size))
    return Written(Digest(key), int(schema), _string(document), int(version), output)


def _output(path: str, *values: Any) -> Output:
    sha256, size, width, height, form, term, colours, text, unsigned, *manifest = values
    return Output(
        path,
        Digest(sha256),
        int(size),
        int(width),
        int(height),
        _string(form),
        None if term is None else _string(term),
        _string(colours or '""'),
        _manifest(*manifest),
        Digest(unsigned) if unsigned else None,
        None if text is None else _string(text),
    )


@lru_cache(maxsize=256)
def _manifest(*values: Any) -> C2paManifest | None:
    state, signer, generator = (_string(value or '""') for value in values)
    return None if values[0] is None or state == NONE else C2paManifest(state, signer, generator)


@lru_cache(maxsize=1024)
def _receipt(*values: Any) -> Receipt:
    provider, task, cost, source, seed, prompt = values
    return Receipt(
        _string(provider),
        _string(task),
        None if cost is None else Decimal(cost),
        _string(source),
        None if seed is None else int(seed),
        None if prompt is None else _text(prompt),
    )


def _string(token: str) -> str:
    """The text that a string of TOML stands for; one with an escape is one of JSON, too."""
    return token[1:-1] if "\\" not in token or token[0] == "'" else json.loads(token)


def _text(token: str) -> str:
    """The text of a string, or of an array of its pieces."""
    return "".join(_strings(token)) if token[0] == "[" else _string(token)


def _strings(token: str) -> list[str]:
    return [_string(line[4:-1]) for line in token.split("\n")[1:-1]]


@lru_cache(maxsize=256)
def _operations(token: str) -> tuple[Operation, ...]:
    return as_operations(_strings(token))


@lru_cache(maxsize=1024)
def _inputs(token: str) -> tuple[LockedInput, ...]:
    return tuple([LockedInput(name, Digest(sha256)) for name, sha256 in _INPUT.findall(token)])


@lru_cache(maxsize=1024)
def _values(key: str, lines: str) -> Mapping[str, Json]:
    """A table of plain values and of JSON; most assets have the same."""
    return params(tables(lines), key)
