"""Reading TOML: encodings, bounds, `extends`, and where everything stands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from flux2build.assetspec import spec_text
from flux2build.errors import Place, Problem, SpecError
from flux2build.storage.project_files import Kind
from tests.assetspec.specs import MemoryTree


def read(files: Mapping[str, str | bytes]) -> spec_text.SpecText:
    """The merged text of `assets.toml`."""
    return spec_text.read(MemoryTree(files), "assets.toml")


def problem(files: Mapping[str, str | bytes]) -> Problem:
    """The one thing that is wrong."""
    with pytest.raises(SpecError) as caught:
        read(files)
    (found,) = caught.value.problems
    return found


def test_tables_merge() -> None:
    """Bases come first; tables merge, scalars and lists are replaced."""
    found = read(
        {
            "assets.toml": 'extends = ["a.toml", "b.toml"]\n[vars]\nz = 9\nlist = [3]',
            "a.toml": "[vars]\nx = 1\ny = 1\nlist = [1, 2]\n[vars.t]\np = 1",
            "b.toml": "[vars]\ny = 2\n[vars.t]\nq = 2",
        }
    )

    assert found.data == {
        "vars": {"x": 1, "y": 2, "z": 9, "list": [3], "t": {"p": 1, "q": 2}},
    }


def test_bases_are_relative_to_their_file() -> None:
    """A file extends others from its own folder."""
    found = read(
        {
            "assets.toml": 'extends = ["shared/base.toml"]',
            "shared/base.toml": 'extends = ["more.toml"]',
            "shared/more.toml": "x = 1",
        }
    )

    assert found.data == {"x": 1}


def test_a_diamond_is_read_once() -> None:
    """Two bases may share one."""
    found = read(
        {
            "assets.toml": 'extends = ["a.toml", "b.toml"]',
            "a.toml": 'extends = ["c.toml"]\na = 1',
            "b.toml": 'extends = ["c.toml"]\nb = 1',
            "c.toml": "c = 1",
        }
    )

    assert found.data == {"a": 1, "b": 1, "c": 1}
    assert [file.name for file in found.files] == ["c.toml", "a.toml", "b.toml", "assets.toml"]


def test_places_follow_the_file_that_decided() -> None:
    """A key stands in the last file that has it, a missing one where its parent does."""
    found = read(
        {
            "assets.toml": 'extends = ["base.toml"]\n[asset.hero]\nwidth = 5',
            "base.toml": "# base\n[asset.hero]\nwidth = 1\nheight = 2",
        }
    )

    assert found.place(("asset", "hero", "width")) == Place("assets.toml", 3, 9)
    assert found.place(("asset", "hero", "height")) == Place("base.toml", 4, 10)
    assert found.place(("asset", "hero", "prompt")) == Place("assets.toml", 2, 8)
    assert found.place(("nothing",)) == Place("assets.toml", 1, 1)
    assert found.excerpt(Place("base.toml", 4, 10)) == "height = 2"
    assert found.point(("asset", "hero", "height"), name=True) == (Place("base.toml", 4, 1), 6)


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        ({"assets.toml": 'extends = ["x.toml"]'}, "assets.toml:1:12", "`x.toml` does not exist"),
        (
            {"assets.toml": 'extends = ["d"]', "d/x": ""},
            "assets.toml:1:12",
            "`d` is a folder",
        ),
        ({"assets.toml": "extends = 3"}, "assets.toml:1:11", "must be a list of file names"),
        (
            {"assets.toml": 'extends = ["b.toml"]', "b.toml": 'extends = ["assets.toml"]'},
            "b.toml:1:12",
            "assets.toml → b.toml → assets.toml",
        ),
        (
            {"assets.toml": "a = 1\nb = = 2"},
            "assets.toml:2:5",
            "there is one `=` between key and value",
        ),
        ({"assets.toml": "a = 1\na = 2"}, "assets.toml:2:1", "`a` is given twice"),
        (
            {"assets.toml": "[a]\nb = 1\n[c]\nb = 1\n[a]"},
            "assets.toml:5:1",
            "`[a]` is declared twice",
        ),
        ({"assets.toml": '[a]\nb = "x\n[c]\n'}, "assets.toml:2:5", "a text has no closing quote"),
        ({"assets.toml": "[a]\nb = 'x\n[c]\n"}, "assets.toml:2:5", "a text has no closing quote"),
        ({"assets.toml": 'a = """x\n\n'}, "assets.toml:1:5", "a text has no closing quote"),
        ({"assets.toml": b'a = 1\nb = "\xc3\xa9\xff"'}, "assets.toml:2:7", "byte 0xff"),
        ({"assets.toml": b"\xef\xbb\xbf\xff"}, "assets.toml:1:1", "byte 0xff is not UTF-8"),
        ({"assets.toml": f"a = {2**70}"}, "assets.toml:1:5", "must fit into 64 bits"),
        ({"assets.toml": "a = [nan]"}, "assets.toml:1:6", "mean nothing here"),
        ({"assets.toml": "a = " + "9" * 5000}, "assets.toml:1", "too many digits"),
        ({"assets.toml": "a = " + "[" * 70 + "]" * 70}, "assets.toml:1:68", "more than 64 deep"),
        ({"assets.toml": "a = " + "[" * 5000}, "assets.toml:1", "nested too deeply"),
        ({"assets.toml": "a" + ".a" * 5000 + " = 1"}, "assets.toml:1", "nested too deeply"),
        ({"assets.toml": b"#" * (8 * 1024 * 1024 + 1)}, "assets.toml", "8 MiB is the most"),
    ],
)
def test_refusals(files: Mapping[str, str | bytes], place: str, message: str) -> None:
    """What cannot be read is refused with its place."""
    found = problem(files)

    assert str(found.place) == place
    assert message in found.message


def test_conflict_markers_are_recognised() -> None:
    """A merge that was not finished is called that."""
    found = problem({"assets.toml": "a = 1\n<<<<<<< HEAD\na = 2\n=======\n"})

    assert str(found.place) == "assets.toml:2:1"
    assert found.hint
    assert "conflict markers" in found.hint


@pytest.mark.parametrize("kind", [Kind.MISSING, Kind.FOLDER, Kind.OUTSIDE, Kind.SPECIAL])
def test_a_spec_is_a_file(kind: Kind) -> None:
    """Only a regular file inside the project is read."""
    with pytest.raises(SpecError):
        spec_text.read(MemoryTree({}, {"assets.toml": kind}), "assets.toml")


def test_line_ends_and_byte_order_marks_mean_nothing() -> None:
    """A spec that went through Windows says the same."""
    plain = 'a = """\nx\ny"""\n'
    windows = b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()

    assert read({"assets.toml": windows}).data == read({"assets.toml": plain}).data


def test_places_cost_nothing_until_asked() -> None:
    """A spec without mistakes is read without the parser that knows places."""
    code = (
        "import sys\nfrom tests.assetspec import specs\n"
        "specs.read('[asset.a]\\nprompt = \"x\"')\n"
        "sys.exit(any(name.startswith('tree_sitter') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )

    assert done.returncode == 0
