"""With what flux2build knows of a tree, every command does what it does without."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.incremental.brief import brief
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from tests.conftest import Site

SPEC: Final = """
[style.soft]
prompt_suffix = "in soft light"
tags = ["soft"]

[asset.desk]
prompt = "a desk by a window"
refs = ["refs/desk.png", { asset = "icon" }]
style = "soft"

[[asset.desk.deliver]]
path = "desk.webp"

DECISIONS
[profile.wide]
output = "wide"
height = 64

[asset.photo]
source = "refs/photo.png"

[[asset.photo.deliver]]
path = "photo-{{ width }}.webp"
widths = [4, 8]

[asset.shot]
rows = { file = "shots.csv", key = "sku" }
template = "{{ row.how }}.j2"
alt = "{{ row.alt | default('a shot') }}"
refs = ["refs/{{ row.ref }}.png"]

[[asset.shot.deliver]]
path = "shot-{{ sku }}.webp"

[asset.scene]
rows = { file = "shots.csv", key = "sku" }
prompt = "a scene of {{ row.name }}"
refs = [{ asset = "shot" }]

[asset.page]
rows = { file = "pages/*.md", key = "slug" }
prompt = "a head for {{ row.title }}"
DOCUMENTS"""
DECISIONS: Final = {
    "an approval": """
[asset.poster]
prompt = "a poster of a fair"
review = "required"
""",
    "none": "",
    "a pick": """
[checks.alt]
severity = "error"
exclude = ["desk", "photo", "icon", "hero", "scene", "lamp", "sign"]

[asset.lamp]
prompt = "a lamp of a fair"
candidates = 2
refs = ["refs/photo.png"]

[[asset.lamp.deliver]]
path = "lamp.webp"

[asset.sign]
prompt = "a sign of a fair"
expect_text = "OPEN"
""",
}
"""What a person has to decide in some specs, or to look at, by what it is about."""
ROWS: Final = """\
sku,how,name,ref,alt,note
1,plain,a red mug,desk,,one
2,plain,a blue cup,photo,a cup,two
3,fancy,a tin can,desk,,three
"""
DOCUMENTS: Final = """
[manifest]
path = "pictures.json"
"""
OWN: Final = ("baseline", "baseline-changes", "index", "index-changes")
"""The files in which flux2build keeps what it knows of a tree."""
PAGE: Final = "---\ntitle: a fair\n---\nCome and see.\n"
Edit = Callable[[], object]


def written(name: str, text: str) -> Edit:
    """A file with a text."""
    return lambda: Path(name).write_text(text)


def drawn(name: str, colour: str) -> Edit:
    """Another picture in the place of a reference."""
    return lambda: Image.new("RGB", (8, 8), colour).save(name)


def removed(name: str) -> Edit:
    """A file that is missing."""
    return lambda: Path(name).unlink(missing_ok=True)


def damaged(name: str) -> Edit:
    """As many other bytes, with the time put back: only the inode's change shows it."""

    def damage() -> None:
        path = Path(name)
        if path.is_file():
            status, data = path.stat(), path.read_bytes()
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return damage


def replaced(name: str, old: str, new: str) -> Edit:
    """Other words of the same length in a text, and the old ones if those are there already."""

    def replace() -> None:
        path = Path(name)
        text = path.read_text("utf-8")
        there = new in text if old in new else old not in text
        path.write_text(text.replace(new, old) if there else text.replace(old, new))

    return replace


def rewritten(name: str) -> Edit:
    """The same bytes in another file."""

    def rewrite() -> None:
        path = Path(name)
        if path.is_file():
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)

    return rewrite


def grown(name: str, more: str) -> Edit:
    """A text with more at its end, or without it if that is there already."""

    def grow() -> None:
        path = Path(name)
        text = path.read_text("utf-8")
        path.write_text(text.replace(more, "") if more in text else text + more)

    return grow


