"""Digests of a spec's tables, and the assets that an edit of some tables concerns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypedDict

from flux2build.assetspec import markup
from flux2build.assetspec.layers import DISPLACED, MergedSettings
from flux2build.assetspec.tables import Settings
from flux2build.digest import half, of_bytes
from flux2build.model import Key

if TYPE_CHECKING:
    from flux2build.assetspec.resolve import Declared

_LAYERS: Final = ("defaults", "style", "profile")
_APART: Final = frozenset({"asset", "vars", *_LAYERS, "project", "budget", "checks", "op"})
"""The tables that are compared by themselves."""
CHECK: Final = "check "
"""The prefix of a check's name in `SpecDigests.beside`."""
_OP: Final = "op "
_PROFILE: Final = "profile "
_PATHS: Final = "paths "
_RENAMING: Final = frozenset(
    {"vars", "deliver", "provider", "model", "format", "width", "height"}
    | {"aspect_ratio", "resolution"}
)
"""The settings that may decide the path of a file."""
_VARS: Final = "vars "
"""The prefix of a variable's name among the names of settings."""


class SpecDigests(TypedDict):
    """The digests by which two versions of a spec are compared."""

    rest: str
    """All that concerns more than the assets of some tables."""
    own: dict[str, tuple[str, str]]
    """The digests of each asset's `source`, if it has one, and of its whole table."""
    shared: dict[str, dict[str, str]]
    """The digest of each setting and variable of the other tables."""
    beside: dict[str, str]
    """The digests of the budget, the project's name, the options of each check, the usual parameters of
    each operation, and the settings of each other profile."""


def digests_of(data: Mapping[str, object], profile: str) -> SpecDigests:
    """Return the digests of a spec in one of its profiles."""
    assets, variables = _table(data.get("asset")), _table(data.get("vars"))
    profiles = _table(data.get("profile"))
    chosen = _table(profiles.get(profile))
    rest = (
        _but(data, _APART),
        _but(_table(data.get("project")), {"name"}),
        {name: _but(_table(table), Settings.model_fields) for name, table in profiles.items()},
    )
    shared = {"vars": _settings({"vars": variables})}
    shared |= {"defaults": _settings(_table(data.get("defaults"))), "profile": _settings(chosen)}
    styles = _table(data.get("style"))
    shared |= {f"style {name}": _settings(_table(table)) for name, table in styles.items()}
    # The names of all variables decide which markup is suspicious anywhere.
    names = sorted({key for each in shared.values() for key in each if key.startswith(_VARS)})
    own = {name: _own(table) for name, table in assets.items()}
    return SpecDigests(
        rest=_digest((rest, names)), own=own, shared=shared, beside=_beside(data, profile)
    )


def _beside(data: Mapping[str, object], profile: str) -> dict[str, str]:
    """The digests of `SpecDigests.beside`."""
    checks, ops, project = (_table(data.get(key)) for key in ("checks", "op", "project"))
    others = _but(_table(data.get("profile")), {profile})
    digests = {CHECK + name: _digest(options) for name, options in checks.items()}
    digests |= {_OP + name: _digest(params) for name, params in ops.items()}
    for name, table in others.items():
        own, unknown = _table(table), _table(table).keys() - Settings.model_fields.keys()
        digests[_PROFILE + name] = _digest(_but(own, unknown))
        digests[_PATHS + name] = _digest(_but(own, own.keys() - _RENAMING))
    return digests | {"budget": _digest(data.get("budget")), "name": _digest(project.get("name"))}


def _but(table: Mapping[str, object], names: Container[str]) -> dict[str, object]:
    """A table without some of its keys."""
    return {name: value for name, value in table.items() if name not in names}


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _own(table: object) -> tuple[str, str]:
    source = _table(table).get("source")
    return "" if source is None else _digest(source), _digest(table)


def _settings(table: Mapping[str, object]) -> dict[str, str]:
    """The digest of each setting and variable of a table."""
    own = {name: _digest(value) for name, value in table.items() if name in Settings.model_fields}
    own.pop("vars", None)
    variables = _table(table.get("vars"))
    return own | {_VARS + name: _digest(value) for name, value in variables.items()}


def _digest(value: object) -> str:
    return half(of_bytes(repr(value).encode("utf-8", "surrogatepass")))


