"""The `ops` of a deliverable: from what is written to what a recipe holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError

from flux2build.assetspec import validation_errors
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.templating import Scope, Texts, is_template
from flux2build.errors import did_you_mean
from flux2build.images.ops.contract import InputMark, Op, Spreading
from flux2build.model import Key, Operation

_FORMATTING: Final = frozenset({"compress", "convert", "encode", "format", "optimize", "save"})
_ELSEWHERE: Final = {
    "atlas": "grid",
    "background": "matte",
    "border": "pad",
    "brightness": "adjust",
    "chroma": "key",
    "chromakey": "key",
    "colorize": "tint",
    "composite": "overlay",
    "contact_sheet": "grid",
    "contrast": "adjust",
    "extend": "pad",
    "flatten": "matte",
    "gamma": "adjust",
    "gaussian": "blur",
    "grayscale": "adjust",
    "greyscale": "adjust",
    "median": "denoise",
    "mirror": "flip",
    "montage": "grid",
    "paste": "overlay",
    "remove_background": "key",
    "rounded": "round",
    "saturation": "adjust",
    "scale": "resize",
    "sheet": "grid",
    "split": "slice",
    "thumbnail": "resize",
    "tile": "slice",
    "watermark": "overlay",
}
"""What other programs call our operations."""

Bind = Callable[[str | Mapping[str, Any], Key], int]
"""A path, or `{ asset = … }`, to the index of the input that it becomes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of `ops`; `fixed` when it is the same operation for every member."""

    op: Op
    key: Key
    raw: Mapping[str, Any]
    fixed: Operation | None
    usual: frozenset[str] = frozenset()
    """The parameters that stand in `[op.NAME]`, and not here."""
    each: tuple[str, int] | None = None
    """A parameter that was left out, to make one file for each of so many values."""

    def at(self, value: int) -> Step:
        """The step with one value of the parameter that was left out."""
        if self.fixed is None or self.each is None:  # pragma: no cover - asked of such steps only
            return self
        params = {**self.fixed.params, self.each[0]: value}
        return replace(self, fixed=replace(self.fixed, params=params), each=None)

    def operation(self, texts: Texts, scope: Scope, bind: Bind) -> Operation:
        """The operation for one file.

        Raises:
            FaultyError: a template in it is wrong, or a parameter after rendering.
        """
        if self.fixed is not None:
            return self.fixed
        with _placing(self.op, self.usual, self.key):
            written = texts.inside(self.raw, scope, self.key)
            return _operation(self.op, written, self.key, bind, strict=False)


@dataclass(frozen=True, slots=True)
class OpReader:
    """Reads entries of `ops`."""

    ops: Mapping[str, Op]
    usual: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The parameters of `[op.NAME]`: those of every use that does not say otherwise."""

    def step(self, entry: Mapping[str, Any], key: Key) -> Step:
        """An entry of `ops` as a step, validated at once when no template is in it.

        Raises:
            FaultyError: there is no such operation, or a parameter is wrong.
        """
        op = self._op(entry, key)
        own = {word: value for word, value in entry.items() if word != "op"}
        given = self.usual.get(op.name, {})
        raw, usual = {**given, **own}, frozenset(given) - frozenset(own)
        if _templates(raw):
            return Step(op, key, raw, None, usual)
        bound: list[Key] = []

        def note(_: str | Mapping[str, Any], at: Key) -> int:
            bound.append(at)
            return 0

        with _placing(op, usual, key):
            fixed = _operation(op, raw, key, note)
        params = op.params.model_validate(raw)
        each = params.each if isinstance(params, Spreading) else None
        return Step(op, key, raw, None if bound else fixed, usual, each)

    def implied(self, entry: Mapping[str, Any], key: Key) -> Operation:
        """An operation that follows from a width or a preset; `[op.NAME]` does not apply.

        Raises:
            FaultyError: this flux2build has no such operation, or it refuses a parameter.
        """
        step = OpReader(self.ops).step(entry, key)
        assert step.fixed is not None
        return step.fixed

    def _op(self, entry: Mapping[str, Any], key: Key) -> Op:
        name: object = entry.get("op")
        if not isinstance(name, str):
            such = 'such as `{ op = "crop", ratio = "16:9" }`'
            raise FaultyError(Fault(key, "an operation needs a name: `op`", hint=such))
        op = self.ops.get(name)
        if op is None:
            hint = _hint(name, self.ops)
            raise FaultyError(Fault((*key, "op"), f"unknown operation `{name}`", hint=hint))
        return op


