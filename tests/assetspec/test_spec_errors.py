"""What is wrong with a spec: each mistake once, with file, line, column, frame and way out."""

from __future__ import annotations

import json

import pytest

from flux2build.assetspec.diagnostics import MOST_PROBLEMS
from flux2build.assetspec.reader import load
from flux2build.errors import SpecError
from flux2build.storage.project_files import Kind
from tests.assetspec.specs import CAPABILITIES, MemoryTree, headlines, problems, tree

FILES = {"a.png": "", "b.png": "", "c.png": "", "d.png": "", "dir/x.png": ""}


def test_a_frame() -> None:
    """A problem has what a caret frame needs: headline, place, line, width and the nearest word."""
    (problem,) = problems('[vars]\nbrand = "x"\n[asset.a]\nprompt = "a {{ brnd }}"')

    assert problem.message == "`brnd` is not defined"
    assert str(problem.place) == "assets.toml:4:16"
    assert problem.excerpt == 'prompt = "a {{ brnd }}"'
    assert problem.width == 4
    assert problem.hint == "did you mean `brand`?"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        # providers, models, parameters
        ('provider = "blf"', "2:12: unknown provider `blf`"),
        ('provider = "bfl"\nmodel = "flux-2-por"', "3:9: provider `bfl` has no model `flux-2-por`"),
        ('model = "flux-2-pro"', "2:9: provider `sketch` has no model `flux-2-pro`"),
        ('provider = "bfl"\nsteps = 9', "3:1: model `flux-2-pro` has no `steps`"),
        ('provider = "bfl"\ngrounding = true', "3:1: model `flux-2-pro` has no `grounding`"),
        ('provider = "bfl"\nwidth = 1000', "3:9: 1000 is not a multiple of 16; 992 or 1008 are"),
        ('provider = "bfl"\nwidth = 65', "3:9: 65 is not a multiple of 16; 64 or 80 are"),
        ('provider = "bfl"\nheight = 32', "3:10: `height` of `flux-2-pro` goes from 64 to 2048 pixels"),
        ('provider = "bfl"\nwidth = 4096', "3:9: `width` of `flux-2-pro` goes from 64 to 2048 pixels"),
        ('provider = "bfl"\nwidth = 2048\nheight = 2048', "3:9: 2048 by 2048 is more than the 2,097,152 pixels of `flux-2-pro`"),
        ('provider = "bfl"\nseed = 4294967296', "3:8: `seed` of `flux-2-pro` goes from 0 to 4294967295"),
        ('provider = "bfl"\nsafety_tolerance = 6', "3:20: `safety_tolerance` of `flux-2-pro` goes from 0 to 5"),
        ('provider = "bfl"\nmodel = "flux-3-image"\naspect_ratio = "9:1"', "4:16: `flux-3-image` has no aspect ratio `9:1`"),
        ('provider = "bfl"\nformat = "jpg"', "3:10: `flux-2-pro` has no format `jpg`"),
        ('provider = "bfl"\nrefs = ["a.png", "b.png", "c.png", "d.png"]', "3:8: 4 references; `flux-2-pro` takes 3 at most"),
        # references
        ('refs = ["a.png", "dir"]', "2:18: `dir` is a folder"),
        ('refs = ["nope.png"]', "2:9: `nope.png` does not exist"),
        ('refs = ["../../x.png"]', "2:9: `../../x.png` does not exist"),
        ('refs = ["/etc/passwd"]', "2:9: `/etc/passwd` is not a path of this project"),
        ('refs = [""]', "2:9: the path is empty"),
        ('refs = ["a\\u0000.png"]', "2:9: `a\0.png` is not a path of this project"),
        ('refs = ["{{ nope }}.png"]', "2:13: `nope` is not defined"),
        ('refs = [{ asset = "b" }]', "2:19: there is no asset `b`"),
        ('refs = [{ asset = "a" }]', "2:19: `a` refers to itself"),
        # styles, profiles, families
        ('style = "x"', "2:9: there is no style `x`"),
        ('style = ["x"]', "2:10: there is no style `x`"),
        ("[asset.a.profile.final]\nwidth = 3", "2:18: there is no profile `final`"),
        ('matrix = { n = ["a", "A"] }', "2:22: value `A` is the same as `a`"),
        ("matrix = { n = [] }", "2:16: axis `n` has no values"),
        ('matrix = { n = [" "] }', "2:17: value ` ` has U+0020 in it; letters, digits and `_` `.` `-` `@` `:` are allowed"),
        ('matrix = { n = [".."] }', "2:17: value `..` starts with `.`"),
        ('matrix = { n = ["a"] }\nexclude = [{ m = "a" }]', "3:14: there is no axis `m`"),
        ('matrix = { n = ["a"] }\nexclude = [{ n = "b" }]', "3:18: axis `n` has no value `b`"),
        ('matrix = { n = ["a"] }\nexclude = [{ n = "a" }]', "3:11: every member is excluded"),
        ('rows = { file = "p.csv", key = "x" }', "2:17: data file `p.csv` does not exist"),
        ('rows = { file = "a.png", key = "x" }', "2:17: `a.png` is not a data file that can be read"),
        # outputs
        ('output = "../x.png"', "2:10: output `../x.png` leads out of its folder (`..`)"),
        ('output = "/x.png"', "2:10: output `/x.png` is absolute"),
        ('output = "C:/x.png"', "2:10: output `C:/x.png` has `:` in it, which some file systems refuse"),
        ('output = "CON.png"', "2:10: output `CON.png` has the part `CON.png`, a device name on Windows"),
        ('output = "x.jpg"', "2:10: output `x.jpg` ends in another format than its own, png"),
        ('output = "x"', "2:10: output `x` does not end in its format"),
        ('output = "dir"', "2:10: output `dir` does not end in its format"),
        ('output = "x/.png"', "2:10: output `x/.png` does not end in its format"),
        ('output = "A.PNG"\nrefs = ["a.png"]', "1:8: output `A.PNG` would overwrite the source `a.png`"),
        ('output = "{{ nope }}.png"', "2:14: `nope` is not defined"),
        # deliverables
        ('deliver = [{ ops = [{ op = "corp" }] }]', "2:28: unknown operation `corp`"),
        ('deliver = [{ ops = [{ ratio = "1:1" }] }]', "2:21: an operation needs a name: `op`"),
        ('deliver = [{ ops = [{ op = "crop", rato = "1:1" }] }]', "2:36: unknown key `rato`"),
        ('deliver = [{ ops = [{ op = "crop" }] }]', "2:21: `ratio` is missing"),
        ('deliver = [{ ops = [{ op = "crop", ratio = 2 }] }]', "2:44: must be a text, not a whole number"),
        ('deliver = [{ ops = [{ op = "crop", ratio = "1:1", anchor = "tpo" }] }]', "2:60: `tpo` is not one of `center`, `top`"),
        ('deliver = [{ ops = [{ op = "resize" }] }]', "2:21: give `width` or `height`"),
        ('deliver = [{ ops = [{ op = "overlay", source = "x.png" }] }]', "2:48: `x.png` does not exist"),
        ('deliver = [{ ops = [{ op = "overlay", source = { asset = "x" } }] }]', "2:58: there is no asset `x`"),
        ('deliver = [{ ops = [{ op = "overlay", source = { input = 0 } }] }]', "2:48: must be a path or an asset"),
        ('deliver = [{ ops = [{ op = "text", text = "{{ nope }}" }] }]', "2:47: `nope` is not defined"),
        ('deliver = [{ formats = ["jpeg"], lossless = true }]', "2:34: none of the formats has `lossless`"),
        ('deliver = [{ path = "x.webp", formats = ["jpeg"] }]', "2:21: output `x.webp` ends in another format than its own, jpeg"),
        ('deliver = [{ path = "{{ n }}.png" }]', "2:25: `n` is not defined"),
        ('deliver = [{ path = "x.png", widths = [1, 2] }]', "2:12: two outputs at `x.png`"),
        ("deliver = [{}]", "2:12: two outputs at `a.png`"),
        ('deliver = [{ path = "a.png/b.png" }]', "2:12: output `a.png/b.png` lies in an output"),
    ],
)  # fmt: skip
def test_one_mistake(spec: str, expected: str) -> None:
    """One mistake is one problem at its value."""
    text = f'[asset.a]\n{spec}\n[defaults]\nprompt = "x"'

    assert headlines(text, FILES) == [f"assets.toml:{expected}"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ('[project]\nprofile = "x"', "2:11: there is no profile `x`"),
        ('[project]\noutput = "../x"', "2:10: output folder `../x` leads out of its folder (`..`)"),
        ('[project]\noutput = "/x"', "2:10: output folder `/x` is absolute"),
        ('[project]\noutput = "a.png"', "2:10: output folder `a.png` is not a folder of the project"),
        ('[profile.default]\noutput = "CON"', "2:10: output folder `CON` has the part `CON`, a device name on Windows"),
        ('[project]\ntemplates = "a.png"', "2:13: templates folder `a.png` is not a folder of the project"),
        ("asset = 3", "1:9: must be a table, not a whole number"),
        ("[[asset]]", "1:3: must be a table, not a list"),
        ("asset.a = 3", "1:11: must be a table, not a whole number"),
        ("[asset.a]", "1:8: the asset has no prompt"),
        ('[asset.a]\nprompt = " "', "2:10: the prompt is empty"),
        ('[asset.a]\nprompt = "x"\ntemplate = "t.j2"', "3:12: `prompt` and `template` exclude each other"),
        ('[asset.a]\nsource = "a.png"\nprompt = "x"', "3:1: a picture with `source` is not rendered: it has no `prompt`"),
        ('[asset.a]\nsource = "a.png"\noutput = "x.png"', "3:1: a picture with `source` is not rendered: it has no `output`"),
        ('[asset.a]\nsource = "x.png"', "2:10: `x.png` does not exist"),
        ('[asset.a]\nsource = "dir"', "2:10: `dir` is a folder"),
        ('[asset.a]\ntemplate = "t.j2"', "2:13: there is no template `t.j2`"),
        ('[asset.CON]\nprompt = "x"', "1:8: output `CON.png` has the part `CON.png`, a device name on Windows"),
        ('[asset."assets"]\nprompt = "x"\noutput = "a{{ 1 }}.png"\n[asset.b]\nprompt = "x"\noutput = "A1.png"', "4:8: outputs `a1.png` and `A1.png` are one file on some systems"),
        ('[asset.a]\nprompt = "x"\n[asset.A]\nprompt = "x"', "3:8: asset `A` is the same as `a` on some systems"),
        ('[asset.a]\nprompt = "x"\noutput = "\u00e9.png"\n[asset.b]\nprompt = "x"\noutput = "e\u0301.png"', "4:8: outputs `\u00e9.png` and `e\u0301.png` are one file on some systems"),
        ('[asset.a]\nprompt = "x"\noutput = "templates/a.png"', "1:8: output `templates/a.png` lies in the templates folder"),
    ],
)  # fmt: skip
def test_one_mistake_elsewhere(spec: str, expected: str) -> None:
    """So is a mistake of the project, of an asset as a whole, or between two assets."""
    assert headlines(spec, FILES) == [f"assets.toml:{expected}"]


