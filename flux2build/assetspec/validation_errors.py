"""Validation errors of pydantic as faults in this program's words, one for each key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeGuard, TypeVar

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.errors import did_you_mean, nearest
from flux2build.model import Key
from flux2build.tables.table import Table, TableError

M = TypeVar("M", bound=Table)
_SEE: Final = "FLUX.2 has no negative prompts: say what you want to see instead"
_SIZE: Final = "write `width` and `height`"
_REFS: Final = 'list pictures in `refs`: a path, or `{ asset = "name" }`'
_SEVERAL: Final = "for several pictures of one prompt to pick from, write `candidates = 4`, or `take = 2` for another one"
_STRENGTH: Final = "FLUX.2 has no strength: say in the prompt what to keep"
_WEIGHTS: Final = "FLUX.2 has no weights: order the `refs`, and say in the prompt what each is for"
_TILES: Final = (
    "FLUX.2 renders up to 4 megapixels at once, without tiles: set `width` and `height`, "
    "and `resize` with `upscale = true` in `deliver` for more"
)
_WEBHOOK: Final = "a spec cannot name a callback: `[webhooks]` in your own configuration does"
_ELSEWHERE: Final[Mapping[str, str]] = {
    "negative_prompt": _SEE,
    "negative": _SEE,
    "guidance_scale": "it is called `guidance`",
    "cfg_scale": "it is called `guidance`",
    "cfg": "it is called `guidance`",
    "num_inference_steps": "it is called `steps`",
    "size": _SIZE,
    "image_size": _SIZE,
    "megapixels": _SIZE,
    "n": _SEVERAL,
    "num_images": _SEVERAL,
    "num_outputs": _SEVERAL,
    "batch_size": _SEVERAL,
    "image": _REFS,
    "images": _REFS,
    "input_image": _REFS,
    "image_prompt": _REFS,
    "references": _REFS,
    "output_format": "it is called `format`",
    "prompt_file": "it is called `template`: a file of the templates folder",
    "strength": _STRENGTH,
    "prompt_strength": _STRENGTH,
    "image_prompt_strength": _STRENGTH,
    "reference_weights": _WEIGHTS,
    "reference_weight": _WEIGHTS,
    "tile_size": _TILES,
    "tiled_inference": _TILES,
    "tiling": _TILES,
    "quality": "a master is delivered as it is: set `quality` in `deliver`, `steps` where a model has them",
    "output_quality": "a master is delivered as it is: set `quality` in `deliver`",
    "webhook": _WEBHOOK,
    "webhook_url": _WEBHOOK,
    "webhook_secret": _WEBHOOK,
    "env": "a spec cannot read the environment",
    "api_key": "keys come from the environment only, never from the spec",
    "url": "a spec cannot name a provider's address",
    "endpoint": "a spec cannot name a provider's address",
}
"""Keys of other tools, with what to write instead."""

_KINDS: Final[Mapping[str, str]] = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "is_instance_of": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a table",
    "model": "a table",
    "model_attributes": "a table",
}
_MANY: Final = 10_000
_BEGINNING: Final = 1_000
"""The number of entries of a long list in which mistakes are reported."""
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def validated(model: type[M], data: Mapping[str, Any], at: Key, *, strict: bool = True) -> M:
    """A table at `at` as its model; unless `strict`, a text may stand for a number."""
    try:
        return model.model_validate(data, strict=strict)
    except TableError as error:
        raise FaultyError(*of(error, model, data, at)) from None


def of(error: TableError, model: type[Table], data: object, at: Key) -> list[Fault]:
    """The faults of a value at `at` that does not fit its model, each key once."""
    by_key: dict[Key, list[Mapping[str, Any]]] = {}
    for entry in _bounded(error, model, data).errors(include_url=False):
        by_key.setdefault(_real(entry["loc"], data), []).append(entry)
    faults = [_fault((*at, *key), entries, model) for key, entries in by_key.items()]
    intended = {(*fault.key[:-1], fault.hint) for fault in faults if fault.name}
    return [fault for fault in faults if (*fault.key, _meaning(fault)) not in intended]


def _bounded(error: TableError, model: type[Table], data: object) -> TableError:
    """An error whose entries fit into memory: if there are many, those at the start of lists."""
    if error.count > _MANY:
        try:
            model.model_validate(_beginnings(data))
        except TableError as fewer:
            return fewer
    return error


def _beginnings(data: object) -> object:
    if isinstance(data, list):
        return [_beginnings(each) for each in data[:_BEGINNING]]
    return {k: _beginnings(v) for k, v in data.items()} if isinstance(data, Mapping) else data


def _meaning(fault: Fault) -> str:
    """The hint at a misspelt key that makes the fault of the missing key superfluous."""
    return f"did you mean {fault.message.removesuffix(' is missing')}?"


def unknown(key: Key, valid: Iterable[str], what: str = "key") -> Fault:
    """The fault of an unknown key, with the key that was probably intended."""
    word = str(key[-1])
    hint = _ELSEWHERE.get(word) or did_you_mean(word, valid)
    return Fault(key, f"unknown {what} `{word}`", hint=hint, name=True)


def meanings(table: Mapping[str, Any], valid: Collection[str]) -> dict[str, Any]:
    """The values of a table's misspelt keys, by the intended keys."""
    misspelt = (key for key in table if key not in valid and key not in _ELSEWHERE)
    each = ((nearest(key, valid), table[key]) for key in misspelt)
    return {name: value for name, value in each if name is not None}


