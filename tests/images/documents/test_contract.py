"""Documents, as a user meets them: in the spec, in plan, build, check, prune and merges."""

from __future__ import annotations

import json
import subprocess

import pytest

from flux2build.errors import SpecError
from flux2build.images.documents.contract import compose
from flux2build.model import Write
from tests.conftest import Site

SPEC = """\
[manifest]
path = "assets.json"

[asset.fox]
prompt = "a fox"
width = 64
height = 64
alt = "A fox"

[[asset.fox.deliver]]
widths = [32]
formats = ["webp", "jpeg"]
"""


def reasons(site: Site) -> dict[str, list[str]]:
    """The reasons of a plan, by output; those of files that are current left out."""
    steps = json.loads(site.run("plan", "--json").out)["steps"]
    return {step["output"]: step["reasons"] for step in steps if step["action"] != "keep"}


def test_from_nothing_to_current(site: Site) -> None:
    """One build writes the document, and then `check` finds nothing to say."""
    site.write("assets.toml", SPEC)
    assert reasons(site)["assets.json"] == ["never-written"]

    assert site.run("build").code == 0

    value = json.loads(site.folder.joinpath("assets.json").read_text("utf-8"))
    assert [file["path"] for file in value["assets"]["fox"]["files"]] == [
        "fox-32.jpeg",
        "fox-32.webp",
    ]
    assert site.run("check").code == 0


def test_words_cost_nothing(site: Site) -> None:
    """Another alternative text writes the document again, and says so before."""
    site.write("assets.toml", SPEC)
    site.run("build")
    site.edit("assets.toml", "A fox", "A red fox")

    assert reasons(site) == {"assets.json": ["facts-changed"]}
    assert site.run("build").code == 0

    assert "A red fox" in site.folder.joinpath("assets.json").read_text("utf-8")
    assert reasons(site) == {}


def test_a_picture_that_is_not_there_yet(site: Site) -> None:
    """While a file is not made yet, its document waits for it, and may turn out unchanged."""
    site.write("assets.toml", SPEC)
    site.run("build")
    site.edit("assets.toml", "[32]", "[32, 48]")

    assert reasons(site)["assets.json"] == ["facts-pending"]
    assert "? assets.json" in site.run("plan").out


@pytest.mark.parametrize("damage", ["edited by hand", None])
def test_check_compares_bytes(site: Site, damage: str | None) -> None:
    """An edited or missing document is drift; a build brings the recorded bytes back."""
    site.write("assets.toml", SPEC)
    site.run("build")
    before = site.files()
    if damage:
        site.write("assets.json", damage)
    else:
        site.folder.joinpath("assets.json").unlink()

    ran = site.run("check")
    assert ran.code == 1
    assert "assets.json" in ran.out + ran.err
    assert site.run("build").code == 0
    assert site.files() == before


def test_documents_nobody_wants_are_left_over(site: Site) -> None:
    """A document that is no longer asked for is an orphan, and `prune` removes it."""
    site.write("assets.toml", SPEC)
    site.run("build")
    site.edit("assets.toml", 'path = "assets.json"', "")

    assert site.run("check").code == 1
    assert site.run("prune", "--yes").code == 0

    assert not site.folder.joinpath("assets.json").exists()
    assert site.run("check").code == 0
    assert "assets.json" not in site.folder.joinpath("assets.lock").read_text("utf-8")


def test_a_document_moves(site: Site) -> None:
    """At another path, the text that was written is there without being written again."""
    site.write("assets.toml", SPEC)
    site.run("build")
    site.edit("assets.toml", 'path = "assets.json"', 'path = "data/all.json"')

    assert reasons(site)["data/all.json"] == ["never-written", "already-made"]


def test_one_for_each_asset(site: Site) -> None:
    """A path that says the asset's name stands for one file for each."""
    site.write(
        "assets.toml", SPEC.replace('path = "assets.json"', 'pictures = "{{ asset.name }}.html"')
    )

    assert site.run("build").code == 0

    assert site.folder.joinpath("fox.html").read_text("utf-8").startswith("<!-- fox -->")