def moved_up(name: str) -> Edit:
    """The last row of a file before all others."""

    def move() -> None:
        head, *rows = Path(name).read_text("utf-8").splitlines(keepends=True)
        Path(name).write_text("".join([head, *rows[-1:], *rows[:-1]]))

    return move


def swapped_tables(name: str) -> Edit:
    """The last table of a spec before the one above it."""

    def swap() -> None:
        *head, above, last = Path(name).read_text("utf-8").split("\n[asset.")
        ends = [each.rstrip("\n") + "\n" for each in (above, last)]
        Path(name).write_text("\n[asset.".join([*head, *reversed(ends)]))

    return swap


def put_aside(name: str) -> Edit:
    """A copy of one of flux2build's own files, if it is there, beside the tree."""
    return lambda: own(name).is_file() and shutil.copy(own(name), aside(name))


def put_back(name: str) -> Edit:
    """The copy that was put aside of this tree's own file, if there is one, in its place."""
    return lambda: (
        aside(name).is_file() and own(name).parent.is_dir() and shutil.copy(aside(name), own(name))
    )


def own(name: str) -> Path:
    """One of the files in which flux2build keeps what it knows of this tree."""
    return Path(".flux2build", name)


def aside(name: str) -> Path:
    """Where a copy of it lies, which is not that of another tree."""
    return Path("..", f"{Path.cwd().name}-{name}")


def configured(text: str) -> Edit:
    """A configuration of the user's own."""
    return lambda: Path(os.environ["FLUX2BUILD_CONFIG"]).write_text(text)


def linked(name: str) -> None:
    """A link to the same text in the same folder."""
    path = Path(name)
    if not path.is_symlink():
        path.rename(f"{name}.txt")
        path.symlink_to(f"{path.name}.txt")


