"""Checks the bodies of requests against the providers' schemas with pydantic, as FastAPI does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache, reduce
from importlib import resources
from operator import or_
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic import create_model as new_model
from pydantic_core import PydanticCustomError

from flux2build.providers.capabilities import Card
from flux2build.providers.cards import shipped

Shape = Mapping[str, Any]

_KINDS: Final[Mapping[str, Any]] = {
    "array": list, "boolean": bool, "integer": int, "number": float, "string": str,
}  # fmt: skip


@cache
def document(name: str) -> dict[str, Any]:
    """A shipped document: `bfl`, or `replicate` with a schema for each of its models."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    if name == "bfl":
        return loaded
    schemas = {
        model: _with_limits(loaded["schemas"][about["schema"]], shipped()[name][model])
        for model, about in loaded["models"].items()
    }
    return loaded | {"schemas": schemas}


def _with_limits(shape: Shape, card: Card) -> Shape:
    """A schema of inputs with the limits and choices of a model's card."""
    fields = {name: field | _limits(name, card) for name, field in shape["properties"].items()}
    return {**shape, "properties": fields}


def _limits(field: str, card: Card) -> dict[str, Any]:
    choices = card.choices.get("resolution" if field == "output_megapixels" else field)
    if choices:
        # Width and height of a card belong to a shape of their own here.
        shaped = field == "aspect_ratio" and "match_input_image" in choices
        return {"enum": [*choices, *["custom"] * shaped]}
    if field in {"images", "input_images"}:
        return {"maxItems": card.references}
    least, most = card.ranges.get(field, (None, None))
    if field in {"width", "height"}:
        least, most = card.min_side, card.max_side
    # The seeds of a card are those that all carriers take.
    return {} if least is None or field == "seed" else {"minimum": least, "maximum": most}


def complaint(kind: str, message: str, *where: str | int) -> dict[str, Any]:
    """One thing that is wrong with a body, as FastAPI lists it in the `detail` of a 422."""
    return {"type": kind, "loc": ["body", *where], "msg": message}


def complaints(value: object, name: str, schema: str) -> list[dict[str, Any]]:
    """Everything that is wrong with a value; unknown fields only where the schema forbids them."""
    try:
        _model(name, schema).model_validate(value)
    except ValidationError as error:
        return [complaint(each["type"], each["msg"], *each["loc"]) for each in error.errors()]
    return []


def unknown_fields(value: Mapping[str, Any], shape: Shape) -> list[str]:
    """Fields that the schema does not have."""
    return sorted(set(value) - set(shape.get("properties", {})))


def defaults(shape: Shape) -> dict[str, Any]:
    """The values that a server assumes for fields that are not sent."""
    fields = shape.get("properties", {})
    return {name: field["default"] for name, field in fields.items() if "default" in field}


@cache
def _model(name: str, schema: str) -> type[BaseModel]:
    schemas = document(name)["schemas"]
    shape = schemas[schema]
    config = ConfigDict(extra="ignore" if shape.get("additionalProperties", True) else "forbid")
    fields: dict[str, Any] = {
        field: (_type(about, schemas), ... if field in shape.get("required", ()) else None)
        for field, about in shape["properties"].items()
    }
    return new_model(schema, __config__=config, **fields)


def _type(shape: Shape, schemas: Mapping[str, Shape]) -> Any:
    """The type that a schema allows; nothing is converted."""
    if "$ref" in shape:
        return _type(schemas[shape["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in shape:
        return reduce(or_, (_type(option, schemas) for option in shape["anyOf"]))
    if "enum" in shape:
        return Enum("Enum", {option: option for option in shape["enum"]})
    if shape["type"] == "null":
        return None
    limits = Field(
        strict=True,
        ge=shape.get("minimum"),
        le=shape.get("maximum"),
        min_length=shape.get("minLength", shape.get("minItems")),
        max_length=shape.get("maxLength", shape.get("maxItems")),
    )
    if shape.get("format") == "uri":
        return Annotated[str, limits, AfterValidator(_url)]
    kind = _KINDS[shape["type"]]
    return Annotated[kind[_type(shape["items"], schemas)] if kind is list else kind, limits]


def _url(text: str) -> str:
    """A URL, at a glance: a reference inside of one may have megabytes."""
    if not text.startswith(("http://", "https://", "data:")):
        raise PydanticCustomError("url_parsing", "Input should be a valid URL")
    return text
