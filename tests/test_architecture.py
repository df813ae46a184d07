"""The shape of the code: layers, doors, sizes, and the few habits that a linter cannot hold."""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from importlinter.cli import lint_imports

from flux2build.checks import CHECKS
from flux2build.cli.command import COMMANDS
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.images.documents import DOCUMENTS
from flux2build.images.formats import FORMATS
from flux2build.images.ops import OPS
from flux2build.providers import PROVIDERS
from flux2build.registry import Family
from flux2build.sharing.contract import BACKENDS

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "flux2build"
MODULES: Final = sorted(PACKAGE.rglob("*.py"))
TESTS: Final = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES: Final = 400
MOST_LINES_OF_A_FUNCTION: Final = 60
FAMILIES: Final[list[Family[Any]]] = [
    BACKENDS,
    CHECKS,
    COMMANDS,
    DOCUMENTS,
    FORMATS,
    OPS,
    OUTPUT_FORMATS,
    PROVIDERS,
]
LAZY: Final[dict[str, str]] = {
    "extras.py": "how an extra is installed is said in a hint only",
    "building/networks/engines.py": "each library is an extra of its own",
    "building/networks/worker.py": "without the extra it starts all the same, and says what it lacks",
    "assetspec/prompts/__init__.py": "a text without markup needs no Jinja",
    "assetspec/family.py": "data files are for the specs that have rows",
    "assetspec/rows/__init__.py": "a spec reads one or two kinds of data files",
    "assetspec/rows/catalogue.py": "polib is for the few projects that have catalogues",
    "assetspec/strict_yaml.py": "PyYAML is for the projects that have pages or data in YAML",
    "assetspec/translations/__init__.py": "catalogues are for the projects that have them, ICU for those that ask for it",
    "tables/table.py": "pydantic takes longer to load than most commands, and is for what is wrong",
    "images/provenance/signing.py": "C2PA's library takes as long to load as a whole check",
    "images/colour/notation.py": "knowing a format's settings must not load Pillow",
    "images/reading.py": "rapidocr is an extra, and takes seconds to load",
    "images/dominant.py": "colours that a lock has are read without decoding a picture",
    "planning/soundness.py": "a picture that was judged before is not decoded again",
    "providers/references.py": "a reference is measured without Pillow, and sent by few commands",
    "session/joining.py": "few users share a store",
    "session/project.py": "few commands choose, remove or refresh anything, or miss a picture",
    "errors.py": "what was meant by a word is asked for words that are wrong",
    "images/formats": "knowing a format must not load its codec",
    "images/ops/label.py": "HarfBuzz and ICU are an extra, and asked for with the first words",
    "images/ops/pad.py": "a plan foresees sizes without Pillow",
    "images/ops/resize.py": "a plan foresees sizes without Pillow",
    "images/ops/text.py": "HarfBuzz and ICU are an extra, and asked for with the first words",
    "planning/graph.py": "networkx takes longer to load than a plan takes, and draws graphs and walks them",
    "providers/sketch/__init__.py": "what draws is imported with the first sketch",
    "providers/sketch/lettering.py": "HarfBuzz and ICU are an extra, for captions in a few scripts",
    "purchasing/http/trust.py": "truststore is for those who name the system's authorities, on some systems",
    "purchasing/weights/worker.py": "without the extra it starts all the same, and says what it lacks",
    "storage/toml_places.py": "the grammar alone takes less time than its package",
    "storage/user_folders.py": "platformdirs is for the other systems, and for odd variables",
    "checks/contrast.py": "letters are set again only for a check of them",
    "storage/probe.py": "only a build that buys asks for room",
    "checks/facts.py": "few findings are about lines of a file, or about what a lock does not say of it",
    "images/provenance/iptc.py": "the containers of pictures are for those that are looked into",
    "registry.py": "summaries are read, and zip files listed, by few",
    "session/locked_sources.py": "few locks hold both sides of a merge",
    "building/networks/process.py": "temporary files are for networks that are run",
    "incremental/brief_build.py": "a build with nothing to do needs no event loop",
    "incremental/brief.py": "few plans are about edits of the spec, about names, or about what is to be derived",
    "incremental/entering.py": "few specs ask for approvals by name",
    "incremental/edited.py": "data files are for the specs that have rows",
    "incremental/lines_to_read.py": "likewise",
    "console/plan_view.py": "a build shows no plan that needs no consent",
    "console/changes.py": "texts are compared only where they differ",
    "lockfile/text.py": "a lock as it was written needs no TOML reader",
    "incremental/keeping.py": "what a spec was read from is kept after a reading of it",
    "providers/cards.py": "the shipped cards are read for providers that have any",
    "images/lettering/__init__.py": "fonts and an extra are looked for where words are set",
    "assetspec/prompts/bounds.py": "few templates call `format`",
    "assetspec/reader.py": "what is wrong with a spec is said of wrong ones",
    "assetspec/presets.py": "sizes of platforms are read for those who name one",
    "images/encode.py": "few files carry a profile, or the version of their encoder",
    "images/decode.py": "few pictures have a profile to convert",
    "checks/text.py": "few pictures are to show words, and few words are misspelt",
    "checks/disclosure.py": "few pictures are made of others after a label was put on them",
    "building/world.py": "few builds derive files, or read the words of pictures",
    "building/lock_update.py": "encoders are named for files that are derived",
    "incremental/findings.py": "few specs exclude anything from a check, or need approvals",
    "assetspec/operations.py": "operations are for the specs that have any",
    "assetspec/grounds.py": "operations are for the specs that have any",
    "assetspec/provenance.py": "operations are for the specs that have any",
    "session/hub.py": "Hugging Face's library is an extra, for those who fetch weights",
    "session/settings.py": "a configuration is judged where there is one; python-dotenv is for a file of keys",
    "session/sources.py": "what is known is not read: neither a spec nor weights",
    "incremental/traces.py": "what reads markup is there only where a spec has been read",
    "session/variables.py": "providers are imported only for names that no command has",
    "storage/toml_file.py": "places of keys need a parser, and only messages name them",
    "lockfile/read.py": "few blocks are read without quick patterns, and damaged locks are few",
    "storage/toml_text.py": "a configuration that is not there needs no TOML reader",
    "storage/ledger_mark.py": "the lines of a ledger are read only if others have written any",
    "storage/index.py": "the common call hashes few files and writes no index",
    "storage/many_files.py": "most projects have small files only, which need no threads",
    "storage/repository.py": "git is asked only where something was changed or lost",
    "storage/git.py": "what git ignores is asked once a lock was written",
    "session/team.py": "only a store that is met over HTTP needs authorities",
    "sharing/backends": "a store in a folder needs no client of HTTP, and obstore is an extra",
    "session/wiring.py": "only a build that buys needs the network, one with networks or weights workers, one of many Dask",
    "cli/claimed.py": "few users share a store",
    "cli/commands/orders.py": "only a task that is adopted is asked for",
    "console/styled.py": "rich is for terminals, and for texts that are not ASCII",
    "console/console.py": "rich is for bars, and for colours on Windows",
    "console/progress.py": "without a terminal there is no bar",
    "cli/command.py": "few calls are about several specs",
    "cli/completers.py": "completion reads a spec only when the shell asks for a name",
    "cli/commands/doctor.py": "only `--live` and a team's store need the network",
    "cli/run_check.py": "only a reading of everything is remembered",
    "cli/run_plan.py": "only `--live` needs the network, only `--output` writes a file, and few plans are remembered",
    "cli/commands/receive.py": "only an extra installs what receives",
    "cli/commands/store.py": "only an extra installs what serves a store",
    "cli/commands/simulate.py": "only an extra installs what the simulator needs",
    "cli/outcome.py": "`--help` and `--version` need no console, and only a bug a report",
    "cli/parser.py": "names of variables are looked up where there are any",
    "cli/plain_call.py": "a command does not need the others",
    "cli/run_build.py": "a build with nothing to do needs no event loop, bar or renderer",
    "cli/entry.py": "the call with nothing to do imports nothing else",
}
BROAD: Final = {
    "building/cluster_connection.py": "Dask raises anything for what goes wrong at its scheduler",
    "building/networks/engines.py": "libraries raise anything for models that they do not know",
    "building/runner.py": "one broken picture must not lose its siblings and the lock",
    "purchasing/order_errors.py": "a picture that was paid for is kept, whatever a library raises",
    "purchasing/weights/pipelines.py": "libraries raise anything for weights that they do not know",
    "session/hub.py": "the library raises anything between here and the Hub",
    "images/provenance/c2pa_backend.py": "a stranger's manifest may do anything to the library",
    "cli/outcome.py": "a bug becomes a paste-ready report",
    "images/decode.py": "decoders raise anything for hostile bytes",
    "providers/sketch/overlays.py": "decoders raise anything for hostile bytes",
}

