"""What people see when what they wrote is wrong: exact texts, exit code 2, nothing written."""

from __future__ import annotations

import pytest

from tests.conftest import Ran, Site
from tests.golden import text

MANY = """\
[project]
name = "acme"
outptu = "img"

[defaults]
width = "128"
height = 96

[profile.final]
provider = "blf"

[asset.mascot]
prompt = "a {{ brnd.primary }} fox"

refs = ["refs", "nope.png"]

[asset.hero]
template = "heroo.j2"
refs = [{ asset = "mascto" }]
output = "../x.png"

[asset.con]
prompt = "x"
output = "CON.png"

[asset.odd]
prompt = "x"
stpes = 9

[asset.one]
prompt = "x"
output = "café.png"

[asset.two]
prompt = "x"
output = "CAFE\\u0301.png"

[asset.shot]
rows = { file = "blank.csv", key = "sku" }
prompt = "photo of {{ row.name }}"

[asset.twice]
rows = { file = "twice.csv", key = "sku" }
prompt = "photo of {{ row.name }}"
"""

SAID = """
    error: unknown key `outptu`
     --> assets.toml:3:1
      |
    3 | outptu = "img"
      | ^^^^^^
      hint: did you mean `output`?
    error: must be a whole number, not a text
     --> assets.toml:6:9
      |
    6 | width = "128"
      |         ^^^^^
    error: unknown provider `blf`
      --> assets.toml:10:12
       |
    10 | provider = "blf"
       |            ^^^^^
       = profile: final
       hint: did you mean `bfl`?
    error: `brnd` is not defined
      --> assets.toml:13:16
       |
    13 | prompt = "a {{ brnd.primary }} fox"
       |                ^^^^
       hint: known: `asset`, `ref`, `t`
    error: `refs` is a folder
      --> assets.toml:15:9
       |
    15 | refs = ["refs", "nope.png"]
       |         ^^^^^^
       hint: name a file in it, such as `refs/x.png`
    error: `nope.png` does not exist
      --> assets.toml:15:17
       |
    15 | refs = ["refs", "nope.png"]
       |                 ^^^^^^^^^^
       hint: paths start from the folder of the spec
    error: there is no template `heroo.j2`
      --> assets.toml:18:13
       |
    18 | template = "heroo.j2"
       |             ^^^^^^^^
       hint: did you mean `hero.j2`?
    error: there is no asset `mascto`
      --> assets.toml:19:19
       |
    19 | refs = [{ asset = "mascto" }]
       |                   ^^^^^^^^
       hint: did you mean `mascot`?
    error: output `../x.png` leads out of its folder (`..`)
      --> assets.toml:20:10
       |
    20 | output = "../x.png"
       |          ^^^^^^^^^^
    error: output `CON.png` has the part `CON.png`, a device name on Windows
      --> assets.toml:24:10
       |
    24 | output = "CON.png"
       |          ^^^^^^^^^
    error: unknown key `stpes`
      --> assets.toml:28:1
       |
    28 | stpes = 9
       | ^^^^^
       hint: did you mean `steps`?
    error: outputs `img/café.png` and `img/CAFE\u0301.png` are one file on some systems
      --> assets.toml:34:8
       |
    34 | [asset.two]
       |        ^^^
       = first: one at assets.toml:30:8
       hint: give one of them another `output`
    error: column `name` is blank in blank.csv line 3
      --> assets.toml:40:27
       |
    40 | prompt = "photo of {{ row.name }}"
       |                           ^^^^
       = asset: shot[sku=B]
       hint: use `default` if that is meant
    error: `sku` is `A` on line 2 and again on line 4
     --> twice.csv:4:1
      |
    4 | A,Jar
      | ^
    14 problems
    """


def wrong(ran: Ran) -> str:
    """What a command said that did nothing."""
    assert (ran.code, ran.out) == (2, "")
    return ran.err


