"""The `t` of templates: strings in a member's locale, and what becomes of those there are not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flux2build.assetspec import translations
from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.prompts import TemplateFault
from flux2build.assetspec.tables import CatalogTable
from flux2build.assetspec.translations import Message, Strings
from flux2build.errors import Place, SpecError, brief, did_you_mean
from flux2build.model import AssetName, Key
from flux2build.storage import paths
from flux2build.storage.project_files import Kind, ProjectFiles

_LOCALE: Final = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")
_MARK: Final = "{locale}"
_MOST_LISTED: Final = 8
_PATH: Final[Key] = ("catalog", "path")

Speaker = Callable[..., str]


class UntranslatedError(Exception):
    """Raised inside of a template whose file is left out, as `policy = "skip"` says."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A string that a locale does not have, and what stands in for it."""

    locale: str
    key: str
    file: str
    """The locale's catalogue."""
    place: Place | None
    """Where it stands without a translation; None when it is not there at all."""
    instead: str
    """`nothing`, `no file`, or the locale that stands in."""


@dataclass(slots=True)
class Translations:
    """The catalogues of a project, each read when a template first asks for its locale."""

    tree: ProjectFiles
    table: CatalogTable | None
    faults: Faults
    faulty: bool = False
    """Whether `[catalog]` has mistakes of its own: then nothing is called missing."""
    used: dict[str, Key] = field(default_factory=dict)
    """Every catalogue that was read, with the key that names it."""
    gaps: dict[Gap, dict[AssetName, None]] = field(default_factory=dict)
    """What was missing, and for whom."""
    _read: dict[str, Strings | None] = field(default_factory=dict)

    def speaker(self, scope: Mapping[str, object], *, skips: bool) -> Speaker:
        """The `t` of templates that see a scope; `skips` where a file can be left out."""

        def t(key: str, /, *, context: str | None = None, **values: str | int) -> str:
            if self.faulty:
                return key
            table = self._table()
            locale = _locale(scope, table)
            return self._said(_Wish(locale, key, context, values, _asset(scope), skips), table)

        return t

    def report(self) -> None:
        """Notes what is missing and was not allowed to be: one fault for each locale."""
        missing: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            if gap.instead == "nothing":
                missing.setdefault(gap.locale, []).append(gap)
        for locale, gaps in missing.items():
            asking = dict.fromkeys(name for gap in gaps for name in self.gaps[gap])
            fault = self._fault(locale, gaps)
            for name in asking:
                self.faults.add(fault, name)

    def _table(self) -> CatalogTable:
        if self.table is None:
            hint = 'say where the translations are: `[catalog]` with `path = "locale/{locale}.po"`'
            raise TemplateFault("`t` has no catalogue to read", hint=hint)
        return self.table

    def _said(self, wish: _Wish, table: CatalogTable) -> str:
        own = self._strings(wish.locale, table)
        if own is None:
            return wish.key  # what is wrong with the catalogue is noted already
        found = own.messages.get((wish.key, wish.context))
        if found and _usable(found, table):
            return _filled(found, own, wish.locale, wish)
        if table.source == wish.locale:
            return _filled(Message((wish.key,), Place(own.file)), own, wish.locale, wish)
        return self._instead(wish, own, found, table)

    def _instead(
        self, wish: _Wish, own: Strings, found: Message | None, table: CatalogTable
    ) -> str:
        """What the policy says when a locale lacks a string."""
        place = found.place if found else None
        if table.policy == "skip" and wish.skips:
            self._note(Gap(wish.locale, wish.key, own.file, place, "no file"), wish)
            raise UntranslatedError
        if table.policy == "fallback" and (other := self._elsewhere(wish, table)):
            locale, text = other
            self._note(Gap(wish.locale, wish.key, own.file, place, locale), wish)
            return text
        self._note(Gap(wish.locale, wish.key, own.file, place, "nothing"), wish)
        return wish.key

    def _elsewhere(self, wish: _Wish, table: CatalogTable) -> tuple[str, str] | None:
        """The first of the locales to fall back to that has the string."""
        named = table.fallback if isinstance(table.fallback, list) else [table.fallback]
        for locale in filter(None, named):
            other = self._strings(locale, table)
            found = other.messages.get((wish.key, wish.context)) if other else None
            if other and found and _usable(found, table):
                return locale, _filled(found, other, locale, wish)
            if other and locale == table.source:
                plain = Message((wish.key,), Place(other.file))
                return locale, _filled(plain, other, locale, wish)
        return None

    def _note(self, gap: Gap, wish: _Wish) -> None:
        self.gaps.setdefault(gap, {})[wish.asset] = None

    def _strings(self, locale: str, table: CatalogTable) -> Strings | None:
        """A locale's catalogue; an empty one when there is no file, None when it is faulty."""
        if locale not in self._read:
            self._read[locale] = self._load(_file(self.tree, locale, table))
        return self._read[locale]

    def _load(self, file: str) -> Strings | None:
        if self.tree.kind(file) is not Kind.FILE:
            return Strings(file)
        self.used.setdefault(file, _PATH)
        try:
            return translations.read(self.tree, file)
        except SpecError as error:
            for problem in error.problems:
                self.faults.add(
                    Fault(_PATH, problem.message, problem.hint, problem.rows, place=problem.place)
                )
            return None

    def _fault(self, locale: str, gaps: list[Gap]) -> Fault:
        listed = ", ".join(f"`{brief(gap.key)}`" for gap in gaps[:_MOST_LISTED])
        if len(gaps) > _MOST_LISTED:
            listed += f" and {len(gaps) - _MOST_LISTED} more"
        message = f"not translated into `{locale}`: {listed}"
        file = gaps[0].file
        there = self.tree.kind(file) is Kind.FILE
        places = [gap.place for gap in gaps if gap.place and gap.place.line]
        rows = tuple((f"line {place.line}", "empty or fuzzy") for place in places[:_MOST_LISTED])
        if not there:
            rows = (("catalogue", f"`{file}` does not exist"),)
        return Fault(
            _PATH,
            message,
            hint=self._hint(gaps),
            rows=rows,
            place=(places[0] if places else Place(file)) if there else None,
        )

    def _hint(self, gaps: list[Gap]) -> str:
        """Another key when a lone one may be a typing error, else what can be done."""
        known = {key for one in self._read.values() if one for key, _ in one.messages}
        if len(gaps) == 1 and gaps[0].key not in known and known:
            near = did_you_mean(gaps[0].key, known)
            if near and near.startswith("did"):
                return near
        return 'translate them, or set `policy` in `[catalog]` to "fallback" or "skip"'


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one call of `t` asks for."""

    locale: str
    key: str
    context: str | None
    values: Mapping[str, str | int]
    asset: AssetName
    skips: bool


def _usable(message: Message, table: CatalogTable) -> bool:
    return message.complete and (table.fuzzy or not message.fuzzy)


def _filled(message: Message, catalogue: Strings, locale: str, wish: _Wish) -> str:
    number = wish.values.get("n", 0)
    if len(message.forms) > 1 and not isinstance(number, int):
        raise TemplateFault(f"`{brief(wish.key)}` depends on a number: give a whole one as `n`")
    if len(message.forms) > 1 and "n" not in wish.values:
        raise TemplateFault(f"`{brief(wish.key)}` depends on a number", hint="give it as `n=3`")
    form = min(catalogue.form(int(number)), len(message.forms) - 1) if message.forms[1:] else 0
    try:
        return translations.filled(message.forms[form], locale, wish.values)
    except translations.IcuMissingError:
        hint = "`pip install 'flux2build[lettering]'`"
        needs = "`t` needs the extra `lettering` to fill in values"
        raise TemplateFault(needs, hint=hint) from None
    except ValueError as fault:
        place = str(message.place) if message.place.file else "the template"
        told = f"`{brief(wish.key)}` of {place}: {fault}"
        raise TemplateFault(told, hint="`t` fills in the values that it is given by name") from None


def _locale(scope: Mapping[str, object], table: CatalogTable) -> str:
    found = scope.get(table.axis)
    if not isinstance(found, str):
        hint = "add it to the `matrix` or to `vars`, or name another one as `axis` in `[catalog]`"
        raise TemplateFault(f"`t` needs to know `{table.axis}`", hint=hint)
    if not _LOCALE.fullmatch(found):
        raise TemplateFault(f"`{brief(found)}` is not a locale", hint="such as `de` or `pt-BR`")
    return found


def _asset(scope: Mapping[str, object]) -> AssetName:
    asset = scope.get("asset")
    return AssetName(str(asset["name"])) if isinstance(asset, Mapping) else AssetName("")


def _file(tree: ProjectFiles, locale: str, table: CatalogTable) -> str:
    """The locale's catalogue, also under its name with `_`, as gettext writes it."""
    names = list(_spellings(locale))
    files = [paths.join("", table.path.replace(_MARK, name)) for name in names]
    return next((file for file in files if tree.kind(file) is Kind.FILE), files[0])


def _spellings(locale: str) -> Iterator[str]:
    yield locale
    if "-" in locale:
        yield locale.replace("-", "_")


def faults_of(table: CatalogTable) -> Iterator[Fault]:
    """What is wrong with `[catalog]` itself."""
    if _MARK not in table.path:
        yield Fault(_PATH, f"`path` needs `{_MARK}` in it", hint='such as `"locale/{locale}.po"`')
    ending = posixpath.splitext(table.path)[1].lower()
    if ending not in translations.FORMATS:
        known = ", ".join(f"`{name}`" for name in translations.FORMATS)
        yield Fault(_PATH, "this is not a catalogue that can be read", hint=f"known: {known}")
    if table.policy == "fallback" and not table.fallback:
        hint = 'such as `fallback = "en"`'
        yield Fault(("catalog", "policy"), "`fallback` says which locale to use", hint=hint)
