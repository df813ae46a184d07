"""The documents do not lie: whatever can be read out of the code is compared with it.

`WRITE_DOCS=1 python -m pytest tests/test_docs.py` writes the generated parts anew.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click_man.man import ManPage
from msgspec.structs import asdict

from flux2build import __version__
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.jsonschema import json_schema
from flux2build.assetspec.tables import (
    AssetTable,
    BudgetTable,
    CatalogTable,
    Deliver,
    ManifestTable,
    Profile,
    ProjectTable,
    Rows,
    Settings,
    SpecTable,
)
from flux2build.assetspec.template_fields import OTHERS, SETTINGS
from flux2build.checks import CHECKS
from flux2build.checks.contract import Check, Options
from flux2build.cli.command import COMMANDS
from flux2build.cli.parser import MAIN
from flux2build.console.findings.unusable import UNUSABLE
from flux2build.errors import Exit
from flux2build.images.documents import DOCUMENTS
from flux2build.images.limits import PixelLimits
from flux2build.images.ops import OPS
from flux2build.planning.reason import ReasonCode
from flux2build.providers.cards import Models
from flux2build.purchasing.http import Limits
from flux2build.tables.table import Table

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "flux2build"
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK: Final = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def kind(schema: dict[str, Any]) -> str:
    """A field's type in the words of TOML."""
    if "$ref" in schema:
        return {"AssetRef": '`{ asset = "…" }`'}.get(schema["$ref"].split("/")[-1], "table")
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            parts = [
                part
                for part in schema[several]
                if part.get("type") != "null" and part.get("$ref") != "#/$defs/Weights"
            ]
            return " or ".join(dict.fromkeys(kind(part) for part in parts))
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}" if "items" in schema else "list"
    words = {"string": "text", "object": "table", "boolean": "true, false"}
    named: str = schema.get("type", "any")
    return words.get(named, named)


def fields(model: type[Table], known: type[Table] | None = None) -> str:
    """The keys of a table of the spec, without those of a more general one."""
    schema = model.model_json_schema()
    inherited = known.model_fields if known else {}
    rows = (
        (f"`{name}`", kind(field), field.get("description", ""))
        for name, field in schema["properties"].items()
        if name not in inherited
    )
    return table(("key", "value", "meaning"), rows)


def template_fields() -> str:
    """Every text of a spec that is a template."""
    settings = ", ".join(f"`{'.'.join(names)}`" for names in SETTINGS)
    others = ", ".join(f"`{'.'.join(names)}`" for names in OTHERS)
    return (
        f"* of `[defaults]`, a style, an asset and a profile: {settings}\n"
        f"* of other tables: {others}\n"
    )


def operations() -> str:
    """Every operation with its parameters."""
    found = OPS.values()
    return "\n".join(f"**`{op.name}`**: {first_line(op)}\n\n{fields(op)}" for op in found)


def documents() -> str:
    """Every document with its options."""
    found = DOCUMENTS.values()
    return "\n".join(
        f"**`{one.name}`**: {first_line(type(one))}\n\n{fields(one.options)}" for one in found
    )


def first_line(thing: object) -> str:
    """What a thing is for, by its docstring."""
    return (thing.__doc__ or "").strip().splitlines()[0]


def reasons() -> str:
    """Every reason code with its sentence."""
    rows = ((f"`{code}`", code.phrase.format("…")) for code in ReasonCode)
    return table(("code", "meaning"), rows)


def codes() -> str:
    """Every code that a check reports, beyond the reasons."""
    rows = (
        (f"`{code}`", f"`{name}`", text)
        for name, check in CHECKS.items()
        for code, text in check.codes.items()
        if code not in set(ReasonCode)
    )
    return table(("code", "check", "meaning"), rows)


def checks() -> str:
    """Every check: what it reports, by which codes, and its options."""
    return "\n".join(described(name, check) for name, check in CHECKS.items())