@pytest.mark.parametrize(
    ("prompt", "expected", "excerpt"),
    [
        ('"""\na\nb {{ nope }}"""', "4:6", 'b {{ nope }}"""'),
        ('"""a\nb {{ nope }}"""', "3:6", 'b {{ nope }}"""'),
        ("'''\n\n  {{ nope }}'''", "4:6", "  {{ nope }}'''"),
        ('"é {{ nope }}"', "2:16", 'prompt = "é {{ nope }}"'),
        ('"a\\nb {{ nope }}"', "2:19", 'prompt = "a\\nb {{ nope }}"'),
        ('{ a = ["x", { b = "{{ nope }}" }] }', "2:32", 'prompt = { a = ["x", { b = "{{ nope }}" }] }'),
    ],
)  # fmt: skip
def test_templates_in_the_spec(prompt: str, expected: str, excerpt: str) -> None:
    """A fault inside a text is shown on its own line, at the word that it is about."""
    (problem,) = problems(f"[asset.a]\nprompt = {prompt}")

    assert problem.message == "`nope` is not defined"
    assert str(problem.place) == f"assets.toml:{expected}"
    assert problem.excerpt == excerpt
    assert problem.width == 4


def test_template_files() -> None:
    """A fault in a template is shown there, with the place that uses it."""
    spec = """
        [vars]
        brand = { name = "x" }
        [asset.a]
        template = "t.j2"
        """
    (problem,) = problems(spec, {"templates/t.j2": "one\ntwo {{ brand.nam }}\n"})

    assert str(problem.place) == "templates/t.j2:2:14"
    assert problem.excerpt == "two {{ brand.nam }}"
    assert problem.rows == (("used at", "assets.toml:4:12"),)
    assert problem.hint == "did you mean `name`?"


