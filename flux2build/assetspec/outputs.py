"""Paths of outputs: below the output folder, with the suffix of their format, and unique."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.references import SourceFiles
from flux2build.images.formats.lookup import of_path
from flux2build.model import Derive, Key, Recipe
from flux2build.storage import paths
from flux2build.storage.project_files import NOT_A_FILE, Kind

if TYPE_CHECKING:
    from flux2build.images.ops.contract import Op

FROM_SPEC: Final = "./"
"""The start of the path of a document that lies beside a site's code, and not below `output`."""
_UNFIT: Final = frozenset({Kind.OUTSIDE, Kind.FOLDER, Kind.SPECIAL})


def format_of(path: str) -> str | None:
    """The name of the format that a path's suffix stands for, if it can be written."""
    format_ = of_path(path)
    return format_.name if format_ and format_.encoder else None


class Outputs(Struct, frozen=True):
    """The folder below which outputs lie."""

    folder: str
    files: SourceFiles | None
    """The project's files; None to judge only the texts of paths."""

    def document(self, path: str, key: Key) -> str:
        """The path of a document: below the output folder, or with `./` below the spec's.

        Raises:
            FaultyError: it leads elsewhere, or cannot be a file's.
        """
        if path.startswith(FROM_SPEC):
            return replace(self, folder=".").locate(path.removeprefix(FROM_SPEC), key)
        return self.locate(path, key)

    def locate(self, path: str, key: Key, form: str | None = None) -> str:
        """The path of an output from the spec's folder, given the one below the output folder.

        Raises:
            FaultyError: it leads elsewhere, cannot be a file's, or has the suffix of another
                format than `form`.
        """
        if fault := paths.fault(path):
            raise FaultyError(Fault(key, f"output `{path[:80]}` {fault}"))
        if form is not None:
            self._check_suffix(path, form, key)
        output = path if self.folder == "." else f"{self.folder}/{path}"
        if self.files is None:
            return output
        for at in (output.rpartition("/")[0], output):
            kind = self.files.kind(at or ".")
            if kind in _UNFIT and not (kind is Kind.FOLDER and at != output):
                raise FaultyError(Fault(key, f"output `{at}` {NOT_A_FILE[kind]}"))
        return output

    @staticmethod
    def _check_suffix(path: str, form: str, key: Key) -> None:
        before = path[: -len(form) - 1] if path.endswith(f".{form}") else ""
        if before[-1:].isalnum():
            return
        other = format_of(path)
        if form == other or posixpath.splitext(path)[1].lower() == f".{form}":
            return
        if other is None:
            message = f"output `{path[:80]}` does not end in its format"
            raise FaultyError(Fault(key, message, hint=f"end it in `.{form}`"))
        message = f"output `{path[:80]}` ends in another format than its own, {form}"
        raise FaultyError(Fault(key, message, hint="let it end in `.{{ format }}`"))


def collisions(
    recipes: Iterable[Recipe], taken: Mapping[str, str], ops: Mapping[str, type[Op]]
) -> Iterator[tuple[Fault, Recipe, Recipe | None]]:
    """Outputs that would overwrite each other, or a file that is not an output.

    `taken` maps the folded paths of such files to what messages call them. Each fault comes
    with its recipe, and with the other one if it is about two.
    """
    claims: dict[str, Recipe] = {}
    for recipe in recipes:
        folded = paths.fold(recipe.output)
        if folded in taken:
            yield _overwrites(recipe, taken[folded]), recipe, None
            continue
        earlier = claims.setdefault(folded, recipe)
        if earlier is not recipe:
            yield _twice(recipe, earlier, ops), recipe, earlier
    folders: dict[str, Recipe] = {}
    for folded, recipe in claims.items():
        folders.setdefault(posixpath.dirname(folded), recipe)
    for folder, recipe in folders.items():
        for above in _upwards(folder):
            if above in claims:
                message = f"output `{recipe.output}` lies in an output"
                yield Fault(recipe.key, message), recipe, claims[above]


def apart(outputs: Iterable[str], taken: Iterable[str], closed: str) -> bool:
    """Whether outputs are distinct, not `taken`, and not below a `closed` folder."""
    folded, below = [*map(paths.fold, outputs)], f"{paths.fold(closed)}/"
    others = {*map(paths.fold, taken)}
    folders = {above for path in folded for above in _upwards(posixpath.dirname(path))}
    return (
        len({*folded}) == len(folded)
        and others.isdisjoint(folded)
        and folders.isdisjoint(folded)
        and not (closed and any(path.startswith(below) for path in folded))
    )


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def _overwrites(recipe: Recipe, what: str) -> Fault:
    hint = None
    if recipe.kind == "generate" and what.startswith("the source"):
        hint = f'refer to the picture as `{{ asset = "{recipe.asset}" }}`, or move the output'
    return Fault(recipe.key, f"output `{recipe.output}` would overwrite {what}", hint=hint)


def _twice(recipe: Recipe, earlier: Recipe, ops: Mapping[str, type[Op]]) -> Fault:
    message = f"two outputs at `{recipe.output}`"
    if earlier.output != recipe.output:
        message = f"outputs `{earlier.output}` and `{recipe.output}` are one file on some systems"
    hint = "give one of them another `output`"
    if earlier.key == recipe.key and recipe.role:
        hint = "let the path say `{{ target }}`, which is each file's name"
    elif earlier.key == recipe.key and recipe.kind == "derive":
        steps = recipe.task.ops if isinstance(recipe.task, Derive) else ()
        spread = [name for step in steps if (name := ops[step.op].spread) in step.params]
        words = ", ".join(f"`{{{{ {name} }}}}`" for name in (*spread, "width", "format"))
        hint = f"let the path say {words} and the axes"
    elif earlier.key == recipe.key:
        hint = "let `output` say the axes"
    elif recipe.kind != "generate":
        hint = "give it a `path` of its own"
    return Fault(recipe.key, message, hint=hint)