def described(name: str, check: Check) -> str:
    """One check."""
    severity = check.options.model_fields["severity"].default
    default = "off until the spec names it" if severity == "off" else f"{severity} by default"
    codes = ", ".join(f"`{code}`" for code in check.codes if code not in set(ReasonCode))
    reported = codes or "the [reasons](formats.md#reasons) of plans"
    own = fields(check.options, Options) if set(check.options.model_fields) - set(SHARED) else ""
    text = " ".join((check.findings.__doc__ or "").split())
    return f"### `{name}`\n\n{text}\n\nCodes: {reported}; {default}.\n" + (own and f"\n{own}")


SHARED: Final = Options.model_fields


def unusable() -> str:
    """The codes of what keeps a check from starting."""
    rows = ((f"`{code}`", text) for _, code, text in UNUSABLE)
    return table(("code", "meaning"), rows)


def rooms() -> str:
    """The rooms of the package from top to bottom, as a drawing and as a table."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = (rule["layers"] for rule in config["contracts"] if rule["id"] == "layers")
    floors = [[name.strip() for name in layer.split("|")] for layer in layers]
    arrows = "".join(
        f"    {' & '.join(upper)} --> {' & '.join(lower)}\n"
        for upper, lower in itertools.pairwise(floors)
    )
    rows = ((f"`{label(room)}`", purpose(room)) for room in itertools.chain.from_iterable(floors))
    return f"```mermaid\nflowchart TD\n{arrows}```\n\n{table(('room', 'what it is for'), rows)}"


def label(room: str) -> str:
    """A room as a path inside the package."""
    return f"{room}/" if (ROOT / "flux2build" / room).is_dir() else f"{room}.py"


def purpose(room: str) -> str:
    """The first sentence of a room's docstring."""
    return first_line(importlib.import_module(f"flux2build.{room}"))


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command by its name, and those inside a group, to be asked for its help."""
    for command in COMMANDS.values():
        yield command.name or "", asked(command.name or "", command)
        inner = command.commands if isinstance(command, click.Group) else {}
        for name, each in inner.items():
            yield f"{command.name} {name}", asked(f"{command.name} {name}", each)


def asked(name: str, command: click.Command) -> click.Context:
    """A command whose help has the same width everywhere."""
    return click.Context(
        command,
        info_name=f"flux2build {name}".rstrip(),
        terminal_width=88,
        help_option_names=["-h", "--help"],
    )


def helps() -> str:
    """What `--help` of every command says."""
    return "".join(
        f"## {name}\n\n```text\n{context.command.get_help(context)}\n```\n\n"
        for name, context in commands()
    )


def manual(context: click.Context, inner: list[tuple[str, str]]) -> str:
    """The manual page of a command, with the summaries of the commands inside it."""
    command = context.command
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    page = ManPage(context.command_path.replace(" ", "-"))
    page.version, page.date = f"flux2build {__version__}", ""
    page.short_help, page.description = text.partition("\n")[0].rstrip("."), text
    page.synopsis = " ".join(command.collect_usage_pieces(context))
    options = (item for item in command.get_params(context) if isinstance(item, click.Option))
    records = (option.get_help_record(context) for option in options)
    page.options, page.commands = [record for record in records if record], inner
    return str(page).replace(f".B {page.command}\n", f".B {context.command_path}\n")


def manuals() -> dict[str, str]:
    """The manual pages by their names."""
    pages = {"": asked("", MAIN), **dict(commands())}
    inner: dict[str, list[tuple[str, str]]] = {name: [] for name in pages}
    for path, context in pages.items():
        group, _, name = path.rpartition(" ")
        if path:
            inner[group].append((name, (context.command.help or "").partition("\n")[0]))
    return {
        f"{context.command_path.replace(' ', '-')}.1": manual(context, inner[path])
        for path, context in pages.items()
    }


GENERATED: Final[dict[str, Callable[[], str]]] = {
    "commands": helps,
    "rooms": rooms,
    "reasons": reasons,
    "check codes": codes,
    "codes of what cannot be checked": unusable,
    "operations": operations,
    "templates": template_fields,
    "checks": checks,
    "options of checks": lambda: fields(Options),
    "documents": documents,
    "keys of manifest": lambda: fields(ManifestTable),
    "keys of the file": lambda: fields(SpecTable),
    "keys of project": lambda: fields(ProjectTable),
    "keys of budget": lambda: fields(BudgetTable),
    "keys of catalog": lambda: fields(CatalogTable),
    "keys of profile": lambda: fields(Profile, Settings),
    "keys of settings": lambda: fields(Settings),
    "keys of asset": lambda: fields(AssetTable, Settings),
    "keys of rows": lambda: fields(Rows),
    "keys of deliver": lambda: fields(Deliver),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_generated(page: Path) -> None:
    """The generated parts of a page say what the code says."""
    text = page.read_text(encoding="utf-8")
    wanted = BLOCK.sub(lambda found: found[1] + GENERATED[found[2]]() + found[3], text)
    if os.environ.get("WRITE_DOCS"):
        page.write_text(wanted, encoding="utf-8")
        return

    assert text == wanted


def test_everything_is_generated_somewhere() -> None:
    """Each generated part stands on a page."""
    used = {found[2] for page in PAGES for found in BLOCK.finditer(page.read_text("utf-8"))}

    assert used == set(GENERATED)


def test_schema_for_editors() -> None:
    """The schema that the example's first line names is the one that the code makes."""
    page = ROOT / "docs" / "assets.schema.json"
    wanted = (
        json.dumps(json_schema(Capabilities(Models(), CHECKS)), indent=2, ensure_ascii=False) + "\n"
    )
    if os.environ.get("WRITE_DOCS"):
        page.write_text(wanted, encoding="utf-8")

    assert page.read_text(encoding="utf-8") == wanted


