"""The JSON Schema of the spec, so that editors complete and check `assets.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from flux2build.assetspec.capabilities import Catalog
from flux2build.assetspec.presets import presets
from flux2build.assetspec.tables import SpecTable
from flux2build.digest import Json

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_UNWRITTEN: Final = ({"type": "null"}, {"$ref": "#/$defs/InputIndex"})
_REFERENCES: Final = "#/$defs/{model}"


class _WithoutNull(GenerateJsonSchema):
    """TOML has no null: what may be left out is just not required."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", ...) is None:
            del found["default"]
        return found


def json_schema(catalog: Catalog) -> dict[str, Json]:
    """The schema of a spec that may use these models and operations."""
    schema = _of(SpecTable)
    definitions = schema.setdefault("$defs", {})
    operations = [_operation(catalog, name, definitions) for name in sorted(catalog.forms)]
    if operations:
        definitions["Deliver"]["properties"]["ops"]["items"] = {"oneOf": operations}
    definitions["Deliver"]["properties"]["preset"]["enum"] = sorted(presets())
    papers = [_document(catalog, name) for name in sorted(catalog.papers)]
    if papers:
        definitions["Deliver"]["properties"]["documents"]["items"] = {"oneOf": papers}
    settings = ("Settings", "AssetTable", "Profile")
    for properties in (definitions[name]["properties"] for name in settings):
        properties["provider"]["enum"] = sorted(catalog.cards)
        models = {model for cards in catalog.cards.values() for model in cards}
        properties["model"]["examples"] = sorted(models)
    schema["properties"]["checks"] = _checks(catalog, schema["properties"]["checks"])
    return {
        "$schema": _DIALECT,
        "title": "assets.toml",
        "x-tombi-toml-version": "v1.0.0",
        **_sorted(_written(schema)),
    }


def _checks(catalog: Catalog, written: dict[str, Any]) -> dict[str, Any]:
    """The table `[checks]`: by check, a severity or its options."""
    level = {"enum": ["error", "warning", "off"]}
    known = {name: {"oneOf": [level, _of(catalog.checks[name])]} for name in sorted(catalog.checks)}
    described: dict[str, Any] = {
        key: written[key] for key in ("default", "description") if key in written
    }
    return {**described, "type": "object", "properties": known, "additionalProperties": False}


def _of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_WithoutNull, ref_template=_REFERENCES)
    schema.pop("title", None)
    return schema


def _operation(catalog: Catalog, name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """One alternative of `ops`, told apart from the others by its `op`."""
    schema = _of(catalog.forms[name].params)
    definitions.update(schema.pop("$defs", {}))
    definitions.pop("InputIndex", None)
    properties = {"op": {"const": name, "type": "string"}, **schema.get("properties", {})}
    required = ["op", *schema.get("required", [])]
    return {**schema, "type": "object", "properties": properties, "required": required}


def _document(catalog: Catalog, name: str) -> dict[str, Any]:
    """One alternative of `documents`, told apart from the others by its `document`."""
    schema = _of(catalog.papers[name].options)
    own = {"document": {"const": name, "type": "string"}, "path": {"type": "string"}}
    properties = {**own, **schema.get("properties", {})}
    required = ["document", "path", *schema.get("required", [])]
    return {**schema, "type": "object", "properties": properties, "required": required}


def _written(node: Any) -> Any:
    """A schema of what people write: no null, and no form that inputs have inside recipes only."""
    if isinstance(node, list):
        return [_written(item) for item in node if item not in _UNWRITTEN]
    if not isinstance(node, Mapping):
        return node
    found = {key: _written(value) for key, value in node.items() if value is not None}
    branches = found.get("anyOf")
    if isinstance(branches, list) and len(branches) == 1:
        del found["anyOf"]
        found = {**branches[0], **found}
    return found


def _sorted(node: Any) -> Any:
    """The same schema, whatever order pydantic finds definitions in."""
    if not isinstance(node, Mapping):
        return node
    definitions = {name: node["$defs"][name] for name in sorted(node.get("$defs", {}))}
    return {**node, "$defs": definitions} if definitions else node
