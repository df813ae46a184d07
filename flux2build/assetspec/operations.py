"""The `ops` of a deliverable, from tables of the spec to operations of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec import validation_errors
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.faults import Fault, Faults, FaultyError
from flux2build.assetspec.prompts import is_template
from flux2build.assetspec.templating import Scope, TextRenderer
from flux2build.errors import did_you_mean
from flux2build.extras import pip_install
from flux2build.model import Key, Operation

if TYPE_CHECKING:
    from flux2build.images.ops.contract import InputMark, Op

_FORMATTING: Final = frozenset({"compress", "convert", "encode", "format", "optimize", "save"})
"""Words of other programs for writing a file, which is not an operation here."""

Bind = Callable[[str | Mapping[str, Any], Key], int]
"""A function from a path, or `{ asset = … }`, to the index of its input."""
Weigh = Callable[[str, str], str]
"""A function from an operation and a model's name to the weights' digest, or an empty text."""
Members = Callable[[str, Key], Sequence[str]]
"""A function from the name of a family to the names of its members."""
_MOST_OF_FAMILY: Final = 1024


def _unweighed(_op: str, _model: str) -> str:
    return ""


class OpEntry(Struct, frozen=True):
    """One entry of `ops`, validated as far as it can be before templates are rendered."""

    op: type[Op]
    key: Key
    raw: Mapping[str, Any]
    fixed: Operation | None
    """The operation, if it is the same for every member."""
    usual: frozenset[str] = frozenset()
    """The parameters that are written in `[op.NAME]` instead of here."""
    each: tuple[str, int] | None = None
    """A parameter that is omitted to make several files, and the number of its values."""
    weigh: Weigh = _unweighed

    def at(self, value: int) -> OpEntry:
        """The entry with one value of the omitted parameter."""
        assert self.fixed is not None
        assert self.each is not None
        params = {**self.fixed.params, self.each[0]: value}
        return replace(self, fixed=replace(self.fixed, params=params), each=None)

    @property
    def parts(self) -> int:
        """A rough upper bound of its inputs."""
        lists = (value for value in self.raw.values() if isinstance(value, list))
        return 1 + _MOST_OF_FAMILY * sum(
            _family(item) is not None for each in lists for item in each
        )

    def operation(
        self, texts: TextRenderer, scope: Scope, bind: Bind, members: Members
    ) -> Operation:
        """The operation for one file; `bind` is given the pictures and files that it names."""
        if self.fixed is not None:
            return self.fixed
        with _placing(self.op, self.usual, self.key):
            written = texts.inside(self.raw, scope, self.key)
            written = {
                word: _with_members(value, members, (*self.key, word))
                for word, value in written.items()
            }
            operation = _operation(self.op, written, self.key, bind, strict=False)
            return _weighed(operation, self.op, self.weigh)


def _family(item: Any) -> str | None:
    """The family that an item of a list stands for."""
    name = item.get("family") if isinstance(item, Mapping) and len(item) == 1 else None
    return name if isinstance(name, str) else None


def _with_members(value: Any, members: Members, key: Key) -> Any:
    """A list of pictures, with families replaced by their members."""
    if not isinstance(value, list):
        return value
    result: list[Any] = []
    for at, item in enumerate(value):
        family = _family(item)
        names = () if family is None else members(family, (*key, at, "family"))
        result += [item] if family is None else [{"asset": name} for name in names]
    return result


class OpReader(Struct, frozen=True):
    """Reads entries of `ops`."""

    ops: Mapping[str, type[Op]]
    usual: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The parameters of `[op.NAME]`, which are the defaults of every use."""
    consumed: set[Key] = field(default_factory=set)
    """The keys of `[op.NAME]` that an operation has."""
    weigh: Weigh = _unweighed

    def entry(self, table: Mapping[str, Any], key: Key) -> OpEntry:
        """Reads an entry of `ops`; one without templates is validated at once."""
        op = self._op(table, key)
        own = {word: value for word, value in table.items() if word != "op"}
        defaults = self.usual.get(op.name, {})
        raw, usual = {**defaults, **own}, frozenset(defaults) - frozenset(own)
        self.consumed.update(("op", op.name, word) for word in usual)
        if has_templates(raw):
            return OpEntry(op, key, raw, None, usual, weigh=self.weigh)
        bound: list[Key] = []

        def note(_: str | Mapping[str, Any], at: Key) -> int:
            bound.append(at)
            return 0

        with _placing(op, usual, key):
            fixed = _weighed(_operation(op, raw, key, note), op, self.weigh)
        step, each = op.model_validate(raw), None
        if op.spread and getattr(step, op.spread) is None:
            each = op.spread, step.spread_values()
        return OpEntry(op, key, raw, None if bound else fixed, usual, each, self.weigh)

    def implied(self, table: Mapping[str, Any], key: Key) -> Operation:
        """An operation that a width or a preset asks for; `[op.NAME]` does not apply to it."""
        entry = OpReader(self.ops).entry(table, key)
        assert entry.fixed is not None
        return entry.fixed

    def _op(self, table: Mapping[str, Any], key: Key) -> type[Op]:
        from flux2build.images.ops.contract import NetworkOp

        name: object = table.get("op")
        if not isinstance(name, str):
            such = 'such as `{ op = "crop", ratio = "16:9" }`'
            raise FaultyError(Fault(key, "an operation needs a name: `op`", hint=such))
        op = self.ops.get(name)
        if op is None:
            hint = _hint(name, self.ops)
            raise FaultyError(Fault((*key, "op"), f"unknown operation `{name}`", hint=hint))
        if not (op.installed() or issubclass(op, NetworkOp)):
            hint = f"`{pip_install(op.extra)}`"
            raise FaultyError(Fault((*key, "op"), f"`{name}` needs the extra `{op.extra}`", hint))
        return op


