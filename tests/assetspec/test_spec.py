"""From assets.toml to recipes: precedence, families, references, parameters, deliverables."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.assetspec.reader import load
from flux2build.assetspec.spec import Budget
from flux2build.errors import Place, Problem, SpecError, UsageError
from flux2build.model import MasterOf, Operation, Recipe, Source
from flux2build.storage.project_files import LARGEST, Kind
from tests.assetspec.specs import (
    CAPABILITIES,
    SHIPPED,
    CheckOptions,
    MemoryTree,
    derived,
    headlines,
    orders,
    read,
    tree,
)


def test_an_asset_is_an_order() -> None:
    """A prompt is enough; everything else has a default."""
    spec = read('[asset.fox]\nprompt = "a fox"')
    (recipe,) = spec.recipes

    assert recipe.output == "fox.png"
    assert recipe.key == ("asset", "fox")
    task = orders(spec)["fox"]
    assert (task.provider, task.model, task.prompt, task.take) == ("sketch", "sketch", "a fox", 1)
    assert task.params == {"format": "png", "height": 1024, "width": 1024}
    assert (spec.profile, spec.profiles, spec.output) == ("default", (), ".")
    assert spec.budget == Budget()


PRECEDENCE = """
[project]
profile = "draft"
[vars]
a = "vars"
b = "vars"
[defaults]
width = 100
seed = 1
prompt_suffix = "defaults"
vars = { b = "defaults", c = "defaults" }
tags = ["defaults"]
[style.one]
height = 200
seed = 2
tags = ["one", "more"]
[style.two]
seed = 3
vars = { c = "two" }
[profile.draft]
seed = 5
[profile.final]
seed = 6
output = "final"
[asset.x]
prompt = "{{ a }} {{ b }} {{ c }}"
style = ["one", "two"]
[asset.x.profile.final]
seed = 7
[asset.y]
prompt = "y"
style = "one"
seed = 4
"""


@pytest.mark.parametrize(("profile", "x", "y"), [(None, 5, 5), ("final", 7, 6), ("default", 3, 4)])
def test_precedence(profile: str | None, x: int, y: int) -> None:
    """Defaults, styles in order, asset, profile, the asset's own profile table: later wins."""
    found = orders(read(PRECEDENCE, profile=profile))

    assert (found["x"].params["seed"], found["y"].params["seed"]) == (x, y)
    assert (found["x"].params["width"], found["x"].params["height"]) == (100, 200)


def test_layers_replace_and_vars_merge() -> None:
    """Lists replace, variables merge by name over those of the spec."""
    spec = read(PRECEDENCE)

    assert orders(spec)["x"].prompt == "vars defaults two defaults"
    assert [asset.tags for asset in spec.assets.values()] == [("one", "more"), ("one", "more")]


def test_a_profile_has_its_own_folder() -> None:
    """Outputs of one profile never overwrite those of another that names a folder."""
    outputs = [recipe.output for recipe in read(PRECEDENCE, profile="final").recipes]

    assert outputs == ["final/x.png", "final/y.png"]


def test_unknown_profiles_are_refused() -> None:
    """A mistyped profile builds nothing."""
    with pytest.raises(UsageError) as caught:
        read(PRECEDENCE, profile="fnal")

    assert caught.value.problems[0].hint == "did you mean `final`?"


def test_a_provider_keeps_the_model() -> None:
    """A layer that names a provider without a model asks it for the model that is named below."""
    spec = read(
        """
        [defaults]
        provider = "bfl"
        model = "flux-2-flex"
        [asset.a]
        prompt = "a"
        [asset.b]
        prompt = "b"
        provider = "bfl"
        [asset.c]
        prompt = "c"
        model = "flux-3-image"
        """
    )

    assert [task.model for task in orders(spec).values()] == [
        "flux-2-flex",
        "flux-2-flex",
        "flux-3-image",
    ]


CARRIERS = """
    [defaults]
    provider = "bfl"
    [profile.{provider}]
    provider = "{provider}"
    [asset.a]
    prompt = "a"
    [asset.b]
    prompt = "b"
    model = "{model}"
    """


