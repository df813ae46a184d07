"""What a command does not need is not imported: counted in modules, in a process of its own."""

from __future__ import annotations

from typing import Final

import pytest

from flux2build.images.ops import OPS
from flux2build.providers import PROVIDERS
from tests.conftest import Site, settle
from tests.imported import HEAVY, imported

NETWORK: Final = {"httpx", "httpcore", "h11", "anyio", "urllib.request"}
MAKING: Final = {
    "flux2build.providers.sketch.scenes",
    "flux2build.providers.sketch.drawing",
    "flux2build.images.lettering.breaks",
    "flux2build.images.lettering.faces",
    "flux2build.console.progress",
    "dotenv",
    "icu4py",
    "pathspec",
    "polib",
    "rich.progress",
    "uharfbuzz",
}
IDLE: Final = {
    "flux2build.images.derive",
    "flux2build.images.reading",
    "flux2build.providers.sketch.scenes.city",
    "flux2build.storage.copies",
}
"""What a build imports that derives, reads words, draws a city, or looks for lost pictures."""
SERVERS: Final = {"starlette", "uvicorn", "watchfiles"}
SHELF: Final = """\
[project]
output = "img"

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
prompt = "product photo of {{ row.words }}"
refs = ["refs/{{ row.ref }}.png"]
"""


@pytest.mark.parametrize(
    "words",
    [
        ["check", "--json"],
        ["check", "--output-format", "github"],
        ["plan", "-v"],
        ["build", "--json"],
        ["explain", "mascot"],
    ],
    ids=" ".join,
)
def test_nothing_reaches_for_the_network(site: Site, words: list[str]) -> None:
    """A full plan with nothing to do imports no client, no server and no transport."""
    site.run("build")

    found = imported(site, *words)

    assert "flux2build.planning.verdict" in found
    assert found & (NETWORK | SERVERS) == set()
    assert not {
        name
        for name in found
        if name.startswith(("flux2build.purchasing.http", "flux2build.simul"))
    }
    assert words[0] == "build" or "asyncio" not in found


@pytest.mark.parametrize(
    "words", [["plan"], ["build"], ["explain", "mascot"], ["orders"]], ids=" ".join
)
def test_who_shares_no_store_loads_nothing_of_it(site: Site, words: list[str]) -> None:
    """Not even where a file is missing, which a team's store might have."""
    site.run("build")
    site.folder.joinpath("img/icon.png").unlink()

    found = imported(site, *words)

    assert not [name for name in found if name.startswith("flux2build.sharing")]


@pytest.mark.parametrize("word", ["check", "plan", "explain", "list"])
def test_judging_makes_nothing(site: Site, word: str) -> None:
    """A plan imports no modules that draw, letter or report."""
    words = [word, "mascot"] if word == "explain" else [word]

    found = imported(site, *words)

    assert {"flux2build.providers.sketch", "flux2build.images.ops.crop"} <= found
    assert found & MAKING == set()


def test_only_what_the_spec_uses_is_imported(site: Site) -> None:
    """A plan imports only the providers and operations that the spec asks for, in any profile."""
    found = imported(site, "plan")
    members = {f"{family.package}.{name}" for family in (OPS, PROVIDERS) for name in family}

    assert members & found == {
        "flux2build.images.ops.crop",
        "flux2build.images.ops.resize",
        "flux2build.providers.bfl",
        "flux2build.providers.sketch",
    }


def test_what_is_drawn_is_imported(site: Site) -> None:
    """A build that draws a sketch imports what it is drawn with."""
    assert {"flux2build.providers.sketch.drawing", "flux2build.console.progress"} <= imported(
        site, "build"
    )


def test_no_plugin_takes_part(site: Site) -> None:
    """What is installed beside flux2build is neither searched for nor run by its models."""
    folder = site.folder / "beside"
    folder.mkdir()
    (folder / "nosy.py").write_text("PLUGIN = None\n")
    about = folder / "nosy-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nosy\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[pydantic]\nnosy = nosy:PLUGIN\n")

    assert "nosy" not in imported(site, "check", PYTHONPATH=str(folder))


