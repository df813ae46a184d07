"""References: from the name of a picture in a spec to its file or asset."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.family import AssetFamily
from flux2build.assetspec.family import named as safe_names
from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.prompts import TemplateFault
from flux2build.assetspec.spec import UNSENT_IMAGE, Notice
from flux2build.errors import Problem, brief, did_you_mean, nearest
from flux2build.images.formats.lookup import examine
from flux2build.model import AssetName, Input, Key, MasterOf, Source, member
from flux2build.storage import paths, whereabouts
from flux2build.storage.project_files import Kind, ProjectFiles

_MEMBER: Final = r"(?P<family>[^\[\]]+)\[(?P<axes>[^\[\]]*)\]"
_MENTION: Final = r"(?i)\bimage (\d{1,4})\b"
_LETTERING: Final = r'"[^"]*"|“[^”]*”'
_MOST_LISTED: Final = 8


class SourceFiles(Struct):
    """The project's files, which are looked at once; records the sources among them."""

    tree: ProjectFiles
    used: set[str] = field(default_factory=set)
    """Every file that a recipe or a template reads."""
    _kinds: dict[str, Kind] = field(default_factory=dict)
    _sources: dict[str, Source | whereabouts.Absence] = field(default_factory=dict)
    _sizes: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def kind(self, path: str) -> Kind:
        """The kind of the file at a path."""
        if path not in self._kinds:
            self._kinds[path] = self.tree.kind(path)
        return self._kinds[path]

    def source(self, path: str, key: Key) -> Source:
        """An existing file; `FaultyError` if the path is not a readable file."""
        source = self._sources.get(path)
        if source is None:
            absence = whereabouts.absence(self.tree, path)
            source = absence or Source(paths.join("", path))
            self._sources[path] = source
        if not isinstance(source, Source):
            raise FaultyError(Fault(key, *source))
        self.used.add(source.path)
        return source

    def size(self, path: str) -> Mapping[str, int]:
        """The sides of a picture in pixels, from its header; empty if the header lacks them."""
        if path not in self._sizes:
            picture = examine(self.tree.read(path))
            sides = {"width": picture.width, "height": picture.height}
            self._sizes[path] = sides if all(sides.values()) else {}
        return self._sizes[path]


class AssetNames(Struct, frozen=True):
    """Every asset that can be named, with the file of each asset that is not rendered."""

    families: Mapping[str, AssetFamily]
    declared: frozenset[str]
    """Families of the spec, including those that could not be read."""
    members: Container[AssetName]
    sources: Mapping[AssetName, Source]
    listed: set[str] = field(default_factory=set)
    """The families that were used as a whole."""

    def input(self, name: str, axes: Mapping[str, str], key: Key) -> Input | None:
        """The picture that `{ asset = name }` refers to in an asset with these axes.

        It is None if that asset is declared, but faulty.

        Raises:
            FaultyError: there is no such asset, or no such member.
        """
        match = re.fullmatch(_MEMBER, name)
        stem = match["family"] if match else name
        family = self.families.get(stem)
        if family is None:
            if stem in self.declared:
                return None
            hint = did_you_mean(stem, self.declared)
            raise FaultyError(Fault(key, f"there is no asset `{brief(stem)}`", hint=hint))
        own = _axes(match["axes"]) if match else {}
        point = {axis: axes[axis] for axis in family.axes if axis in axes} | own
        asset = member(stem, safe_names(point))
        if asset not in self.members:
            raise FaultyError(_no_member(family, point, key))
        return self.sources.get(asset) or MasterOf(asset)

    def of_family(self, name: str, key: Key) -> list[str]:
        """The names of a family's members, in their order.

        Raises:
            FaultyError: there is no such family.
        """
        if (family := self.families.get(name)) is None:
            if name in self.declared:
                raise FaultyError
            hint = did_you_mean(name, self.declared)
            raise FaultyError(Fault(key, f"there is no asset `{brief(name)}`", hint=hint))
        self.listed.add(name)
        return [str(one.name) for one in family.members]


