"""Where files lie: masters apart, documents beside a site's code, and no two at one path in any profile."""

from __future__ import annotations

import pytest

from flux2build.assetspec.reader import load
from flux2build.assetspec.spec import Spec
from flux2build.errors import SpecError
from flux2build.model import Write
from tests.assetspec.specs import SHIPPED, tree

FOX = """
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "small.webp"
"""
MANIFEST = """
[manifest]
path = "pictures.json"
typescript = "./src/assets.ts"
"""


def spec(text: str, profile: str | None = None) -> Spec:
    """A spec without mistakes, in one of its profiles."""
    return load(tree(text), "assets.toml", profile, SHIPPED)


def places(text: str, profile: str | None = None) -> dict[str, list[str]]:
    """Where a spec puts its masters, deliverables and documents."""
    kinds: dict[str, list[str]] = {}
    for recipe in spec(text, profile).recipes:
        kinds.setdefault(recipe.kind, []).append(recipe.output)
    return kinds


@pytest.mark.parametrize(
    ("folders", "profile", "master", "small"),
    [
        ("", None, "fox.png", "small.webp"),
        ('[project]\nmasters = "m"', None, "m/fox.png", "small.webp"),
        ('[project]\noutput = "o"\nmasters = "m"', None, "m/fox.png", "o/small.webp"),
        ('[project]\noutput = "o"\nmasters = "o/m"', None, "o/m/fox.png", "o/small.webp"),
        ('[profile.p]\nmasters = "m"', "p", "m/fox.png", "small.webp"),
        ('[project]\nmasters = "m"\n[profile.p]\nmasters = "n"', "p", "n/fox.png", "small.webp"),
        ('[project]\nmasters = "m"\n[profile.p]\n', "p", "m/fox.png", "small.webp"),
        ('[project]\nmasters = "m"\n[profile.p]\noutput = "o"', "p", "m/p/fox.png", "o/small.webp"),
        ('[project]\noutput = "o"\n[profile.p]\nmasters = "m"', "p", "m/fox.png", "o/small.webp"),
    ],
)
def test_masters_may_lie_apart(folders: str, profile: str | None, master: str, small: str) -> None:
    """Masters lie below `masters`, and what is derived of them below `output`."""
    assert {"generate": [master], "derive": [small]} == places(folders + FOX, profile)


def test_masters_apart_are_not_shown() -> None:
    """A manifest tells of what a site ships; a master that lies apart is not part of that."""
    alone = '[asset.bear]\nprompt = "a bear"\n'
    folders = '[project]\noutput = "o"\n'
    shown: list[list[str]] = []
    for masters in ("", 'masters = "m"\n'):
        tasks = (r.task for r in spec(folders + masters + FOX + alone + MANIFEST).recipes)
        (task,) = (t for t in tasks if isinstance(t, Write) and t.document == "manifest")
        shown.append([about.path for about in task.about])

    assert shown == [["small.webp", "bear.png"], ["small.webp"]]


def test_documents_may_lie_beside_the_code() -> None:
    """`./` is the spec's folder, whatever the output folder is; the document tells the same."""
    folder = '[project]\noutput = "public"\n'
    written = {r.output: r for r in spec(folder + FOX + MANIFEST).recipes if r.kind == "write"}
    below = spec(folder + FOX + MANIFEST.replace("./src/", "src/"))

    assert written.keys() == {"public/pictures.json", "src/assets.ts"}
    assert written["src/assets.ts"].asset == "src/assets.ts"
    assert written["src/assets.ts"].task == below.recipes[-1].task
    assert below.recipes[-1].output == "public/src/assets.ts"
    assert spec(folder + FOX + MANIFEST).beside == {"src/assets.ts"}
    assert not below.beside


FILES = {"data/rows.json": '[{"k": "a"}]', "page.html": "mine", "templates/t.html": "x"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("./.git/hooks.html", "lies in `.git`"),
        ("./../x.html", "leads out of its folder"),
        ("././x.html", "has an empty part"),
        ("./templates/x.html", "lies in the templates folder"),
        ("./small.webp", "does not end as pictures does"),
        (".//etc/x.html", "is absolute"),
        ("./", "does not end as"),
    ],
)
def test_no_document_lies_where_others_do(path: str, wrong: str) -> None:
    """What may not be an output may not be a document beside the code either."""
    text = f'[project]\noutput = "o"\n{FOX}[manifest]\npictures = "{path}"\n'

    with pytest.raises(SpecError, match=wrong):
        load(tree(text, FILES), "assets.toml", None, SHIPPED)


@pytest.mark.parametrize("profile", ["draft", "final"])
@pytest.mark.parametrize(
    ("final", "fox", "bear", "wrong"),
    [
        ('deliver = [{ path = "x.png" }]', "", "", "two outputs at `o/x.png`"),
        ('vars = { name = "one" }', "{{ name }}.webp", "one.webp", "two outputs at `o/one.webp`"),
        ("width = 512", "{{ width }}.webp", "512.webp", "two outputs at `o/512.webp`"),
        ('format = "webp"', "", "fox.webp", "two outputs at `o/fox.webp`"),
        ('output = "refs"', "", "", "output `refs/fox.png` would overwrite the source"),
        ('masters = "o"', "", "fox.png", "two outputs at `o/fox.png`"),
    ],
)
def test_paths_clash_in_no_profile(
    final: str, fox: str, bear: str, wrong: str, profile: str
) -> None:
    """Two outputs at one path are the same error, whichever profile is chosen."""
    entry = "deliver = [{{ path = '{}' }}]"
    text = f"""
        [project]
        output = "o"
        {'masters = "m"' if "masters" in final else ""}
        [vars]
        name = "two"
        [defaults]
        width = 256
        height = 512
        [profile.draft]
        [profile.final]
        {final}
        [asset.fox]
        prompt = "a fox"
        refs = ["refs/fox.png"]
        {entry.format(fox) if fox else ""}
        [asset.bear]
        prompt = "a bear"
        {entry.format(bear) if bear else ""}
        """
    files = {"refs/fox.png": b""}

    with pytest.raises(SpecError, match=wrong) as caught:
        load(tree(text, files), "assets.toml", profile, SHIPPED)
    (problem,) = caught.value.problems
    assert (("profile", "final") in problem.rows) is (profile == "draft")