EDITS: Final[dict[str, Edit]] = {
    "another reference": drawn("refs/desk.png", "red"),
    "its first reference": drawn("refs/desk.png", "teal"),
    "another photo": drawn("refs/photo.png", "navy"),
    "a small photo": lambda: Image.new("RGB", (4, 4), "red").save("refs/photo.png"),
    "no icon": removed("img/icon.png"),
    "no derived file": removed("img/photo-8.webp"),
    "no document": removed("img/pictures.json"),
    "a damaged master": damaged("img/desk.png"),
    "a damaged file": damaged("img/hero-dark-32.webp"),
    "a damaged document": damaged("img/pictures.json"),
    "a new reference file": rewritten("refs/desk.png"),
    "a new lock file": rewritten("assets.lock"),
    "a damaged lock": damaged("assets.lock"),
    "a prompt": replaced("assets.toml", "a bell", "a ball"),
    "a prompt of a family": replaced("assets.toml", "a scene of", "the scene of"),
    "a seed": replaced("assets.toml", "seed = 42", "seed = 43"),
    "a prompt of a picture to approve": replaced("assets.toml", "of a fair", "of a zoo"),
    "three candidates": replaced("assets.toml", "candidates = 2", "candidates = 3"),
    "other words to show": replaced("assets.toml", "OPEN", "SHUT"),
    "nothing that is excluded": replaced("assets.toml", '"photo", "icon",', '"photo",'),
    "no approval": replaced("assets.toml", 'review = "required"', ""),
    "no seed": replaced("assets.toml", "seed = 42", "take = 1"),
    "a size": replaced("assets.toml", 'a bell"', 'a bell"\nwidth = 64'),
    "a tag": replaced("assets.toml", '["brand"]', '["brand", "fox"]'),
    "tags of a style": replaced("assets.toml", '["soft"]', '["hard"]'),
    "a style": replaced("assets.toml", "in soft light", "in hard light"),
    "another style of an asset": replaced("assets.toml", 'style = "soft"', "# style"),
    "a variable": replaced("assets.toml", "#0A84FF", "#0A84F0"),
    "another variable": replaced("assets.toml", "[vars]", '[vars]\ntint = "red"'),
    "a default": replaced("assets.toml", "height = 96", "height = 80"),
    "a default that is replaced": replaced("assets.toml", "height = 96", "height = 96\ntake = 1"),
    "another reference of an asset": replaced(
        "assets.toml", '"refs/desk.png", {', '"refs/photo.png", {'
    ),
    "another asset as a reference": replaced("assets.toml", 'asset = "icon"', 'asset = "mascot"'),
    "a circle": replaced("assets.toml", 'a bell"', 'a bell"\nrefs = [{ asset = "desk" }]'),
    "an output": replaced("assets.toml", 'a bell"', 'a bell"\noutput = "bells/bell.png"'),
    "an output of another": replaced("assets.toml", 'a bell"', 'a bell"\noutput = "desk.png"'),
    "a new file": replaced(
        "assets.toml", 'a bell"', 'a bell"\n\n[[asset.icon.deliver]]\npath = "icon.webp"'
    ),
    "no file of an asset": replaced(
        "assets.toml", '[[asset.desk.deliver]]\npath = "desk.webp"', ""
    ),
    "an operation": replaced("assets.toml", 'ratio = "16:9"', 'ratio = "4:3"'),
    "an unused key": replaced("assets.toml", 'a bell"', 'a bell"\nsign = true'),
    "signatures": replaced("assets.toml", 'style = "soft"', 'style = "soft"\nsign = true'),
    "another profile": replaced("assets.toml", "height = 1024", "height = 512"),
    "another check": replaced("assets.toml", "[defaults]", '[checks]\nalt = "off"\n\n[defaults]'),
    "a take in another profile": replaced(
        "assets.toml", 'output = "final"', 'output = "final"\ntake = 2'
    ),
    "another severity": replaced(
        "assets.toml", "[defaults]", '[checks.alt]\nseverity = "error"\n\n[defaults]'
    ),
    "a check of some assets": replaced(
        "assets.toml", "[defaults]", '[checks.alt]\nexclude = ["icon"]\n\n[defaults]'
    ),
    "a check of no asset": replaced(
        "assets.toml", "[defaults]", '[checks.alt]\nexclude = ["none"]\n\n[defaults]'
    ),
    "approvals by name": replaced(
        "assets.toml", "[defaults]", '[checks.review]\nrequired = ["icon"]\n\n[defaults]'
    ),
    "a budget": replaced("assets.toml", "[defaults]", "[budget]\nper_run = 0\n\n[defaults]"),
    "what an operation usually has": replaced(
        "assets.toml", "[defaults]", '[op.crop]\nanchor = "top"\n\n[defaults]'
    ),
    "a usual parameter of no operation": replaced(
        "assets.toml", "[defaults]", "[op.blur]\nradius = 3\n\n[defaults]"
    ),
    "other settings of this machine": configured("[budget]\nconfirm_above = 1\n"),
    "other limits of this machine": configured("[limits]\nmade_pixels = 1000\n"),
    "a seed of another kind": replaced("assets.toml", "seed = 42", 'seed = "4"'),
    "markup in a prompt": replaced(
        "assets.toml", "scene of {{ row.name }}", "scene of {{ row.sku }}"
    ),
    "an unused style": replaced("assets.toml", "[defaults]", "[style.x]\nwidth = 64\n\n[defaults]"),
    "markup in a comment": replaced("assets.toml", "[defaults]", "# {{ else }}\n[defaults]"),
    "a comment": replaced("assets.toml", "[defaults]", "# all\n[defaults]"),
    "a template": replaced("templates/hero.j2", "mood", "tone"),
    "a name": replaced("shots.csv", "red mug", "bad mug"),
    "two equal names": replaced("shots.csv", "a blue cup", "a red mug"),
    "a note": replaced("shots.csv", ",two", ",too"),
    "a failed formula": replaced("shots.csv", "a tin can", "#VALUE!"),
    "a blank name": replaced("shots.csv", "a tin can", ""),
    "another file": replaced("shots.csv", "mug,desk", "mug,photo"),
    "no file": replaced("shots.csv", "can,desk", "can,disk"),
    "a file of its own": replaced("shots.csv", "mug,desk", "mug,aside"),
    "its own file": drawn("refs/aside.png", "lime"),
    "a template of its own": replaced("shots.csv", "1,plain", "1,apart"),
    "its own template": replaced("templates/apart.j2", "far", "off"),
    "an alt text in a row": replaced("shots.csv", "a cup,", "a pot,"),
    "another template": replaced("shots.csv", "3,fancy", "3,plain"),
    "another key": replaced("shots.csv", "\n2,", "\n4,"),
    "two rows change places": replaced(
        "shots.csv", "\n2,plain,a blue cup,photo,a cup,two\n3,", "\n3,"
    ),
    "rows in another order": moved_up("shots.csv"),
    "one row more": replaced("shots.csv", "\n3,fancy", "\n4,plain,a pan,desk,,\n3,fancy"),
    "one row more at the end": grown("shots.csv", "9,plain,a pot,desk,,four\n"),
    "two rows more": grown("shots.csv", "8,plain,a pot,desk,,\n7,plain,a lid,desk,,\n"),
    "a row of another spelling": grown("shots.csv", "1.,plain,a pot,desk,,four\n"),
    "a row without a file": grown("shots.csv", "6,plain,a jug,none,,four\n"),
    "the same key twice": grown("shots.csv", "1,plain,a vase,desk,,four\n"),
    "no last row": replaced("shots.csv", "3,fancy,a tin can,desk,,three\n", ""),
    "no rows": replaced("shots.csv", ROWS.partition("\n")[2], ""),
    "a blank line": replaced("shots.csv", "\n2,", "\n\n2,"),
    "a new table": grown("assets.toml", '\n[asset.lamp]\nprompt = "a lamp"\n'),
    "a new table with a reference": grown(
        "assets.toml", '\n[asset.ring]\nprompt = "a ring"\nrefs = [{ asset = "icon" }]\n'
    ),
    "a new table for a file": grown("assets.toml", '\n[asset.pic]\nsource = "refs/desk.png"\n'),
    "a new table above all": replaced(
        "assets.toml", "[asset.mascot]", '[asset.first]\nprompt = "a first"\n\n[asset.mascot]'
    ),
    "a new table for an old file": grown(
        "assets.toml", '\n[asset.copy]\nprompt = "a copy"\noutput = "icon.png"\n'
    ),
    "a new table of another spelling": grown("assets.toml", '\n[asset.ICON]\nprompt = "it"\n'),
    "no table": replaced(
        "assets.toml", '[asset.poster]\nprompt = "a poster of a fair"\nreview = "required"\n', ""
    ),
    "no table that others are made of": replaced(
        "assets.toml", '[asset.icon]\nprompt = "a bell"', ""
    ),
    "a renamed table": replaced("assets.toml", "[asset.poster]", "[asset.placard]"),
    "a renamed table that others name": replaced("assets.toml", "[asset.icon]", "[asset.ikon]"),
    "tables in another order": swapped_tables("assets.toml"),
    "one value more": replaced("assets.toml", '"dark"]', '"dark", "dim"]'),
    "one value less": replaced("assets.toml", '"light", "dark"]', '"dark"]'),
    "values in another order": replaced("assets.toml", '"light", "dark"]', '"dark", "light"]'),
    "one axis more": replaced("assets.toml", 'dark"] }', 'dark"], size = ["s"] }'),
    "some rows": replaced(
        "assets.toml", 'key = "sku" }\nprompt', 'key = "sku", where = "{{ row.alt }}" }\nprompt'
    ),
    "words of a template": replaced("templates/plain.j2", "on wood", "on sand"),
    "expressions of a template": replaced("templates/fancy.j2", "{{ row.name }}", "{{ row.sku }}"),
    "a broken template": replaced("templates/fancy.j2", "{{ row.name }}", "{{ row.name }"),
    "an included template": replaced("templates/fancy.j2", "velvet", "{% include 'plain.j2' %}"),
    "the word of the included": replaced("templates/plain.j2", "wood", "mats"),
    "a linked template": lambda: linked("templates/plain.j2"),
    "a page": replaced("pages/a.md", "a fair", "a zoo"),
    "words of a page": replaced("pages/a.md", "and see", "to see"),
    "one page more": written("pages/b.md", PAGE.replace("fair", "feast")),
    "one page less": removed("pages/b.md"),
    "no page": removed("pages/a.md"),
    "a broken row": replaced("shots.csv", ",one", ',"one'),
    "alt text": replaced("assets.toml", "The {{ brand.name }} fox", "A {{ brand.name }} fox"),
    "a width": replaced("assets.toml", "widths = [4, 8]", "widths = [4, 6]"),
    "a spoiled spec": replaced("assets.toml", "width = 128", "width = -28"),
    **{f"a damaged {name}": damaged(f".flux2build/{name}") for name in OWN},
    **{f"no {name}": removed(f".flux2build/{name}") for name in OWN},
    **{f"the {name} put aside": put_aside(name) for name in OWN},
    **{f"the {name} of before": put_back(name) for name in OWN},
}
OPTIONS: Final = [
    *("plan --json", "plan -v", "plan -q --exit-code", "plan icon", "plan sh*t --json"),
    *("plan scene desk -v", "plan hero nothing", "check *o*", "check desk --json"),
    *(
        "build icon",
        "build hero+ --exclude scene",
        "pick lamp 2",
        "reject poster",
        "approve poster",
    ),
    *("check --json", "check -v", "check -q --strict", "check --ignore alt"),
    *("build --json", "build -v", "build -q", "build --yes"),
    *("list", "list --json", "list sh*t desk", "list photo -q", "list nothing"),
]
LISTS: Final = OPTIONS[-5:]
OF_A_FAIR: Final = "a prompt of a picture to approve"
SELECTIONS: Final = [
    *(
        "plan path:img/hero* -v",
        "plan state:changed",
        "plan state:* --exclude model:*",
        "list tag:*",
    ),
    *("plan hero[theme=dark] --json", "plan hero[theme=d*]", "check reason:*", "check state:new"),
    *(
        "plan icn",
        "plan reson:x",
        "plan assets.toml -v",
        "plan refs/desk.png",
        "plan a/nothing.png",
    ),
    *("plan --force icon", "plan hero --force mascot --json", "build --force desk", "plan +desk"),
    *("check --exclude path:*.png", "build model:sketch --force path:img/hero*", "list reason:*"),
    *("plan templates/plain.j2", "plan shots.csv -v", "list assets.lock", "plan state:unapproved"),
]
CHECKS: Final = ["check", "plan", "check", "build", "check --json"]
ASIDE: Final = ["the baseline-changes put aside", "the index-changes put aside"]
ALL_ASIDE: Final = [f"the {name} put aside" for name in OWN]
ALL_BACK: Final = [step for name in OWN for step in (f"the {name} of before", "plan", "check")]
SIGNED: Final = ["plan", "build", "signatures", "plan", "build"]
PUT_BACK: Final = ["the baseline-changes of before", "check", "the index-changes of before"]
STEPS: Final = st.lists(
    st.one_of(
        st.sampled_from([*EDITS]),
        st.sampled_from(["plan", "check", "build", *OPTIONS, *SELECTIONS]),
    ),
    min_size=2,
    max_size=6,
)