def test_manual_pages() -> None:
    """There is a manual page for each command, and it says what `--help` says."""
    folder = ROOT / "docs" / "man"
    if os.environ.get("WRITE_DOCS"):
        for old in folder.glob("*.1"):
            old.unlink()
        for name, text in manuals().items():
            folder.joinpath(name).write_text(text, encoding="utf-8")

    assert {page.name: page.read_text("utf-8") for page in folder.iterdir()} == manuals()


def test_manual_pages_are_troff() -> None:
    """No line of a manual page is taken for a request that it is not."""
    requests = re.compile(r"\.(TH|SH|B|PP|TP)( |$)")
    lines = [line for text in manuals().values() for line in text.splitlines()]

    assert [line for line in lines if line[:1] in (".", "'") and not requests.match(line)] == []


@pytest.mark.parametrize("page", ["README.md", "docs/ci.md"])
def test_exit_codes(page: str) -> None:
    """The tables of exit codes list each code once."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ", text, re.MULTILINE)

    assert [int(row) for row in rows] == [*Exit]


def test_every_limit_is_documented() -> None:
    """The table of limits has each one with its usual value."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]*) ?\| ", page, re.MULTILINE)

    usual = asdict(Limits()) | asdict(PixelLimits())
    assert dict(rows) == {
        name: "" if value is None else str(value) for name, value in usual.items()
    }


def test_documents_name_real_commands() -> None:
    """Every `flux2build …` of a page is a command that exists."""
    known = set(COMMANDS)
    named = {
        (page.name, word)
        for page in PAGES
        for word in re.findall(r"(?:`|\$ |run: )flux2build ([a-z][a-z-]*)", page.read_text("utf-8"))
    }

    assert {(page, word) for page, word in named if word not in known} == set()


def test_architecture_names_real_files() -> None:
    """Every module and folder that the page about the architecture names exists."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[a-z0-9_]+/)+(?:[a-z0-9_]+\.[a-z]+)?|[a-z0-9_]+\.py)`", page))

    assert len(paths) > 50
    assert sorted(p for p in paths if not any((at / p).exists() for at in (ROOT, PACKAGE))) == []
