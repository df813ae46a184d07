"""Converts recipes to and from the plain data of a baseline."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flux2build.model import (
    About,
    AssetName,
    Derive,
    Generate,
    Input,
    MasterOf,
    Operation,
    OutputOf,
    Recipe,
    Source,
    Task,
    Write,
)

_INPUTS: Final = {Source: "s", MasterOf: "m", OutputOf: "o"}


def plain(recipe: Recipe) -> bytes:
    """Encode a recipe; raise `ValueError` if it holds more than plain data."""
    inputs = [(_INPUTS[type(each)], *_words(each)) for each in recipe.inputs]
    task = _plain_task(recipe.task)
    takes = [_plain_task(each) for each in recipe.takes]
    return marshal.dumps(
        (recipe.asset, task, inputs, takes, recipe.output, recipe.key, recipe.role)
    )


def _words(source: Input) -> Iterator[str]:
    if not isinstance(source, Source):
        yield source.asset
    if not isinstance(source, MasterOf):
        yield source.path


def _plain_task(task: Task) -> tuple[Any, ...]:
    match task:
        case Generate(provider, model, prompt, params, take):
            return "g", provider, model, prompt, _bare(params), take
        case Derive(ops, encoding):
            return "d", _plain_ops(ops), _bare(encoding)
        case Write(document, version, options, about):
            return "w", document, version, _bare(options), [_plain_about(each) for each in about]


def _plain_ops(ops: Sequence[Operation]) -> list[tuple[Any, ...]]:
    return [(op.op, op.version, _bare(op.params)) for op in ops]


def _bare(value: Any) -> Any:
    """JSON with only plain types, so without enumerations."""
    if isinstance(value, Mapping):
        return {str(name): _bare(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_bare, value))
    return str(value) if isinstance(value, str) else value


def _plain_about(about: About) -> tuple[Any, ...]:
    return (
        about.asset,
        about.path,
        about.group,
        about.alt,
        about.title,
        about.tags,
        _bare(about.axes),
        _plain_ops(about.ops),
        about.role,
    )


def recipe_of(data: bytes) -> Recipe:
    """Decode a recipe; the data comes from a sealed file."""
    return _recipe(*marshal.loads(data))  # noqa: S302 - sealed


def _recipe(
    asset: str, task: Sequence[Any], inputs: Sequence[Any], takes: Sequence[Any], *rest: Any
) -> Recipe:
    sources = tuple([_input(*each) for each in inputs])
    several = tuple([_generate(*each) for each in takes])
    output, key, role = rest
    return Recipe(AssetName(asset), _task(*task), sources, output, key, role, several)


def _generate(_kind: str, *parts: Any) -> Generate:
    return Generate(*parts)


def _input(kind: str, first: str, second: str = "") -> Input:
    if kind == "s":
        return Source(first)
    return MasterOf(AssetName(first)) if kind == "m" else OutputOf(AssetName(first), second)


def _task(kind: str, *parts: Any) -> Task:
    if kind == "g":
        return Generate(*parts)
    if kind == "d":
        ops, encoding = parts
        return Derive(_ops(ops), encoding)
    document, version, options, about = parts
    return Write(document, version, options, tuple([_about(each) for each in about]))


def _ops(ops: Sequence[Sequence[Any]]) -> tuple[Operation, ...]:
    return tuple([Operation(*op) for op in ops])


def _about(about: Sequence[Any]) -> About:
    *head, ops, role = about
    asset, path, group, alt, title, tags, axes = head
    return About(asset, path, group, alt, title, tags, axes, _ops(ops), role)