@pytest.mark.parametrize("spelling", ["flux-2-flex", "black-forest-labs/flux-2-flex"])
@pytest.mark.parametrize("provider", ["bfl", "cometapi", "replicate"])
def test_a_profile_keeps_the_models(provider: str, spelling: str) -> None:
    """A profile that changes only the provider asks it for the same models, by the same names."""
    files = tree(CARRIERS.format(provider=provider, model=spelling))
    spec = load(files, "assets.toml", provider, SHIPPED)

    assert [task.provider for task in orders(spec).values()] == [provider, provider]
    assert [task.model for task in orders(spec).values()] == ["flux-2-pro", "flux-2-flex"]


SIZES = """
    [defaults]
    provider = "replicate"
    {defaults}
    [asset.a]
    prompt = "a"
    {asset}
    """
SQUARE = {"width": 1024, "height": 1024}


@pytest.mark.parametrize(
    ("defaults", "asset", "expected"),
    [
        ("", "", SQUARE),
        ("", "width = 512", {"width": 512, "height": 1024}),
        ("", 'aspect_ratio = "16:9"', {"aspect_ratio": "16:9", "resolution": "1 MP"}),
        ("", 'resolution = "2 MP"', {"aspect_ratio": "1:1", "resolution": "2 MP"}),
        ('aspect_ratio = "16:9"', "width = 512", {"width": 512, "height": 1024}),
        ("width = 512", 'aspect_ratio = "3:4"', {"aspect_ratio": "3:4", "resolution": "1 MP"}),
    ],
)
def test_a_size_is_asked_for_in_one_way(
    defaults: str, asset: str, expected: Mapping[str, Any]
) -> None:
    """A model that takes either pixels or a shape gets the one of the later layer."""
    files = tree(SIZES.format(defaults=defaults, asset=asset))
    (order,) = orders(load(files, "assets.toml", None, SHIPPED)).values()

    assert order.params == {**expected, "format": "png"}


def test_a_size_is_not_asked_for_twice() -> None:
    """Pixels and a shape in one layer are refused: one of them would be ignored."""
    asset = 'width = 512\naspect_ratio = "3:4"'
    with pytest.raises(SpecError) as caught:
        load(tree(SIZES.format(defaults="", asset=asset)), "assets.toml", None, SHIPPED)

    (problem,) = caught.value.problems
    assert "by `width` or by `aspect_ratio`, not by both" in problem.message


def test_a_profile_draws_sketches_of_every_model() -> None:
    """The free provider stands in for any model, so that a draft needs none of its own."""
    spec = load(
        tree(CARRIERS.format(provider="sketch", model="flux-2-max")),
        "assets.toml",
        "sketch",
        SHIPPED,
    )

    assert {task.model for task in orders(spec).values()} == {"sketch"}


def test_a_profile_loses_no_model() -> None:
    """A provider that lacks a model is refused, instead of being asked for another one."""
    files = tree(CARRIERS.format(provider="cometapi", model="flux-3-image"))
    with pytest.raises(SpecError) as caught:
        load(files, "assets.toml", "cometapi", SHIPPED)

    (problem,) = caught.value.problems
    assert problem.message == "provider `cometapi` has no model `flux-3-image`"


def test_params_are_what_is_sent() -> None:
    """Parameters a model has are sent, its defaults with them; those it ignores are dropped."""
    spec = read(
        """
        [defaults]
        steps = 30
        guidance = 4.5
        [asset.a]
        prompt = "a"
        [asset.b]
        prompt = "b"
        provider = "bfl"
        model = "flux-2-flex"
        """
    )

    assert orders(spec)["a"].params == {"format": "png", "height": 1024, "width": 1024}
    assert orders(spec)["b"].params == {
        "format": "png",
        "guidance": 4.5,
        "height": 1024,
        "steps": 30,
        "width": 1024,
    }