_WORDS: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def kind_of(value: object) -> str:
    """The kind of a TOML value, for messages."""
    return _WORDS.get(type(value), "a date or time")


def _written(value: object) -> str:
    """The value itself if it is a fraction, else its kind in the words of TOML."""
    return str(value) if isinstance(value, float | Decimal) else kind_of(value)


def _real(loc: Sequence[str | int], data: object) -> Key:
    """Pydantic's location without the names of union branches, which are not keys of a file."""
    key: list[str | int] = []
    for index, part in enumerate(loc):
        if _has(data, part):
            data = data[part]
        elif index + 1 < len(loc) or not isinstance(data, Mapping):
            continue
        key.append(part)
    return tuple(key)


def _has(data: object, part: str | int) -> TypeGuard[Any]:
    """Whether a part of a location is an index of a list, or a key of a table."""
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, Mapping) and part in data


def _fault(key: Key, entries: list[Mapping[str, Any]], model: type[Table]) -> Fault:
    entry = entries[0]
    if entry["type"] == "extra_forbidden":
        return unknown(key, _fields(model, entry["loc"]))
    if entry["type"] == "missing":
        return Fault(key[:-1], f"`{key[-1]}` is missing")
    if entry["type"] == "literal_error":
        return _choice(key, entries)
    if of_right_kind := [entry for entry in entries if _kind(entry) is None]:
        return Fault(key, _sentence(of_right_kind[0]))
    kinds = " or ".join(dict.fromkeys(str(_kind(entry)) for entry in entries))
    return Fault(key, f"must be {kinds}, not {_written(entry['input'])}")


def _sentence(entry: Mapping[str, Any]) -> str:
    """The message of a validator of this program or of pydantic."""
    kind, value, context = entry["type"], entry["input"], entry.get("ctx", {})
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {context[name]}, not {value}"
    if kind == "too_short":
        return "must not be empty"
    if kind == "kind":
        return f"{entry['msg']}, not {_written(value)}"
    message = str(context.get("error", entry["msg"]))
    return message[:1].lower() + message[1:]


def _kind(entry: Mapping[str, Any]) -> str | None:
    """The kind that a value should have; None if a value of the right kind breaks a rule."""
    return _KINDS.get(re.sub("_(type|parsing)$", "", entry["type"]))


def _choice(key: Key, entries: list[Mapping[str, Any]]) -> Fault:
    choices = [entry.get("ctx", {}).get("expected", "") for entry in entries]
    expected = [word.strip(" '") for text in choices for word in re.split(",| or ", text)]
    value, listed = entries[0]["input"], ", ".join(f"`{word}`" for word in expected)
    if not isinstance(value, str):
        return Fault(key, f"must be one of {listed}, not {_written(value)}")
    return Fault(key, f"`{value}` is not one of {listed}", hint=did_you_mean(value, expected))


def _fields(model: type[Table], loc: Sequence[str | int]) -> list[str]:
    """The known keys of the table with an unknown key."""
    inner: type[Table] | None = model
    for part in loc[:-1]:
        field = inner.model_fields.get(str(part)) if inner else None
        if field is not None:
            inner = _model_in(field.annotation)
    return list(inner.model_fields) if inner else []


def _model_in(annotation: Any) -> type[Table] | None:
    """The model that an annotation leads to, through lists, tables and unions."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model), None)
