"""Every key counts: with it something else is made, or it is reported."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import pytest
from PIL import Image

from flux2build.assetspec.params import PARAMS
from flux2build.assetspec.reader import load
from flux2build.assetspec.spec import Spec
from flux2build.assetspec.tables import (
    AssetTable,
    BudgetTable,
    Deliver,
    ManifestTable,
    Profile,
    ProjectTable,
    Settings,
)
from flux2build.errors import SpecError
from flux2build.providers.cards import shipped
from flux2build.tables import table as tables
from tests.assetspec.specs import SHIPPED, MemoryTree
from tests.odd_pictures import saved

SETTINGS: Final[dict[str, object]] = {
    "provider": "replicate",
    "model": "flux-2-max",
    "prompt": "another prompt",
    "template": "t.j2",
    "prompt_prefix": "first,",
    "prompt_suffix": "last",
    "width": 1152,
    "height": 1152,
    "aspect_ratio": "16:9",
    "resolution": "2k",
    "seed": 7,
    "format": "jpeg",
    "steps": 20,
    "guidance": 4.5,
    "safety_tolerance": 3,
    "prompt_upsampling": True,
    "disable_pup": False,
    "grounding": True,
    "loras": [{"file": "style"}],
    "take": 2,
    "candidates": 4,
    "seeds": [3, 4],
    "review": "required",
    "refs": ["r.png"],
    "vars": {"word": "said"},
    "tags": ["a"],
    "alt": "a text",
    "title": "a title",
    "expect_text": "some words",
    "provenance": False,
    "sign": True,
    "deliver": [{"path": "{{ asset.name }}-2.webp"}],
}
"""A value of each setting that is not its default."""
ASSET: Final[dict[str, object]] = {
    "source": "s.png",
    "style": ["s", "t"],
    "matrix": {"theme": ["light", "dark"]},
    "exclude": [{"size": "1"}],
    "rows": {"file": "rows.csv", "key": "name"},
    "output": "elsewhere/{{ asset.name }}.{{ format }}",
    "profile": {"p": {"alt": "another text"}},
}
DELIVER: Final[dict[str, object]] = {
    "path": "{{ asset.name }}-2.png",
    "preset": "windows",
    "focus": [0.1, 0.9],
    "safe": 0.5,
    "upscale": True,
    "matrix": {"locale": ["de", "fr"]},
    "widths": [64],
    "formats": ["webp", "jpeg"],
    "quality": 50,
    "lossless": True,
    "matte": "#123456",
    "max_bytes": 500000,
    "min_quality": 35,
    "subsampling": "4:4:4",
    "palette": 16,
    "sizes": [16],
    "speed": 3,
    "profile": True,
    "ops": [{"op": "flip"}],
    "finish": [{"op": "flip"}],
    "documents": [{"document": "frames", "path": "{{ asset.name }}.json"}],
}
PATHS: Final = ("x.png", "x.jpeg", "x.webp", "x.avif", "x.ico", "x.{{ format }}")
"""Paths of a deliverable, whose endings imply formats."""
BESIDE: Final[dict[str, dict[str, object]]] = {
    "project": {"name": "Acme", "output": "o", "masters": "mm", "templates": "tt", "profile": "q"},
    "budget": {"per_run": 1.5, "per_asset": 0.5, "confirm_above": 0.1},
    "manifest": {
        "path": "m.json",
        "pictures": "p.html",
        "typescript": "t.ts",
        "base": "/x/",
        "sizes": "50vw",
        "color": False,
    },
    "catalog": {"path": "l/{locale}.json", "fallback": "en"},
    "op": {"flip": {"axis": "vertical"}},
    "checks": {"alt": {"severity": "off", "exclude": ["a"]}},
    "vars": {"word": "said"},
}
"""The keys of tables that are about no single asset."""
MODELS: Final = [(p, m) for p, cards in shipped().items() for m in cards] + [("sketch", "sketch")]
KINDS: Final = ("single", "matrix", "rows", "source")
LAYERS: Final[dict[str, tuple[str, ...]]] = {
    "defaults": ("defaults",),
    "style": ("style", "s"),
    "profile": ("profile", "p"),
    "asset": ("asset", "a"),
    "asset.profile": ("asset", "a", "profile", "p"),
}
DOCUMENTS: Final = {"path": "n.json", "pictures": "q.html", "typescript": "u.ts"}
TREE: Final[dict[str, str | bytes]] = {
    "r.png": saved(Image.new("RGB", (1300, 1300)), "PNG"),
    "s.png": saved(Image.new("RGB", (1301, 1300)), "PNG"),
    "rows.csv": "sku,name\nA1,Mug\nA2,Cup\n",
    "templates/t.j2": "a template",
}

Table = dict[str, Any]
Case = tuple[Table, tuple[str | int, ...], object]


def written(value: object) -> str:
    """A value of TOML; JSON differs from it in tables only."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def resolved(spec: Table) -> Spec | str:
    """A spec in its usual profile, or the messages that it gets instead."""
    return _resolved(json.dumps(spec))


@cache
def _resolved(data: str) -> Spec | str:
    spec: Table = json.loads(data)
    text = "\n".join(f"{key} = {written(value)}" for key, value in spec.items())
    try:
        return load(MemoryTree({**TREE, "assets.toml": text}), "assets.toml", None, SHIPPED)
    except SpecError as error:
        return str(error)


def made(spec: Spec) -> tuple[object, ...]:
    """All that follows from a spec."""
    wanted = (spec.budget, dict(spec.checks), spec.usual, spec.output, spec.ships_approved)
    return spec.recipes, spec.assets, *wanted, spec.name, spec.notes


