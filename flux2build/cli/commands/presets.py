"""List what platforms ask for: sizes, formats and limits by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click
from msgspec.structs import asdict

from flux2build.assetspec.presets import Preset, PresetTarget, gathered
from flux2build.assetspec.presets import presets as all_presets
from flux2build.cli.command import command
from flux2build.cli.completers import COMPLETERS
from flux2build.console.columns import cell
from flux2build.console.console import Console
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import UsageError, did_you_mean
from flux2build.session.common_options import CommonOptions


@command("presets", without={"file", "profile", "env_file"})
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=COMPLETERS["PRESET"])
def presets(options: CommonOptions, *, words: Sequence[str]) -> None:
    """List what platforms ask for: sizes, formats and limits by name.

    With words, lists the presets whose name, platform, file or size contains them:
    `flux2build presets google`, `flux2build presets 1200x630`. In a spec:
    `deliver = [{ preset = "og" }]`.
    """
    console = Console.of(options)
    matching = [p for p in all_presets().values() if all(_has(p, word.lower()) for word in words)]
    if not matching:
        hint = did_you_mean(words[0], all_presets()) or "`flux2build presets` lists them all"
        raise UsageError(f"no preset matches `{' '.join(words)}`", hint=hint)
    if options.json:
        rows: list[Json] = [_as_json(preset) for preset in matching]
        console.document({"gathered": gathered(), "presets": rows})
        return
    for platform in dict.fromkeys(preset.platform for preset in matching):
        console.data(Text(platform, "bold"))
        for preset in matching:
            if preset.platform == platform:
                console.data(*_lines(preset, console.width))
    console.say(f"sizes as gathered in {gathered()}; `--json` has their sources", "dim")


_WIDE: Final = 34
"""Cells of the column of names."""


def _has(preset: Preset, word: str) -> bool:
    names = [preset.name, preset.platform]
    for target in preset.targets:
        names += [target.name.lower(), f"{target.width}x{target.height}"]
    return any(word in name for name in names)


def _lines(preset: Preset, width: int | None) -> Iterator[Text]:
    """One line for a single file; for a set, a line for its name and one for each file."""
    wide = _WIDE if width is None else min(_WIDE, width * 2 // 5)

    def line(name: str, style: str, text: str) -> Text:
        return Text.assemble((cell(name, wide), style), text)

    first = f"{len(preset.targets)} files" if preset.several else _target_line(preset.targets[0])
    yield line(f"  {preset.name}", "cyan", first)
    for target in preset.targets if preset.several else ():
        yield line(f"    {target.name}", "dim", _target_line(target))
    for _, name in preset.documents if preset.several else ():
        yield line(f"    {name}", "dim", "written beside them")


def _target_line(target: PresetTarget) -> str:
    """The requirements of a platform for a file, in one line."""
    parts = [f"{target.width}x{target.height}".ljust(9), " or ".join(target.formats)]
    if target.sizes:
        parts.append(f"with {', '.join(map(str, target.sizes))}")
    if target.max_bytes:
        parts.append(f"up to {target.max_bytes // 1000:,} kB")
    if target.alpha is not None:
        parts.append("with alpha" if target.alpha else "opaque")
    if target.safe != 1:
        parts.append(f"picture within {float(target.safe):.0%}")
    return f"{parts[0]} {', '.join(parts[1:])}"


def _as_json(preset: Preset) -> Json:
    return {
        "preset": preset.name,
        "platform": preset.platform,
        "set": preset.several,
        "documents": [name for _, name in preset.documents],
        "files": [_target_json(target) for target in preset.targets],
    }


def _target_json(target: PresetTarget) -> Json:
    fields = {**asdict(target), "safe": round(float(target.safe), 4)}
    del fields["role"]
    return {"target": fields.pop("name"), **fields}


COMMAND: Final[click.Command] = presets