def test_models_without_pixels() -> None:
    """A model without sizes and formats gets none, and its output has the format it makes."""
    spec = read(
        """
        [asset.a]
        prompt = "a"
        provider = "bfl"
        model = "flux-3-image"
        aspect_ratio = "16:9"
        """
    )

    assert orders(spec)["a"].params == {"aspect_ratio": "16:9"}
    assert spec.recipes[0].output == "a.jpeg"


def test_a_prompt_replaces_a_template() -> None:
    """The layer that speaks last decides which form the prompt has."""
    spec = read(
        """
        [defaults]
        template = "t.j2"
        [asset.a]
        prompt = "own"
        [asset.b]
        """,
        {"templates/t.j2": "from {{ asset.name }}\n"},
    )

    assert [task.prompt for task in orders(spec).values()] == ["own", "from b"]


def test_prefix_and_suffix_surround_a_text() -> None:
    """One space stands between; a structured prompt is canonical JSON, and says all by itself."""
    spec = read(
        """
        [defaults]
        prompt_prefix = " before\\n"
        prompt_suffix = "after {{ asset.name }}"
        [asset.a]
        prompt = "\\n middle "
        [asset.b]
        prompt_prefix = ""
        prompt_suffix = " "
        [asset.b.prompt]
        z = ["{{ asset.name }}", 1.0, true]
        a = { y = 1 }
        """
    )

    assert [task.prompt for task in orders(spec).values()] == [
        "before middle after a",
        '{"a":{"y":1},"z":["b",1,true]}',
    ]


@pytest.mark.parametrize(
    "prompt", ['{ scene = "a fox" }', '"{{ scene | tojson }}"', '\'{"scene": "a fox"}\'']
)
@pytest.mark.parametrize("name", ["prompt_prefix", "prompt_suffix"])
def test_nothing_is_glued_to_json(name: str, prompt: str) -> None:
    """A text beside a structured prompt is refused, whichever way that is written."""
    text = f"[vars]\nscene = {{ a = 1 }}\n[defaults]\n{name} = 'in soft light'\n[asset.a]\nprompt = {prompt}\n"

    assert headlines(text) == [
        f"assets.toml:4:1: `{name}` cannot be put beside a structured prompt, which is sent as JSON"
    ]
    assert not headlines(f'{text}{name} = ""\n')


def test_a_prompt_may_have_32k_tokens() -> None:
    """A prompt of as many words is sent; one that no model reads is refused."""
    words = "unbelievable " * 12_000  # some 150 KB, and fewer than 32K tokens

    assert not headlines(f'[asset.a]\nprompt = "{words}"\n')
    assert headlines(f'[asset.a]\nprompt = "{words * 2}"\n') == [
        "assets.toml:2:10: the prompt is longer than 256 KiB"
    ]


def test_a_matrix_is_a_family() -> None:
    """Members are named by their axes, sorted; partial tables exclude."""
    spec = read(
        """
        [asset.hero]
        prompt = "{{ theme }} {{ size }} {{ wide }}"
        matrix = { theme = ["light", "dark"], size = [1, 2], wide = [true] }
        exclude = [{ theme = "dark", size = 2 }]
        """
    )

    assert list(spec.assets) == [
        "hero[size=1,theme=light,wide=true]",
        "hero[size=2,theme=light,wide=true]",
        "hero[size=1,theme=dark,wide=true]",
    ]
    assert [task.prompt for task in orders(spec).values()] == [
        "light 1 true",
        "light 2 true",
        "dark 1 true",
    ]
    assert spec.recipes[0].output == "hero-1-light-true.png"


def test_rows_are_a_family() -> None:
    """A row is a member, named by its key, and templates see its cells."""
    spec = read(
        """
        [asset.shot]
        rows = { file = "data/p.csv", key = "Product ID" }
        matrix = { side = ["front", "back"] }
        prompt = "{{ row.name }} from the {{ side }}, {{ Product_ID }}"
        output = "shop/{{ row.name | lower }}-{{ side }}.{{ format }}"
        """,
        {"data/p.csv": "Product ID,name\nA-1,Mug\nA-2,Bowl\n"},
    )

    assert list(spec.assets)[:2] == [
        "shot[Product_ID=A-1,side=front]",
        "shot[Product_ID=A-1,side=back]",
    ]
    assert orders(spec)["shot[Product_ID=A-2,side=back]"].prompt == "Bowl from the back, A-2"
    assert spec.recipes[3].output == "shop/bowl-back.png"