def test_templates_are_utf8() -> None:
    """A template in another encoding is refused at its byte."""
    found = headlines('[asset.a]\ntemplate = "t.j2"', {"templates/t.j2": b"a\nb \xff"})

    assert found[0].startswith("templates/t.j2:2")
    assert "not UTF-8" in found[0]


ROWS = """
[asset.shot]
rows = { file = "p.csv", key = "sku" }
prompt = "{{ row.name }} of {{ row.material }}"
"""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            "sku,name,material\nA,Mug,clay\nB,Bowl,clay\nA,Cup,clay\n",
            ["p.csv:4:1: `sku` is `A` on line 2 and again on line 4"],
        ),
        ("name,material\nMug,clay\n", ["p.csv:1:1: there is no column `sku` to name the rows by"]),
        (
            "sku,name,material\nA,Mug,\n",
            ["assets.toml:3:36: column `material` is blank in p.csv line 2"],
        ),
        ("sku,name\nA,Mug\n", ["assets.toml:3:36: p.csv has no column `material`"]),
        (b"sku,name,material\nA,\xff,clay\n", ["p.csv:2:3: byte 0xff is not UTF-8"]),
        (
            "sku,name,material\n..,Mug,clay\n",
            ["p.csv:2:1: key `..` starts with `.`"],
        ),
        (
            "sku,name,material\na/b,Mug,clay\n/,Mug,clay\na b,Mug,clay\n",
            [
                "p.csv:3:1: key `/` has `/` in it; letters, digits and `_` `.` `-` `@` `:` are allowed",
                "p.csv:4:1: keys `a/b` and `a b` have the same name `a-b`",
            ],
        ),
    ],
)
def test_data_files(data: str | bytes, expected: list[str]) -> None:
    """Mistakes in data are shown in the data; cells that a prompt needs are named with their line."""
    found = headlines(ROWS.removeprefix("\n"), {"p.csv": data})

    assert found == expected


