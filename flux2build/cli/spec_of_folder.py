"""Writes a spec for a folder of existing pictures, each of them an asset."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from flux2build.errors import UsageError
from flux2build.images.decode import probe
from flux2build.images.formats.contract import PictureError
from flux2build.images.formats.lookup import of_path
from flux2build.lockfile.write import toml_value
from flux2build.storage import regular
from flux2build.storage.paths import fault, fold, is_foreign

_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""The suffixes of pictures that providers deliver."""
_OTHER_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".ico", ".jxl", ".psd", ".svg", ".tif", ".tiff"}
)
"""The suffixes of other pictures; a person is told that these are left out."""
_STEP: Final = 16
_LEAST, _MOST = 256, 2048
"""Pixels of a side that every model of FLUX.2 can render, in steps of 16."""
_HEAD: Final = """\
#:schema ./flux2build.schema.json

[project]
name = {name}
output = {output}

[defaults] # what a picture is rendered with once its prompt is changed
provider = "bfl"
model = "flux-2-pro"
"""


def spec_of(folder: Path, root: Path, leave: Callable[[str, str], None]) -> str:
    """The text of a spec with an asset for each picture in a folder; paths start from `root`.

    `leave` is called with each picture that cannot be an output, and the reason.

    Raises:
        UsageError: there is no such folder below the root, or no picture in it.
    """
    whole = folder.absolute()
    if not whole.is_dir() or not whole.is_relative_to(root):
        raise UsageError(f"there is no folder `{folder}` beside the spec, or deeper")
    output = whole.relative_to(root).as_posix()
    assets = list(_assets(whole, leave))
    if not assets:
        raise UsageError(f"there is no PNG, JPEG or WebP in `{folder}`")
    head = _HEAD.format(name=toml_value(root.name), output=toml_value(output))
    return "\n".join([head, *assets])


def _assets(folder: Path, leave: Callable[[str, str], None]) -> Iterator[str]:
    names, outputs = set[str](), set[str]()
    for path in sorted(folder.rglob("*")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if any(map(is_foreign, inside.parts)):
            continue
        if path.suffix.lower() in _OTHER_SUFFIXES:
            leave(inside.as_posix(), "no model delivers that format")
        if path.suffix.lower() in _SUFFIXES:
            try:
                picture = probe(regular.read(path), path.name)
            except (OSError, PictureError):
                leave(inside.as_posix(), "cannot be read as a picture")
                continue
            if why := _unfit(inside.as_posix(), picture.format, outputs):
                leave(inside.as_posix(), why)
                continue
            outputs.add(fold(inside.as_posix()))
            name = _name(inside, names)
            yield _asset(name, inside, (picture.width, picture.height, picture.format))


def _unfit(path: str, form: str, outputs: Container[str]) -> str | None:
    """The reason why a file cannot be an output; None if it can."""
    if any(mark in path for mark in ("{{", "{%", "{#")):
        return "would be a template"
    if fold(path) in outputs:
        return "is one file with another one on some systems"
    named = of_path(path)
    if named is None or named.name != form:
        return f"its name says another format than its own, {form}"
    return fault(path)


def _name(path: PurePosixPath, names: set[str]) -> str:
    """A unique name for the asset of a file."""
    stem = re.sub(r"\W+", "_", path.with_suffix("").as_posix(), flags=re.ASCII).strip("_")
    plain = f"_{stem}" if not stem or stem[0].isdigit() else stem
    name = next(
        each
        for number in range(1, len(names) + 2)
        if (each := plain if number == 1 else f"{plain}_{number}").lower() not in names
    )
    names.add(name.lower())
    return name


def _asset(name: str, path: PurePosixPath, picture: tuple[int, int, str]) -> str:
    width, height = (min(max(round(side / _STEP) * _STEP, _LEAST), _MOST) for side in picture[:2])
    words = re.sub(r"[\W_]+", " ", path.stem).strip() or name
    lines = [
        f"[asset.{name}]",
        f"prompt = {toml_value(words)}",
        f"output = {toml_value(path.as_posix())}",
        f"width = {width}",
        f"height = {height}",
        f"format = {toml_value(picture[2])}",
    ]
    return "\n".join(lines) + "\n"