@pytest.mark.parametrize("command", ["build", "plan", "check", "explain", "show", "prune"])
def test_everything_at_once(site: Site, command: str) -> None:
    """All mistakes are reported together, each with its place, its frame and the nearest word."""
    site.write("refs/x.png", "x")
    site.write("blank.csv", "sku,name\nA,Cup\nB,\n")
    site.write("twice.csv", "sku,name\nA,Cup\nB,Mug\nA,Jar\n")
    site.write("assets.toml", MANY)
    before = site.files()
    words = [command, "mascot"] if command in {"explain", "show"} else [command]

    message = wrong(site.run(*words))

    assert message == text(SAID)
    assert site.files() == before
    # A build holds its lock before it reads; everything else leaves no trace at all.
    assert site.folder.joinpath(".flux2build").exists() == (command == "build")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            '[asset.x]\nprompt = "x"\nprovider = "blf"\n',
            """
            error: unknown provider `blf`
             --> assets.toml:3:12
              |
            3 | provider = "blf"
              |            ^^^^^
              hint: did you mean `bfl`?
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\nprovider = "bfl"\nmodel = "flux-2-por"\n',
            """
            error: provider `bfl` has no model `flux-2-por`
             --> assets.toml:4:9
              |
            4 | model = "flux-2-por"
              |         ^^^^^^^^^^^^
              hint: did you mean `flux-2-pro`?
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\nnegative_prompt = "ugly"\n',
            """
            error: unknown key `negative_prompt`
             --> assets.toml:3:1
              |
            3 | negative_prompt = "ugly"
              | ^^^^^^^^^^^^^^^
              hint: FLUX.2 has no negative prompts: say what you want to see instead
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\noutput = "/etc/x.png"\n',
            """
            error: output `/etc/x.png` is absolute
             --> assets.toml:3:10
              |
            3 | output = "/etc/x.png"
              |          ^^^^^^^^^^^^
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\noutput = "link/x.png"\n',
            """
            error: output `link` lies outside the project
             --> assets.toml:3:10
              |
            3 | output = "link/x.png"
              |          ^^^^^^^^^^^^
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\nrefs = ["link/secret.png"]\n',
            """
            error: `link/secret.png` lies outside the project
             --> assets.toml:3:9
              |
            3 | refs = ["link/secret.png"]
              |         ^^^^^^^^^^^^^^^^^
              hint: copy the file into the project, and write its path from the spec's folder
            """,
        ),
        (
            "width = \n",
            """
            error: there is no value
             --> assets.toml:1:9
              |
            1 | width =\x20
              |         ^
              hint: write one, or leave the key out
            """,
        ),
        (
            '[asset.x]\nprompt = "x"\n[asset.y]\nprompt = "y"\n[asset.x]\nseed = 1\n',
            """
            error: `[asset.x]` is declared twice
             --> assets.toml:5:1
              |
            5 | [asset.x]
              | ^^^^^^^^^
              = first: assets.toml:1
              hint: write all of its keys below one header, or give one of them another name
            """,
        ),
        (
            '[asset.x]\nseed = 1\nprompt = "x"\nseed = 2\n',
            """
            error: `seed` is given twice
             --> assets.toml:4:1
              |
            4 | seed = 2
              | ^^^^
              = first: assets.toml:2
              hint: keep one of the two
            """,
        ),
        (
            '[asset.x]\nprompt = "a fox\nseed = 2\n',
            """
            error: a text has no closing quote
             --> assets.toml:2:10
              |
            2 | prompt = "a fox
              |          ^
              hint: write `"a fox"`
            """,
        ),
        (
            "<<<<<<< HEAD\n",
            """
            error: this is not TOML: a conflict marker
             --> assets.toml:1:1
              |
            1 | <<<<<<< HEAD
              | ^^^^^^^
              hint: a merge left its conflict markers here: keep one side
            """,
        ),
        (
            (
                '[asset.a]\nprompt = "a"\nrefs = [{ asset = "b" }]\n'
                '[asset.b]\nprompt = "b"\nrefs = [{ asset = "a" }]\n'
            ),
            """
            error: assets need each other in a circle: `a` -> `b` -> `a`
             --> assets.toml:1:8
              |
            1 | [asset.a]
              |        ^
              hint: take one of these references away
            """,
        ),
    ],
)
def test_one_mistake(empty: Site, spec: str, message: str) -> None:
    """One mistake is one error, framed at the very word."""
    outside = empty.folder.parent / "outside"
    outside.mkdir()
    outside.joinpath("secret.png").write_bytes(b"")
    empty.folder.joinpath("link").symlink_to(outside)
    empty.write("assets.toml", spec)

    assert wrong(empty.run("build")) == text(message)
    assert not empty.folder.joinpath("assets.lock").exists()


def test_bytes_that_are_no_text(empty: Site) -> None:
    """A byte that is not UTF-8 is named and pointed at."""
    empty.folder.joinpath("assets.toml").write_bytes(b'[asset.x]\nprompt = "\xff"\n')

    assert wrong(empty.run("plan")) == text("""
        error: byte 0xff is not UTF-8
         --> assets.toml:2:11
          |
        2 | prompt = "\ufffd"
          |           ^
          hint: save the file as UTF-8
        """)


def test_long_names(empty: Site) -> None:
    """A name of 300 characters is refused with its beginning, on lines that can be read."""
    empty.write("assets.toml", f'[asset.x]\nprompt = "x"\noutput = "{"l" * 300}.png"\n')

    message = wrong(empty.run("plan"))

    assert message.startswith(f"error: output `{'l' * 80}` is longer than 240 characters\n")
    assert max(len(line) for line in message.splitlines()) < 130


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "-f", "nope.toml"], "error: there is no spec at `nope.toml`\n"),
        (["pln"], "error: `flux2build` has no command `pln`\n  hint: did you mean `plan`?\n"),
        (
            ["plan", "--profile", "finla"],
            "error: there is no profile `finla`\n  hint: did you mean `final`?\n",
        ),
        (["plan", "mascto"], "error: there is no asset `mascto`\n  hint: did you mean `mascot`?\n"),
        (["plan", "tag:brnad"], "error: no asset has the tag `brnad`\n  hint: did you mean `brand`?\n"),
    ],
)  # fmt: skip
def test_wrong_words(site: Site, words: list[str], message: str) -> None:
    """What is wrong on the command line gets the nearest word that is right."""
    assert wrong(site.run(*words)) == message