REFS = """
[asset.mascot]
prompt = "a fox"
[asset.logo]
source = "brand/logo.png"
[asset.hero]
matrix = { theme = ["light", "dark"] }
prompt = "hero"
[asset.card]
matrix = { theme = ["light", "dark"], locale = ["de"] }
refs = [{ asset = "mascot" }, "refs/{{ theme }}.jpg", { asset = "hero" }]
prompt = "{{ ref('hero') }}, {{ ref('mascot') }}, {{ ref('refs/' ~ theme ~ '.jpg') }}, {{ ref(theme) }}"
[asset.one]
refs = [{ asset = "hero[theme=dark]" }, { asset = "logo" }]
prompt = "{{ ref('logo') }} {{ ref('hero') }} {{ ref('hero[theme=dark]') }}"
"""
FILES = {"brand/logo.png": "", "refs/light.jpg": "", "refs/dark.jpg": ""}


def test_references_are_ordered_inputs() -> None:
    """Files, assets, sources, the member with the same axes, a member by name: in order."""
    inputs = {
        str(recipe.asset): [str(one) for one in recipe.inputs]
        for recipe in read(REFS, FILES).recipes
    }

    assert inputs["card[locale=de,theme=dark]"] == [
        "asset:mascot",
        "refs/dark.jpg",
        "asset:hero[theme=dark]",
    ]
    assert inputs["one"] == ["asset:hero[theme=dark]", "brand/logo.png"]


def test_ref_writes_the_position() -> None:
    """Prompts call references by name, family, path or stem, and say `image 1`."""
    found = orders(read(REFS, FILES))

    assert found["card[locale=de,theme=dark]"].prompt == "image 3, image 1, image 2, image 2"
    assert found["one"].prompt == "image 2 image 1 image 1"


def test_a_mention_in_quotes_is_lettering() -> None:
    """Text that is to be seen in the picture may say what it likes."""
    spec = read('[asset.a]\nprompt = "a sign that says \\"image 7\\""')

    assert orders(spec)["a"].prompt.endswith('"image 7"')


def test_sources_are_not_rendered() -> None:
    """A picture that exists has no recipe of its own, only what is derived of it."""
    spec = read(
        """
        [asset.photo]
        source = "in/{{ n }}.jpg"
        matrix = { n = ["a", "b"] }
        alt = "photo {{ n }}"
        deliver = [{ widths = [10] }]
        """,
        {"in/a.jpg": "", "in/b.jpg": ""},
    )
    found = derived(spec)

    assert list(found) == ["photo-a-10.jpeg", "photo-b-10.jpeg"]
    assert found["photo-a-10.jpeg"][0].inputs == (Source("in/a.jpg"),)
    assert [(asset.source, asset.alt) for asset in spec.assets.values()] == [
        ("in/a.jpg", "photo a"),
        ("in/b.jpg", "photo b"),
    ]


def test_deliverables() -> None:
    """Every width in every format is a file, after the operations, with its own encoding."""
    spec = read(
        """
        [project]
        output = "public"
        [asset.hero]
        prompt = "x"
        output = "img/hero.png"
        width = 640
        height = 320
        [[asset.hero.deliver]]
        widths = [20, 10]
        formats = ["webp", "png"]
        quality = 70
        matte = "#FFF"
        ops = [{ op = "crop", ratio = "16:9" }]
        [[asset.hero.deliver]]
        path = "small-{{ width }}x{{ height }}.jpg"
        """
    )
    found = derived(spec)
    recipe, task = found["public/img/hero-20.webp"]

    assert list(found) == [
        "public/img/hero-20.webp",
        "public/img/hero-10.webp",
        "public/img/hero-20.png",
        "public/img/hero-10.png",
        "public/small-640x320.jpg",
    ]
    assert recipe.inputs == (MasterOf(recipe.asset),)
    assert recipe.key == ("asset", "hero", "deliver", 0)
    assert task.ops == (
        Operation("crop", 3, {"ratio": "16:9", "anchor": "center"}),
        Operation("resize", 2, {"width": 20}),
    )
    made = {"source_type": "algorithmicMedia"}
    assert task.encoding == {"format": "webp", "quality": 70, "matte": "#ffffff", **made}
    assert found["public/img/hero-10.png"][1].encoding == {
        "format": "png",
        "matte": "#ffffff",
        **made,
    }
    assert found["public/small-640x320.jpg"][1].encoding == {"format": "jpeg", **made}


