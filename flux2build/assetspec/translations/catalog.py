"""The `t` of templates: strings in a member's locale, and the policy for missing ones."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec import translations
from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.prompts import TemplateFault
from flux2build.assetspec.tables import CatalogTable
from flux2build.assetspec.translations import Message, Strings
from flux2build.errors import Place, SpecError, brief, nearest
from flux2build.extras import pip_install
from flux2build.model import AssetName, Key
from flux2build.storage import paths
from flux2build.storage.project_files import Kind, ProjectFiles
from flux2build.storage.whereabouts import absence, foreign

_LOCALE: Final = (
    r"(?P<name>[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*)(?:\.[A-Za-z0-9-]+)?(?P<variant>@[A-Za-z0-9]+)?"
)
"""A locale as people and gettext write it: `pt-BR`, `sr@latin`, `en_US.UTF-8`."""
_PLACEHOLDER: Final = "{locale}"
_MOST_LISTED: Final = 8
_PATH: Final[Key] = ("catalog", "path")

Translate = Callable[..., str]
"""`t(key, context=None, **values)`."""


class UntranslatedError(Exception):
    """Raised inside a template whose file is left out because of `policy = "skip"`."""


class Gap(Struct, frozen=True):
    """A string that a locale lacks, and its substitute."""

    locale: str
    key: str
    file: str
    """The locale's catalogue."""
    place: Place | None
    """Its place in the catalogue, without a translation; None if the catalogue lacks it."""
    instead: str
    """`nothing`, `no file`, or the locale whose string is used."""


class Translations(Struct):
    """The catalogues of a project; each is read when a template first needs its locale."""

    tree: ProjectFiles
    table: CatalogTable | None
    faults: Faults
    faulty: bool = False
    """Whether `[catalog]` itself is faulty; then nothing is reported as missing."""
    used: dict[str, dict[AssetName, None]] = field(default_factory=dict)
    """Every catalogue that was read, with the assets whose texts asked for it."""
    gaps: dict[Gap, dict[AssetName, None]] = field(default_factory=dict)
    """The strings that were missing, with the assets that asked for them."""
    _read: dict[str, Strings | None] = field(default_factory=dict)

    @property
    def axis(self) -> str | None:
        """The axis or variable with the locale of an asset; None if there are no catalogues."""
        return self.table.axis if self.table else None

    def translate(self, scope: Mapping[str, object], *, skips: bool) -> Translate:
        """The `t` of templates with a scope; `skips` if their file can be left out."""

        def t(key: str, /, *, context: str | None = None, **values: str | int) -> str:
            if self.faulty:
                return key
            table = self.table
            if table is None:
                hint = '`[catalog]` with `path = "locale/{locale}.po"`'
                message = "`t` has no catalogue to read"
                raise TemplateFault(message, hint=f"say where the translations are: {hint}")
            locale = _locale(scope, table)
            return self._text(_Lookup(locale, key, context, values, _asset(scope), skips), table)

        return t

    def report(self) -> None:
        """Report the strings without a substitute: one fault for each locale."""
        missing: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            if gap.instead == "nothing":
                missing.setdefault(gap.locale, []).append(gap)
        for locale, gaps in missing.items():
            assets = dict.fromkeys(name for gap in gaps for name in self.gaps[gap])
            fault = self._fault(locale, gaps)
            for name in assets:
                self.faults.add(fault, name)

    def _text(self, lookup: _Lookup, table: CatalogTable) -> str:
        own = self._strings(lookup.locale, lookup, table)
        if own is None:
            return lookup.key  # the faults of the catalogue are reported already
        if (text := self._found(lookup.locale, lookup, table)) is not None:
            return text
        if kind := own.others.get(lookup.key):
            why = f"`{brief(lookup.key)}` of {own.file} is {kind}, not a text"
            raise TemplateFault(why, hint="name one of its texts, or move it elsewhere")
        message = own.messages.get((lookup.key, lookup.context))
        gap = Gap(lookup.locale, lookup.key, own.file, message.place if message else None, "")
        if table.policy == "skip" and lookup.skips:
            self._note(replace(gap, instead="no file"), lookup)
            raise UntranslatedError
        locales = table.fallback if isinstance(table.fallback, list) else [table.fallback]
        for locale in filter(None, locales) if table.policy == "fallback" else ():
            if (text := self._found(locale, lookup, table)) is not None:
                self._note(replace(gap, instead=locale), lookup)
                return text
        self._note(replace(gap, instead="nothing"), lookup)
        return lookup.key

    def _found(self, locale: str, lookup: _Lookup, table: CatalogTable) -> str | None:
        """The text of a locale, which may be the key itself; None if it is missing."""
        strings = self._strings(locale, lookup, table)
        message = strings.messages.get((lookup.key, lookup.context)) if strings else None
        usable = message and message.complete and (table.fuzzy or not message.fuzzy)
        if strings and not usable:
            own = table.source == locale
            message = Message((lookup.key,), Place(strings.file)) if own else None
        return _filled(message, strings, locale, lookup) if strings and message else None

    def _note(self, gap: Gap, lookup: _Lookup) -> None:
        self.gaps.setdefault(gap, {})[lookup.asset] = None

    def _strings(self, locale: str, lookup: _Lookup, table: CatalogTable) -> Strings | None:
        """A locale's catalogue; empty if there is no file, None if it is faulty."""
        if locale not in self._read:
            self._read[locale] = self._load(_file(self.tree, locale, table))
        strings = self._read[locale]
        if strings is not None and strings.file in self.used:
            self.used[strings.file][lookup.asset] = None
        return strings

    def _load(self, file: str) -> Strings | None:
        if self.tree.kind(file) is not Kind.FILE:
            return Strings(file)
        self.used[file] = {}
        try:
            return translations.read(self.tree, file)
        except SpecError as error:
            self.faults.add_file(_PATH, error)
            return None

    def _fault(self, locale: str, gaps: list[Gap]) -> Fault:
        listed = ", ".join(f"`{brief(gap.key)}`" for gap in gaps[:_MOST_LISTED])
        if len(gaps) > _MOST_LISTED:
            listed += f" and {len(gaps) - _MOST_LISTED} more"
        message = f"not translated into `{locale}`: {listed}"
        file = gaps[0].file
        exists = self.tree.kind(file) is Kind.FILE
        places = [gap.place for gap in gaps if gap.place and gap.place.line]
        rows = tuple((f"line {place.line}", "empty or fuzzy") for place in places[:_MOST_LISTED])
        if not exists:
            missing = absence(self.tree, file)
            rows = (("catalogue", "; ".join(filter(None, missing or ()))),)
        return Fault(
            _PATH,
            message,
            hint=self._hint(gaps),
            rows=rows,
            place=(places[0] if places else Place(file)) if exists else None,
        )

    def _hint(self, gaps: list[Gap]) -> str:
        """A hint: the nearest key if a single one is missing, else the possible remedies."""
        keys = {key for strings in self._read.values() if strings for key, _ in strings.messages}
        only = gaps[0].key if len(gaps) == 1 else ""
        if only not in keys and (near := nearest(only, sorted(keys))):
            return f"did you mean `{near}`?"
        return 'translate them, or set `policy` in `[catalog]` to "fallback" or "skip"'