DECODES: Final = {
    "storage/text_files.py": "the one door to texts that people write",
    "storage/git.py": "names of files, in git's own format",
    "storage/lfs.py": "a digest in the pointer of Git LFS",
    "assetspec/diagnostics.py": "the line of a message, whatever is wrong with it",
    "assetspec/rows/json_data.py": "JSON that was read",
    "assetspec/translations/nested.py": "JSON that was read",
    "cli/commands/completion.py": "scripts of the package",
    "cli/commands/init.py": "the starter of the package",
    "extras.py": "metadata of the package",
    "lockfile/parts.py": "parts of the bytes of a lock that was read as a whole",
    "incremental/lock_in_parts.py": "the bytes of a lock that was read as a whole",
    "providers/cards.py": "cards of the package",
    "storage/toml_places.py": "parts of a text that was read",
    "building/networks": "what a process has printed, and the layers of a network",
    "session/image_models.py": "the digest of a model, as a pattern has found it",
    "purchasing/weights": "what a worker prints, and how it encodes pictures",
    "session/local_models.py": "the name of a model, as a pattern has found it",
    "console/findings/junit.py": "our own output",
    "images": "names and marks inside of pictures",
    "ledger": "our own journal, of which every line that can be read counts",
    "providers/replies.py": "what servers say",
    "providers/sketch/drawing.py": "our own mark",
    "purchasing": "what servers say, and our own headers",
    "sharing": "records of the team's store, which are JSON, and what servers say",
    "simulator": "our own files, and what clients say",
}
"""Modules that turn bytes into texts, each with the reason why these are not texts of people."""