def test_explain_names_a_document_by_its_path(site: Site) -> None:
    """A document about all assets is selected like an asset, by its path."""
    site.write("assets.toml", SPEC)

    ran = site.run("explain", "assets.json")

    assert ran.code == 0
    assert "made of: fox" in ran.out
    assert site.run("show", "assets.json").code == 0
    assert site.run("graph").code == 0
    assert "assets.json" in site.run("list").out


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        ('path = "assets.txt"', 2, "does not end as manifest does"),
        ('path = "../assets.json"', 2, "leads out of its folder"),
        ('pahc = "assets.json"', 2, "unknown key `pahc`"),
        ('path = "assets.json"\n[asset."assets.json"]\nprompt = "x"', 2, "there is an asset"),
    ],
)
def test_mistakes_in_the_manifest(site: Site, written: str, line: int, message: str) -> None:
    """Each mistake is reported with its line, before anything is built."""
    site.write("assets.toml", SPEC.replace('path = "assets.json"', written))

    ran = site.run("plan")

    assert ran.code == 2
    assert message in ran.err
    assert f"assets.toml:{line}:" in ran.err


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ('{ document = "manifset", path = "a.json" }', 27, "unknown document `manifset`"),
        ('{ document = "manifest" }', 14, "needs a `document` and a `path`"),
        ('{ document = "manifest", path = "a.json", bsae = "/" }', 56, "unknown key `bsae`"),
    ],
)
def test_mistakes_in_an_entry(site: Site, entry: str, column: int, message: str) -> None:
    """A document of an entry of `deliver` is checked where it stands."""
    site.write("assets.toml", f"{SPEC}documents = [{entry}]\n")

    ran = site.run("plan")

    assert ran.code == 2
    assert message in ran.err
    assert f"assets.toml:13:{column}" in ran.err


def test_a_document_about_one_entry(site: Site) -> None:
    """An entry's document tells of its files and of what they are made of."""
    site.write(
        "assets.toml",
        f'{SPEC}documents = [{{ document = "manifest", path = "{{{{ asset.name }}}}.json" }}]\n',
    )

    assert site.run("build").code == 0

    value = json.loads(site.folder.joinpath("fox.json").read_text("utf-8"))["assets"]["fox"]
    assert {file["path"] for file in value["files"]} == {"fox-32.jpeg", "fox-32.webp"}
    assert site.run("check").code == 0


def test_a_selected_asset_is_built_without_documents_about_others(site: Site) -> None:
    """Building one asset leaves the document about all of them for the next build of all."""
    site.write("assets.toml", SPEC)

    assert site.run("build", "fox").code == 0

    assert not site.folder.joinpath("assets.json").exists()
    assert reasons(site) == {"assets.json": ["never-written"]}


def test_both_sides_of_a_merge(site: Site) -> None:
    """Two branches that add an asset each merge; the document is written for both."""

    def git(*words: str) -> subprocess.CompletedProcess[bytes]:
        names = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        return subprocess.run(
            ("git", *names, *words), cwd=site.folder, capture_output=True, check=False
        )

    git("init", "-q", "-b", "main")
    site.write(".gitignore", ".flux2build\n")
    site.write("assets.toml", SPEC)
    site.run("build")
    git("add", "-A")
    git("commit", "-qm", "first")
    for name in ("ant", "zebra"):
        git("switch", "-qc", name, "main")
        site.edit("assets.toml", "[asset.fox]", f'[asset.{name}]\nprompt = "{name}"\n\n[asset.fox]')
        assert site.run("build").code == 0
        git("add", "-A")
        git("commit", "-qm", name)
    git("merge", "ant")
    both = SPEC.replace("[asset.fox]", '[asset.ant]\nprompt = "ant"\n\n[asset.fox]')
    site.write("assets.toml", both + '\n[asset.zebra]\nprompt = "zebra"\n')

    assert site.run("build").code == 0

    value = json.loads(site.folder.joinpath("assets.json").read_text("utf-8"))
    assert [*value["assets"]] == ["ant", "fox", "zebra"]
    assert site.run("check").code == 0


def test_another_version_is_not_what_was_planned() -> None:
    """A document that this flux2build writes by other rules, or not at all, is refused."""
    with pytest.raises(SpecError, match="not the one that was planned"):
        compose(Write("manifest", 99, {}, ()), (), {}, lambda _: b"")