class Trees:
    """Two trees that are edited alike: one with what flux2build knows of it, one without."""

    def __init__(self, site: Site, place: Path, patch: pytest.MonkeyPatch) -> None:
        self._site, self._place, self._patch = site, place, patch
        for tree in ("warm", "cold"):
            shutil.copytree(site.folder, place / tree)

    def each(self) -> Iterator[str]:
        """Go to one tree after the other."""
        for tree in ("warm", "cold"):
            with self.within(tree):
                yield tree

    @contextmanager
    def within(self, tree: str) -> Iterator[None]:
        """Go to a tree, which has a home of its own."""
        self._patch.setenv("FLUX2BUILD_HOME", str(self._place / f"home-{tree}"))
        with chdir(self._place / tree):
            yield

    def prepare(self, tree: str, *, documents: bool, decisions: str = "an approval") -> None:
        """Write a spec with data, templates, references and `DECISIONS`, and build it.

        With documents, another profile is built as well.
        """
        configured("")()
        Path("refs").mkdir()
        EDITS["its first reference"]()
        drawn("refs/photo.png", "red")()
        drawn("refs/aside.png", "tan")()
        Path("shots.csv").write_text(ROWS)
        Path("pages").mkdir()
        written("pages/a.md", PAGE)()
        Path("templates/plain.j2").write_text("{{ row.name }} on wood\n")
        Path("templates/apart.j2").write_text("{{ row.name }} far away\n")
        Path("templates/fancy.j2").write_text("{{ row.name }} on velvet\n")
        with Path("assets.toml").open("a", encoding="utf-8") as spec:
            text = SPEC.replace("DOCUMENTS", DOCUMENTS if documents else "")
            spec.write(text.replace("DECISIONS", DECISIONS[decisions]))
        for command in ("build -p wide", "build") if documents else ("build",):
            assert self.said(tree, command)[0] == 0

    def said(self, tree: str, command: str) -> tuple[int, str, list[str]]:
        """What a command says in a tree; lines tell of files in whatever order cores are free."""
        if tree == "cold":
            shutil.rmtree(".flux2build", ignore_errors=True)
        ran = self._site.run(*command.split())
        return ran.code, ran.out, sorted(ran.err.splitlines())

    def files(self, tree: str) -> dict[str, bytes]:
        """Every file of a tree, flux2build's own left out."""
        return Site(self._place / tree, self._site.capture).files()


