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
"""By which the comment of an earlier report is found, and replaced."""
LARGEST: Final = 65_536
"""Most characters of a comment on GitHub."""
LEFT_FOR_THE_END: Final = 500
"""Characters that a report leaves for what is said after its entries, such as where the page is."""
_LONG: Final = 1_000
"""Most characters of one text."""
_FINDINGS: Final = 50
_MARKUP: Final = re.compile(r"[^\w\s]|_")
"""What may be markup; each has a numeric character reference."""

_PLAIN: Final = re.compile(r"[a-z][a-z0-9_ ]*")

Address = Callable[[Output], str | None]
"""The address of a file; None if it has none."""


class Links(Struct, frozen=True):
    """Where on the web the files of the two commits are, and the whole report."""

    before: Address = lambda _output: None
    after: Address = lambda _output: None
    page: str | None = None


def written(contents: Contents, links: Links) -> str:
    """The text of a comment; what has no room is counted, and the page has the whole report."""
    title = f"Pictures of {_text(contents.project)}" if contents.project else "Pictures"
    text = f"{MARKER}\n### {title}\n\n{_escaped(contents.summary)} {_escaped(contents.price)}\n"
    room, entries = (
        LARGEST - LEFT_FOR_THE_END - len(links.page or ""),
        list(_entries(contents, links)),
    )
    shown = 0
    for entry in entries:
        if len(text) + len(entry) > room:
            break
        text, shown = text + entry, shown + 1
    if left := len(entries) - shown:
        text += f"\n{left} more {'entry has' if left == 1 else 'entries have'} no room here.\n"
    return text + _elsewhere(contents, links)


def _elsewhere(contents: Contents, links: Links) -> str:
    """Where the pictures are side by side; candidates are in no commit, so that nothing else shows them."""
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
    if (left := len(contents.findings) - _FINDINGS) > 0:
        yield f"\n- and {left} more\n"


def _entry(told: Facts, links: Links) -> Iterator[str]:
    profile = f" in {_text(told.profile)}" if told.profile != "default" else ""
    yield f"<details open><summary><b>{_text(told.title)}</b> {told.kind}{profile}</summary>\n"
    columns = [
        (name, found)
        for name, output, address in (
            ("before", told.before, links.before),
            ("after", told.after, links.after),
        )
        if output is not None and (found := address(output))
    ]
    if columns:
        yield f"| {' | '.join(name for name, _ in columns)} |"
        yield f"|{'---|' * len(columns)}"
        yield f"| {' | '.join(_picture(name, link) for name, link in columns)} |\n"
    if told.prompts is not None:
        yield f"- prompt: {_text(_cut(plain(diff(*told.prompts), context=12)))}"
    for name, text in told.fields:
        yield f"- {_label(name)}: {_text(_cut(text))}"
    for candidate in told.candidates:
        yield f"- candidate {_escaped(label(candidate, told))}"
    yield "\n</details>"


def _picture(name: str, link: str) -> str:
    return f'<a href="{link}"><img width="360" alt="{name}" src="{link}?raw=true"></a>'


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _label(name: str) -> str:
    """The name of a field, which the lock of a stranger may have made up."""
    return name if _PLAIN.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Somebody's text, of which nothing is markup; code has no mentions, references or addresses."""
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", clean(text))
