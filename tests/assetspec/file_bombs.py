"""Files that take far more to read than they have bytes, as projects; each must be refused soon."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from tests.assetspec.bombs import Files

_SPARSE: Final = 5_000_000_000
"""Bytes of a file that has no contents."""


def _spec(text: str) -> Files:
    return {"assets.toml": text}


def _assets(count: int, text: str, before: str = "") -> Files:
    """As many assets; `@` is the number of each, `^` the next one."""
    tables = (
        f"[asset.a{n}]\n" + text.replace("@", str(n)).replace("^", str(n + 1)) for n in range(count)
    )
    return _spec(before + "".join(tables) + '[asset.z]\nprompt = "{{ nope }}"\n')


def _rows(name: str, contents: str | int) -> Files:
    spec = f'[asset.a]\nprompt = "x"\nrows = {{ file = "{name}", key = "sku" }}\n'
    return {"assets.toml": spec + '[asset.z]\nprompt = "{{ nope }}"\n', name: contents}


def _strings(name: str, contents: str | int) -> Files:
    path = name.replace("pl", "{locale}")
    catalogue = f'[vars]\nlocale = "pl"\n[catalog]\npath = "{path}"\naxis = "locale"\n'
    prompt = "[asset.a]\nprompt = \"{{ t('k', n=3) }} {{ nope }}\"\n"
    return {"assets.toml": catalogue + prompt, name: contents}


def _plural(rule: str) -> str:
    return (
        f'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural={rule}\\n"\n\n'
        'msgid "k"\nmsgid_plural "ks"\nmsgstr[0] "a"\nmsgstr[1] "b"\n'
    )


def _extended(count: int, text: str) -> Files:
    names = ", ".join(f'"b{n}.toml"' for n in range(count))
    return {
        "assets.toml": f"extends = [{names}]\n",
        **{f"b{n}.toml": text for n in range(count)},
    }


_STYLES: Final = "".join(f"[style.s{n}]\nseed = {n}\n" for n in range(1_000))
_VARIABLES: Final = "[vars]\n" + "".join(f"v{n} = 1\n" for n in range(50_000))

FILES: Final[Mapping[str, Callable[[], Files]]] = {
    # specs
    "a spec without end": lambda: {"assets.toml": _SPARSE},
    "unknown keys": lambda: _spec("[asset.a]\n" + "".join(f"p{n} = 1\n" for n in range(300_000))),
    "fewer unknown keys": lambda: _spec(
        "[asset.a]\n" + "".join(f"p{n} = 1\n" for n in range(110_000))
    ),
    "tables": lambda: _spec("".join(f"[a{n}]\n" for n in range(140_000))),
    "dotted keys": lambda: _spec("".join(f"a{n}.b = 1\n" for n in range(80_000))),
    "inline tables": lambda: _spec("x = [" + "{a=1}," * 60_000 + "]\n"),
    "an array": lambda: _spec("[project]\nname = [" + "1," * 3_000_000 + "]\n"),
    "a shorter array": lambda: _spec("[project]\nname = [" + "1," * 230_000 + "]\n"),
    "lines": lambda: _spec("\n" * 8_000_000 + "x"),
    "fewer lines": lambda: _spec("\n" * 690_000 + "x"),
    "lines of comments": lambda: _spec("#\n" * 690_000 + "[x]"),
    "one long line": lambda: _spec("# " + "x" * 8_000_000 + "😀\nx = 1\n"),
    "letters outside of Latin-1": lambda: _spec("# " + "😀" * 2_000_000 + "\nx = 1\n"),
    "escapes": lambda: _spec('x = "' + "\\u0041" * 1_300_000 + '"\ny'),
    "half open": lambda: _spec('x = """' + "x\n" * 4_000_000),
    "a long name": lambda: _spec(f'[asset.{"a" * 2_000_000}]\nprompt = "x"\n'),
    "nested tables": lambda: _spec("x = " + "{ a = " * 390 + "1" + " }" * 390),
    "assets": lambda: _assets(40_000, 'prompt = "x"\n'),
    "wrong assets": lambda: _assets(30_000, "prompt = 1\nseed = 'x'\n"),
    "a chain of assets": lambda: _assets(10_000, 'prompt = "x"\nrefs = [{ asset = "a^" }]\n'),
    "two outputs at a path": lambda: _assets(20_000, 'prompt = "x"\noutput = "x.png"\n'),
    "styles": lambda: _assets(
        200,
        f'prompt = "x"\nstyle = [{", ".join(f"{chr(34)}s{n}{chr(34)}" for n in range(1_000))}]\n',
        _STYLES,
    ),
    "variables of members": lambda: _assets(
        1, 'prompt = "{{ v1 }}"\nmatrix = { i = [' + "1," * 10_000 + "] }\n", _VARIABLES
    ),
    "variables of assets": lambda: _assets(10_000, 'prompt = "{{ v1 }}"\n', _VARIABLES),
    "variables of styles": lambda: _assets(
        1_000, 'prompt = "x"\nstyle = ["s"]\n', _VARIABLES + "[style.s.vars]\nw = 1\n"
    ),
    "files that are extended": lambda: _extended(60, "# x\n" * 30_000),
    "large files that are extended": lambda: _extended(3, "# " + "x" * 4_000_000),
    # data
    "data without end": lambda: _rows("d.csv", _SPARSE),
    "rows": lambda: _rows("d.csv", "sku,name\n" + "".join(f"{n},x\n" for n in range(3_000_000))),
    "the same rows": lambda: _rows("d.csv", "sku,name\n" + "1,x\n" * 3_000_000),
    "columns": lambda: _rows("d.csv", ",".join(map(str, range(150_000))) + "\n1"),
    "rows of many columns": lambda: _rows(
        "d.csv", "sku," + ",".join(map(str, range(10_000))) + "\n" + ("x," * 10_000 + "x\n") * 1_500
    ),
    "cells": lambda: _rows("d.csv", "sku\n" + "," * 30_000_000),
    "lines of a row": lambda: _rows("d.csv", "sku\n" + '"\n",' * 6_000_000),
    "a cell": lambda: _rows("d.csv", 'sku\n"' + "x" * 30_000_000),
    "blank lines": lambda: _rows("d.csv", "sku\n" + "\n" * 30_000_000 + "a,b"),
    "blank lines of JSON": lambda: _rows("d.jsonl", "\n" * 30_000_000 + "x"),
    "objects": lambda: _rows("d.json", "[" + '{"sku":1},' * 3_000_000 + "]"),
    "empty objects": lambda: _rows("d.json", "[" + "{}," * 499_999 + "{}]"),
    "nested lists": lambda: _rows("d.json", '[{"sku":[' + "[]," * 10_000_000 + "]}]"),
    "numbers": lambda: _rows("d.json", '[{"sku":[' + "1000," * 6_000_000 + "0]}]"),
    "nested objects": lambda: _rows("d.json", '[{"sku":' + "[" * 1_000_000),
    "digits of JSON": lambda: _rows("d.json", '[{"sku":' + "9" * 10_000_000 + "}]"),
    "lines of JSON": lambda: _rows("d.jsonl", '{"sku":1}\n' * 3_000_000),
    "wrong lines of JSON": lambda: _rows("d.jsonl", "{\n" * 10_000_000),
    # catalogues
    "a catalogue without end": lambda: _strings("pl.po", _SPARSE),
    "messages": lambda: _strings("pl.po", 'msgid "a"\nmsgstr "b"\n\n' * 300_000),
    "a message": lambda: _strings("pl.po", 'msgid "' + "a" * 8_000_000),
    "a whole message": lambda: _strings("pl.po", f'msgid "{"a" * 8_000_000}"\nmsgstr "b"\n'),
    "lines of a message": lambda: _strings("pl.po", 'msgid ""\nmsgstr ""\n' + '"a"\n' * 2_000_000),
    "long messages": lambda: _strings(
        "pl.po", "".join(f'msgid "{n}"\nmsgstr ""\n' + '"a"\n' * 4_000 for n in range(500))
    ),
    "comments of messages": lambda: _strings("pl.po", "#\n" * 4_000_000 + 'msgid "a'),
    "plurals": lambda: _strings("pl.po", _plural("(" * 5_000 + "n")),
    "plurals that count": lambda: _strings("pl.po", _plural("n" + "*n" * 1_000 + ";")),
    "texts": lambda: _strings(
        "pl.json", "{" + ",".join(f'"k{n}":"x"' for n in range(600_000)) + ",}"
    ),
    "fewer texts": lambda: _strings(
        "pl.json", "{" + ",".join(f'"k{n}":1' for n in range(80_000)) + "}"
    ),
    "nested texts": lambda: _strings("pl.json", '{"a":' * 50_000),
    "tables of texts": lambda: _strings("pl.toml", "".join(f"k{n} = 1\n" for n in range(110_000))),
    "places in a message": lambda: _strings("pl.json", json.dumps({"k": "{n}" * 1_000_000})),
    "choices in a message": lambda: _strings(
        "pl.json", json.dumps({"k": "{n, plural, other {" * 50_000})
    ),
    # others
    "a template without end": lambda: {
        "assets.toml": '[asset.a]\ntemplate = "a.j2"\n',
        "templates/a.j2": _SPARSE,
    },
    "a source without end": lambda: {
        "assets.toml": '[asset.a]\nsource = "a.png"\n[[asset.a.deliver]]\nwidths = [1]\n[asset.b]\nprompt = 1\n',
        "a.png": _SPARSE,
    },
    "a reference without end": lambda: {
        "assets.toml": '[asset.a]\nprompt = "x"\nrefs = ["a.png"]\n[asset.b]\nprompt = 1\n',
        "a.png": _SPARSE,
    },
}
"""Specs, data, catalogues, and everything else that a spec names."""
