"""Fast reading of a lock's canonical text.

`tables` reads what flux2build itself writes, line by line, ten times faster
than a TOML reader. It leaves any other text to the TOML reader, so a lock
that was edited by hand, or written by a newer flux2build, reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_TABLES: Final = frozenset({"asset", "generated", "deliver", "write", "candidate", "review"})
_HEADER: Final = re.compile(
    r'\[asset\.([\w-]+|"[^"\\]+")\.([\w-]+|"[^"\\]*")(?:\.(generated|review)|\.(deliver|write|candidate)\.([\w-]+|"[^"\\]+"))?\]',
    re.ASCII,
)
_SHORT: Final = 60
"""Lines up to this length are cached, because most of them occur again."""
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_QUOTES: Final = ("'", '"')


class NotCanonical(Exception):  # noqa: N818 - it is an answer, not an error
    """The text is not in the form that flux2build writes."""


def tables(text: str) -> dict[str, Any]:
    """Return the TOML tables of a lock's text.

    Raises:
        ValueError: it is not TOML (`tomli.TOMLDecodeError` knows where).
        RecursionError: it nests too deep.
    """
    try:
        return canonical_tables(text)
    except NotCanonical:
        return _toml(text)


def _toml(text: str) -> dict[str, Any]:
    import tomli

    return tomli.loads(text)


def canonical_tables(text: str) -> dict[str, Any]:
    """Return the tables of a canonical text; `NotCanonical` for any other."""
    root: dict[str, Any] = {}
    table, nesting = root, False
    keys: dict[str, tuple[str, str]] = {}
    entries: dict[str, tuple[str, str, Any]] = {}
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        entry = entries.get(line)
        if entry is None:
            key, equals, rest = line.partition(" = ")
            if not (equals and key) or key[0] in "#[":
                table, nesting = _between(root, line) or (table, nesting)
                continue
            names = keys.get(key)
            if names is None:
                names = keys[key] = _names(key)
            if rest == "[":
                entry = (*names, [_scalar(item) for item in _items(lines)])
            else:
                entry = (*names, _scalar(rest))
                if len(line) < _SHORT:
                    entries[line] = entry
        within, name, value = entry
        here = table
        if within and nesting:
            here = table.setdefault(within, {})
        elif within or (not nesting and name in _TABLES):
            raise NotCanonical
        if type(here) is not dict or name in here:
            raise NotCanonical
        here[name] = value
    return root


def _between(root: dict[str, Any], line: str) -> tuple[dict[str, Any], bool] | None:
    """The table that a header line opens, and whether its keys may have dots; None for a comment."""
    if not line or (line[0] == "#" and line.isprintable()):
        return None
    header = _HEADER.fullmatch(line)
    if header is None or not line.isprintable():
        raise NotCanonical
    asset, profile, generated, kind, path = header.groups()
    block = root.setdefault("asset", {}).setdefault(asset.strip('"'), {})
    if generated is None and path is None:
        return _fresh(block, profile.strip('"')), False
    block = block.setdefault(profile.strip('"'), {})
    if generated:
        return _fresh(block, generated), True
    return _fresh(block.setdefault(kind, {}), path.strip('"')), True


def _fresh(parent: dict[str, Any], name: str) -> dict[str, Any]:
    if name in parent:
        raise NotCanonical
    table: dict[str, Any] = {}
    parent[name] = table
    return table


def _names(key: str) -> tuple[str, str]:
    """Split a key into the name of its inner table, if any, and its name there."""
    within, dot, name = key.rpartition(".")
    if not _BARE.fullmatch(name) or (dot and not _BARE.fullmatch(within)):
        raise NotCanonical
    return within, name


def _items(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "]":
            return
        if not line.startswith("    ") or not line.endswith(","):
            break
        yield line[4:-1]
    raise NotCanonical


def _scalar(text: str) -> Any:
    """The value of one line."""
    if _COUNT.fullmatch(text):
        return int(text)
    body, quote = text[1:-1], text[:1]
    plain = quote in _QUOTES and quote == text[-1:] and quote not in body and body.isprintable()
    if plain and len(text) > 1 and (quote == "'" or "\\" not in body):
        value: Any = body
    else:
        try:
            value = _toml(f"v = {text}")["v"]
        except (ValueError, RecursionError, KeyError):
            raise NotCanonical from None
    return value


def lines_of(text: str, paths: Sequence[tuple[str, ...]]) -> list[int]:
    """The line of each key; for a key that is missing, the line of the nearest table around it."""
    best, depths = [0] * len(paths), [0] * len(paths)
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line.startswith("["):
            here = table = _keys(line)
        elif "=" in line and any(path[: len(table)] == table for path in paths):
            here = (*table, *_keys(line.partition("=")[0] + "= 0"))
        else:
            continue
        for at, path in enumerate(paths):
            if len(here) > depths[at] and path[: len(here)] == here:
                best[at], depths[at] = number, len(here)
    return best


def _keys(line: str) -> tuple[str, ...]:
    """The path of keys that a line of TOML defines."""
    try:
        tree: Any = _toml(line)
    except (ValueError, RecursionError):
        return ()
    keys = []
    while isinstance(tree, dict) and tree:
        key, tree = next(iter(tree.items()))
        keys.append(key)
    return tuple(keys)
