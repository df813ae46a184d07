"""Reading `assets.lock`: every error names file and line, and none costs a receipt."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

import tomli

from flux2build.digest import Digest, Json
from flux2build.errors import LockError, Place, Problem
from flux2build.lockfile.block import Block, Derived, Generated, Lockfile, Output, Seen
from flux2build.lockfile.text import Side, conflict_line, lines_of, split, tables
from flux2build.lockfile.write import REVISION, VERSION
from flux2build.model import AssetName, Operation, Receipt

T = TypeVar("T")

_SHOWN: Final = 20
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PATH: Final = re.compile(r"(?:\.\./)*(?:(?!\.\.?(?:/|$))[^/\\\x00-\x1f\x7f]+(?:/(?!$)|$))+")
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_VERSION: Final = re.compile(r"^version\s*=\s*(\d{1,9})\s*(?:#.*)?$", re.MULTILINE)

_RESTORE: Final = "take back a good one with `git restore {file}`; keep it: it is a receipt"


class LockConflict(LockError):  # noqa: N818 - a state that merges leave behind, not a mistake
    """The lock holds conflict markers; `sides` has what each side says."""


def loads(text: str, file: str) -> Lockfile:
    """The lock that a text holds.

    Raises:
        LockConflict: a merge left conflict markers in it.
        LockError: it is damaged, or of another version than this flux2build can read.
    """
    if line := conflict_line(text):
        raise LockConflict(
            Problem(
                f"`{file}` has merge conflicts",
                Place(file, line),
                hint="`flux2build build` keeps of each asset the side that the spec asks for",
            )
        )
    _expect_version(text, file)
    reader = _Reader(_parsed(text, file))
    lock = reader.lock()
    if reader.problems:
        raise LockError(*_placed(reader.problems, text, file))
    return lock


def sides(text: str, file: str) -> tuple[Lockfile, Lockfile]:
    """Ours and theirs of a lock with conflict markers; both the same where it has none.

    Raises:
        LockError: the markers are not paired, or a side is no lock by itself.
    """
    try:
        ours, theirs = split(text)
    except ValueError as error:
        raise LockError(
            Problem(
                f"the conflict markers in `{file}` are not paired",
                Place(file, int(str(error))),
                hint=f"bring the conflict back with `git checkout --merge -- {file}`",
            )
        ) from None
    return _side(ours, file), _side(theirs, file)


def _side(side: Side, file: str) -> Lockfile:
    try:
        return loads(side.text, file)
    except LockError as error:
        raise LockError(*(_moved(problem, side) for problem in error.problems)) from None


def _moved(problem: Problem, side: Side) -> Problem:
    """A problem at the line that it has in the file with the markers."""
    place = problem.place
    if place is None or not 0 < place.line <= len(side.numbers):
        return problem
    return replace(problem, place=replace(place, line=side.numbers[place.line - 1]))


def _expect_version(text: str, file: str) -> None:
    found = _VERSION.search(text)
    if found is None:
        raise LockError(
            Problem(
                f"`{file}` is damaged: it does not say its `version`",
                Place(file, 1),
                hint=_RESTORE.format(file=file),
            )
        )
    if int(found[1]) != VERSION:
        line = text.count("\n", 0, found.start()) + 1
        raise LockError(
            Problem(
                f"`{file}` has version {found[1]}, this flux2build reads version {VERSION}",
                Place(file, line),
                hint="use the flux2build that wrote it, or a newer one",
            )
        )


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tables(text)
    except tomli.TOMLDecodeError as error:
        message = re.sub(r" \(at .*\)$", "", str(error)).rstrip(".")
        place = Place(file, error.lineno, error.colno)
    except (ValueError, RecursionError) as error:
        message, place = str(error), Place(file)
    message = message[:1].lower() + message[1:]
    raise LockError(
        Problem(f"`{file}` is damaged: {message}", place, hint=_RESTORE.format(file=file))
    )


def _placed(problems: list[tuple[tuple[str, ...], str]], text: str, file: str) -> list[Problem]:
    hint = _RESTORE.format(file=file)
    lines = lines_of(text, [path for path, _ in problems[:_SHOWN]])
    shown = [
        Problem(message, Place(file, line), hint=hint)
        for (_, message), line in zip(problems, lines, strict=False)
    ]
    if more := len(problems) - len(shown):
        shown.append(Problem(f"and {more} more like these", Place(file)))
    return shown


class _Bad(Exception):  # noqa: N818 - becomes a problem at the line of its key
    """What is wrong with the value of a key, as the rest of a sentence."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