def test_drift_reaches_for_no_network_either(site: Site) -> None:
    """A check that finds something is as offline as one that does not."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox", "a friendly red fox")

    assert imported(site, "check") & (NETWORK | SERVERS) == set()


def test_only_the_index_is_asked(site: Site) -> None:
    """The answer that is known already takes a few modules of flux2build.

    The first call after a build notes which of the new files need not be hashed again, once they are
    old enough for their times to tell.
    """
    site.run("build")
    settle()
    rooms = {"flux2build", "flux2build.cli", "flux2build.storage"}
    names = "edition", "index", "index_packed", "ledger_mark", "own_folder"
    storage = {f"storage.{name}" for name in names}

    for word in ("build", "plan", "check"):
        imported(site, word)
        ours = {name for name in imported(site, word) if name.startswith("flux2build")}
        assert ours - rooms == {
            f"flux2build.{name}" for name in {"cli.entry", "cli.plain", *storage}
        }


@pytest.mark.parametrize(
    ("command", "most", "without"),
    [
        ("--version", 42, {*HEAVY, "hashlib", "re", "typing"}),
        ("--help", 149, HEAVY - {"click", "pathlib"}),
        ("list", 327, {*HEAVY - {"pathlib"}, "dataclasses", "inspect", "platformdirs"}),
        ("plan", 330, {*HEAVY - {"pathlib"}, "dataclasses", "inspect", "platformdirs"}),
        (
            "check",
            345,
            {*HEAVY - {"pathlib"}, "dataclasses", "importlib.resources", "inspect", "platformdirs"},
        ),
        ("build", 505, {"click", "httpx", "networkx", "pathspec", "platformdirs", "pydantic"}),
    ],
)
def test_a_command_imports_no_more(site: Site, command: str, most: int, without: set[str]) -> None:
    """After an edit, each command imports at most so many modules, and none of some libraries."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox", "a friendly red fox")

    found = imported(site, command)

    assert found & without == set()
    assert len(found) <= most


@pytest.fixture
def shelf(empty: Site) -> Site:
    """Pictures of the rows of a file, each with a reference, of which nothing is to be made."""
    empty.write("assets.toml", SHELF)
    empty.write("shots.csv", "sku,words,ref\nmug,a mug,a\ncup,a cup,b\n")
    empty.draw("refs/a.png", "red")
    empty.draw("refs/b.png", "teal")
    empty.run("build")
    return empty


@pytest.mark.parametrize(
    ("edit", "command", "most", "without"),
    [
        ("row", "plan", 315, {"PIL", "fractions", "string"}),
        ("row", "check", 331, {"PIL", "flux2build.checks.blank", "flux2build.checks.unused"}),
        ("row", "build", 485, {"dataclasses", "PIL.ImageCms", "flux2build.checks.palette", *IDLE}),
        ("reference", "plan", 284, {"flux2build.assetspec.reader", "tomli"}),
        ("output", "plan", 244, {"PIL", "difflib", "flux2build.images.ops.contract", "tomli"}),
        ("output", "check", 267, {"PIL", "flux2build.checks.dimensions"}),
    ],
)
def test_an_edit_imports_what_it_touches(
    shelf: Site, edit: str, command: str, most: int, without: set[str]
) -> None:
    """After an edit of a row or a reference, or the loss of a file, all else stays where it is."""
    if edit == "row":
        shelf.edit("shots.csv", "a mug", "a blue mug")
    elif edit == "reference":
        shelf.draw("refs/a.png", "navy")
    else:
        shelf.folder.joinpath("img/shot-cup.png").unlink()

    found = imported(shelf, command)

    assert found & without == set()
    assert len(found) <= most


@pytest.mark.parametrize("command", ["build", "plan", "check"])
def test_a_known_answer_takes_hardly_more_than_python(site: Site, command: str) -> None:
    """What is known already is printed without the libraries that half of Python is made of."""
    site.run("build")

    found = imported(site, command)

    assert found & {*HEAVY, "json", "typing"} == set()
    assert len(found) <= 55


@pytest.mark.parametrize(
    "words",
    [
        *(["plan", "--json"], ["plan", "-v"], ["plan", "--exit-code"], ["plan", "her*"]),
        *(["check", "--json"], ["check", "--strict"], ["check", "hero", "-q"]),
        *(["build", "--json"], ["build", "-v"], ["build", "--yes"]),
    ],
    ids=" ".join,
)
def test_no_option_makes_a_spec_be_read(site: Site, words: list[str]) -> None:
    """After a file was lost, neither options nor the names of assets take reading the spec."""
    site.run("build")
    site.folder.joinpath("img/hero-dark-32.webp").unlink()

    found = imported(site, *words)

    assert found & {"click", "flux2build.assetspec.reader"} == set()
    assert "flux2build.incremental.brief" in found


def test_what_a_spec_does_not_have_is_not_imported(site: Site) -> None:
    """A spec without more markup than names, data files and operations is planned without Jinja, their readers and Pillow."""
    site.write("templates/owl.j2", "an owl that looks like {{ asset.name }}")
    spec = '[asset.fox]\nprompt = "a fox"\n\n[asset.owl]\ntemplate = "owl.j2"\n'
    site.write("assets.toml", spec)
    site.run("build")
    site.edit("assets.toml", "a fox", "a red fox")
    site.edit("templates/owl.j2", "an owl", "a grey owl")

    found = imported(site, "plan")

    assert found & {"jinja2", "networkx", "PIL", "flux2build.assetspec.rows"} == set()