def put(spec: Table, place: tuple[str | int, ...], value: object) -> Table:
    """A copy of a spec with a value at a place."""
    copy: Table = json.loads(json.dumps(spec))
    table: Any = copy
    for name in place[:-1]:
        table = table.setdefault(name, {}) if isinstance(table, dict) else table[name]
    table[place[-1]] = value
    return copy


def judged(base: Table, place: tuple[str | int, ...], value: object) -> str:
    """What comes of a key: `made`, `told`, or `lost`; without it, the spec must be right."""
    before, after = resolved(base), resolved(put(base, place, value))
    assert isinstance(before, Spec), before
    if isinstance(after, str) or any(_about(place, n.key) for n in after.notices):
        return "told"
    return "made" if made(after) != made(before) else "lost"


def _about(place: tuple[str | int, ...], key: tuple[str | int, ...]) -> bool:
    """Whether a notice's key is a place, around it or in it."""
    return all(one == other for one, other in zip(place, key, strict=False))


def bare(kind: str, provider: str = "sketch", model: str = "sketch") -> Table:
    """A spec with one asset, in a style and a profile."""
    asset: Table = {"style": "s"}
    if kind == "source":
        asset |= {"source": "r.png"}
    else:
        asset |= {"prompt": "a boat", "provider": provider, "model": model}
    asset |= {"matrix": {"size": ["1", "2"]}} if kind == "matrix" else {}
    asset |= {"rows": {"file": "rows.csv", "key": "sku"}} if kind == "rows" else {}
    return {
        "project": {"profile": "p"},
        "style": {"s": {}, "t": {"title": "in a style"}},
        "profile": {"p": {}, "q": {}},
        "asset": {"a": asset},
    }


def settings() -> Iterator[Case]:
    """Every setting in every layer of every kind of asset, and every parameter of every model."""
    some = [("sketch", "sketch"), ("bfl", "flux-3-image"), ("bfl", "flux-2-pro")]
    chosen = [("single", *model) for model in some] + [
        (kind, *some[-1]) for kind in ("rows", "source")
    ]
    for case, layer, key in itertools.product(chosen, LAYERS, SETTINGS):
        yield bare(*case), (*LAYERS[layer], key), SETTINGS[key]
    for model, key in itertools.product(MODELS, PARAMS):
        yield bare("single", *model), ("asset", "a", key), SETTINGS[key]
    for kind, key in itertools.product(KINDS, ASSET):
        yield bare(kind), ("asset", "a", key), ASSET[key]


def deliverables() -> Iterator[Case]:
    """Every key of an entry of `deliver`, in every format and in presets, of both kinds of masters."""
    entries: list[Table] = [{"path": path} for path in PATHS]
    entries += [{"preset": name} for name in ("og", "favicon", "android")]
    large = put(put(bare("single"), ("asset", "a", "width"), 1280), ("asset", "a", "height"), 1280)
    places = ((large, "asset"), (bare("source"), "style"))
    for (spec, layer), entry, key in itertools.product(places, entries, DELIVER):
        place = (*LAYERS[layer], "deliver")
        yield put(spec, place, [entry]), (*place, 0, key), DELIVER[key]


def others() -> Iterator[Case]:
    """Every key of the tables that are about no single asset, with and without a use for it."""
    plain = bare("single")
    named = put(plain, ("asset", "a", "prompt"), "{{ word }}")
    flipped = put(plain, ("asset", "a", "deliver"), [{"path": "x.png", "ops": [{"op": "flip"}]}])
    bases = {
        "vars": [plain, put(named, ("vars",), {"word": "before"})],
        "op": [plain, flipped],
        "manifest": [plain, *(put(plain, ("manifest", n), v) for n, v in DOCUMENTS.items())],
    }
    for table, keys in BESIDE.items():
        for base, (key, value) in itertools.product(bases.get(table, [plain]), keys.items()):
            yield base, (table, key), value
    for base in (plain, bare("source")):
        yield base, ("project", "masters"), "mm"
        yield base, (*LAYERS["profile"], "masters"), "nn"
    yield plain, (*LAYERS["profile"], "ship"), "approved"


CASES: Final = {"settings": settings, "deliverables": deliverables, "others": others}


@pytest.mark.parametrize("cases", CASES.values(), ids=CASES)
def test_every_key_counts(cases: Callable[[], Iterator[Case]]) -> None:
    """No key in any table, for any model and kind of asset, is without effect and without a word.

    `pytest -s` shows how many pairs of a key and a context there are, and what comes of them.
    """
    outcomes = Counter[str]()
    lost: list[tuple[tuple[str | int, ...], object, str]] = []
    for base, place, value in cases():
        outcome = judged(base, place, value)
        outcomes[outcome] += 1
        if outcome == "lost":
            lost.append((place, value, json.dumps(base["asset"])))
    print(cases.__name__, outcomes.total(), dict(outcomes))  # noqa: T201 - for `-s`

    assert not lost


def test_every_key_is_tried() -> None:
    """A new key of the schema is tried too."""
    declared: dict[str, type[tables.Table]] = {
        "project": ProjectTable,
        "budget": BudgetTable,
        "manifest": ManifestTable,
    }
    tried = {name: set(BESIDE[name]) for name in declared}

    assert set(SETTINGS) == set(Settings.model_fields)
    assert set(ASSET) == set(AssetTable.model_fields) - set(Settings.model_fields)
    assert set(DELIVER) == set(Deliver.model_fields)
    own = set(Profile.model_fields) - set(Settings.model_fields)
    assert own == {"disclosure", "masters", "output", "ship"}
    assert {n: set(t.model_fields) for n, t in declared.items()} == tried