def reader(
    capabilities: Capabilities,
    tables: Mapping[str, Mapping[str, Any]],
    faults: Faults,
    consumed: set[Key],
) -> OpReader:
    """A reader with the usual parameters of `[op.NAME]`; notes their faults."""
    ops = capabilities.ops
    usual: dict[str, Mapping[str, Any]] = {}
    for name, params in tables.items():
        op = ops.get(name)
        if op is None:
            hint = did_you_mean(name, ops)
            faults.add(Fault(("op", name), f"unknown operation `{name}`", hint=hint, name=True))
            continue
        fields = op.model_fields
        for word in params:
            if word not in fields:
                faults.add(validation_errors.unknown(("op", name, word), fields))
        usual[name] = {word: value for word, value in params.items() if word in fields}
    return OpReader(ops, usual, consumed, capabilities.weights)


@contextmanager
def _placing(op: type[Op], usual: frozenset[str], key: Key) -> Iterator[None]:
    """Moves faults of inherited parameters to `[op.NAME]`, where they are written."""
    try:
        yield
    except FaultyError as error:
        faults: list[Fault] = []
        for fault in error.faults:
            rest = fault.key[len(key) :]
            inherited = bool(rest) and rest[0] in usual
            faults.append(replace(fault, key=("op", op.name, *rest)) if inherited else fault)
        raise FaultyError(*faults) from None


def _hint(name: str, ops: Mapping[str, type[Op]]) -> str | None:
    """A hint: the operation that has this name in other programs, or the nearest name."""
    if name in _FORMATTING:
        return "a file's format is what its `path` ends in, or `formats`; see also `quality`"
    ours = next((op.name for op in ops.values() if name in op.synonyms), None)
    return f"here it is `{ours}`" if ours else did_you_mean(name, ops)


def has_templates(value: Any) -> bool:
    """Whether there is a template in a value of TOML."""
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, Mapping):
        return any(has_templates(item) for item in value.values())
    return isinstance(value, list) and any(has_templates(item) for item in value)


def _operation(
    op: type[Op], raw: Mapping[str, Any], key: Key, bind: Bind, *, strict: bool = True
) -> Operation:
    """An operation; unless `strict`, a text that a template wrote may stand for a number."""
    from flux2build.assetspec.input_fields import replaced
    from flux2build.images.ops.contract import NetworkOp, Weights

    params = validation_errors.validated(op, raw, key, strict=strict)
    if isinstance(params, NetworkOp) and isinstance(params.model, Weights):
        raise FaultyError(Fault((*key, "model"), "must be the name of a model"))
    dumped = params.model_dump(exclude_none=True)

    def bound(_: InputMark, value: Any, at: Key) -> Any:
        """The value in a recipe that replaces a path or an asset."""
        if isinstance(value, str) or (
            isinstance(value, Mapping) and {"asset", "family"} & {*value}
        ):
            return {"input": bind(value, at)}
        if isinstance(value, Mapping) and "input" in value:
            hint = 'write `"logo.png"` or `{ asset = "logo" }`'
            raise FaultyError(Fault(at, "must be a path or an asset", hint))
        return value

    return Operation(op.name, op.version, replaced(op, dumped, bound, key))


def _weighed(operation: Operation, op: type[Op], weigh: Weigh) -> Operation:
    """An operation with the digest of its model's weights."""
    from flux2build.images.ops.contract import NetworkOp, Weights

    if not issubclass(op, NetworkOp):
        return operation
    name = str(operation.params["model"])
    model = Weights(name=name, sha256=weigh(op.name, name)).model_dump()
    return replace(operation, params={**operation.params, "model": model})