def source(files: SourceFiles, names: AssetNames, path: str, key: Key) -> Source:
    """An existing file.

    Raises:
        FaultyError: there is none, and perhaps an asset is meant whose name or picture it has.
    """
    try:
        return files.source(path, key)
    except FaultyError as error:
        stem = posixpath.splitext(posixpath.basename(path))[0]
        asset = next((name for name in (path, stem) if name in names.declared), None)
        (fault,) = error.faults
        if asset is None or fault.hint not in {None, whereabouts.FROM_FOLDER}:
            raise
        hint = f'`{{ asset = "{asset}" }}` stands for the picture of `{asset}`'
        raise FaultyError(replace(fault, hint=hint)) from None


def _axes(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {axis.strip(): value.strip() for axis, _, value in pairs}


def _no_member(family: AssetFamily, point: Mapping[str, str], key: Key) -> Fault:
    """The fault of a reference to a family that does not name one of its members."""
    names = [str(one.name) for one in family.members]
    listed = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    if len(names) > _MOST_LISTED:
        listed += f" and {len(names) - _MOST_LISTED:,} more"
    rows = (("members", listed or "none"),)
    name = str(member(family.name, point))
    missing = [axis for axis in family.axes if axis not in point]
    if missing:
        words = " and ".join(f"`{axis}`" for axis in missing)
        message = f"`{family.name}` is a family: which {words}?"
        hint = f"name one, such as `{names[0]}`" if names else None
    else:
        message, near = f"there is no member `{brief(name)}`", nearest(name, names)
        hint = f"did you mean `{near}`?" if near else None
    return Fault(key, message, hint=hint, rows=rows)


class NamedInput(Struct, frozen=True):
    """One entry of `refs`: the input, and the names that a prompt may use for it."""

    input: Input
    names: frozenset[str]


@lru_cache(maxsize=1024)
def named(picture: Input, written: str) -> NamedInput:
    """A reference with its names: as written, in full, and for a file its name and stem."""
    names = {written, str(picture) if isinstance(picture, Source) else str(picture.asset)}
    names |= {name.partition("[")[0] for name in names if name.endswith("]")}
    if isinstance(picture, Source):
        base = posixpath.basename(picture.path)
        names |= {base, posixpath.splitext(base)[0]}
    return NamedInput(picture, frozenset(names))


def speaker(references: Sequence[NamedInput]) -> Callable[[str], str]:
    """The function `ref` of templates: from the name of a reference to `image 1`."""

    def ref(name: str) -> str:
        numbers = [n for n, one in enumerate(references, start=1) if name in one.names]
        if len(numbers) == 1:
            return f"image {numbers[0]}"
        if numbers:
            images = " and ".join(f"image {n}" for n in numbers)
            raise TemplateFault(f"`{name}` is {images}", hint="say the path or the member")
        names = {each for one in references for each in one.names}
        hint = did_you_mean(str(name), names) or "add it to `refs`"
        raise TemplateFault(f"`{name}` is not among the references", hint=hint)

    return ref


def unsent(prompt: str, refs: Sequence[NamedInput], key: Key) -> Iterator[Notice]:
    """A notice for each picture that a prompt mentions but that is not sent with it."""
    for number in dict.fromkeys(_mentions(prompt)):
        if not 0 < number <= len(refs):
            some = f"there are {len(refs)} references" if len(refs) != 1 else "there is 1 reference"
            message = f"the prompt says `image {number}`, but {some if refs else 'there are none'}"
            hint = "add it to `refs`; put it into double quotes if it is lettering"
            yield Notice(UNSENT_IMAGE, key, Problem(message, hint=hint), name=False)


def _mentions(prompt: str) -> Iterator[int]:
    """The numbers of every `image 4` in a prompt; quoted ones are lettering and do not count."""
    if "mage " not in prompt.lower():
        return iter(())
    quoted = '"' in prompt or "“" in prompt
    return map(int, re.findall(_MENTION, re.sub(_LETTERING, "", prompt) if quoted else prompt))
