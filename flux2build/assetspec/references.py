"""From what a spec calls a picture to the file or the asset that it is."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flux2build.assetspec.family import AssetFamily
from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.prompts import TemplateFault
from flux2build.errors import brief, did_you_mean, nearest
from flux2build.images.formats.lookup import examine
from flux2build.model import AssetName, Input, Key, Made, Source, member
from flux2build.storage import paths
from flux2build.storage.project_files import NOT_A_FILE, Kind, ProjectFiles

_MEMBER: Final = re.compile(r"(?P<family>[^\[\]]+)\[(?P<axes>[^\[\]]*)\]")
_MENTION: Final = re.compile(r"\bimage (\d{1,4})\b", re.IGNORECASE)
_LETTERING: Final = re.compile(r'"[^"]*"|“[^”]*”')
_MOST_LISTED: Final = 8


@dataclass(slots=True)
class SourceFiles:
    """What lies where, each path asked for once; and which files are sources."""

    tree: ProjectFiles
    used: dict[str, Key] = field(default_factory=dict)
    """Every file that a recipe or a template reads, with the key that names it."""
    _kinds: dict[str, Kind] = field(default_factory=dict)
    _sizes: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def kind(self, path: str) -> Kind:
        """What lies at a path."""
        if path not in self._kinds:
            self._kinds[path] = self.tree.kind(path)
        return self._kinds[path]

    def source(self, path: str, key: Key) -> Source:
        """An existing file.

        Raises:
            FaultyError: there is no readable file at the path.
        """
        if not path.strip():
            raise FaultyError(Fault(key, "the path is empty"))
        if "\0" in path or path.startswith("/") or "\\" in path:
            hint = "write paths from the spec's folder, with `/`"
            raise FaultyError(Fault(key, f"`{brief(path)}` is not a path of this project", hint))
        found = paths.join("", path)
        if (kind := self.kind(found)) is not Kind.FILE:
            raise FaultyError(Fault(key, f"`{brief(found)}` {NOT_A_FILE[kind]}"))
        self.used.setdefault(found, key)
        return Source(found)

    def size(self, path: str) -> Mapping[str, int]:
        """The sides of a picture as its container says them; nothing where it does not."""
        if path not in self._sizes:
            found = examine(self.tree.read(path))
            known = found.width and found.height
            self._sizes[path] = {"width": found.width, "height": found.height} if known else {}
        return self._sizes[path]


@dataclass(frozen=True, slots=True)
class AssetNames:
    """Every asset that can be named, and where a source asset's file is."""

    families: Mapping[str, AssetFamily]
    declared: frozenset[str]
    """Families in the spec, also those that could not be read."""
    members: frozenset[AssetName]
    sources: Mapping[AssetName, Source]

    def input(self, name: str, axes: Mapping[str, str], key: Key) -> Input | None:
        """What `{ asset = name }` means for an asset with these axes.

        None when the asset is declared but has faults of its own.

        Raises:
            FaultyError: there is no such asset, or no such member.
        """
        found = self._member(name, axes, key)
        if found is None:
            return None
        return self.sources.get(found) or Made(found)

    def _member(self, name: str, axes: Mapping[str, str], key: Key) -> AssetName | None:
        named = _MEMBER.fullmatch(name)
        stem = named["family"] if named else name
        family = self.families.get(stem)
        if family is None:
            if stem in self.declared:
                return None
            hint = did_you_mean(stem, self.declared)
            raise FaultyError(Fault(key, f"there is no asset `{brief(stem)}`", hint=hint))
        given = _axes(named["axes"]) if named else {}
        wanted = {axis: axes[axis] for axis in family.axes if axis in axes} | given
        found = member(stem, wanted)
        if found in self.members:
            return found
        raise FaultyError(_no_member(family, wanted, key))


def _axes(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {axis.strip(): value.strip() for axis, _, value in pairs}


def _no_member(family: AssetFamily, wanted: Mapping[str, str], key: Key) -> Fault:
    """The fault of a reference to a family that does not come to one of its members."""
    names = [str(one.name) for one in family.members]
    listed = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    if len(names) > _MOST_LISTED:
        listed += f" and {len(names) - _MOST_LISTED:,} more"
    rows = (("members", listed or "none"),)
    asked = str(member(family.name, wanted))
    missing = [axis for axis in family.axes if axis not in wanted]
    if missing:
        said = " and ".join(f"`{axis}`" for axis in missing)
        message = f"`{family.name}` is a family: which {said}?"
        hint = f"name one, such as `{names[0]}`" if names else None
    else:
        message, near = f"there is no member `{brief(asked)}`", nearest(asked, names)
        hint = f"did you mean `{near}`?" if near else None
    return Fault(key, message, hint=hint, rows=rows)


@dataclass(frozen=True, slots=True)
class NamedInput:
    """One entry of `refs`: the input, and what a prompt may call it."""

    input: Input
    names: frozenset[str]


def called(found: Input, asked: str) -> NamedInput:
    """A reference with its names: as asked for, and in full; a file also by its stem."""
    names = {asked, str(found) if isinstance(found, Source) else str(found.asset)}
    names |= {name.partition("[")[0] for name in names if name.endswith("]")}
    if isinstance(found, Source):
        base = posixpath.basename(found.path)
        names |= {base, posixpath.splitext(base)[0]}
    return NamedInput(found, frozenset(names))


def speaker(references: Sequence[NamedInput]) -> Callable[[str], str]:
    """The `ref` of templates: a reference's name to `image 1`, counted from 1."""

    def ref(name: str) -> str:
        found = [n for n, one in enumerate(references, start=1) if name in one.names]
        if len(found) == 1:
            return f"image {found[0]}"
        if found:
            numbers = " and ".join(f"image {n}" for n in found)
            raise TemplateFault(f"`{name}` is {numbers}", hint="say the path or the member")
        known = {known for one in references for known in one.names}
        hint = did_you_mean(str(name), known) or "add it to `refs`"
        raise TemplateFault(f"`{name}` is not among the references", hint=hint)

    return ref


def mentions(prompt: str) -> Iterator[int]:
    """The `image 4` of a prompt, but not those within quotes: they are lettering."""
    for found in _MENTION.finditer(_LETTERING.sub("", prompt)):
        yield int(found[1])
