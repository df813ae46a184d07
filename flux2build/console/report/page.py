"""The report as one HTML page that needs nothing beside itself: light, dark, and on a phone."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from flux2build.console.escaping import clean
from flux2build.console.report.contents import Contents, Facts, facts, label
from flux2build.console.word_diff import diff
from flux2build.images.preview import Preview
from flux2build.session.revisions import Compared

_STYLE: Final = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2024; --faint: #60646c; --line: #d9d9e0;
  --card: #f9f9fb; --new: #1b7f4d; --gone: #b3261e; --new-ground: #d8f3e3; --gone-ground: #fbe0de; }
@media (prefers-color-scheme: dark) {
  :root { --page: #111113; --ink: #edeef0; --faint: #b0b4ba; --line: #363a3f; --card: #18191b;
    --new: #6fdca1; --gone: #ff9a91; --new-ground: #12351f; --gone-ground: #48150f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0; }
header p, .faint { color: var(--faint); margin: .2rem 0; }
article { border: 1px solid var(--line); border-radius: .6rem; background: var(--card);
  padding: 1rem; margin: 1rem 0; }
article > header { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; }
.kind { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; }
.compare { position: relative; margin: .8rem 0 0; display: grid; max-width: 100%;
  width: fit-content; --at: 50%; }
.compare img { grid-area: 1 / 1; display: block; max-width: 100%; height: auto; }
.compare img.after { clip-path: inset(0 0 0 var(--at)); }
.compare::after { content: ""; grid-area: 1 / 1; width: 2px; margin-left: calc(var(--at) - 1px);
  background: #fff; box-shadow: 0 0 3px #000; pointer-events: none; }
.compare input { grid-area: 2 / 1; width: 100%; margin: .5rem 0 0; accent-color: var(--faint); }
figcaption { grid-area: 3 / 1; display: flex; justify-content: space-between; color: var(--faint);
  font-size: .85rem; }
.alone img, .candidates img { display: block; max-width: 100%; height: auto; margin-top: .8rem; }
.candidates { display: flex; flex-wrap: wrap; gap: .8rem; list-style: none; padding: 0; margin: 0; }
.candidates li { flex: 0 1 calc(50% - .4rem); max-width: 14rem; }
.candidates li.ships img { outline: 3px solid var(--new); }
.prompt { margin: .8rem 0 0; white-space: pre-wrap; }
ins { color: var(--new); background: var(--new-ground); text-decoration: none; }
del { color: var(--gone); background: var(--gone-ground); }
del + ins { margin-left: .25em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .8rem 0 0; }
dt { color: var(--faint); } dd { margin: 0; }
""".strip()
_NO_SCRIPT: Final = """
.compare { grid-template-columns: 1fr 1fr; gap: .5rem; } .compare::after, .compare input { display: none; }
.compare img.after { clip-path: none; grid-area: 1 / 2; } figcaption { grid-area: 2 / 1 / 3 / 3; }
""".strip()
_SLIDE: Final = "this.parentNode.style.setProperty('--at', this.value + '%')"
"""The page's only script: it follows the slider, which keys and fingers move."""


def written(contents: Contents) -> str:
    """The page."""
    return "\n".join(_lines(contents)) + "\n"


def _lines(contents: Contents) -> Iterator[str]:
    title = f"Pictures of {contents.project}" if contents.project else "Pictures"
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(title)}</title>\n<style>\n{_STYLE}\n</style>"
    yield f"<noscript><style>{_NO_SCRIPT}</style></noscript>"
    yield f"<header>\n<h1>{_text(title)}</h1>\n<p>{_text(contents.summary)}</p>"
    yield f"<p>{_text(contents.price)}</p>\n</header>\n<main>"
    for compared in contents.changes:
        yield from _article(contents, compared)
    if contents.findings:
        yield "<article>\n<header><h2>What check finds</h2></header>\n<ul>"
        for finding in contents.findings:
            where = f"{finding.asset}: " if finding.asset else ""
            yield f"<li>{finding.severity}: {_text(where + finding.problem.message)}</li>"
        yield "</ul>\n</article>"
    yield "</main>\n</html>"


def _article(contents: Contents, compared: Compared) -> Iterator[str]:
    change = facts(compared)
    yield f"<article>\n<header><h2>{_text(change.title)}</h2>"
    yield f'<span class="kind">{change.kind}</span>'
    if change.profile != "default":
        yield f'<span class="faint">{_text(change.profile)}</span>'
    yield "</header>"
    yield from _pictures(contents, change)
    if change.prompts is not None:
        yield f'<p class="prompt">{_prompt(*change.prompts)}</p>'
    yield "<dl>"
    for name, text in change.fields:
        yield f"<dt>{_text(name)}</dt><dd>{_text(text)}</dd>"
    yield "</dl>"
    yield from _candidates(contents, change)
    yield "</article>"


def _pictures(contents: Contents, change: Facts) -> Iterator[str]:
    before = contents.before(change.before) if change.before else None
    after = contents.after(change.after) if change.after else None
    same = change.before and change.after and change.before.sha256 == change.after.sha256
    if before and after and not same:
        yield '<figure class="compare">'
        yield _image(before, f"{change.title} before", "before")
        yield _image(after, f"{change.title} after", "after")
        yield (
            '<input type="range" min="0" max="100" value="50" '
            f'aria-label="How much of the picture before is shown" oninput="{_SLIDE}">'
        )
        yield "<figcaption><span>before</span><span>after</span></figcaption>\n</figure>"
    elif picture := after or before:
        yield f'<figure class="alone" style="margin:0">{_image(picture, change.title, "")}</figure>'
    elif change.before or change.after:
        yield '<p class="faint">The picture is not at hand here.</p>'


def _candidates(contents: Contents, change: Facts) -> Iterator[str]:
    if not change.candidates:
        return
    yield '<ul class="candidates">'
    for candidate in change.candidates:
        small = contents.after(candidate.output)
        image = _image(small, f"candidate {candidate.number}", "") if small else ""
        ships = ' class="ships"' if change.ships(candidate) else ""
        yield f'<li{ships}>{image}<span class="faint">{_text(label(candidate, change))}</span></li>'
    yield "</ul>"


def _image(preview: Preview, alt: str, role: str) -> str:
    data = str(b64encode(preview.data), "ascii")
    kind = f' class="{role}"' if role else ""
    size = f'width="{preview.width}" height="{preview.height}"'
    return f'<img{kind} {size} alt="{_text(alt)}" src="data:image/webp;base64,{data}">'


def _prompt(before: str, after: str) -> str:
    tags = {"same": "{}", "gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
    return "".join(tags[change].format(_lined(text)) for change, text in diff(before, after))


def _lined(text: str) -> str:
    """A text of several lines, with its line breaks."""
    return "\n".join(map(_text, text.split("\n")))


def _text(text: str) -> str:
    """Text from others, without markup; it cannot steer a workflow's log, either."""
    return html.escape(clean(text)).replace("::", "&#58;:")