def test_lossless_replaces_quality() -> None:
    """Where every pixel is kept, quality means nothing and does not change the digest."""
    spec = read(
        """
        [asset.a]
        prompt = "a"
        deliver = [{ path = "x.{{ format }}", formats = ["webp", "jpeg"], lossless = true, quality = 9 }]
        """
    )

    made = {"source_type": "algorithmicMedia"}
    assert [task.encoding for _, task in derived(spec).values()] == [
        {"format": "webp", "lossless": True, **made},
        {"format": "jpeg", "quality": 9, **made},
    ]


def test_operations_name_inputs() -> None:
    """Pictures and files of operations become inputs of the recipe, each once, by index."""
    spec = read(
        """
        [asset.logo]
        prompt = "l"
        [asset.a]
        prompt = "a"
        matrix = { n = ["x"] }
        [[asset.a.deliver]]
        path = "out.png"
        ops = [
          { op = "overlay", source = { asset = "logo" }, mask = "m.png" },
          { op = "text", text = "{{ n }} {{ width }} {{ format }}", font = "f.ttf" },
          { op = "sheet", pictures = ["m.png", { asset = "a" }] },
        ]
        """,
        {"m.png": "", "f.ttf": ""},
    )
    recipe, task = derived(spec)["out.png"]

    assert [str(one) for one in recipe.inputs] == [
        "asset:a[n=x]",
        "asset:logo",
        "m.png",
        "f.ttf",
    ]
    assert [dict(op.params) for op in task.ops] == [
        {"source": {"input": 1}, "mask": {"input": 2}},
        {"text": "x 1024 png", "font": {"input": 3}, "size": 10},
        {"pictures": [{"input": 2}, {"input": 0}]},
    ]


def test_what_is_said_beside_pixels() -> None:
    """Tags, alternative text and title are templates too, and render nothing."""
    spec = read(
        """
        [asset.a]
        prompt = "a"
        tags = ["t-{{ asset.family }}"]
        alt = "the {{ asset.name }}"
        title = "T"
        """
    )
    (asset,) = spec.assets.values()

    assert (asset.tags, asset.alt, asset.title) == (("t-a",), "the a", "T")


def test_budget_checks_and_places() -> None:
    """Limits are exact, checks have options, and every key has a place."""
    spec = read(
        """
        [vars]
        blue = "#00f"
        [budget]
        per_run = 5.00
        [checks]
        alt = "error"
        palette = { colours = ["{{ blue }}"] }
        [asset.a]
        prompt = "a"
        """
    )
    problem = spec.located(Problem("odd", hint="hint"), ("asset", "a", "prompt"))

    assert spec.budget == Budget(per_run=Decimal(5))
    assert spec.checks == {
        "alt": CheckOptions(severity="error"),
        "palette": CheckOptions(severity="warning", colours=["#00f"]),
    }
    assert spec.text.place(("checks", "alt")) == Place("assets.toml", 6, 7)
    assert (problem.place, problem.excerpt, problem.width) == (
        Place("assets.toml", 9, 10),
        'prompt = "a"',
        3,
    )


def test_settings_may_come_from_another_file() -> None:
    """A spec extends others; paths count from the spec's own folder."""
    spec = read(
        'extends = ["shared/base.toml"]\n[asset.a]\nstyle = "s"\nprompt = "a"',
        {"shared/base.toml": '[style.s]\nrefs = ["r.png"]', "r.png": ""},
    )

    assert spec.recipes[0].inputs == (Source("r.png"),)