def test_a_fault_of_a_family_is_reported_once() -> None:
    """Ten members with one mistake are one problem that says how many there are."""
    rows = "sku\n" + "".join(f"A-{n}\n" for n in range(10))
    (problem,) = problems(
        '[asset.shot]\nrows = { file = "p.csv", key = "sku" }\nprompt = "{{ nope }}"',
        {"p.csv": rows},
    )

    assert ("asset", "shot[sku=A-0] and 9 more") in problem.rows


@pytest.mark.parametrize(
    ("prompt", "message", "hint"),
    [
        ("{{ ref('x') }}", "`x` is not among the references", "known: `a`, `a.png`, `b`, `b.png`"),
        ("{{ ref('a.pgn') }}", "`a.pgn` is not among the references", "did you mean `a.png`?"),
    ],
)
def test_mentions(prompt: str, message: str, hint: str) -> None:
    """A prompt speaks only of pictures that are sent."""
    (problem,) = problems(
        f"[asset.x]\nprompt = {json.dumps(prompt)}\nrefs = ['a.png', 'b.png']", FILES
    )

    assert (problem.message, problem.hint) == (message, hint)


def test_ambiguous_names() -> None:
    """A name that two references have is none."""
    (problem,) = problems(
        "[asset.x]\nprompt = \"{{ ref('x') }}\"\nrefs = ['dir/x.png', 'x/x.jpg']",
        {**FILES, "x/x.jpg": ""},
    )

    assert problem.message == "`x` is image 1 and image 2"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("hero", "`hero` is a family: which `theme`?", "name one, such as `hero[theme=dark]`"),
        (
            "hero[theme=dork]",
            "there is no member `hero[theme=dork]`",
            "did you mean `hero[theme=dark]`?",
        ),
        ("heor", "there is no asset `heor`", "did you mean `hero`?"),
    ],
)
def test_members_are_named(name: str, message: str, hint: str) -> None:
    """A reference to a family must name a member; the message lists them."""
    (problem,) = problems(
        f"""
        [asset.hero]
        prompt = "x"
        matrix = {{ theme = ["dark", "light"] }}
        [asset.x]
        prompt = "x"
        refs = [{{ asset = "{name}" }}]
        """
    )

    assert (problem.message, problem.hint) == (message, hint)
    if "asset `" not in message:
        assert problem.rows == (("members", "`hero[theme=dark]`, `hero[theme=light]`"),)


