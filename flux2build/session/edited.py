"""A baseline after an edit of a spec, its data or its templates: only what they make is read again.

What an edit could change beside the files of the assets concerned makes it one for a reading of
everything: other assets, folders or profiles, anything that is wrong, and whatever other assets take
from those concerned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, cast

from flux2build.assetspec import markup, odd_data
from flux2build.assetspec.part import Markup, Part, load_part
from flux2build.assetspec.prompts import bounds
from flux2build.assetspec.reading import Reading
from flux2build.assetspec.said import Differences, Said, said, words_of
from flux2build.errors import Flux2BuildError
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName
from flux2build.session import traces
from flux2build.session.baseline import Baseline, Entered
from flux2build.session.entering import Entering
from flux2build.session.project import Project

_ROOM: Final = (50_000, 400_000, 3 * 1024 * 1024)
"""What templates must still be able to do, whatever those that were edited do: a tenth."""
_SHARED: Final = frozenset({"asset", "defaults", "style", "vars", "profile"})
"""The tables that are compared by themselves."""


def edited(
    project: Project, base: Baseline, lock: Lockfile, changed: Mapping[str, str]
) -> Entered | None:
    """Return the baseline after an edit of some files; None if the spec must be read as a whole."""
    edit = _Edit(project, base, changed)
    try:
        part = load_part(
            project.tree, project.file, project.options.profile, project.capabilities, edit
        )
        if part is None or not edit.sound(part) or project.weights is not None:
            return None
        return Entering(project, base, lock, part).entered(edit.trace(part), odd=edit.odd)
    except Flux2BuildError:
        return None


class AsAWholeError(Flux2BuildError):
    """The spec must be read as a whole."""


class _Edit:
    """An edit of some files."""

    def __init__(self, project: Project, base: Baseline, changed: Mapping[str, str]) -> None:
        self._project, self._base, self._changed = project, base, changed
        self._trace = cast("traces.Contents", base.contents["trace"])
        self._rows: dict[str, traces.Rows] = {}
        self._said: Said | None = None
        self._chosen: Collection[str] = frozenset()
        self.odd = False
        """Whether a check may find that formulas have failed."""

    @property
    def elsewhere(self) -> Collection[str]:
        """The profiles in which files may collide that do not here."""
        return self._trace["elsewhere"].keys()

    def chosen(self, reading: Reading) -> Collection[AssetName]:
        """The assets that the files make."""
        names = set[str]()
        if not self._changed.keys().isdisjoint(self._trace["specs"]):
            names.update(self._said_otherwise(reading))
        for path in self._changed:
            names.update(self._trace["templates"].get(path, ()))
        names.update(self._of_rows(reading))
        families = {name.partition("[")[0] for name in names}
        for one in reading.declared:
            if one.family.name in families and "{" in (one.table.source or ""):
                raise AsAWholeError("the file may be another one, of which others are made")
        self._chosen = names
        return {AssetName(name) for name in names}

    def _said_otherwise(self, reading: Reading) -> Iterator[str]:
        """The assets of the tables that say something else, and of those that share what does."""
        data, trace = reading.text.data, self._trace
        self._said = said(data, self._base.profile)
        differences = Differences(trace["said"], self._said, self._base.profile)
        others = [table for key, table in data.items() if key not in _SHARED]
        variables = differences.variables
        if not differences.in_tables_alone or variables & words_of(others):
            raise AsAWholeError("more than assets differ")
        words = partial(_words, data, self._words_of_templates()) if variables else None
        for one in differences.concerned(reading.declared, words or (lambda _: ())):
            if variables and one.table.rows is not None and one.table.rows.where is not None:
                raise AsAWholeError("other rows may be picked")
            yield from (str(member.name) for member in one.family.members)

    def _words_of_templates(self) -> Mapping[str, set[str]]:
        """The words of the templates that the prompts of each asset are made of."""
        words: dict[str, set[str]] = {}
        for path, assets in self._trace["templates"].items():
            for name in {asset.partition("[")[0] for asset in assets}:
                words.setdefault(name, set()).update(self._trace["words"].get(path, ()))
        return words

    def _of_rows(self, reading: Reading) -> Iterator[str]:
        """The assets whose rows differ."""
        families = {name for path in self._changed for name in self._trace["data"].get(path, ())}
        for one in reading.declared if families else ():
            if (family := one.family.name) not in families:
                continue
            rows = reading.families.read[family].rows
            now = self._rows[family] = traces.plain_rows(rows)
            places = traces.differing(self._trace["rows"][family], now)
            if places is None or one.table.rows is None or one.table.rows.where is not None:
                raise AsAWholeError("other rows may be picked")
            others = {id(rows[place]) for place in places}
            odd = odd_data.notices(one.key, one.table.rows, one.family, odd_data.EVERY_WORD)
            self.odd = self.odd or any(True for _ in odd)
            yield from (str(m.name) for m in one.family.members if id(m.row) in others)

    def kept(self, reading: Reading) -> Iterable[str]:
        """The files that are read for any asset."""
        sources = self._base.sources
        return chain(sources, reading.files.used, reading.families.files, self._trace["specs"])

    def markup(self, reading: Reading) -> Markup | None:
        """The markup of all texts; None if the spec says the same, with the same words in it."""
        before, templates = self._trace["words"], self._templates(reading)
        specs = traces.spec_words(reading.text)
        if specs.keys() != self._trace["specs"].keys():
            raise AsAWholeError("other files are read, which cannot be outputs")
        same = specs == self._trace["specs"] and templates == before
        if same and self._said is None:
            return None
        of_templates = frozenset(chain.from_iterable(templates.values()))
        words = of_templates.union(*specs.values())
        hidden = markup.hidden(reading.text.data, None) - of_templates
        lost = frozenset(chain(*before.values(), *self._trace["specs"].values())) - words
        if sorted(hidden) != self._trace["hidden"] or lost & _variables(reading.text.data):
            raise AsAWholeError("a variable may have lost its effect")
        read = any(True for _ in reading.texts.prompts.files())
        return Markup(words, hidden, read or bool(self._still_used()))

    def _templates(self, reading: Reading) -> dict[str, list[str]]:
        """The words of each template that is used by now."""
        before = self._trace["words"]
        words = {path: before[path] for path in self._still_used() if path in before}
        read = reading.texts.prompts.files()
        return words | {path: sorted(own) for path, text in read if (own := markup.words([text]))}

    def _still_used(self) -> Collection[str]:
        """The templates that other assets use."""
        chosen, users = set(self._chosen), self._trace["templates"].items()
        return [path for path, assets in users if not chosen.issuperset(assets)]

    def sound(self, part: Part) -> bool:
        """Whether the files are still what they were when the edit was noticed, and there is room."""
        asked, tree = self._project.tree.asked, self._project.tree
        return (
            part.trace.whole
            and all(left >= least for left, least in zip(self._room(part), _ROOM, strict=True))
            and all(
                asked.get(path) == state and tree.lfs_target(path) is None
                for path, state in self._changed.items()
            )
        )

    def _room(self, part: Part) -> tuple[int, int, int]:
        """What is left to do for templates, if what was read again had not been read before."""
        start = bounds.MOST_TOGETHER, bounds.MOST_FREE, bounds.MOST_WRITTEN
        left = [
            b - (s - now)
            for b, s, now in zip(self._trace["room"], start, part.trace.room, strict=True)
        ]
        return left[0], left[1], left[2]

    def trace(self, part: Part) -> traces.Contents:
        """What the recipes are made of by now."""
        before, chosen, reading = self._trace, set(self._chosen), part.reading
        users = {
            path: [asset for asset in assets if asset not in chosen]
            for path, assets in before["templates"].items()
        }
        for path, assets in part.trace.templates.items():
            users[path] = [*dict.fromkeys((*users.get(path, ()), *assets))]
        own = traces.Contents(**before)
        own["rows"] = {**before["rows"], **self._rows}
        own["room"] = self._room(part)
        own["templates"] = {path: assets for path, assets in users.items() if assets}
        own["words"] = self._templates(reading)
        own["specs"] = traces.spec_words(reading.text)
        own["said"] = self._said or before["said"]
        own["elsewhere"] = {name: self._there(part, name) for name in before["elsewhere"]}
        return own

    def _there(self, part: Part, profile: str) -> Mapping[str, Sequence[str]]:
        """The paths of all assets' files in another profile, in which they must not collide."""
        before, now = self._trace["elsewhere"][profile], part.trace.elsewhere[profile]
        chosen = self._chosen
        if all([*now.get(name, ())] == [*before.get(name, ())] for name in chosen):
            return before
        paths = {name: own for name, own in before.items() if name not in chosen} | {**now}
        if not part.apart(profile, chain.from_iterable(paths.values()), self.kept(part.reading)):
            raise AsAWholeError("files may collide in another profile")
        return paths


def _words(
    data: Mapping[str, object], templates: Mapping[str, set[str]], name: str
) -> frozenset[str]:
    """The words of all texts that may make an asset."""
    assets = data["asset"]
    shared = [data.get(key) for key in ("defaults", "style", "profile")]
    own = assets.get(name) if isinstance(assets, Mapping) else None
    return words_of(own, *shared) | templates.get(name, frozenset())


def _variables(value: object) -> frozenset[str]:
    """The names of all variables of a spec."""
    names, pending = set[str](), [value]
    while pending:
        table = pending.pop()
        if isinstance(table, Mapping):
            variables = table.get("vars")
            names.update(variables if isinstance(variables, Mapping) else ())
            pending += table.values()
    return frozenset(names)
