"""The report as the Markdown of a comment: within GitHub's limit, with links to the pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from flux2build.console.escaping import clean
from flux2build.console.report.contents import Contents, Facts, facts, label
from flux2build.console.word_diff import diff, plain
from flux2build.model import Output

MARKER: Final = "<!-- flux2build report -->"
"""Marks the comment of a report, so that the next report replaces it."""
LARGEST: Final = 65_536
"""Most characters of a comment on GitHub."""
LEFT_FOR_THE_END: Final = 500
"""Characters that a report reserves for its end, such as the address of the page."""
_LONG: Final = 1_000
"""Most characters of one text."""
_FINDINGS: Final = 50
_MARKUP: Final = re.compile(r"[^\w\s]|_")
"""Characters that may be markup; each is written as a numeric character reference."""

_PLAIN: Final = re.compile(r"[a-z][a-z0-9_ ]*")

Address = Callable[[Output], str | None]
"""The address of a file; None if it has none."""


class Links(Struct, frozen=True):
    """The web addresses of the two commits' files, and of the whole report."""

    before: Address = lambda _output: None
    after: Address = lambda _output: None
    page: str | None = None


def written(contents: Contents, links: Links) -> str:
    """The text of a comment; entries without room are counted, and the page has all of them."""
    title = f"Pictures of {_text(contents.project)}" if contents.project else "Pictures"
    text = f"{MARKER}\n### {title}\n\n{_escaped(contents.summary)} {_escaped(contents.price)}\n"
    room, entries = (
        LARGEST - LEFT_FOR_THE_END - len(links.page or ""),
        list(_entries(contents, links)),
    )
    count = 0
    for entry in entries:
        if len(text) + len(entry) > room:
            break
        text, count = text + entry, count + 1
    if more := len(entries) - count:
        text += f"\n{more} more {'entry has' if more == 1 else 'entries have'} no room here.\n"
    return text + _elsewhere(contents, links)


def _elsewhere(contents: Contents, links: Links) -> str:
    """Where to see the pictures side by side; candidates are in no commit, only on that page."""
    several = any(facts(compared).candidates for compared in contents.changes)
    what = "the pictures and the candidates" if several else "the pictures"
    if links.page:
        address = quote(links.page, safe=_IN_ADDRESS)
        return f"\n[The whole report]({address}) has {what} side by side.\n"
    line = "`flux2build candidates -o candidates.html`"
    return (
        f"\n{line} shows the candidates side by side where they were rendered.\n" if several else ""
    )


_IN_ADDRESS: Final = ":/?#@!$&'*+,;=%~"


def _entries(contents: Contents, links: Links) -> Iterator[str]:
    for compared in contents.changes:
        yield "\n" + "\n".join(_entry(facts(compared), links)) + "\n"
    for finding in contents.findings[:_FINDINGS]:
        where = f"{finding.asset}: " if finding.asset else ""
        yield f"\n- {finding.severity}: {_text(where + finding.problem.message)}\n"
    if (more := len(contents.findings) - _FINDINGS) > 0:
        yield f"\n- and {more} more\n"


def _entry(change: Facts, links: Links) -> Iterator[str]:
    profile = f" in {_text(change.profile)}" if change.profile != "default" else ""
    yield f"<details open><summary><b>{_text(change.title)}</b> {change.kind}{profile}</summary>\n"
    columns = [
        (name, url)
        for name, output, address in (
            ("before", change.before, links.before),
            ("after", change.after, links.after),
        )
        if output is not None and (url := address(output))
    ]
    if columns:
        yield f"| {' | '.join(name for name, _ in columns)} |"
        yield f"|{'---|' * len(columns)}"
        yield f"| {' | '.join(_picture(name, link) for name, link in columns)} |\n"
    if change.prompts is not None:
        yield f"- prompt: {_text(_cut(plain(diff(*change.prompts), context=12)))}"
    for name, text in change.fields:
        yield f"- {_label(name)}: {_text(_cut(text))}"
    for candidate in change.candidates:
        yield f"- candidate {_escaped(label(candidate, change))}"
    yield "\n</details>"


def _picture(name: str, link: str) -> str:
    return f'<a href="{link}"><img width="360" alt="{name}" src="{link}?raw=true"></a>'


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _label(name: str) -> str:
    """The name of a field, which may come from a stranger's lock."""
    return name if _PLAIN.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Text from others without its markup, or as code, which has no mentions or links."""
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", clean(text))