class _Lookup(Struct, frozen=True):
    """One call of `t`."""

    locale: str
    key: str
    context: str | None
    values: Mapping[str, str | int]
    asset: AssetName
    skips: bool


def _filled(message: Message, catalogue: Strings, locale: str, lookup: _Lookup) -> str:
    number = lookup.values.get("n", 0)
    if len(message.forms) > 1 and not isinstance(number, int):
        raise TemplateFault(f"`{brief(lookup.key)}` depends on a number: give a whole one as `n`")
    if len(message.forms) > 1 and "n" not in lookup.values:
        raise TemplateFault(f"`{brief(lookup.key)}` depends on a number", hint="give it as `n=3`")
    try:
        form = min(catalogue.form(int(number)), len(message.forms) - 1) if message.forms[1:] else 0
        return translations.filled(message.forms[form], locale, lookup.values)
    except translations.IcuMissingError:
        needs = "`t` needs the extra `lettering` to fill in values"
        raise TemplateFault(needs, hint=f"`{pip_install('lettering')}`") from None
    except ValueError as fault:
        place = str(message.place) if message.place.file else "the template"
        why = f"`{brief(lookup.key)}` of {place}: {fault}"
        raise TemplateFault(why, hint="`t` fills in the values that it is given by name") from None


def _locale(scope: Mapping[str, object], table: CatalogTable) -> str:
    locale = scope.get(table.axis)
    if not isinstance(locale, str):
        hint = "add it to the `matrix` or to `vars`, or name another one as `axis` in `[catalog]`"
        raise TemplateFault(f"`t` needs to know `{table.axis}`", hint=hint)
    if not re.fullmatch(_LOCALE, locale):
        raise TemplateFault(f"`{brief(locale)}` is not a locale", hint="such as `de` or `pt-BR`")
    return locale


def _asset(scope: Mapping[str, object]) -> AssetName:
    asset = scope.get("asset")
    return AssetName(str(asset["name"])) if isinstance(asset, Mapping) else AssetName("")


def _file(tree: ProjectFiles, locale: str, table: CatalogTable) -> str:
    """The locale's catalogue; `pt-BR` may also be written `pt_BR`, and an encoding is left out."""
    match = re.fullmatch(_LOCALE, locale)
    plain = match["name"] + (match["variant"] or "") if match else locale
    names = dict.fromkeys((locale, plain, plain.replace("-", "_")))
    files = [paths.join("", table.path.replace(_PLACEHOLDER, name)) for name in names]
    return next((file for file in files if tree.kind(file) is Kind.FILE), files[0])


def faults_of(table: CatalogTable, tree: ProjectFiles) -> Iterator[Fault]:
    """The mistakes in `[catalog]` itself."""
    if (fault := foreign(tree, table.path)) is not None:
        yield Fault(_PATH, *fault)
        return
    if _PLACEHOLDER not in table.path:
        yield Fault(
            _PATH, f"`path` needs `{_PLACEHOLDER}` in it", hint='such as `"locale/{locale}.po"`'
        )
    ending = posixpath.splitext(table.path)[1].lower()
    if ending not in translations.FORMATS:
        endings = ", ".join(f"`{name}`" for name in translations.FORMATS)
        yield Fault(_PATH, "this is not a catalogue that can be read", hint=f"known: {endings}")
    if table.policy == "fallback" and not table.fallback:
        hint = 'such as `fallback = "en"`'
        yield Fault(("catalog", "policy"), "`fallback` says which locale to use", hint=hint)
