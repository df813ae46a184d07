"""Which assets a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import UsageError
from flux2build.model import Asset, AssetName, member
from flux2build.planning.selection import STATES, Field, select

ABOVE: Final = {"mascot": ["sheet"], "hero": ["mascot"], "card": ["hero"]}
"""By family: what it is made from, one step away."""


def asset(family: str, tags: tuple[str, ...] = (), **axes: str) -> Asset:
    """An asset with just what selection looks at."""
    return Asset(member(family, axes), family, axes, tags)


ASSETS: Final = {
    found.name: found
    for found in (
        asset("sheet", ("brand", "draft")),
        asset("mascot", ("brand",)),
        *(
            asset("hero", ("site",), locale=locale, theme=theme)
            for locale in ("de", "fr")
            for theme in ("dark", "light")
        ),
        asset("shot", ("shop",), sku="A-1"),
        asset("shot", ("shop",), sku="16:9"),
        asset("card"),
    )
}
DARK_DE: Final = AssetName("hero[locale=de,theme=dark]")


def reach(links: Mapping[str, list[str]], name: AssetName) -> dict[AssetName, int]:
    """Every asset behind the links, with its distance."""
    found: dict[AssetName, int] = {}
    families = links.get(ASSETS[name].family, []) if name in ASSETS else []
    distance = 1
    while families:
        found |= {n: distance for n, a in ASSETS.items() if a.family in families}
        families = [above for family in families for above in links.get(family, [])]
        distance += 1
    return found


BELOW: Final = {above: [name] for name, (above,) in ABOVE.items()}
FIELD: Final = Field(
    assets=ASSETS,
    values={
        "model": {AssetName("sheet"): {"flux-2-pro"}, AssetName("mascot"): {"flux-2-klein-4b"}},
        "path": {
            AssetName("sheet"): {"out/sheet.png"},
            DARK_DE: {"out/img/hero-de-dark.png", "out/img/hero-de-dark-640.webp"},
        },
        "state": {
            AssetName("sheet"): {"changed"},
            AssetName("card"): {"new", "pending"},
            AssetName("old"): {"orphan"},
        },
        "reason": {AssetName("sheet"): {"prompt-changed", "param-changed:width"}},
        "tag": {name: set(asset.tags) for name, asset in ASSETS.items()},
    },
    up=lambda name: reach(ABOVE, name),
    down=lambda name: reach(BELOW, name),
    sources={"refs/desk.jpg": {AssetName("card"), AssetName("sheet")}},
    common=lambda path: path == "assets.toml",
)
HEROES: Final = {name for name, found in ASSETS.items() if found.family == "hero"}
SHOTS: Final = {name for name, found in ASSETS.items() if found.family == "shot"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sheet", {"sheet"}),
        ("hero", HEROES),
        ("h*", HEROES),
        ("*", set(ASSETS)),
        ("hero[locale=de,theme=dark]", {DARK_DE}),
        ("hero[theme=dark,locale=de]", {DARK_DE}),
        ("hero[locale=de]", {DARK_DE, "hero[locale=de,theme=light]"}),
        ("hero[locale=d*,theme=?ark]", {DARK_DE}),
        ("*[theme=dark]", {DARK_DE, "hero[locale=fr,theme=dark]"}),
        ("shot[sku=16:9]", {"shot[sku=16:9]"}),
        ("sheet card", {"sheet", "card"}),
        ("tag:brand,tag:draft", {"sheet"}),
        ("hero,*[theme=dark] card", {DARK_DE, "hero[locale=fr,theme=dark]", "card"}),
        ("+mascot", {"sheet", "mascot"}),
        ("+card", {"sheet", "mascot", "card"} | HEROES),
        ("1+card", {"card"} | HEROES),
        ("2+card", {"mascot", "card"} | HEROES),
        ("sheet+1", {"sheet", "mascot"}),
        ("1+mascot+1", {"sheet", "mascot"} | HEROES),
        ("sheet+", {"sheet", "mascot", "card"} | HEROES),
        ("tag:draft+1", {"sheet", "mascot"}),
        ("tag:s*", HEROES | SHOTS),
        ("model:flux-2-pro", {"sheet"}),
        ("model:*klein*", {"mascot"}),
        ("path:out/sheet.png", {"sheet"}),
        ("path:out", {"sheet", DARK_DE}),
        ("path:out/*.png", {"sheet"}),
        ("path:out/**.webp", {DARK_DE}),
        ("path:*-640.webp", {DARK_DE}),
        ("path:out/img/", {DARK_DE}),
        ("state:changed", {"sheet"}),
        ("state:missing", set()),
        ("state:orphan", {"old"}),
        ("reason:prompt-changed", {"sheet"}),
        ("reason:param-changed", {"sheet"}),
        ("reason:param-changed:width", {"sheet"}),
        ("reason:param-changed:height", set()),
        ("tag:brand,state:new", set()),
        ("out/sheet.png", {"sheet"}),
        ("./out/sheet.png", {"sheet"}),
        ("refs/desk.jpg", {"card", "sheet"}),
        ("assets.toml", set(ASSETS)),
        ("out/sheet.png+1", {"sheet", "mascot"}),
    ],
)  # fmt: skip
def test_grammar(words: str, expected: set[str]) -> None:
    """Every form of the grammar selects what it says, in one word or in many."""
    assert select([words], [], FIELD) == expected
    assert select(words.split(), [], FIELD) == expected


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("shet", "there is no asset `shet`", "did you mean `sheet`?"),
        ("hero[locale=it]", "there is no asset `hero[locale=it]`", None),
        ("hero[de]", "there is no asset `hero[de]`", None),
        ("her[oa]", "there is no asset `her[oa]`", None),
        ("tag:brnd", "no asset has the tag `brnd`", "did you mean `brand`?"),
        ("model:flux-2-por", "no asset has the model `flux-2-por`", "did you mean `flux-2-pro`?"),
        ("path:nowhere/*", "no asset has the path `nowhere/*`", None),
        ("state:chnged", "no asset has the state `chnged`", "did you mean `changed`?"),
        ("reason:promt-changed", "no asset has the reason `promt-changed`", "did you mean `prompt-changed`?"),
        ("tags:brand", "there is no method `tags:`", "did you mean `tag`?"),
        ("out/shet.png", "there is no asset, and no file of one, `out/shet.png`", "did you mean `out/sheet.png`?"),
        ("+", "`+` selects nothing", "name an asset, as in `hero`"),
        ("sheet,", "`` selects nothing", "name an asset, as in `hero`"),
    ],
)  # fmt: skip
def test_unknown(word: str, message: str, hint: str | None) -> None:
    """What does not exist is an error, with the nearest word; in `--exclude` too."""
    for words, exclude in (([word], []), ([], [word])):
        with pytest.raises(UsageError) as caught:
            select(words, exclude, FIELD)
        (problem,) = caught.value.problems
        assert problem.message == message
        assert hint is None or problem.hint == hint


def test_all_mistakes_at_once() -> None:
    """Several mistakes are told together."""
    with pytest.raises(UsageError) as caught:
        select(["shet", "tag:x"], ["crd"], FIELD)

    assert len(caught.value.problems) == 3


def test_no_words() -> None:
    """No words select everything; what is excluded is left out."""
    assert select([], [], FIELD) == set(ASSETS)
    assert select([], ["hero", "shot"], FIELD) == {"sheet", "mascot", "card"}


PARTS: Final = st.sampled_from(
    ["sheet", "hero", "h*", "+mascot", "sheet+1", "tag:brand", "state:new", "model:*", "path:out"]
    + [f"state:{state}" for state in sorted(STATES)]
)
WORDS: Final = st.lists(PARTS, max_size=3, min_size=1)


@given(WORDS, WORDS)
def test_words_are_a_union(left: list[str], right: list[str]) -> None:
    """More words select more: exactly what each of them selects."""
    assert select(left + right, [], FIELD) == select(left, [], FIELD) | select(right, [], FIELD)


@given(PARTS, PARTS)
def test_commas_are_an_intersection(left: str, right: str) -> None:
    """A comma selects what both sides select."""
    both = select([left], [], FIELD) & select([right], [], FIELD)

    assert select([f"{left},{right}"], [], FIELD) == both


@given(WORDS, WORDS)
def test_exclude_is_a_difference(words: list[str], exclude: list[str]) -> None:
    """What is excluded is selected by the same grammar, and taken away."""
    whole = select(words, [], FIELD)

    assert select(words, exclude, FIELD) == whole - select(exclude, [], FIELD)


@given(st.sampled_from(sorted(ASSETS)))
def test_names_are_exact(name: AssetName) -> None:
    """The name of an asset selects it alone."""
    assert select([name], [], FIELD) == {name}


@given(PARTS.filter(lambda part: "+" not in part), st.integers(0, 3))
def test_depth_grows(part: str, depth: int) -> None:
    """One more step reaches no less, and no end reaches all."""
    near, far = (select([f"{part}+{n}"], [], FIELD) for n in (depth, depth + 1))

    assert select([part], [], FIELD) <= near <= far <= select([f"{part}+"], [], FIELD)