WHOLE: Final = {"clients", "fixtures", "fuzz", "laws", "matrix", "ci", "stories"}
"""Folders of tests about the whole product."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """A file's name for people."""
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only cleans up and lets the exception go on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def inner_imports(tree: ast.Module) -> list[str]:
    """The imports inside functions."""
    return [
        f"line {node.lineno}"
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def broad_handlers(tree: ast.Module) -> list[str]:
    """The handlers that swallow every exception, and every `suppress` that does."""
    handlers = [
        (node.lineno, node.type or ast.Name("BaseException"))
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and not raises_again(node)
    ]
    handlers += [
        (node.lineno, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
    ]
    return [
        f"line {line}"
        for line, kinds in handlers
        for kind in ast.walk(kinds)
        if isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}
    ]


def trees(name: str) -> list[ast.Module]:
    """The syntax trees of a module, or of all modules of a folder."""
    path = PACKAGE / name
    return [ast.parse(each.read_bytes()) for each in [path, *path.rglob("*.py")] if each.is_file()]


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    """Each module of the package."""
    path: Path = request.param
    return path


@pytest.fixture
def tree(module: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(module.read_bytes())


@pytest.fixture
def import_linter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place to run import-linter from, whose traces are removed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    known = dict(logging.root.manager.loggerDict)
    yield
    for logger in logging.root.manager.loggerDict.keys() - known.keys():
        logging.getLogger(logger).handlers.clear()


@pytest.mark.usefixtures("import_linter")
def test_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    """Every import contract of pyproject.toml is kept."""
    config = str(ROOT / "pyproject.toml")
    status = lint_imports(config_filename=config, no_cache=True, no_logo=True)

    assert status == 0, capsys.readouterr().out


def test_length(module: Path) -> None:
    """A module can be read in one sitting."""
    lines = module.read_bytes().count(b"\n")

    assert lines <= MOST_LINES


def test_function_length(tree: ast.Module) -> None:
    """A function fits on a screen."""
    long = [
        f"{function.name} has {lines} lines"
        for function in functions(tree)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]

    assert long == []


def test_docstring(module: Path, tree: ast.Module) -> None:
    """Every module says in a sentence what it is for."""
    assert ast.get_docstring(tree), name_of(module)


def test_names(module: Path) -> None:
    """A module is named by a noun of the domain, not by being useful."""
    assert module.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def test_imports_stand_at_the_top(module: Path, tree: ast.Module) -> None:
    """Imports inside functions are for the few modules that keep the start fast."""
    within = module.relative_to(PACKAGE)
    if reason := next((LAZY[at] for at in LAZY if within.is_relative_to(at)), ""):
        pytest.skip(reason)

    assert inner_imports(tree) == []


def test_nothing_is_imported_by_its_name(module: Path, tree: ast.Module) -> None:
    """Only a family imports by name; all other imports are seen by mypy and the contracts."""
    if module.name == "registry.py":
        pytest.skip("members of a family are imported by name")
    hidden = [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute | ast.Name))
        and (getattr(node, "attr", None) or getattr(node, "id", None))
        in {"import_module", "__import__"}
    ]
    hidden += [f.name for f in tree.body if isinstance(f, Function) and f.name == "__getattr__"]

    assert hidden == []


