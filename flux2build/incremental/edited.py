"""Updates a baseline after an edit of a spec, its data or templates, and reads only affected assets.

Everything is read if the edit may change more than the files of these assets: other assets, folders
or profiles, or what other assets take from them. It is also read if anything is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from flux2build.assetspec import markup, odd_data, quota
from flux2build.assetspec.excerpts import Excerpts
from flux2build.assetspec.family import shape_of
from flux2build.assetspec.faults import Faults
from flux2build.assetspec.part import Markup, Part, load_part
from flux2build.assetspec.prompts import bounds
from flux2build.assetspec.quota import Quota
from flux2build.assetspec.reading import Reading
from flux2build.assetspec.references import AssetNames
from flux2build.assetspec.resolve import Declared
from flux2build.assetspec.spec_digests import Differences, SpecDigests, digests_of, variables_of
from flux2build.errors import Flux2BuildError
from flux2build.incremental import traces
from flux2build.incremental.baseline import Baseline, Entered
from flux2build.incremental.entering import Entering
from flux2build.incremental.lines_to_read import Lines, lines_to_read
from flux2build.incremental.members import (
    AsAWholeError,
    Members,
    Tables,
    alike,
    concerned,
    spliced,
)
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName
from flux2build.session.project import Project
from flux2build.storage.globs import is_pattern
from flux2build.storage.index import MISSING
from flux2build.storage.paths import fold, join

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row

_ROOM: Final = (50_000, 400_000, 3 * 1024 * 1024, quota.MOST // 10)
"""The room that must be left after an edit: a tenth of the limits of templates and specs."""


def edited(
    project: Project, base: Baseline, lock: Lockfile, changed: Mapping[str, str]
) -> Entered | None:
    """Return the baseline after an edit of some files; None if the spec must be read as a whole."""
    trace = cast("traces.Contents", base.contents["trace"])
    try:
        lines = lines_to_read(project, trace, changed)
        return (lines and _read(project, base, lock, changed, lines)) or _read(
            project, base, lock, changed, {}
        )
    except Flux2BuildError:
        return None


def _read(
    project: Project,
    base: Baseline,
    lock: Lockfile,
    changed: Mapping[str, str],
    lines: Mapping[str, Lines],
) -> Entered | None:
    """The baseline after an edit; only the given lines of data files are read, if there are any."""
    edit, profile = _Edit(project, base, changed, lines), project.options.profile
    tree = Excerpts(project.tree, {path: now for path, (_, now, _) in lines.items()})
    try:
        part = load_part(tree, project.file, profile, project.capabilities, edit)
        if part is None or not edit.sound(part) or project.weights is not None:
            return None
        if lines and part.suspicious:
            return None  # other members may show that nothing is wrong
        entering = Entering(project, base, lock, part, edit.members)
        now = entering.entered(edit.trace(part), odd=edit.odd)
        return now if now is not None and edit.enter_checks(now, part) else None
    except AsAWholeError:
        return None


class _Edit:
    """An edit of some files."""

    def __init__(
        self,
        project: Project,
        base: Baseline,
        changed: Mapping[str, str],
        lines: Mapping[str, Lines],
    ) -> None:
        self._project, self._base, self._changed, self._lines = project, base, changed, lines
        self._trace = cast("traces.Contents", base.contents["trace"])
        self._digests: SpecDigests | None = None
        self._checks: Collection[str] = ()
        """The checks whose options differ."""
        self._excerpts_before: dict[str, Sequence[Row]] = {}
        """The former rows of the lines that differ, by family."""
        self._chosen: Collection[str] = frozenset()
        self.members = Members(self._trace["members"], self._trace["members"])
        """The names of all assets before and after the edit."""
        self.odd = False
        """Whether a check may report failed formulas."""
        self._asked_for = 0
        """The quota that is left after all tables are read."""

    @property
    def elsewhere(self) -> Collection[str]:
        """The other profiles in which files may collide."""
        return self._trace["elsewhere"].keys()

    def chosen(self, reading: Reading) -> Collection[AssetName]:
        """The assets that depend on the changed files, and new ones."""
        self.members = Members(self._trace["members"], self._members(reading))
        self._asked_for = reading.resolver.quota.left
        self._check_members()
        if self._lines and self._with_rows() != {
            one.family.name for one in reading.declared if one.table.rows is not None
        }:
            raise AsAWholeError("data is read for other tables")
        names = set(self.members.new)
        if not self._changed.keys().isdisjoint(self._trace["specs"]):
            names.update(self._of_changed_tables(reading))
        for path in self._changed:
            names.update(self._trace["templates"].get(path, ()))
        names.update(self._of_rows(reading))
        names -= self.members.gone
        families = {name.partition("[")[0] for name in names} | self.members.changed
        for one in reading.declared:
            if one.family.name in families and "{" in (one.table.source or ""):
                raise AsAWholeError("the file may be another one, of which others are made")
            if self._lines and one.table.source is not None and one.table.rows is not None:
                raise AsAWholeError("others may be made of files whose names are not read")
        if self._lines and not names <= {
            each.name for one in reading.declared for each in one.family.members
        }:
            raise AsAWholeError("rows of it are not among the lines that were read")
        self._chosen = names
        return {AssetName(name) for name in names}

    def enter_checks(self, now: Entered, part: Part) -> bool:
        """Enter the current options of checks; return whether that is sound."""
        if not self._checks and self.members.gone.isdisjoint(self._base.contents["steps"]):
            return True
        # Lazy: checks are loaded only where their options differ.
        from flux2build.incremental.current_checks import enter_checks

        return enter_checks(now.base.contents, part, self._checks)

    def _of_changed_tables(self, reading: Reading) -> Iterator[str]:
        """The assets that changed tables concern."""
        profile = self._base.profile
        self._digests = digests_of(reading.text.data, profile)
        differences = Differences(self._trace["said"], self._digests, profile)
        self._checks = differences.checks
        yield from concerned(reading, self._trace, differences, in_lines=bool(self._lines))

    def _members(self, reading: Reading) -> Tables:
        """The current names of all assets; those of lines replace their former names."""
        members: dict[str, Sequence[str]] = {}
        for one in reading.declared:
            family, names = one.family.name, [str(each.name) for each in one.family.members]
            if self._lines and one.table.rows is not None and family not in self._trace["rows"]:
                names = self._spliced(reading, one, names)
            members[family] = names
        return members

    def _spliced(self, reading: Reading, one: Declared, names_now: Sequence[str]) -> list[str]:
        """The names of a family's members, of which only those with changed lines are read."""
        if one.table.rows is not None and one.table.rows.where is not None:
            raise AsAWholeError("other rows may be picked")
        tree = Excerpts(self._project.tree, {path: old for path, (old, *_) in self._lines.items()})
        faults = Faults()
        expander = replace(
            reading.families, tree=tree, faults=faults, quota=Quota(faults), read={}, _tables={}
        )
        names_before = [
            str(each.name) for each in expander.expand(one.family.name, one.table).members
        ]
        self._excerpts_before[one.family.name] = expander.read[one.family.name].rows
        names = spliced(self._trace["members"].get(one.family.name, ()), names_before, names_now)
        if (
            names is None
            or faults.assets
            or (names_before != names_now and self._alike(one, names))
        ):
            raise AsAWholeError("the order of rows, or a clash of them, takes all to know")
        return names

    def _alike(self, one: Declared, names: Sequence[str]) -> bool:
        """Whether two tables, or two rows, may have the same name on some systems."""
        tables = {fold(table) for table in self._trace["members"]}
        path = join("", one.table.rows.file) if one.table.rows else ""
        return len(tables) < len(self._trace["members"]) or alike(names, self._lines[path][2])

    def _with_rows(self) -> set[str]:
        """The tables that had rows."""
        return {*chain.from_iterable(self._trace["data"].values())}

    def _check_members(self) -> None:
        """Refuse changes that may concern assets that are not read."""
        members = self.members
        if not members.changed.isdisjoint(self._trace["listed"]):
            raise AsAWholeError("others may be made of all members of a family")
        for table in members.changed:
            if (table in members.before and not members.before[table]) or (
                table in members.now and not members.now[table]
            ):
                raise AsAWholeError("a table has assets only now, or only had them before")
        self._check_sources(members.gone)

    def _check_sources(self, gone: Collection[str]) -> None:
        """Refuse to forget a user's file from which others may be made under an asset's name."""
        base = self._base
        sources = [name for name in gone if base.maker(f"asset:{name}") is None]
        for name in sources:
            places = [*base.contents["steps"].get(name, ())]
            inputs = [each for at in places for each in base.recipe(at).inputs]
            users = {at for each in inputs for at in base.users(str(each))}
            if not places or not users.issubset(places):
                raise AsAWholeError("others may be made of the same file")

    def _of_rows(self, reading: Reading) -> Iterator[str]:
        """The assets with changed or new rows."""
        families = {name for path in self._changed for name in self._trace["data"].get(path, ())}
        listed = any(path.endswith("/") for path in self._changed)
        for one in reading.declared if families or listed else ():
            family, table = one.family.name, one.table.rows
            if table is None or not (family in families or (listed and is_pattern(table.file))):
                continue  # other settings of a table concern all of its assets
            rows, before = reading.families.read[family].rows, self._rows_before(one)
            now = traces.plain_rows(rows)
            others = {
                id(row)
                for row, (names, cells) in zip(rows, now.items(), strict=True)
                if before.get(names) != cells
            }
            odd = odd_data.notices(one.key, table, one.family, odd_data.EVERY_WORD)
            self.odd = self.odd or any(True for _ in odd)
            yield from (str(m.name) for m in one.family.members if id(m.row) in others)

    def _rows_before(self, one: Declared) -> traces.Rows:
        """The former rows of a family, as far as they are read."""
        family, rows = one.family.name, one.table.rows
        if family in self._trace["rows"]:
            return self._trace["rows"][family]
        if family in self._excerpts_before:
            return traces.plain_rows(self._excerpts_before[family])
        if rows is None:
            return {}
        # Lazy: data files are for the specs that have rows.
        from flux2build.assetspec import rows as data_files

        tree = Excerpts(self._project.tree, self._trace["texts"])
        return traces.plain_rows(data_files.read(tree, rows.file, shape_of(rows)).rows)

    def nameable(self, names: AssetNames) -> AssetNames:
        """Every asset that can be named, including those that are not read."""
        members = frozenset(map(AssetName, self.members.declared)) if self._lines else names.members
        return replace(names, members=members)

    def read_files(self, reading: Reading) -> Iterable[str]:
        """The files that are read for any asset."""
        sources = self._base.sources
        catalogs = chain(self._trace["catalogs"], reading.texts.translations.used)
        data = chain(reading.families.files, catalogs)
        return chain(sources, reading.files.used, data, self._trace["specs"])

    def markup(self, reading: Reading) -> Markup | None:
        """The markup of all texts; None if the spec says the same, with the same words in it."""
        before, templates = self._trace["words"], self._templates(reading)
        specs = traces.spec_words(reading.text)
        if specs.keys() != self._trace["specs"].keys():
            raise AsAWholeError("other files are read, which cannot be outputs")
        same = specs == self._trace["specs"] and templates == before
        if same and self._digests is None:
            return None
        if self._lines and not same:
            raise AsAWholeError("keys may have lost their effect, which takes all members to know")
        of_templates = frozenset(chain.from_iterable(templates.values()))
        words = of_templates.union(*specs.values())
        axis = reading.texts.translations.axis
        hidden = markup.hidden(reading.text.data, axis) - of_templates
        lost = frozenset(chain(*before.values(), *self._trace["specs"].values())) - words
        variables = variables_of(reading.text.data) | ({"t"} if axis else set())
        if sorted(hidden) != self._trace["hidden"] or lost & variables:
            raise AsAWholeError("a variable may have lost its effect")
        read = any(True for _ in reading.texts.prompts.files())
        read = read or not self._still_used() <= {*self._trace["catalogs"]}
        return Markup(words, hidden, read, self._base.idle)

    def _templates(self, reading: Reading) -> dict[str, list[str]]:
        """The words of each template in use."""
        before = self._trace["words"]
        words = {path: before[path] for path in self._still_used() if path in before}
        read = reading.texts.prompts.files()
        return words | {path: sorted(own) for path, text in read if (own := markup.words([text]))}

    def _still_used(self) -> frozenset[str]:
        """The templates and catalogues that other assets use."""
        chosen, users = {*self._chosen, *self.members.gone}, self._trace["templates"].items()
        return frozenset(path for path, assets in users if not chosen.issuperset(assets))

    def sound(self, part: Part) -> bool:
        """Whether the files have not changed since the edit was noticed, and there is room."""
        tree = self._project.tree
        return (
            part.trace.whole
            and all(room >= least for room, least in zip(self._room(part), _ROOM, strict=True))
            and all(
                self._still(path, state) and (path.endswith("/") or tree.lfs_target(path) is None)
                for path, state in self._changed.items()
            )
        )

    def _still(self, path: str, state: str) -> bool:
        """Whether the state of a file or folder that was read is the one that was noticed."""
        states_read = self._project.tree.asked
        return path not in states_read if state == MISSING else states_read.get(path) == state

    def _room(self, part: Part) -> tuple[int, int, int, int]:
        """The room that is left when the assets that were read again count once."""
        asked_for = self._asked_for + quota.MEMBER * len(self.members.new)
        start = bounds.MOST_TOGETHER, bounds.MOST_FREE, bounds.MOST_WRITTEN, asked_for
        room = [
            b - (s - now)
            for b, s, now in zip(self._trace["room"], start, part.trace.room, strict=True)
        ]
        return room[0], room[1], room[2], room[3]

    def trace(self, part: Part) -> traces.Contents:
        """The current inputs of the recipes."""
        before, reading = self._trace, part.reading
        chosen = {*self._chosen, *self.members.gone}
        users = {
            path: assets
            if chosen.isdisjoint(assets)
            else [asset for asset in assets if asset not in chosen]
            for path, assets in before["templates"].items()
        }
        for path, assets in part.trace.templates.items():
            users[path] = [*dict.fromkeys((*users.get(path, ()), *assets))]
        own = traces.Contents(**before)
        own["members"] = {name: [*each] for name, each in self.members.now.items()}
        own["listed"] = sorted({*before["listed"], *part.trace.listed})
        if self._lines and part.trace.listed:
            raise AsAWholeError("only some members of a family are read")
        if self._lines:
            own["texts"] = {path: now for path, (_, _, now) in self._lines.items()}
        else:
            own["data"], own["rows"], own["texts"] = traces.read_of(reading.families.read)
        own["room"] = self._room(part)
        own["templates"] = {path: assets for path, assets in users.items() if assets}
        own["catalogs"] = sorted({*before["catalogs"], *part.trace.catalogs})
        own["words"] = self._templates(reading)
        own["specs"] = traces.spec_words(reading.text)
        own["said"] = self._digests or before["said"]
        own["elsewhere"] = {name: self._there(part, name) for name in before["elsewhere"]}
        return own

    def _there(self, part: Part, profile: str) -> Mapping[str, Sequence[str]]:
        """The paths of all assets' files in another profile, where they must not collide."""
        before, now = self._trace["elsewhere"][profile], part.trace.elsewhere[profile]
        chosen = {*self._chosen, *self.members.gone}
        if all([*now.get(name, ())] == [*before.get(name, ())] for name in chosen):
            return before
        paths = {name: own for name, own in before.items() if name not in chosen} | {**now}
        if not part.apart(
            profile, chain.from_iterable(paths.values()), self.read_files(part.reading)
        ):
            raise AsAWholeError("files may collide in another profile")
        return paths
