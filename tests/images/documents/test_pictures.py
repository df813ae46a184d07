"""`<picture>` elements."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from flux2build.assetspec.tables import ManifestTable
from flux2build.images.documents.pictures import DOCUMENT
from flux2build.images.documents.srcset import SiteOptions
from flux2build.tables.table import TableError
from tests.images.documents.facts import Site, hero


class Elements(HTMLParser):
    """What a browser would see: elements with their attributes, and comments."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data.strip())


def shown(site: Site, **options: Any) -> Elements:
    """The elements of the document."""
    return Elements(DOCUMENT.write(site.facts, SiteOptions(**options), site.read))


def test_newest_format_first() -> None:
    """A browser takes the first source it understands: avif, then webp; jpeg is for the rest."""
    found = shown(hero(), sizes="50vw")

    assert [tag for tag, _ in found.tags] == ["picture", "source", "source", "img"]
    _, avif, webp, img = (attributes for _, attributes in found.tags)
    assert [avif["type"], webp["type"]] == ["image/avif", "image/webp"]
    assert avif["srcset"] == "hero-8.avif 8w, hero-16.avif 16w"
    assert img["srcset"] == "hero-8.jpeg 8w, hero-16.jpeg 16w"
    assert {avif["sizes"], webp["sizes"], img["sizes"]} == {"50vw"}
    assert (img["src"], img["width"], img["height"]) == ("hero-16.jpeg", "16", "8")
    assert img["alt"] == "A fox"


def test_hostile_words_stay_words() -> None:
    """Quotes, brackets and hyphens in what is said cannot become markup."""
    alt, name = '"><script>alert(1)</script>', "a--><script>"
    site = Site()
    site.add("a.png", alt=alt, asset=name)

    found = shown(site)

    assert [tag for tag, _ in found.tags] == ["img"]
    assert found.tags[0][1]["alt"] == alt
    assert len(found.comments) == 1


def test_no_words_are_put_into_anyones_mouth() -> None:
    """An empty alternative text means decoration; none in the spec is none here."""
    site = Site()
    site.add("a.png", asset="a", alt="")
    site.add("b.png", asset="b")

    decoration, unsaid = (attributes for _, attributes in shown(site).tags)

    assert decoration["alt"] == ""
    assert "alt" not in unsaid


def test_one_format_needs_no_picture_element() -> None:
    """One file is an `<img>`, without a `srcset` of one entry."""
    site = Site()
    site.add("a.png", alt="")

    ((tag, img),) = shown(site).tags

    assert tag == "img"
    assert "srcset" not in img


def test_colour_holds_the_place() -> None:
    """The average colour lies behind the picture until it is there."""
    site = Site()
    site.add("a.png", color="#102030")

    assert shown(site).tags[0][1]["style"] == "background-color: #102030"
    assert "style" not in shown(site, color=False).tags[0][1]


@pytest.mark.parametrize(
    ("base", "src"),
    [
        ("", "hero-16.jpeg"),
        ("/images", "/images/hero-16.jpeg"),
        ("/images/", "/images/hero-16.jpeg"),
        ("https://cdn.example/x", "https://cdn.example/x/hero-16.jpeg"),
        ("https://cdn.example/get?file=", "https://cdn.example/get?file=hero-16.jpeg"),
        ("https://cdn.example/get?file=img/", "https://cdn.example/get?file=img/hero-16.jpeg"),
        ("/img-", "/img-hero-16.jpeg"),
        (" /my images ", "/my%20images/hero-16.jpeg"),
    ],
)
def test_a_base_joins_as_addresses_do(base: str, src: str) -> None:
    """A folder gets the `/` that it lacks, in a document and in `[manifest]`; other bases stay."""
    *_, (_, img) = shown(hero(), base=base).tags

    assert img["src"] == src
    assert ManifestTable(base=base).base == SiteOptions(base=base).base


@pytest.mark.parametrize(
    ("base", "mark"),
    [("https://cdn.example/x?v=1", "?"), ("/img/?v=1", "?"), ("/img/#top", "#"), ("/a#b?c=", "#")],
)
def test_a_base_that_leads_nowhere_is_refused(base: str, mark: str) -> None:
    """After a version or a fragment no path names a file."""
    message = f"paths go after `{base}`, where no file would be found; leave out what begins with `{mark}`"
    with pytest.raises(TableError) as refused:
        SiteOptions.model_validate({"base": base})
    (entry,) = refused.value.errors(include_url=False)

    assert message in str(entry["ctx"]["error"])