def test_excuses_are_needed() -> None:
    """A module or folder that is excused from a rule breaks it."""
    lazy = {name for name in LAZY if not any(map(inner_imports, trees(name)))}
    broad = {name for name in BROAD if not any(map(broad_handlers, trees(name)))}

    assert lazy | broad == set()


def test_tests_mirror_the_rooms() -> None:
    """A folder of tests is the folder of the package that it tests, or holds laws of the whole."""
    folders = {path.parent.relative_to(ROOT / "tests") for path in TESTS}
    strangers = {str(folder) for folder in folders if not (PACKAGE / folder).is_dir()}

    assert strangers <= WHOLE


def test_nothing_is_swallowed(module: Path, tree: ast.Module) -> None:
    """Exceptions are caught by name; the few places that catch all of them say why."""
    if (reason := BROAD.get(module.relative_to(PACKAGE).as_posix())) is not None:
        pytest.skip(reason)

    assert broad_handlers(tree) == []


def test_texts_have_one_door(module: Path, tree: ast.Module) -> None:
    """What people write is decoded in one module, which names what is wrong with it."""
    within = module.relative_to(PACKAGE)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    listed = any(within.is_relative_to(at) for at in DECODES)

    assert listed or called.isdisjoint({"decode", "read_text"})


FAMILY: Final = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.package)


def source(family: Family[Any], name: str) -> Path:
    """The module of a member, or the first one of its package."""
    folder = ROOT.joinpath(*family.package.split("."))
    stem = name.replace("-", "_")
    module = folder / f"{stem}.py"
    return module if module.is_file() else folder / stem / "__init__.py"


@FAMILY
def test_members_end_in_their_contract(family: Family[Any]) -> None:
    """The last statement of a member binds it, typed, so that it is verified in place."""
    last = {name: ast.parse(source(family, name).read_bytes()).body[-1] for name in family}
    wrong = [
        name
        for name, node in last.items()
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == family.attribute
            and ast.unparse(node.annotation).startswith("Final[")
        )
    ]

    assert wrong == []


@FAMILY
def test_members_are_called_like_their_modules(family: Family[Any]) -> None:
    """A member that has a name is known to users by the one by which its family finds it."""
    assert [getattr(member, "name", name) for name, member in family.items()] == list(family)


@FAMILY
def test_members_have_tests(family: Family[Any]) -> None:
    """One more member is one more file and one more test."""
    folder = ROOT.joinpath("tests", *family.package.split(".")[1:])
    tested = {path.stem.removeprefix("test_") for path in folder.glob("*.py")}

    assert sorted({name.replace("-", "_") for name in family} - tested) == []


@pytest.mark.parametrize("test", TESTS, ids=name_of)
def test_tests_patch_nothing(test: Path) -> None:
    """Seams are arguments: no test reaches for `unittest.mock`."""
    imported = {
        alias.name
        for node in ast.walk(ast.parse(test.read_bytes()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
    }

    assert not {name for name in imported if name.split(".")[-1] == "mock"}


@pytest.mark.parametrize("test", TESTS, ids=name_of)
def test_tests_state_laws(test: Path) -> None:
    """Every test says in a sentence what must hold."""
    silent = [
        function.name
        for function in functions(ast.parse(test.read_bytes()))
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert silent == []