class Differences:
    """The differences between two versions of a spec."""

    def __init__(self, before: SpecDigests, now: SpecDigests, profile: str) -> None:
        self._before, self._now, self._profile = before, now, profile
        shared = [each["shared"] for each in (before, now)]
        tables = sorted(shared[0].keys() | shared[1].keys())
        pairs = {name: [each.get(name, {}) for each in shared] for name in tables}
        self.shared = {
            self._layer(name): names
            for name, (was, is_now) in pairs.items()
            if (names := {k for k in was.keys() | is_now.keys() if was.get(k) != is_now.get(k)})
        }
        """The settings that differ, by the key of their layer."""

    def _layer(self, name: str) -> Key:
        kind, _, style = name.partition(" ")
        if kind == "profile":
            return kind, self._profile
        return (kind, style) if style else (kind,)

    @property
    def in_tables_alone(self) -> bool:
        """Whether only some assets differ, but not the files that they are made of."""
        before, now = self._before["own"], self._now["own"]
        return self._before["rest"] == self._now["rest"] and all(
            before[name][0] == now[name][0] for name in before.keys() & now.keys()
        )

    @property
    def checks(self) -> frozenset[str]:
        """The checks whose options differ."""
        return self._beside(CHECK)

    @property
    def ops(self) -> frozenset[str]:
        """The operations whose usual parameters differ."""
        return self._beside(_OP)

    @property
    def profiles(self) -> frozenset[str]:
        """The other profiles whose settings differ."""
        return self._beside(_PROFILE)

    @property
    def renaming(self) -> frozenset[str]:
        """The profiles among these in which files may have other paths."""
        return self._beside(_PATHS)

    def _beside(self, kind: str) -> frozenset[str]:
        """The names of one kind in `SpecDigests.beside` that differ."""
        before, now = self._before["beside"], self._now["beside"]
        names = (name for name in before.keys() | now.keys() if name.startswith(kind))
        differing = (name for name in names if before.get(name) != now.get(name))
        return frozenset(name.removeprefix(kind) for name in differing)

    @property
    def variables(self) -> frozenset[str]:
        """The variables that differ."""
        names = (name for names in self.shared.values() for name in names)
        return frozenset(name.removeprefix(_VARS) for name in names if name.startswith(_VARS))

    def concerned(
        self, declared: Iterable[Declared], words: Callable[[str], Iterable[str]]
    ) -> Iterator[Declared]:
        """Return the assets whose own or shared settings differ.

        `words` returns the words in the markup of an asset's texts.
        """
        before, now = self._before["own"], self._now["own"]
        for one in declared:
            name = one.family.name
            if before.get(name) != now[name] or any(
                self._decides(layer, setting, one, words)
                for layer, settings in self.shared.items()
                for setting in settings
            ):
                yield one

    @staticmethod
    def _decides(
        layer: Key, name: str, one: Declared, words: Callable[[str], Iterable[str]]
    ) -> bool:
        """Whether a setting of a layer may change an asset.

        A profile that overrides the setting does not count, because the asset is read in other
        profiles, too.
        """
        settings = one.settings
        if layer != ("vars",) and layer not in settings.layers:
            return False
        rank = -1 if layer == ("vars",) else settings.layers.index(layer)
        if name.startswith(_VARS):
            word = name.removeprefix(_VARS)
            decider = settings.variables.get(word, ())[:-2]
            return not _over(decider, rank, settings) and word in words(one.family.name)
        names = {name, DISPLACED.get(name, name)} & settings.values.keys()
        return not any(_over(settings.key(each)[:-1], rank, settings) for each in names)


def _over(decider: Key, rank: int, settings: MergedSettings) -> bool:
    """Whether a layer is in every profile, and stronger than another one."""
    if decider not in settings.layers or decider[0] == "profile" or len(decider) > 2:
        return False
    return settings.layers.index(decider) > rank


def words_of(*tables: object) -> frozenset[str]:
    """Return every word in the markup of the texts of tables."""
    return markup.words(_texts(tables))


def words_of_asset(
    data: Mapping[str, object], templates: Mapping[str, set[str]], name: str
) -> frozenset[str]:
    """Return the words of an asset's texts, given those of its templates."""
    shared = [data.get(key) for key in _LAYERS]
    own = _table(data.get("asset")).get(name)
    return words_of(own, *shared) | templates.get(name, frozenset())


def uses(ops: Collection[str], one: Declared, data: Mapping[str, object]) -> bool:
    """Whether an asset may use one of some operations in any profile."""
    styles = _table(data.get("style"))
    own = [styles.get(str(key[-1])) for key in one.settings.layers if key[0] == "style"]
    own += [_table(data.get("asset")).get(one.family.name), data.get("defaults")]
    return any(text in ops for text in _texts((*own, data.get("profile"))))


def variables_of(value: object) -> frozenset[str]:
    """Return the names of all variables of a spec."""
    names, pending = set[str](), [value]
    while pending:
        table = pending.pop()
        if isinstance(table, Mapping):
            names.update(_table(table.get("vars")))
            pending += table.values()
    return frozenset(names)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
