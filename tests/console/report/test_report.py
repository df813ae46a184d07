"""A report tells what has changed, and nothing in it is taken for anything but text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from flux2build.console.report import comment, page
from flux2build.console.report.comment import Links
from flux2build.lockfile import Lockfile
from tests.console.report.reports import contents, lock_of
from tests.hostile import TEXTS, steers

EVIL = (
    *TEXTS,
    "<img src=x onerror=alert(1)>",
    "</code></b><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "' onmouseover='x",
    '" onmouseover="x',
    "&#60;script&#62;",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "https://evil.example",
    "www.evil.example",
    "@acme/owners",
    "#1 GH-1 acme/site#1",
    "`code` ``` ~~~",
    "| a | b |\n|---|---|",
    "# title\n---\n> quote",
    "- [x] done",
    "<!-- flux2build report -->",
    "<details><summary>x",
    "</details>",
    "$$x$$ :fox: [^1]",
)


class Markup(HTMLParser):
    """The tags and attributes of a text, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: list[tuple[str, tuple[str, ...]]] = []
        self.text, self.comments = list[str](), list[str]()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag with the names of its attributes."""
        self.markup.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data)


def named(texts: tuple[str, ...] | list[str]) -> tuple[Lockfile, Lockfile]:
    """Two locks in which names, prompts and notes are these texts."""
    before = lock_of({f"{number}-{text}": f"was {text}" for number, text in enumerate(texts)})
    after = lock_of({f"{number}-{text}": f"is {text}" for number, text in enumerate(texts)}, "n")
    return before, after


@pytest.mark.parametrize("start", range(0, len(EVIL), 40))
def test_texts_are_texts(start: int) -> None:
    """Whatever stands in names, prompts and notes, both reports have the same markup as plain words."""
    texts = list(EVIL[start : start + 40])
    evil, plain = contents(*named(texts)), contents(*named(["x"] * len(texts)))

    html = page.written(evil)
    kept = [tag for tag in Markup(html).markup if tag[0] not in {"ins", "del"}]
    expected = Markup(page.written(plain)).markup
    assert kept == [tag for tag in expected if tag[0] not in {"ins", "del"}]
    assert Markup(html).comments == []

    text = comment.written(evil, Links())
    rendered = Markup(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    allowed = {"h3", "p", "ul", "li", "code", "details", "summary", "b"}
    assert {tag for tag, _ in rendered.markup} <= allowed
    assert all(not attributes or attributes == ("open",) for _, attributes in rendered.markup)
    assert rendered.comments == [" flux2build report "]
    for line in (*html.splitlines(), *text.splitlines()):
        assert not any(map(steers, line))
        assert not re.match(r"\s*::|.*##\w*\[", line)


def test_a_comment_keeps_to_the_limit() -> None:
    """What has no room is counted, and the whole report is linked."""
    many = {f"asset-{number}": f"{number} " * 300 for number in range(300)}
    before, after = lock_of({}), lock_of(many)

    text = comment.written(contents(before, after), Links(page="https://ci.example/1?a=(b)"))
    shown = text.count("<details")
    assert len(text) <= comment.LARGEST
    assert text.startswith(comment.MARKER)
    assert f"{300 - shown} more entries have no room here." in text
    assert "(https://ci.example/1?a=%28b%29)" in text


def test_pictures_are_linked_at_both_commits() -> None:
    """A picture that no commit has is left out."""
    before, after = lock_of({"fox": "a red fox"}), lock_of({"fox": "a blue fox"})

    both = Links(
        lambda output: f"https://a/{output.path}", lambda output: f"https://b/{output.path}"
    )
    text = comment.written(contents(before, after), both)
    assert "| before | after |" in text
    assert 'src="https://a/img/fox.png?raw=true"' in text
    assert "| before |" not in comment.written(contents(before, after), Links())


def test_the_page_needs_nothing_beside_itself(tmp_path: Path) -> None:
    """It names no address; prompts are compared word by word; pictures lie under a slider."""
    before, after = lock_of({"fox": "a red fox"}), lock_of({"fox": "a blue fox"}, "good")
    html = page.written(contents(before, after))
    tmp_path.joinpath("report.html").write_text(html, "utf-8")

    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert "a <del>red</del><ins>blue</ins> fox" in html
    assert html.count("data:image/webp;base64,") == 2
    assert '<input type="range"' in html
    assert "approved by Ann &lt;ann@example.com&gt;: good" in html
