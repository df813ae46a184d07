"""A page of candidates: one HTML file that needs no other file and no network."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from flux2build.console.escaping import clean
from flux2build.images.preview import preview
from flux2build.providers.pricing import money
from flux2build.session.candidate_list import Shown

_SIDE: Final = 640
_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Candidates</title>
<style>
:root { color-scheme: light dark; --line: #d8d8d4; --faint: #6a6a64; --picked: #0a7d38; }
@media (prefers-color-scheme: dark) { :root { --line: #44443f; --faint: #a3a39b; --picked: #4cc27a; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 84rem; padding: 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; overflow-wrap: anywhere; }
ul { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); list-style: none; margin: 0; padding: 0; }
li { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
li.picked { border-color: var(--picked); box-shadow: 0 0 0 2px var(--picked); }
img, .none { aspect-ratio: 1; background: #fff; display: block; object-fit: contain; width: 100%; }
.none { align-content: center; color: #6a6a64; text-align: center; }
p { margin: .6rem .8rem; overflow-wrap: anywhere; }
small { color: var(--faint); display: block; }
</style>
</head>
<body>
<h1>Candidates</h1>
"""


def page(rows: Sequence[Shown]) -> str:
    """The page of some candidates; names and pictures cannot put markup or code into it."""
    return "".join((_HEAD, *_body(rows), "</body>\n</html>\n"))


def facts(row: Shown) -> tuple[str, ...]:
    """The facts about a candidate, in words."""
    cost = row.candidate.receipt.cost
    seed = () if row.seed is None else (f"seed {row.seed}",)
    price = "cost unknown" if cost is None else "free" if not cost else money(cost)
    return (*seed, price, row.state)


def _body(rows: Sequence[Shown]) -> Iterator[str]:
    for asset in dict.fromkeys(row.asset for row in rows):
        yield f"<h2>{_text(asset)}</h2>\n<ul>\n"
        yield from (_item(row) for row in rows if row.asset == asset)
        yield "</ul>\n"


def _item(row: Shown) -> str:
    name = _text(f"{row.asset}, candidate {row.number}")
    picture = '<div class="none">not on this machine</div>'
    if row.data is not None and row.merits is not None:
        data = str(base64.b64encode(preview(row.data, _SIDE).data), "ascii")
        picture = f'<img src="data:image/webp;base64,{data}" alt="{name}">'
    marked = ' class="picked"' if row.marked else ""
    words, measures = _text(", ".join(facts(row))), _text(", ".join(row.measures))
    return (
        f"<li{marked}>{picture}<p><strong>{row.number}</strong> {words}"
        f"<small>{measures}</small></p></li>\n"
    )


def _text(text: str) -> str:
    return escape(clean(text))
