"""A baseline after an edit of data or of templates: only what they make is read again.

Whatever an edit could change beside the recipes of the assets concerned makes it one for a reading
of everything: other names, paths, documents or sizes, anything that is wrong, and anything that a
check would find in the spec.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Final, cast

from flux2build.assetspec import markup, odd_data
from flux2build.assetspec.part import Part, load_part
from flux2build.assetspec.prompts import bounds
from flux2build.assetspec.reading import Reading
from flux2build.errors import Flux2BuildError
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName, Derive, Generate, Recipe, Source, Write
from flux2build.planning.quotes import masters
from flux2build.session import traces
from flux2build.session.baseline import Baseline, Contents, plain
from flux2build.session.project import Project

_DIGEST: Final = "sha256:"
_ROOM: Final = (50_000, 400_000, 3 * 1024 * 1024)
"""What templates must still be able to do, whatever those that were edited do: a tenth."""


def edited(
    project: Project, base: Baseline, lock: Lockfile, changed: Mapping[str, str]
) -> tuple[Baseline, frozenset[int]] | None:
    """Return the baseline after an edit of some files, with the steps whose recipes are others.

    None if the spec must be read as a whole.
    """
    edit = _Edit(project, base, lock, changed)
    try:
        part = load_part(
            project.tree, project.file, project.options.profile, project.capabilities, edit
        )
    except Flux2BuildError:
        return None
    if part is None or not edit.alike(part) or project.weights is not None:
        return None
    return edit.entered(part)


class _Edit:
    """An edit of some files."""

    def __init__(
        self, project: Project, base: Baseline, lock: Lockfile, changed: Mapping[str, str]
    ) -> None:
        self._project, self._base, self._lock, self._changed = project, base, lock, changed
        self._trace = cast("traces.Contents", base.contents["trace"])
        self._rows: dict[str, traces.Rows] = {}
        self._odd = False
        self._tables = self._trace["tables"]

    @property
    def elsewhere(self) -> Collection[str]:
        """The profiles in which files may collide that do not here."""
        return self._trace["elsewhere"].keys()

    def chosen(self, reading: Reading) -> Collection[AssetName]:
        """The assets that the files make."""
        names = (
            self._said_otherwise(reading)
            if self._changed.keys() & {*self._trace["specs"]}
            else set()
        )
        for path in self._changed:
            names.update(self._trace["templates"].get(path, ()))
        families = {name for path in self._changed for name in self._trace["data"].get(path, ())}
        for one in reading.declared:
            if (family := one.family.name) in families:
                rows = reading.families.read[family].rows
                now = self._rows[family] = traces.plain_rows(rows)
                places = traces.differing(self._trace["rows"][family], now)
                if places is None or one.table.rows is None or one.table.rows.where is not None:
                    raise _AsAWholeError("other rows may be picked")
                others = {id(rows[place]) for place in places}
                odd = odd_data.notices(one.key, one.table.rows, one.family, _Everything())
                self._odd = self._odd or any(True for _ in odd)
                names.update(m.name for m in one.family.members if id(m.row) in others)
        return {AssetName(name) for name in names}

    def _said_otherwise(self, reading: Reading) -> set[str]:
        """The assets that say other texts or numbers of their pictures, in the same markup."""
        rest, now = traces.plain_spec(reading.text.data)
        before = self._trace["tables"]
        same = traces.spec_words(reading.text) == self._trace["specs"]
        if rest != self._trace["rest"] or now.keys() != before.keys() or not same:
            raise _AsAWholeError("more than texts of assets differs")
        differing = {name for name in now if now[name] != before[name]}
        for name in differing:
            if markup.words(_texts(now[name])) != markup.words(_texts(before[name])):
                raise _AsAWholeError("the markup of a text differs")
        self._tables = now
        return {
            str(member.name)
            for one in reading.declared
            if one.family.name in differing
            for member in one.family.members
        }

    def alike(self, part: Part) -> bool:
        """Whether nothing differs but what recipes are made of."""
        return (
            self._as_read()
            and self._same_templates(part)
            and self._same_facts(part)
            and self._same_files(part)
            and all(map(self._fits, part.recipes))
        )

    def _as_read(self) -> bool:
        """Whether the files are still as they were when they were found to have changed."""
        asked, tree = self._project.tree.asked, self._project.tree
        return all(
            asked.get(path) == state and tree.lfs_target(path) is None
            for path, state in self._changed.items()
        )

    def _same_templates(self, part: Part) -> bool:
        """Whether the same templates are used, with the same words in their markup, and room is left."""
        trace, words = part.trace, self._trace["words"]
        if not trace.whole or any(
            left < least for left, least in zip(self._room(part), _ROOM, strict=True)
        ):
            return False
        if any(list(trace.words.get(path, ())) != words.get(path, []) for path in trace.templates):
            return False
        before = {
            (path, asset)
            for path, assets in self._trace["templates"].items()
            for asset in assets
            if asset in part.assets
        }
        return before == {(path, a) for path, assets in trace.templates.items() for a in assets}

    def _room(self, part: Part) -> tuple[int, int, int]:
        """What is left to do for templates, if what was read again had not been read before."""
        start = bounds.MOST_TOGETHER, bounds.MOST_FREE, bounds.MOST_WRITTEN
        left = [
            b - (s - now)
            for b, s, now in zip(self._trace["room"], start, part.trace.room, strict=True)
        ]
        return left[0], left[1], left[2]

    def _same_facts(self, part: Part) -> bool:
        """Whether the assets are described as before, and nothing else is to be known of them."""
        profile, notes = self._base.profile, self._base.notes
        families = {asset.family for asset in part.assets.values()}
        if any(part.notes.get(name, ()) != tuple(notes.get(name, ())) for name in families):
            return False
        blocks = {name: self._lock.block(name, profile) for name in part.assets}
        return all(
            (block := blocks[name]) is not None
            and asset.meta == block.meta
            and not asset.review
            and not asset.expect_text
            for name, asset in part.assets.items()
        )

    def _same_files(self, part: Part) -> bool:
        """Whether the recipes make the same files as before, of masters of the same sizes."""
        outputs = {recipe.output for recipe in part.recipes}
        steps = self._base.contents["steps"]
        before = [self._base.recipe(at) for name in part.assets for at in steps.get(name, ())]
        # What a document of its own tells of an asset may be a template, too.
        if outputs != {each.output for each in before} or any(
            isinstance(each.task, Write) for each in before
        ):
            return False
        for profile, paths in self._trace["elsewhere"].items():
            now = part.trace.elsewhere.get(profile, {})
            if any(now.get(name, []) != list(paths.get(name, ())) for name in part.assets):
                return False
        sizes = masters(part.recipes)
        return all(
            tuple(self._base.sizes.get(name, ())) == tuple(sizes.get(name, ()))
            for name in part.assets
        )

    def _fits(self, recipe: Recipe) -> bool:
        """Whether a recipe takes the place of the one before it, of whose kind it is."""
        place = self._base.maker(f"output:{recipe.output}")
        if place is None or recipe.takes or recipe.candidate:
            return False
        before = self._base.recipe(place)
        same = (before.asset, before.key, before.role) == (recipe.asset, recipe.key, recipe.role)
        inputs = [each for each in before.inputs if not isinstance(each, Source)]
        if not same or inputs != [each for each in recipe.inputs if not isinstance(each, Source)]:
            return False
        known = self._base.contents["users"]
        if any(str(each) not in known for each in recipe.inputs):
            return False
        match before.task, recipe.task:
            case Generate() as was, Generate() as task:
                return _ordered(was) == _ordered(task)
            case Derive() as derived, Derive() as task:
                alone = all(isinstance(each, Source) for each in recipe.inputs[1:])
                return alone and (task == derived or not self._trace["documents"])
            case _:
                return False

    def entered(self, part: Part) -> tuple[Baseline, frozenset[int]]:
        """The baseline with the recipes of a part, and the places of those that are others."""
        contents = Contents(**self._base.contents)
        recipes, users = list(contents["recipes"]), contents["users"]
        requests = traces.without(self._trace["requests"])
        others = set[int]()
        users = {name: list(places) for name, places in users.items()}
        for recipe in part.recipes:
            place = self._base.contents["makers"][f"output:{recipe.output}"]
            before, now = self._base.recipe(place), plain(recipe)
            if now == recipes[place]:
                continue
            others.add(place)
            recipes[place] = now
            for each in before.inputs:
                users[str(each)].remove(place)
            for each in recipe.inputs:
                users[str(each)].append(place)
            if isinstance(recipe.task, Generate):
                requests.subtract([traces.request(before)])
                requests.update([traces.request(recipe)])
                if requests[traces.request(recipe)] > 1:
                    contents["checks"] = None  # a check may find that two ask for the same
        if self._odd:
            contents["checks"] = None  # a check may find that formulas have failed
        spec, written = self._spec()
        contents["recipes"], contents["users"], contents["spec"] = recipes, users, spec
        contents["states"] = {**contents["states"], **written}
        contents["trace"] = traces.Contents(
            **{
                **self._trace,
                "rows": {**self._trace["rows"], **self._rows},
                "requests": dict(requests),
                "room": self._room(part),
                "tables": self._tables,
            }
        )
        return Baseline(contents), frozenset(others)

    def _spec(self) -> tuple[dict[str, str], dict[str, str]]:
        """What the spec depends on by now, with the states of what it did not depend on before."""
        base, makers = self._base, self._base.contents["makers"]
        asked = {
            path: state
            for path, state in self._project.tree.asked.items()
            if f"output:{path}" not in makers and path not in base.folders
        }
        new = asked.keys() - base.states.keys()
        states = {path: self._project.index.known(path) for path in new}
        # What was looked at only now may have been read before, and what it was must not be forgotten.
        read = {path: state for path, state in asked.items() if state.startswith(_DIGEST)}
        return {**asked, **base.spec, **read}, states


def _ordered(task: Generate) -> tuple[object, ...]:
    """What of an order other recipes may decide, too, or what notes may be about."""
    return task.provider, task.model, task.params.get("ground"), task.params.get("framed")


def _texts(table: Mapping[str, object]) -> list[str]:
    """The texts that an asset says of its picture."""
    return [said for said in table.values() if isinstance(said, str)]


class _Everything(Container[str]):
    """Holds every word."""

    def __contains__(self, _word: object) -> bool:
        return True


class _AsAWholeError(Flux2BuildError):
    """The spec must be read as a whole."""
