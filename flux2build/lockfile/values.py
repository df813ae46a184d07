"""Readers for the values of a lock's fields; each returns the value or raises `BadValue`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

from flux2build.digest import Digest, Json
from flux2build.images.formats.lookup import of_path
from flux2build.images.provenance.c2pa import NONE
from flux2build.lockfile.block import LockedInput, ReviewState
from flux2build.model import C2paManifest, Operation, Output, Receipt
from flux2build.storage import paths

T = TypeVar("T")

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")


class BadValue(Exception):  # noqa: N818 - it becomes a problem
    """The problem with the value of a key, as the end of a sentence."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def get(table: dict[str, Any], key: str, read: Callable[[Any], T], *within: str) -> T:
    """Return the value of a key, converted by `read`; `within` are the keys around the table."""
    if key not in table:
        raise BadValue("is missing", *within, key)
    try:
        return read(table[key])
    except BadValue as bad:
        raise BadValue(str(bad), *within, key, *bad.path) from None


def params(table: dict[str, Any], key: str) -> Mapping[str, Json]:
    """Return a table of values, some of which are written as JSON under `<key>_json`."""
    values: dict[str, Json] = {}
    if key in table:
        values = {k: _plain(v, key, k) for k, v in get(table, key, as_table).items()}
    if (nested := f"{key}_json") in table:
        for name, text in get(table, nested, as_table).items():
            values[name] = get({name: text}, name, _parsed_json, nested)
    return values


def as_table(value: Any) -> dict[str, Any]:
    """Read a table."""
    if type(value) is dict:
        return value
    raise BadValue("is not a table")


def as_digest(value: Any) -> Digest:
    """Read a digest."""
    if type(value) is str and _DIGEST.fullmatch(value):
        return Digest(value)
    raise BadValue("is not a digest: `sha256:` and 64 hex digits")


def as_integer(value: Any) -> int:
    """Read a whole number."""
    if type(value) is int:
        return value
    raise BadValue("is not a whole number")


def as_count(value: Any) -> int:
    """Read a whole number from 0 up."""
    if type(value) is int and value >= 0:
        return value
    raise BadValue("is not a whole number from 0 up")


def as_money(value: Any) -> Decimal:
    """Read an amount in USD."""
    if type(value) is str and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise BadValue('is not an amount: digits in quotes, like "0.045"')


def as_text(value: Any) -> str:
    """Read a text, or an array of its pieces."""
    if type(value) is str:
        return value
    if type(value) is list and all(type(piece) is str for piece in value):
        return "".join(value)
    raise BadValue("is not text")


def as_path(value: Any) -> str:
    """Read the path of an output: a path that a spec could have.

    The lock may come from a stranger, and the file at the path may be moved or removed.
    """
    if type(value) is not str:
        raise BadValue("is not a path: relative, with `/` between its parts")
    if fault := paths.part_fault(value):
        raise BadValue(f"cannot be an output: it {fault}")
    return value


def as_picture_path(value: Any) -> str:
    """Read the path of a picture, which ends in its format."""
    path = as_path(value)
    if of_path(path) is None:
        raise BadValue("cannot be an output: it does not end in the format of a picture")
    return path


def as_flag(value: Any) -> bool:
    """Read `true` or `false`."""
    if type(value) is bool:
        return value
    raise BadValue("is neither true nor false")


def as_state(value: Any) -> ReviewState:
    """Read a person's decision about a picture."""
    try:
        return ReviewState(value)
    except ValueError:
        raise BadValue(f"is none of {', '.join(ReviewState)}") from None


def as_inputs(value: Any) -> tuple[LockedInput, ...]:
    """Read the names of inputs, each with its digest."""
    return tuple([_locked_input(item) for item in _array(value)])


def _locked_input(value: Any) -> LockedInput:
    name, _, digest = value.rpartition(" ") if type(value) is str else ("", "", "")
    if not name:
        raise BadValue("must hold names, each with its digest")
    return LockedInput(name, as_digest(digest))


def as_operations(value: Any) -> tuple[Operation, ...]:
    """Read operations, each written as JSON."""
    return tuple([_operation(as_text(item)) for item in _array(value)])


def _array(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise BadValue("is not an array")


@lru_cache(maxsize=256)
def _operation(value: str) -> Operation:
    operation = _parsed_json(value)
    if isinstance(operation, dict) and operation.keys() == {"op", "version", "params"}:
        name, version, params = operation["op"], operation["version"], operation["params"]
        if type(name) is str and type(version) is int and isinstance(params, dict):
            return Operation(name, version, params)
    raise BadValue("must hold operations")


def _parsed_json(value: Any) -> Json:
    try:
        parsed: Json = json.loads(as_text(value), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadValue("does not hold JSON") from None
    return parsed


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _plain(value: Any, *path: str) -> Json:
    if type(value) in {str, int, bool} or (type(value) is float and math.isfinite(value)):
        plain: Json = value
        return plain
    raise BadValue("is neither text, number, true nor false", *path)


def as_json(value: Any, *path: str) -> Json:
    """Read any value that JSON can hold."""
    if type(value) is dict:
        return {key: as_json(item, *path, key) for key, item in value.items()}
    if type(value) is list:
        return [as_json(item, *path) for item in value]
    return _plain(value, *path)


def output_of(table: dict[str, Any], path: str) -> Output:
    """Return the output that a table describes, without its path."""
    return Output(
        path=path,
        sha256=get(table, "sha256", as_digest, "output"),
        bytes=get(table, "bytes", as_count, "output"),
        width=get(table, "width", as_count, "output"),
        height=get(table, "height", as_count, "output"),
        format=get(table, "format", as_text, "output"),
        source_type=_optional(table, "source_type"),
        colours=_optional(table, "colours") or "",
        manifest=_manifest(table),
        unsigned=get(table, "unsigned", as_digest, "output") if "unsigned" in table else None,
        text=_optional(table, "text"),
    )


def _manifest(table: dict[str, Any]) -> C2paManifest | None:
    state = _optional(table, "manifest")
    if state is None or state == NONE:
        return None
    signer, generator = (_optional(table, key) or "" for key in ("signer", "generator"))
    return C2paManifest(state, signer, generator)


def _optional(table: dict[str, Any], key: str) -> str | None:
    return get(table, key, as_text, "output") if key in table else None


def receipt_of(table: dict[str, Any]) -> Receipt:
    """Return the receipt in a table."""
    return Receipt(
        provider=get(table, "provider", as_text, "receipt"),
        task=get(table, "task", as_text, "receipt"),
        cost=get(table, "cost", as_money, "receipt") if "cost" in table else None,
        cost_source=get(table, "cost_source", as_text, "receipt"),
        seed=get(table, "seed", as_integer, "receipt") if "seed" in table else None,
        prompt=get(table, "prompt", as_text, "receipt") if "prompt" in table else None,
    )