def reader(
    ops: Mapping[str, Op], tables: Mapping[str, Mapping[str, Any]], faults: Faults
) -> OpReader:
    """A reader with the usual parameters of `[op.NAME]`; notes what is wrong with them."""
    usual: dict[str, Mapping[str, Any]] = {}
    for name, params in tables.items():
        op = ops.get(name)
        if op is None:
            hint = did_you_mean(name, ops)
            faults.add(Fault(("op", name), f"unknown operation `{name}`", hint=hint, name=True))
            continue
        known = op.params.model_fields
        for word in params:
            if word not in known:
                faults.add(validation_errors.unknown(("op", name, word), known))
        usual[name] = {word: value for word, value in params.items() if word in known}
    return OpReader(ops, usual)


@contextmanager
def _placing(op: Op, usual: frozenset[str], key: Key) -> Iterator[None]:
    """Places faults of a usual parameter where the spec says what is usual."""
    try:
        yield
    except FaultyError as error:
        raise FaultyError(*(_placed(fault, op, usual, key) for fault in error.faults)) from None


def _placed(fault: Fault, op: Op, usual: frozenset[str], key: Key) -> Fault:
    rest = fault.key[len(key) :]
    inherited = bool(rest) and rest[0] in usual
    return replace(fault, key=("op", op.name, *rest)) if inherited else fault


def _hint(name: str, ops: Mapping[str, Op]) -> str | None:
    """The operation that other programs call by this name, or the nearest name."""
    if name in _FORMATTING:
        return "a file's format is what its `path` ends in, or `formats`; see also `quality`"
    ours = _ELSEWHERE.get(name)
    return f"here it is `{ours}`" if ours in ops else did_you_mean(name, ops)


def _templates(value: Any) -> bool:
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, Mapping):
        return any(_templates(item) for item in value.values())
    return isinstance(value, list) and any(_templates(item) for item in value)


def _operation(
    op: Op, raw: Mapping[str, Any], key: Key, bind: Bind, *, strict: bool = True
) -> Operation:
    """An operation; unless `strict`, a text that a template wrote may stand for a number."""
    try:
        params = op.params.model_validate(raw, strict=strict)
    except ValidationError as error:
        raise FaultyError(*validation_errors.of(error, op.params, raw, key)) from None
    dumped = params.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Operation(op.name, op.version, _model(op.params, dumped, key, bind))


def _model(model: type[BaseModel], value: Mapping[str, Any], key: Key, bind: Bind) -> Any:
    """Dumped parameters with every marked field replaced by an index.

    Inputs come in the order of the model's fields, whatever order they are written in.
    """
    bound = dict(value)
    for attribute, declared in model.model_fields.items():
        name = declared.alias or attribute
        if name not in value:
            continue
        at = (*key, name)
        marked = any(isinstance(mark, InputMark) for mark in declared.metadata)
        if marked:
            bound[name] = _index(value[name], at, bind)
        else:
            bound[name] = _field(declared.annotation, value[name], at, bind)
    return bound


def _field(annotation: Any, value: Any, key: Key, bind: Bind) -> Any:
    """A value inside a field: marked itself, or a list or a table that holds marked ones."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        if any(isinstance(mark, InputMark) for mark in marks):
            return _index(value, key, bind)
        return _field(inner, value, key, bind)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation, value, key, bind) if isinstance(value, Mapping) else value
    if get_origin(annotation) in {list, tuple}:
        return _list(get_args(annotation)[0], value, key, bind)
    for branch in get_args(annotation):
        found = _field(branch, value, key, bind)
        if found != value:
            return found
    return value


def _list(annotation: Any, value: Any, key: Key, bind: Bind) -> Any:
    if not isinstance(value, list):
        return value
    return [_field(annotation, item, (*key, at), bind) for at, item in enumerate(value)]


def _index(value: Any, key: Key, bind: Bind) -> Any:
    if isinstance(value, str) or (isinstance(value, Mapping) and "asset" in value):
        return {"input": bind(value, key)}
    if isinstance(value, Mapping) and "input" in value:
        message = "must be a path or an asset"
        raise FaultyError(Fault(key, message, hint='write `"logo.png"` or `{ asset = "logo" }`'))
    return value