def test_a_broken_asset_breaks_no_other() -> None:
    """A reference to an asset with mistakes of its own is not another mistake."""
    found = headlines(
        """
        [asset.a]
        promt = "x"
        [asset.b]
        prompt = "{{ ref('a') }}"
        refs = [{ asset = "a" }]
        deliver = [{ path = "y.png", ops = [{ op = "overlay", source = { asset = "a" } }] }]
        """
    )

    assert found == ["assets.toml:2:1: unknown key `promt`"]


@pytest.mark.parametrize("kind", [Kind.OUTSIDE, Kind.SPECIAL])
@pytest.mark.parametrize("path", ["a.png", "out", "out/x.png", "templates", "p.csv"])
def test_links_do_not_lead_out(kind: Kind, path: str) -> None:
    """Whatever a path is for, a link out of the project, or a device, is refused."""
    text = """
        [asset.x]
        prompt = "x"
        refs = ["a.png"]
        output = "out/x.png"
        [asset.y]
        rows = { file = "p.csv", key = "k" }
        prompt = "y"
        """
    found = tree(text, {**FILES, "p.csv": "k\n1\n"})
    found.kinds = {path: kind}
    (line,) = headlines(found)

    assert path in line
    assert line.startswith("assets.toml:")


@pytest.mark.parametrize("path", ["assets.toml", "assets.lock", "p.csv", "ASSETS.TOML"])
def test_outputs_overwrite_nothing(path: str) -> None:
    """No output is what is read or kept, whatever the ending that a template may produce."""
    text = f"""
        [asset.x]
        prompt = "x"
        output = "{path}"
        """
    (line,) = headlines(text, FILES)

    assert "ends" in line or "overwrite" in line or "end in" in line


def test_all_problems_in_order() -> None:
    """Everything that is wrong is reported together, in the order of places."""
    text = """
        [defaults]
        provider = "bfl"
        [asset.a]
        prompt = "{{ nope }}"
        width = 1000
        [asset.b]
        prompt = "b"
        refs = ["x.png", { asset = "c" }]
        output = "../b.png"
        [asset.d]
        prompt = 3
        """
    places = [line.split(": ")[0] for line in headlines(text)]

    lines = ["4:14", "5:9", "8:9", "8:28", "9:10", "11:10"]
    assert places == [f"assets.toml:{line}" for line in lines]


def test_a_flood_is_dammed() -> None:
    """Thousands of mistakes are counted, not printed."""
    text = "".join(f'[asset.a{n}]\nprompt = "{{{{ nope{n} }}}}"\n' for n in range(200))
    found = headlines(text)

    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].endswith("150 more problems")


def test_a_spec_must_exist() -> None:
    """Without a spec there is one clear error."""
    with pytest.raises(SpecError) as caught:
        load(MemoryTree({}), "assets.toml", None, CAPABILITIES)

    assert caught.value.problems[0].message == "`assets.toml` does not exist"