class _Reader:
    """Turns tables into blocks; collects what is wrong, at most one problem for each block."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.problems: list[tuple[tuple[str, ...], str]] = []
        self._root = root
        self._newer = False

    def lock(self) -> Lockfile:
        """The lock, as far as it can be read."""
        try:
            revision = _get(self._root, "revision", _number) if "revision" in self._root else 0
            self._newer = revision > REVISION
            assets = _get(self._root, "asset", _table) if "asset" in self._root else {}
            extra = self._extra(self._root, _TOP)
        except _Bad as bad:
            self._note(bad)
            return Lockfile()
        return Lockfile(dict(self._blocks(assets)), revision, extra)

    def _blocks(self, assets: dict[str, Any]) -> Iterator[tuple[tuple[AssetName, str], Block]]:
        for asset, profiles in assets.items():
            if type(profiles) is not dict:
                self._note(_Bad("is no table"), "asset", asset)
                continue
            for profile, raw in profiles.items():
                name = AssetName(asset)
                try:
                    yield (name, profile), self._block(name, profile, raw)
                except _Bad as bad:
                    self._note(bad, "asset", asset, profile)

    def _note(self, bad: _Bad, *path: str) -> None:
        name = ".".join(bad.path) or ".".join(path[1:])
        owner = f" of `{path[1]}`" if bad.path and len(path) > 1 else ""
        self.problems.append(((*path, *bad.path), f"`{name}`{owner} {bad}"))

    def _block(self, asset: AssetName, profile: str, raw: Any) -> Block:
        table = _table(raw)
        made = _get(table, "generated", self._generated) if "generated" in table else None
        files = _get(table, "deliver", _table) if "deliver" in table else {}
        return Block(
            asset=asset,
            profile=profile,
            meta=_get(table, "meta", _digest),
            generated=made,
            derived=tuple([self._derived(files, path) for path in sorted(files)]),
            extra=self._extra(table, _BLOCK),
        )

    def _generated(self, raw: Any) -> Generated:
        table = _table(raw)
        output, receipt = _get(table, "output", _table), _get(table, "receipt", _table)
        return Generated(
            key=_get(table, "key", _digest),
            schema=_get(table, "schema", _number),
            provider=_get(table, "provider", _text),
            model=_get(table, "model", _text),
            prompt=_get(table, "prompt", _text),
            params=_params(table, "params"),
            take=_get(table, "take", _number),
            inputs=_get(table, "inputs", _inputs),
            output=_output(output, _get(output, "path", _path, "output")),
            receipt=_receipt(receipt),
            extra=self._extra(table, _GENERATED, output=_OUTPUT | {"path"}, receipt=_RECEIPT),
        )

    def _derived(self, files: dict[str, Any], path: str) -> Derived:
        try:
            table = _get(files, path, _table)
            output = _get(table, "output", _table)
            return Derived(
                key=_get(table, "key", _digest),
                schema=_get(table, "schema", _number),
                ops=_get(table, "ops", _operations),
                encoding=_params(table, "encoding"),
                inputs=_get(table, "inputs", _inputs),
                output=_output(output, _path(path)),
                encoder=_get(table, "encoder", _text),
                extra=self._extra(table, _DERIVED, output=_OUTPUT),
            )
        except _Bad as bad:
            raise _Bad(str(bad), "deliver", path, *bad.path) from None

    def _extra(
        self, table: dict[str, Any], known: frozenset[str], **inner: frozenset[str]
    ) -> Mapping[str, Json]:
        """What this flux2build does not know: kept if a newer one wrote it, else a mistake."""
        found = {key: table[key] for key in table.keys() - known}
        for name, names in inner.items():
            if unknown := table[name].keys() - names:
                found[name] = {key: table[name][key] for key in unknown}
        if found and not self._newer:
            key = min(found)
            path = (key, min(found[key])) if key in inner else (key,)
            raise _Bad("is not known here", *path)
        return {key: _json(value, key) for key, value in found.items()} if found else _NOTHING


_NOTHING: Final[Mapping[str, Json]] = {}
_TOP: Final = frozenset({"version", "revision", "asset"})
_BLOCK: Final = frozenset({"meta", "generated", "deliver"})
_COMMON: Final = frozenset({"key", "output", "schema", "inputs"})
_GENERATED: Final = _COMMON | {
    "provider", "model", "prompt", "params", "params_json", "take", "receipt",
}  # fmt: skip
_DERIVED: Final = _COMMON | {"ops", "encoding", "encoding_json", "encoder"}
_OUTPUT: Final = frozenset({"sha256", "bytes", "width", "height", "format"})
_RECEIPT: Final = frozenset({"provider", "task", "cost", "cost_source", "seed", "prompt"})


def _get(table: dict[str, Any], key: str, read: Callable[[Any], T], *within: str) -> T:
    if key not in table:
        raise _Bad("is missing", *within, key)
    try:
        return read(table[key])
    except _Bad as bad:
        raise _Bad(str(bad), *within, key, *bad.path) from None


def _output(table: dict[str, Any], path: str) -> Output:
    return Output(
        path=path,
        sha256=_get(table, "sha256", _digest, "output"),
        bytes=_get(table, "bytes", _number, "output"),
        width=_get(table, "width", _number, "output"),
        height=_get(table, "height", _number, "output"),
        format=_get(table, "format", _text, "output"),
    )


def _receipt(table: dict[str, Any]) -> Receipt:
    return Receipt(
        provider=_get(table, "provider", _text, "receipt"),
        task=_get(table, "task", _text, "receipt"),
        cost=_get(table, "cost", _money, "receipt") if "cost" in table else None,
        cost_source=_get(table, "cost_source", _text, "receipt"),
        seed=_get(table, "seed", _integer, "receipt") if "seed" in table else None,
        prompt=_get(table, "prompt", _text, "receipt") if "prompt" in table else None,
    )


def _params(table: dict[str, Any], key: str) -> Mapping[str, Json]:
    found: dict[str, Json] = {}
    if key in table:
        found = {k: _plain(v, key, k) for k, v in _get(table, key, _table).items()}
    if (nested := f"{key}_json") in table:
        for name, text in _get(table, nested, _table).items():
            found[name] = _get({name: text}, name, _parsed_json, nested)
    return found


def _table(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise _Bad("is no table")


def _digest(value: Any) -> Digest:
    if type(value) is str and _DIGEST.fullmatch(value):
        return Digest(value)
    raise _Bad("is no digest: `sha256:` and 64 hex digits")


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    raise _Bad("is no whole number")


def _number(value: Any) -> int:
    if type(value) is int and value >= 0:
        return value
    raise _Bad("is no whole number from 0 up")


def _money(value: Any) -> Decimal:
    if type(value) is str and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise _Bad('is no amount: digits in quotes, like "0.045"')


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is list and all(type(piece) is str for piece in value):
        return "".join(value)
    raise _Bad("is no text")


def _path(value: Any) -> str:
    if type(value) is str and _PATH.fullmatch(value) and not _DRIVE.match(value):
        return value
    raise _Bad("is no path: relative, with `/` between its parts")


def _inputs(value: Any) -> tuple[Seen, ...]:
    if type(value) is not list:
        raise _Bad("is no array")
    return tuple([_seen(item) for item in value])


def _seen(value: Any) -> Seen:
    name, _, digest = value.rpartition(" ") if type(value) is str else ("", "", "")
    if not name:
        raise _Bad("holds something else than names, each with its digest")
    return Seen(name, _digest(digest))


def _operations(value: Any) -> tuple[Operation, ...]:
    if type(value) is not list:
        raise _Bad("is no array")
    return tuple([_operation(_text(item)) for item in value])


@lru_cache(maxsize=256)
def _operation(value: str) -> Operation:
    found = _parsed_json(value)
    if isinstance(found, dict) and found.keys() == {"op", "version", "params"}:
        name, version, params = found["op"], found["version"], found["params"]
        if type(name) is str and type(version) is int and isinstance(params, dict):
            return Operation(name, version, params)
    raise _Bad("holds something else than operations")


def _parsed_json(value: Any) -> Json:
    try:
        found: Json = json.loads(_text(value), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Bad("holds no JSON") from None
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _plain(value: Any, *path: str) -> Json:
    if type(value) in {str, int, bool} or (type(value) is float and math.isfinite(value)):
        plain: Json = value
        return plain
    raise _Bad("is neither text, number, true nor false", *path)


def _json(value: Any, *path: str) -> Json:
    if type(value) is dict:
        return {key: _json(item, *path, key) for key, item in value.items()}
    if type(value) is list:
        return [_json(item, *path) for item in value]
    return _plain(value, *path)