def test_take_asks_for_another_picture() -> None:
    """The same request with another take is another order."""
    first, second = orders(
        read('[asset.a]\nprompt = "x"\n[asset.b]\nprompt = "x"\ntake = 2')
    ).values()

    assert (first.take, second.take) == (1, 2)
    assert first.params == second.params


BLOCKS = [
    '[vars]\nNAME = "Acme"\n',
    '[style.s]\nprompt_suffix = "light"\n',
    '[asset.a]\nprompt = "{{ NAME }} a"\nstyle = ["s"]\nrefs = ["r.png", { asset = "b" }]\n',
    '[asset.b]\ntemplate = "FOLDER/t.j2"\n',
    '[asset.c]\nprompt = { z = "{{ NAME }}", a = 1 }\ndeliver = [{ widths = [5], formats = ["webp"] }]\n',
]


def recipes_of(blocks: list[str], name: str, folder: str) -> list[Recipe]:
    """The recipes of a spec in a fixed order."""
    text = "\n".join(blocks).replace("NAME", name).replace("FOLDER", folder)
    files = {"r.png": "", f"templates/{folder}/t.j2": f"made by {{{{ {name} }}}}"}
    return sorted(read(text, files).recipes, key=lambda recipe: recipe.output)


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(BLOCKS),
    st.from_regex(r"v[a-z]{1,8}", fullmatch=True),
    st.sampled_from(["x", "deep/er", "ü"]),
    st.lists(st.sampled_from(["# comment\n", "\n"]), max_size=5),
)
def test_spelling_is_not_meaning(
    blocks: list[str], name: str, folder: str, noise: list[str]
) -> None:
    """Reordering, renaming variables, moving templates and comments: the same recipes."""
    expected = recipes_of(BLOCKS, "brand", "t")
    mixed = [*itertools.chain(*itertools.zip_longest(blocks, noise, fillvalue=""))]

    assert recipes_of(mixed, name, folder) == expected


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["theme", "locale", "size", "mood"]),
        st.lists(
            st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True), min_size=1, max_size=3, unique=True
        ),
        min_size=1,
        max_size=3,
    )
)
def test_members_are_the_product(axes: dict[str, list[str]]) -> None:
    """A family has one member for each combination, whatever the order of its axes."""

    def members(order: list[str]) -> set[str]:
        inside = ", ".join(f"{axis} = {json.dumps(axes[axis])}" for axis in order)
        return {*read(f"[asset.a]\nprompt = 'x'\nmatrix = {{ {inside} }}").assets}

    assert len(members(list(axes))) == math.prod(len(values) for values in axes.values())
    assert members(list(axes)) == members(sorted(axes, reverse=True))


@dataclass
class CountingTree(MemoryTree):
    """A tree that notes every look at a path."""

    looks: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)

    def kind(self, path: str) -> Kind:
        """What lies at a path."""
        self.looks[path] += 1
        return super().kind(path)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """The bytes of a file."""
        self.reads[path] += 1
        return super().read(path, most)


@pytest.mark.parametrize("members", [10, 10_000])
def test_a_family_looks_at_its_files_once(members: int) -> None:
    """Templates, data and references are looked at once, however many members use them."""
    rows = "sku,name\n" + "".join(f"A-{n},Name {n}\n" for n in range(members))
    spec = """
[asset.shot]
rows = { file = "p.csv", key = "sku" }
template = "shot.j2"
refs = ["r.png"]
"""
    template = "photo of {{ row.name }}"
    files = {"assets.toml": spec, "p.csv": rows, "r.png": "", "templates/shot.j2": template}
    counting = CountingTree(files)
    found = load(counting, "assets.toml", None, CAPABILITIES)

    assert len(found.recipes) == members
    assert counting.reads == {"assets.toml": 1, "p.csv": 1, "templates/shot.j2": 1}
    assert max(counting.looks.values()) <= 2
