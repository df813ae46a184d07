"""The language of the spec: what tables may hold, messages, and the JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flux2build.assetspec import schema
from flux2build.assetspec.faults import FaultyError
from flux2build.assetspec.jsonschema import json_schema
from flux2build.assetspec.tables import Settings
from flux2build.assetspec.validation_errors import validated
from flux2build.images.ops import OPS
from tests.assetspec.specs import CAPABILITIES, headlines, read


def keys_of(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key of a JSON value with what it holds, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from keys_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from keys_of(item)


def fault(table: str) -> tuple[tuple[str | int, ...], str, str | None]:
    """The one fault of an asset table."""
    from_toml: dict[str, object] = {"asset": {"a": json.loads(table)}}
    _, faults, _ = schema.read(from_toml)
    (found,) = faults
    return found.key[2:], found.message, found.hint


TILES = (
    "FLUX.2 renders up to 4 megapixels at once, without tiles: set `width` and `height`, "
    "and `resize` with `upscale = true` in `deliver` for more"
)


@pytest.mark.parametrize(
    ("table", "key", "message", "hint"),
    [
        ('{"widht": 3}', ("widht",), "unknown key `widht`", "did you mean `width`?"),
        (
            '{"negative_prompt": "a dog"}',
            ("negative_prompt",),
            "unknown key `negative_prompt`",
            "FLUX.2 has no negative prompts: say what you want to see instead",
        ),
        ('{"guidance_scale": 3}', ("guidance_scale",), "unknown key `guidance_scale`", "it is called `guidance`"),
        ('{"num_inference_steps": 3}', ("num_inference_steps",), "unknown key `num_inference_steps`", "it is called `steps`"),
        ('{"tile_size": 512}', ("tile_size",), "unknown key `tile_size`", TILES),
        ('{"tiled_inference": true}', ("tiled_inference",), "unknown key `tiled_inference`", TILES),
        (
            '{"reference_weights": [1]}',
            ("reference_weights",),
            "unknown key `reference_weights`",
            "FLUX.2 has no weights: order the `refs`, and say in the prompt what each is for",
        ),
        (
            '{"webhook_url": "x"}',
            ("webhook_url",),
            "unknown key `webhook_url`",
            "a spec cannot name a callback: `[webhooks]` in your own configuration does",
        ),
        (
            '{"quality": 9}',
            ("quality",),
            "unknown key `quality`",
            "a master is delivered as it is: set `quality` in `deliver`, `steps` where a model has them",
        ),
        (
            '{"num_outputs": 4}',
            ("num_outputs",),
            "unknown key `num_outputs`",
            "for several pictures of one prompt to pick from, write `candidates = 4`, or `take = 2` for another one",
        ),
        (
            '{"prompt_strength": 0.8}',
            ("prompt_strength",),
            "unknown key `prompt_strength`",
            "FLUX.2 has no strength: say in the prompt what to keep",
        ),
        ('{"size": "1k"}', ("size",), "unknown key `size`", "write `width` and `height`"),
        ('{"width": "3"}', ("width",), "must be a whole number, not a text", None),
        ('{"width": 3.5}', ("width",), "must be a whole number, not 3.5", None),
        ('{"width": true}', ("width",), "must be a whole number, not true or false", None),
        ('{"width": 0}', ("width",), "must be at least 1, not 0", None),
        ('{"disable_pup": 1}', ("disable_pup",), "must be true or false, not a whole number", None),
        ('{"prompt": 3}', ("prompt",), "must be a text or a table, not a whole number", None),
        ('{"style": 3}', ("style",), "must be a name or a list of names, not a whole number", None),
        ('{"refs": ["a", 3]}', ("refs", 1), 'must be a path or `{ asset = "name" }`, not a whole number', None),
        ('{"refs": [{"aset": "b"}, "x"]}', ("refs", 0, "aset"), "unknown key `aset`", "did you mean `asset`?"),
        ('{"refs": 3}', ("refs",), "must be a list of references, not a whole number", None),
        ('{"matrix": {"a": [1.5]}}', ("matrix", "a", 0), "must be a text or true or false or a whole number, not 1.5", None),
        ('{"matrix": {"a": "x"}}', ("matrix", "a"), "must be a list, not a text", None),
        ('{"matrix": {"row": ["x"]}}', ("matrix", "row"), "`row` has a meaning of its own in templates", None),
        ('{"vars": {"brand-name": 1}}', ("vars", "brand-name"), "`brand-name` cannot be named in a template", "letters, digits and `_`, such as `brand_name`"),
        ('{"rows": {"file": "x.csv"}}', ("rows",), "`key` is missing", None),
        ('{"deliver": [{"formats": ["jpg"]}]}', ("deliver", 0, "formats", 0), "`jpg` is not one of `png`, `jpeg`, `webp`, `avif`, `ico`", "did you mean `jpeg`?"),
        ('{"deliver": [{"formats": []}]}', ("deliver", 0, "formats"), "must not be empty", None),
        ('{"deliver": [{"quality": 101}]}', ("deliver", 0, "quality"), "must be at most 100, not 101", None),
        ('{"profile": {"final": {"modle": "x"}}}', ("profile", "final", "modle"), "unknown key `modle`", "did you mean `model`?"),
    ],
)  # fmt: skip
def test_mistakes(table: str, key: tuple[str | int, ...], message: str, hint: str | None) -> None:
    """Every mistake is reported once, at its key, in words of the spec, with a hint."""
    found = fault(table)

    assert found[:2] == (key, message) or found[0] == key
    assert found[1] == message
    if hint is not None:
        assert found[2] == hint


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("text", {"text": "a", "size": -1}, "must be at least 0, not -1"),
        ("text", {"text": "a", "size": "big"}, '`big` is not a length; write pixels, or a share such as `"5%"`'),
        ("text", {"text": "a", "size": []}, "must be a whole number or a text, not a list"),
        ("text", {"text": "a", "font": []}, "must not be empty"),
        ("text", {"text": "a", "font": 3}, "must be a text or a table or a list, not a whole number"),
        ("text", {"text": "a", "language": "?"}, "`?` is not a language, such as `de` or `pt-BR`"),
        ("label", {"text": " "}, "must not be empty"),
        ("cutout", {"model": "../a"}, "`../a` is not the name of a model: letters, digits, `.`, `_` and `-`"),
    ],
)  # fmt: skip
def test_a_value_of_a_kind_that_fits_is_judged_by_its_rule(
    op: str, params: dict[str, object], message: str
) -> None:
    """Other kinds that the key could have had are told only where none fits."""
    with pytest.raises(FaultyError) as caught:
        validated(OPS[op], params, ())
    assert [each.message for each in caught.value.faults] == [message]


def test_one_mistake_hides_no_other() -> None:
    """All tables are checked, also beside broken ones."""
    found = headlines(
        """
        [project]
        nam = "x"
        [defaults]
        widht = 3
        [asset.a]
        promt = "x"
        [asset.b]
        prompt = "{{ nope }}"
        [assets.c]
        """
    )

    assert found == [
        "assets.toml:2:1: unknown key `nam`",
        "assets.toml:4:1: unknown key `widht`",
        "assets.toml:6:1: unknown key `promt`",
        "assets.toml:8:14: `nope` is not defined",
        "assets.toml:9:2: unknown key `assets`",
    ]


def test_faults_of_defaults_do_not_spread() -> None:
    """What is well formed in a broken table still counts, so that nothing else seems wrong."""
    found = headlines(
        """
        [project]
        templates = "t"
        nam = "x"
        [style.x]
        prompt = "y"
        widht = 3
        [asset.a]
        style = "x"
        """
    )

    assert found == [
        "assets.toml:3:1: unknown key `nam`",
        "assets.toml:6:1: unknown key `widht`",
    ]


@pytest.mark.parametrize("name", ["a/b", "a b", "", "-x", "a[b=c]", "x" * 101, "a\u200bb"])
def test_names_are_plain(name: str) -> None:
    """Names can be typed, selected by and put into a path."""
    (found,) = headlines(f'[asset.{json.dumps(name)}]\nprompt = "x"')

    assert found.startswith("assets.toml:1:8: asset name")


def test_money_is_exact() -> None:
    """Sums are what is written, not what a binary fraction makes of it."""
    budget = read("[budget]\nper_run = 0.1\nper_asset = 5\nconfirm_above = 0.30").budget

    assert [str(sum_) for sum_ in (budget.per_run, budget.per_asset, budget.confirm_above)] == [
        "0.1",
        "5",
        "0.3",
    ]


def test_every_setting_is_described() -> None:
    """Editors and the docs can explain every key."""
    described: Any = json_schema(CAPABILITIES)
    missing = [
        f"{model}.{name}"
        for model, definition in described["$defs"].items()
        if not model.endswith("Params")
        for name, field in definition.get("properties", {}).items()
        if "description" not in field
    ]

    assert missing == []


def test_the_schema_has_no_null() -> None:
    """TOML has no null: an editor must not offer or report one."""
    text = json.dumps(json_schema(CAPABILITIES))

    assert "null" not in text


def test_the_schema_tells_operations_apart() -> None:
    """Each operation is an alternative of its own with its own keys."""
    operations: Any = json_schema(CAPABILITIES)
    (ops,) = [value for key, value in keys_of(operations["$defs"]["Deliver"]) if key == "ops"]
    by_name = {one["properties"]["op"]["const"]: one for one in ops["items"]["oneOf"]}

    assert sorted(by_name) == ["crop", "overlay", "resize", "sheet", "text"]
    assert by_name["crop"]["required"] == ["op", "ratio"]
    assert by_name["crop"]["additionalProperties"] is False
    assert "InputIndex" not in json.dumps(operations)


def test_the_schema_is_deterministic() -> None:
    """The same program writes the same schema, so that it can be committed."""
    first, second = json_schema(CAPABILITIES), json_schema(CAPABILITIES)

    assert json.dumps(first) == json.dumps(second)
    assert first["x-tombi-toml-version"] == "v1.0.0"


def test_layers_share_the_settings() -> None:
    """What an asset may say, defaults, styles and profiles may say too."""
    definitions: Any = json_schema(CAPABILITIES)["$defs"]

    for model in ("AssetTable", "Profile"):
        assert set(Settings.model_fields) <= set(definitions[model]["properties"])