@pytest.mark.parametrize("key", ["alt", "title"])
def test_documents_about_half_an_asset(key: str) -> None:
    """An asset whose own texts are wrong is left out of documents; its fault is reported once."""
    spec = f"""
        [manifest]
        path = "all.json"
        pictures = "pictures/{{{{ asset.name }}}}.html"
        [asset.fox]
        prompt = "a fox"
        {key} = "{{{{ nope }}}}"
        [[asset.fox.deliver]]
        path = "fox.webp"
        [asset.owl]
        prompt = "an owl"
        refs = [{{ asset = "fox" }}]
        [[asset.owl.deliver]]
        path = "owl.webp"
        documents = [{{ document = "frames", path = "owl.json" }}]
    """
    (headline,) = headlines(spec)
    assert headline.endswith("`nope` is not defined")


def test_a_misspelt_name_hides_no_mistake_beside_it() -> None:
    """A table and a key that are there are judged by themselves, whatever others are taken for."""
    found = headlines(
        '[assets.a]\nprompt = "x"\n[asset.a]\nprompt = "{{ nope }}"\n'
        '[defaults]\nwidht = 64\nwidth = "64"\n'
    )

    assert [line.partition(": ")[2] for line in found] == [
        "unknown key `assets`",
        "`nope` is not defined",
        "unknown key `widht`",
        "must be a whole number, not a text",
    ]


@pytest.mark.parametrize(
    "spec",
    [
        '[assets.b]\nprompt = "b"\n[asset.a]\nprompt = "a"\nrefs = [{ asset = "b" }]',
        '[assets.b]\nprompt = "b"\nmatrix = { n = ["1"] }\n[asset.a]\nprompt = "a"\nrefs = [{ asset = "b[n=1]" }]',
        '[asset.b]\npromt = "b"\nmatrix = { n = ["1"] }\n[asset.a]\nprompt = "a"\nrefs = [{ asset = "b[n=1]" }]',
        '[styles.ink]\nvars = { how = "ink" }\n[asset.a]\nstyle = "ink"\nprompt = "a {{ how }}"',
        '[style.ink]\nvarz = { how = "ink" }\n[asset.a]\nstyle = "ink"\nprompt = "a {{ how }}"',
        '[style.ink]\npromt = "ink"\n[asset.a]\nstyle = "ink"',
        '[profiles.web]\nwidth = 64\n[asset.a]\nprompt = "a"\nprofile.web.height = 64',
        '[project]\nprofile = "web"\n[profiles.web]\nwidth = 64\n[asset.a]\nprompt = "a"',
        '[var]\nbrand = "x"\n[asset.a]\nprompt = "a {{ brand }}"',
        '[default]\nvars = { brand = "x" }\n[asset.a]\nprompt = "a {{ brand }}"',
        '[defaults]\nvar = { brand = "x" }\n[asset.a]\nprompt = "a {{ brand }}"',
        '[asset.a]\nvar = { brand = "x" }\nprompt = "a {{ brand }}"',
        '[asset.a]\nmatrx = { n = ["1"] }\nprompt = "a {{ n }}"',
        '[projekt]\ntemplates = "prompts"\n[asset.a]\ntemplate = "a.j2"',
        '[project]\ntemplate = "prompts"\n[asset.a]\ntemplate = "a.j2"',
        '[vars]\nlocale = "de"\n[catalogs]\npath = "l/{locale}.json"\n[asset.a]\nprompt = "{{ t(\'fox\') }}"',
        '[vars]\nlocale = "de"\n[catalog]\npth = "l/{locale}.json"\n[asset.a]\nprompt = "{{ t(\'fox\') }}"',
        'extend = ["base.toml"]\n[asset.a]\nstyle = "ink"\nprompt = "{{ brand }}"\nrefs = [{ asset = "b" }]',
        '[assets.b]\nprompt = "{{ asset.name }}"\n[asset.a]\nprompt = "a"',
        '[asset.a]\nprompt = "a"\nprompts = ["{{ asset.name }}"]',
        '[check.drift]\nexclude = ["a"]\n[asset.a]\nprompt = "a"',
    ],
    ids=str.splitlines,
)
def test_a_misspelt_name_is_one_problem(spec: str) -> None:
    """What stands under it counts as said, so nothing that uses it is a mistake of its own."""
    files = {"prompts/a.j2": "a", "base.toml": "", "l/de.json": '{"fox": "Fuchs"}'}

    (problem,) = problems(spec, files)

    assert problem.message.startswith("unknown key")
