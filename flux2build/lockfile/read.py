"""Reads `assets.lock`: every error names its file and line, and receipts are never dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import splitext
from typing import Any, Final

from msgspec.structs import replace

from flux2build.digest import Json
from flux2build.errors import LockError, Place, Problem, SpecError
from flux2build.lockfile.block import (
    REVISION,
    Block,
    Candidate,
    Derived,
    Generated,
    Lockfile,
    Review,
    Written,
)
from flux2build.lockfile.conflicts import conflict_line
from flux2build.lockfile.text import NotCanonical, canonical_tables, lines_of, tables
from flux2build.lockfile.values import (
    BadValue,
    as_count,
    as_digest,
    as_flag,
    as_inputs,
    as_json,
    as_operations,
    as_path,
    as_picture_path,
    as_state,
    as_table,
    as_text,
    get,
    output_of,
    params,
    receipt_of,
)
from flux2build.lockfile.write import VERSION
from flux2build.model import AssetName, Output
from flux2build.storage import text_files
from flux2build.storage.paths import fold
from flux2build.storage.text_files import refuse_endless

_SHOWN: Final = 20
_VERSION: Final = r"(?m)^version\s*=\s*(\d{1,9})\s*(?:#.*)?$"
_TABLE: Final = r"(?m)^\["

_RESTORE: Final = "take back a good one with `git restore {file}`; keep it: it is a receipt"


class LockConflict(LockError):  # noqa: N818 - a state that a merge leaves behind, not a mistake
    """The lock holds conflict markers; `merge.sides` reads each side."""


class LockNewer(LockError):  # noqa: N818 - the lock is fine, this flux2build is too old
    """The lock has a version that this flux2build cannot read."""


def decoded(data: bytes, file: str) -> str:
    """Decode the bytes of a lock.

    Raises:
        LockError: they are not UTF-8.
    """
    try:
        return text_files.decoded(data, file)
    except SpecError as error:
        (problem,) = error.problems
        if file in problem.message:  # another kind of file: the hint says how to get ours
            raise LockError(problem) from None
        message = f"`{file}` is damaged: {problem.message}"
        hint = _RESTORE.format(file=file)
        raise LockError(replace(problem, message=message, hint=hint)) from None


def loads(text: str, file: str) -> Lockfile:
    """Read a lock from its text.

    Raises:
        LockConflict: the text holds conflict markers.
        LockError: the text is damaged, or of a version that this flux2build cannot read.
    """
    if line := conflict_line(text):
        raise LockConflict(
            Problem(
                f"`{file}` has merge conflicts",
                Place(file, line),
                hint="`flux2build build` keeps of each asset the side that the spec asks for",
            )
        )
    return unconflicted(text, file)


def unconflicted(text: str, file: str) -> Lockfile:
    """Read a lock from a text that is known to have no conflict markers.

    Raises:
        LockError: the text is damaged, or of a version that this flux2build cannot read.
    """
    _expect_version(text, file)
    try:
        return read_quickly(text, file)
    except NotCanonical:
        return read_carefully(text, file)


def read_quickly(text: str, file: str) -> Lockfile:
    """Read a lock in canonical text; `NotCanonical` for any other."""
    from flux2build.lockfile import quick

    revision, start = quick.top(text)
    if revision > REVISION:
        raise NotCanonical
    older = False

    def careful(part: str) -> quick.Blocks:
        nonlocal older
        reader = _Reader(canonical_tables(part), file)
        lock = reader.lock()
        if reader.problems:
            raise NotCanonical
        older |= lock.older
        return dict(lock.blocks)

    blocks = quick.blocks(text, start, careful)
    return Lockfile(blocks, revision, older=older)


def read_carefully(text: str, file: str) -> Lockfile:
    """Read a lock in any text.

    Raises:
        LockError: it is damaged.
    """
    reader = _Reader(_parsed(text, file), file)
    lock = reader.lock()
    if reader.problems:
        raise LockError(*_placed(reader.problems, text, file))
    return lock


def _expect_version(text: str, file: str) -> None:
    table = re.search(_TABLE, text)
    version = re.search(_VERSION, text[: table.start()] if table else text)
    if version is None:
        raise LockError(
            Problem(
                f"`{file}` is damaged: it does not say its `version`",
                Place(file, 1),
                hint=_RESTORE.format(file=file),
            )
        )
    if int(version[1]) != VERSION:
        line = text.count("\n", 0, version.start()) + 1
        raise LockNewer(
            Problem(
                f"`{file}` has version {version[1]}, this flux2build reads version {VERSION}",
                Place(file, line),
                hint="use the flux2build that wrote it, or a newer one",
            )
        )


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        refuse_endless(text)
        return tables(text)
    except (ValueError, RecursionError) as error:
        raise LockError(_damage(error, text, file)) from None


def _damage(error: Exception, text: str, file: str) -> Problem:
    """The problems that keep the text of a lock from being TOML."""
    from tomli import TOMLDecodeError

    from flux2build.storage.toml_errors import explained

    message, place = str(error), Place(file)
    if isinstance(error, TOMLDecodeError):
        fault = explained(error.msg, error.lineno, error.colno, text.split("\n"))
        message, place = fault.message, Place(file, fault.line, fault.column)
    message = message[:1].lower() + message[1:]
    return Problem(f"`{file}` is damaged: {message}", place, hint=_RESTORE.format(file=file))


def _placed(problems: list[tuple[tuple[str, ...], str]], text: str, file: str) -> list[Problem]:
    hint = _RESTORE.format(file=file)
    lines = lines_of(text, [path for path, _ in problems[:_SHOWN]])
    placed = [
        Problem(message, Place(file, line), hint=hint)
        for (_, message), line in zip(problems, lines, strict=False)
    ]
    if more := len(problems) - len(placed):
        placed.append(Problem(f"and {more} more like these", Place(file)))
    return placed


class _Reader:
    """Turns tables into blocks, and collects at most one problem for each block."""

    def __init__(self, root: dict[str, Any], file: str) -> None:
        self._own = {fold(splitext(file)[0] + end) for end in (".lock", ".toml")}
        """The folded names of the lock and of its spec."""
        self.problems: list[tuple[tuple[str, ...], str]] = []
        self._root = root
        self._newer = self._older = False

    def lock(self) -> Lockfile:
        """Return the lock, as far as it is readable."""
        try:
            revision = get(self._root, "revision", as_count) if "revision" in self._root else 0
            self._newer = revision > REVISION
            assets = get(self._root, "asset", as_table) if "asset" in self._root else {}
            extra = self._extra(self._root, _TOP)
        except BadValue as bad:
            self._note(bad)
            return Lockfile()
        blocks = dict(self._blocks(assets))
        return Lockfile(blocks, revision, older=self._older, extra=extra)

    def _blocks(self, assets: dict[str, Any]) -> Iterator[tuple[tuple[AssetName, str], Block]]:
        for asset, profiles in assets.items():
            if type(profiles) is not dict:
                self._note(BadValue("is not a table"), "asset", asset)
                continue
            for profile, raw in profiles.items():
                name = AssetName(asset)
                try:
                    yield (name, profile), self._block(name, profile, raw)
                except BadValue as bad:
                    self._note(bad, "asset", asset, profile)

    def _note(self, bad: BadValue, *path: str) -> None:
        name = ".".join(bad.path) or ".".join(path[1:])
        owner = f" of `{path[1]}`" if bad.path and len(path) > 1 else ""
        self.problems.append(((*path, *bad.path), f"`{name}`{owner} {bad}"))

    def _block(self, asset: AssetName, profile: str, raw: Any) -> Block:
        table = as_table(raw)
        generated = get(table, "generated", self._generated) if "generated" in table else None
        files = get(table, "deliver", as_table) if "deliver" in table else {}
        texts = get(table, "write", as_table) if "write" in table else {}
        takes = get(table, "candidate", as_table) if "candidate" in table else {}
        return Block(
            asset=asset,
            profile=profile,
            meta=get(table, "meta", as_digest),
            generated=generated,
            derived=tuple([self._derived(files, path) for path in sorted(files)]),
            written=tuple([self._written(texts, path) for path in sorted(texts)]),
            candidates=tuple(sorted(self._candidates(takes), key=lambda each: each.number)),
            review=get(table, "review", self._review) if "review" in table else None,
            extra=self._extra(table, _BLOCK),
        )

    def _generated(self, raw: Any) -> Generated:
        table = as_table(raw)
        output, receipt = get(table, "output", as_table), get(table, "receipt", as_table)
        row = Generated(
            key=get(table, "key", as_digest),
            schema=get(table, "schema", as_count),
            provider=get(table, "provider", as_text),
            model=get(table, "model", as_text),
            prompt=get(table, "prompt", as_text),
            params=params(table, "params"),
            take=get(table, "take", as_count),
            inputs=get(table, "inputs", as_inputs),
            output=output_of(output, get(output, "path", as_picture_path, "output")),
            receipt=receipt_of(receipt),
            picked="picked" in table and get(table, "picked", as_flag),
            extra=self._extra(table, _GENERATED, output=_OUTPUT | {"path"}, receipt=_RECEIPT),
        )
        self._older |= row.renamed is not row
        return row.renamed

    def _candidates(self, takes: dict[str, Any]) -> Iterator[Candidate]:
        for number in takes:
            try:
                yield self._candidate(number, get(takes, number, as_table))
            except BadValue as bad:
                raise BadValue(str(bad), "candidate", number, *bad.path) from None

    def _candidate(self, number: str, table: dict[str, Any]) -> Candidate:
        if not re.fullmatch(_NUMBER, number):
            raise BadValue("is not the number of a candidate")
        output, receipt = get(table, "output", as_table), get(table, "receipt", as_table)
        return Candidate(
            number=int(number),
            key=get(table, "key", as_digest),
            take=get(table, "take", as_count),
            seed=get(table, "seed", as_count) if "seed" in table else None,
            output=output_of(output, ""),
            receipt=receipt_of(receipt),
            extra=self._extra(table, _CANDIDATE, output=_OUTPUT, receipt=_RECEIPT),
        )

    def _review(self, raw: Any) -> Review:
        table = as_table(raw)
        return Review(
            state=get(table, "state", as_state),
            sha256=get(table, "sha256", as_digest),
            by=get(table, "by", as_text),
            at=get(table, "at", as_text),
            note=get(table, "note", as_text),
            extra=self._extra(table, _REVIEW),
        )

    def _derived(self, files: dict[str, Any], path: str) -> Derived:
        try:
            table = get(files, path, as_table)
            output = get(table, "output", as_table)
            return Derived(
                key=get(table, "key", as_digest),
                schema=get(table, "schema", as_count),
                ops=get(table, "ops", as_operations),
                encoding=params(table, "encoding"),
                inputs=get(table, "inputs", as_inputs),
                output=output_of(output, as_picture_path(path)),
                encoder=get(table, "encoder", as_text),
                extra=self._extra(table, _DERIVED, output=_OUTPUT),
            )
        except BadValue as bad:
            raise BadValue(str(bad), "deliver", path, *bad.path) from None

    def _written(self, texts: dict[str, Any], path: str) -> Written:
        try:
            table = get(texts, path, as_table)
            output = get(table, "output", as_table)
            return Written(
                key=get(table, "key", as_digest),
                schema=get(table, "schema", as_count),
                document=get(table, "document", as_text),
                version=get(table, "version", as_count),
                output=Output(
                    path=self._text_path(path),
                    sha256=get(output, "sha256", as_digest, "output"),
                    bytes=get(output, "bytes", as_count, "output"),
                ),
                extra=self._extra(table, _WRITTEN, output=frozenset({"sha256", "bytes"})),
            )
        except BadValue as bad:
            raise BadValue(str(bad), "write", path, *bad.path) from None

    def _text_path(self, path: str) -> str:
        if fold(path) in self._own:
            raise BadValue("cannot be an output: it is the spec or the lock")
        return as_path(path)

    def _extra(
        self, table: dict[str, Any], known_keys: frozenset[str], **inner: frozenset[str]
    ) -> Mapping[str, Json]:
        """The keys that this flux2build does not know.

        They are kept if a newer revision wrote them; otherwise they are an error.
        """
        extra = {key: table[key] for key in table.keys() - known_keys}
        for name, names in inner.items():
            if unknown := table[name].keys() - names:
                extra[name] = {key: table[name][key] for key in unknown}
        if extra and not self._newer:
            key = min(extra)
            path = (key, min(extra[key])) if key in inner else (key,)
            raise BadValue("is not known here", *path)
        return {key: as_json(value, key) for key, value in extra.items()} if extra else _NOTHING


_NOTHING: Final[Mapping[str, Json]] = {}
_TOP: Final = frozenset({"version", "revision", "asset"})
_BLOCK: Final = frozenset({"meta", "generated", "deliver", "write", "candidate", "review"})
_COMMON: Final = frozenset({"key", "output", "schema", "inputs"})
_GENERATED: Final = _COMMON | {
    "provider", "model", "prompt", "params", "params_json", "take", "receipt", "picked",
}  # fmt: skip
_CANDIDATE: Final = frozenset({"key", "output", "take", "seed", "receipt"})
_REVIEW: Final = frozenset({"state", "sha256", "by", "at", "note"})
_NUMBER: Final = r"[1-9][0-9]{0,5}"
_DERIVED: Final = _COMMON | {"ops", "encoding", "encoding_json", "encoder"}
_OUTPUT: Final = frozenset(
    {"sha256", "bytes", "width", "height", "format", "source_type", "colours"}
    | {"manifest", "signer", "generator", "unsigned", "text"}
)
_WRITTEN: Final = frozenset({"key", "output", "schema", "document", "version"})
_RECEIPT: Final = frozenset({"provider", "task", "cost", "cost_source", "seed", "prompt"})
