"""The JSON Schema of the spec, so that editors complete and check `assets.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from flux2build.assetspec.capabilities import Capabilities, HasOptions
from flux2build.assetspec.presets import presets
from flux2build.assetspec.tables import SpecTable
from flux2build.digest import Json
from flux2build.tables.table import Table

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_IN_RECIPES: Final = ("InputIndex", "Weights")
_UNWRITTEN: Final = (
    {"type": "null"},
    *({"$ref": f"#/$defs/{name}"} for name in _IN_RECIPES),
)
_REFERENCES: Final = "#/$defs/{model}"


class _WithoutNull(GenerateJsonSchema):
    """Schemas without null, which TOML does not have: an optional key is just not required."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        value = super().default_schema(schema)
        if value.get("default", ...) is None:
            del value["default"]
        return value


def json_schema(capabilities: Capabilities) -> dict[str, Json]:
    """The schema of a spec that may use these models and operations."""
    schema = _of(SpecTable)
    definitions = schema.setdefault("$defs", {})
    deliver = definitions["Deliver"]["properties"]
    deliver["preset"]["enum"] = sorted(presets())
    steps = [
        _alternative(capabilities.ops[name], definitions, op=_constant(name))
        for name in sorted(capabilities.ops)
    ]
    documents = [
        _alternative(
            capabilities.documents[name].options,
            definitions,
            document=_constant(name),
            path={"type": "string"},
        )
        for name in sorted(capabilities.documents)
    ]
    for key, alternatives in (("ops", steps), ("finish", steps), ("documents", documents)):
        if alternatives:
            deliver[key]["items"] = {"oneOf": alternatives}
    settings = ("Settings", "AssetTable", "Profile")
    for properties in (definitions[name]["properties"] for name in settings):
        properties["provider"]["enum"] = sorted(capabilities.cards)
        models = {model for cards in capabilities.cards.values() for model in cards}
        properties["model"]["examples"] = sorted(models)
    checks = schema["properties"]["checks"]
    described = {key: checks[key] for key in ("default", "description") if key in checks}
    schema["properties"]["checks"] = described | _checks(capabilities.checks)
    schema["$defs"] = dict(sorted(definitions.items()))
    head = {"$schema": _DIALECT, "title": "assets.toml", "x-tombi-toml-version": "v1.0.0"}
    return {**head, **_written(schema)}


def _checks(checks: Mapping[str, HasOptions]) -> dict[str, Any]:
    """The table `[checks]`: by check, a severity or its options."""
    level = {"enum": ["error", "warning", "off"]}
    properties = {name: {"oneOf": [level, _of(checks[name].options)]} for name in sorted(checks)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _of(model: type[Table]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_WithoutNull, ref_template=_REFERENCES)
    schema.pop("title", None)
    return schema


def _alternative(model: type[Table], definitions: dict[str, Any], **own: Json) -> dict[str, Any]:
    """One alternative of `ops` or `documents`: the keys that select it, and those of its model."""
    schema = _of(model)
    definitions.update(schema.pop("$defs", {}))
    for name in _IN_RECIPES:
        definitions.pop(name, None)
    properties = {**own, **schema.get("properties", {})}
    required = [*own, *schema.get("required", [])]
    return {**schema, "type": "object", "properties": properties, "required": required}


def _constant(name: str) -> Json:
    return {"const": name, "type": "string"}


def _written(node: Any) -> Any:
    """A schema of what people write: without null, and without inputs as recipes hold them."""
    if isinstance(node, list):
        return [_written(item) for item in node if item not in _UNWRITTEN]
    if not isinstance(node, Mapping):
        return node
    schema = {key: _written(value) for key, value in node.items() if value is not None}
    branches = schema.get("anyOf")
    if isinstance(branches, list) and len(branches) == 1:
        del schema["anyOf"]
        schema = {**branches[0], **schema}
    return schema