def timeless(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files, without the moments at which somebody decided."""
    return {name: re.sub(rb'(?m)^at = ".*"$', b"", data) for name, data in files.items()}


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents=st.booleans(), steps=STEPS)
@example(documents=False, steps=["another reference", "check", "build", "no icon", "build"])
@example(documents=False, steps=["a name", "plan", "check", "build", "words of a template"])
@example(documents=False, steps=["a name", "build", "a small photo", "plan"])
@example(documents=False, steps=["alt text", "plan", "a size", "build", "an output", "check"])
@example(documents=True, steps=["two equal names", "build", "another file", "no icon", "build"])
@example(documents=True, steps=["one row more", "a new table above all", "plan", "build", "check"])
@example(documents=True, steps=["one page more", "build", "a renamed table", "plan -v", "build"])
@example(documents=False, steps=["no last row", "build", "check --json", "one value more", "build"])
@example(documents=False, steps=["a template of its own", "build", "its own template", "build"])
@example(documents=False, steps=["a name", "build", *ASIDE, "a size", "build", *PUT_BACK])
@example(documents=False, steps=["a name", "build", *ALL_ASIDE, "a size", "build", *ALL_BACK])
@example(documents=False, steps=["a damaged lock", "plan", "a damaged lock", "plan", "a name"])
@example(documents=False, steps=["a name", *OPTIONS[:13], "build --json", "a size", "build -v"])
@example(documents=True, steps=["no icon", "build", "another photo", *SIGNED, "check"])
@example(documents=False, steps=["another check", "plan", "check", "another check", *CHECKS])
@example(documents=False, steps=["approvals by name", *CHECKS, "a size", "build", *CHECKS])
@example(
    documents=False, steps=["what an operation usually has", *CHECKS, "a take in another profile"]
)
@example(documents=True, steps=["a usual parameter of no operation", *CHECKS, "a name", *CHECKS])
@example(documents=False, steps=["an unused style", *CHECKS, "a style", *CHECKS, "an unused style"])
@example(documents=True, steps=["other settings of this machine", *CHECKS, "a size", *CHECKS])
@example(documents=False, steps=["other limits of this machine", *CHECKS, "a size", *CHECKS])
@example(documents=True, steps=["another severity", *CHECKS, "a check of some assets", *CHECKS])
@example(documents=True, steps=["one row more", *LISTS, "no icon", *LISTS, "a renamed table"])
@example(documents=False, steps=["a tag", *LISTS, "another photo", *LISTS, "no last row", *LISTS])
@example(
    documents=False, steps=["a new table above all", *LISTS, "a size", *LISTS, "an output", *LISTS]
)
@example(documents=True, steps=[*SELECTIONS, "a name", *SELECTIONS, "no icon", *SELECTIONS])
def test_commands_do_what_they_do_without(
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    *,
    documents: bool,
    steps: list[str],
) -> None:
    """Whatever is edited between them, commands say and write, byte for byte, what they do cold."""
    trees = Trees(site, tmp_path_factory.mktemp("trees"), monkeypatch)
    for tree in trees.each():
        trees.prepare(tree, documents=documents)
    do_alike(trees, [*steps, "plan", "check", "build", "build", "check"])


@pytest.mark.parametrize(
    ("decisions", "steps"),
    [
        ("none", ["a name", "check", "two equal names", "check", "alt text", "build", "check"]),
        ("none", ["a size", "build icon", "a tag", "plan", "build mascot", "build", "check"]),
        ("a pick", ["pick lamp 2", "plan", "a name", "check", "build", "another photo", "build"]),
        (
            "a pick",
            [OF_A_FAIR, "plan", "build", "pick lamp 2", "plan -v", "build", "check", "build"],
        ),
        (
            "a pick",
            ["three candidates", "check", OF_A_FAIR, "build --json", "plan", "build", "plan"],
        ),
        ("a pick", ["other words to show", "check", "build", "nothing that is excluded", "check"]),
        ("an approval", ["reject poster", "plan", "a size", "build", "alt text", "build", "check"]),
        ("an approval", ["one axis more", "plan", "a tag", "build", "build", "check"]),
        ("an approval", ["no file of an asset", "build", "plan", "a size", "check", "build"]),
    ],
)
def test_decisions_and_what_is_left_change_nothing_of_that(
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    decisions: str,
    steps: list[str],
) -> None:
    """Commands say what they do cold where something is left to do or to decide, or no check finds anything."""
    trees = Trees(site, tmp_path_factory.mktemp("trees"), monkeypatch)
    for tree in trees.each():
        trees.prepare(tree, documents=False, decisions=decisions)
    do_alike(trees, steps)


def do_alike(trees: Trees, steps: Sequence[str]) -> None:
    """Take steps in both trees, which are told the same and are alike in the end."""
    for step in steps:
        said = [
            trees.said(tree, step) if step not in EDITS else EDITS[step]() for tree in trees.each()
        ]
        if step not in EDITS:
            assert said[0] == said[1], step
    assert timeless(trees.files("warm")) == timeless(trees.files("cold"))


@pytest.mark.parametrize("command", ["check", "check icon", "check --strict"])
@pytest.mark.parametrize("table", ["asset.icon", "defaults"])
def test_a_picture_that_is_now_to_be_approved_is_looked_for(
    site: Site, table: str, command: str
) -> None:
    """After an edit that asks for approvals alone, `check` names what nobody has approved."""
    assert site.run("build").code == 0
    assert site.run("check").code == 0
    replaced("assets.toml", f"[{table}]\n", f'[{table}]\nreview = "required"\n')()
    warm = [site.run(*command.split()), site.run("build"), site.run(*command.split())]
    shutil.rmtree(".flux2build")
    cold = site.run(*command.split())

    assert "unapproved" in cold.out
    assert [(each.code, each.out) for each in warm[::2]] == [(cold.code, cold.out)] * 2


READ: Final[dict[str, set[str] | None]] = {
    "another reference": set(),
    "no derived file": set(),
    "a name": {"shot", "scene"},
    "a note": {"shot", "scene"},
    "another file": {"shot", "scene"},
    "an alt text in a row": {"shot", "scene"},
    "another template": {"shot", "scene"},
    "words of a template": {"shot"},
    "expressions of a template": {"shot"},
    "an included template": {"shot"},
    "a prompt": {"icon"},
    "a prompt of a family": {"scene"},
    "markup in a prompt": {"scene"},
    "a prompt of a picture to approve": {"poster"},
    "no approval": {"poster"},
    "a seed": {"mascot"},
    "no seed": {"mascot"},
    "a size": {"icon"},
    "a tag": {"mascot"},
    "alt text": {"mascot"},
    "a style": {"desk"},
    "another style of an asset": {"desk"},
    "an unused style": set(),
    "a variable": {"mascot"},
    "a default": {"mascot", "hero", "icon", "desk", "poster", "photo", "shot", "scene", "page"},
    "another reference of an asset": {"desk"},
    "another asset as a reference": {"desk"},
    "an output": {"icon"},
    "a new file": {"icon"},
    "no file of an asset": {"desk"},
    "a width": {"photo"},
    "an operation": {"hero"},
    "what an operation usually has": {"hero"},
    "a usual parameter of no operation": set(),
    "a take in another profile": {
        *("mascot", "hero", "icon", "desk", "poster", "photo", "shot", "scene", "page"),
    },
    "other settings of this machine": set(),
    "a comment": set(),
    "another check": set(),
    "another severity": set(),
    "a check of some assets": set(),
    "approvals by name": set(),
    "a budget": set(),
    "markup in a comment": set(),
    "another key": {"shot", "scene"},
    "two rows change places": set(),
    "rows in another order": set(),
    "one row more": {"shot", "scene"},
    "one row more at the end": {"shot", "scene"},
    "two rows more": {"shot", "scene"},
    "no last row": set(),
    "a blank line": set(),
    "a page": {"page"},
    "words of a page": set(),
    "one page more": {"page"},
    "a new table": {"lamp"},
    "a new table with a reference": {"ring"},
    "a new table for a file": {"pic"},
    "a new table above all": {"first"},
    "no table": set(),
    "a renamed table": {"placard"},
    "tables in another order": set(),
    "one value more": {"hero"},
    "one value less": {"hero"},
    "values in another order": {"hero"},
}
"""The families of which any member is read, after an edit."""
AS_A_WHOLE: Final = [
    "another variable",
    "a circle",
    "an output of another",
    "an unused key",
    "another profile",
    "a check of no asset",
    "a row of another spelling",
    "a row without a file",
    "the same key twice",
    "no rows",
    "no page",
    "a new table for an old file",
    "a new table of another spelling",
    "no table that others are made of",
    "a renamed table that others name",
    "no file",
    "a broken template",
    "a linked template",
    "a broken row",
]


def restored(before: dict[str, bytes]) -> None:
    """Put every file of this tree back as it was."""
    for path in [each for each in Path().rglob("*") if not each.is_dir()]:
        if path.is_symlink() or (path.parts[0] != ".flux2build" and str(path) not in before):
            path.unlink()
    for name, data in before.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)


def read_again(edit: str) -> set[str] | None:
    """The families that are read after an edit to know the plan; None if all of them are."""
    EDITS[edit]()
    project = Project.open(CommonOptions())
    if (known := brief(project)) is None:
        return None
    assert "spec" not in vars(project)
    plan, whole = known.plan, project.plan()
    assert (plan.todo, plan.counts, plan.orphans) == (whole.todo, whole.counts, whole.orphans), edit
    return {asset.family for asset in known.assets.values()}


@pytest.mark.parametrize("documents", [False, True])
def test_an_edit_is_read_by_itself(
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    *,
    documents: bool,
) -> None:
    """After an edit, exactly those assets are read again whose files may follow from it."""
    trees = Trees(site, tmp_path_factory.mktemp("trees"), monkeypatch)
    with trees.within("warm"):
        trees.prepare("warm", documents=documents)
        before, expected = trees.files("warm"), READ | dict.fromkeys(AS_A_WHOLE)
        families = dict[str, set[str] | None]()
        for edit in expected:
            families[edit] = read_again(edit)
            restored(before)

        assert families == expected
