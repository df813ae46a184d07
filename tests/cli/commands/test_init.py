"""`flux2build init`: a starter that works, and that harms nothing that is there."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest
import tomli
from PIL import Image

from flux2build.errors import Exit
from tests.conftest import Site
from tests.simulated import charges, order_from, serving

WROTE = {
    "assets.toml",
    "templates/hero.j2",
    "flux2build.schema.json",
    ".gitignore",
    ".gitattributes",
}


def test_an_empty_folder(empty: Site) -> None:
    """Everything is written, and said."""
    ran = empty.run("init")

    assert (ran.code, ran.out) == (Exit.DONE, "")
    assert set(empty.files()) == WROTE
    assert ran.err.splitlines()[:5] == [
        "wrote    assets.toml",
        "wrote    templates/hero.j2",
        "wrote    flux2build.schema.json",
        "wrote    .gitignore",
        "wrote    .gitattributes",
    ]
    assert "`flux2build plan -p final` shows the price" in ran.err


def test_the_starter_works(empty: Site) -> None:
    """Every command of the README's table can be typed on what was written."""
    assert empty.run("init").code == Exit.DONE
    assert "Price: $0.15." in empty.run("plan", "-p", "final").out
    assert empty.run("check").code == Exit.DRIFT
    assert empty.run().code == Exit.DONE
    for words in (
        ["plan", "--exit-code"],
        ["check", "--strict"],
        ["explain", "hero"],
        ["show", "hero"],
        ["list"],
        ["graph"],
        ["orders"],
        ["cost"],
        ["models"],
        ["prune"],
        ["doctor"],
        ["schema"],
    ):
        ran = empty.run(*words)
        assert ran.code == Exit.DONE, ran.err
    assert len(list(empty.folder.glob("public/comps/*"))) == 16


def test_git_sees_what_it_should(empty: Site) -> None:
    """The starter is to be committed, with its pictures and its lock; caches are not."""
    empty.run("init")
    empty.run("build")
    ignored = empty.folder.joinpath(".gitignore").read_text("utf-8").splitlines()

    assert ".flux2build/" in ignored
    attributes = empty.folder.joinpath(".gitattributes").read_text("utf-8").splitlines()
    assert "assets.lock text eol=lf" in attributes
    assert "/public/images/**/*.webmanifest text eol=lf" in attributes


def test_editors_get_the_schema(empty: Site) -> None:
    """The first line names a schema that is there and that the spec fulfils."""
    empty.run("init")
    text = empty.folder.joinpath("assets.toml").read_text("utf-8")
    assert text.startswith("#:schema ./flux2build.schema.json\n")
    schema = json.loads(empty.folder.joinpath("flux2build.schema.json").read_bytes())

    jsonschema.Draft202012Validator(schema).validate(tomli.loads(text))
    assert (
        empty.run("schema").out.encode() == (empty.folder / "flux2build.schema.json").read_bytes()
    )


def test_what_exists_stays(empty: Site) -> None:
    """Files of the same names are kept; lines are added to git's, whatever their bytes, once."""
    empty.write("templates/hero.j2", "mine")
    empty.folder.joinpath(".gitignore").write_bytes(b"n\xf6de\nlast")
    empty.write(".gitattributes", "*.png binary\n")
    ran = empty.run("init")
    assert "kept     templates/hero.j2" in ran.err
    assert "extended .gitignore" in ran.err
    files = empty.files()
    assert files["templates/hero.j2"] == b"mine"
    assert files[".gitignore"] == (
        b"n\xf6de\nlast\n\n# flux2build: disposable caches\n.flux2build/\n"
    )
    assert files[".gitattributes"].startswith(b"*.png binary\n\n# flux2build")

    empty.folder.joinpath("assets.toml").unlink()
    assert "kept     .gitignore" in empty.run("init").err
    assert empty.files()[".gitignore"] == files[".gitignore"]


def test_a_spec_is_never_overwritten(site: Site) -> None:
    """Where there is a spec, nothing at all is written."""
    before = site.files()
    ran = site.run("init")

    assert ran.code == Exit.USAGE
    assert ran.err == (
        "error: `assets.toml` exists already\n  hint: `flux2build plan` shows what it would make\n"
    )
    assert site.files() == before


@pytest.mark.parametrize("named", ["web/assets.toml", "web/pictures.toml", "web"])
def test_elsewhere(empty: Site, named: str) -> None:
    """`-f` says where: a file, or a folder that exists; the commands it then names work."""
    empty.folder.joinpath("web").mkdir()
    ran = empty.run("init", "-f", named)
    assert ran.code == Exit.DONE
    spec = named if named.endswith(".toml") else "web/assets.toml"

    assert f"wrote    {spec}" in ran.err
    assert set(empty.files()) == {
        f"web/{name.replace('assets.toml', Path(spec).name)}" for name in WROTE
    }
    assert empty.run("build", "-f", spec).code == Exit.DONE
    assert empty.folder.joinpath("web/public/comps/mascot.png").is_file()


def test_json(empty: Site) -> None:
    """Programs are told what was written."""
    empty.write("templates/hero.j2", "mine")
    document = json.loads(empty.run("init", "--json").out)

    assert document["format_version"] == "1.0"
    assert {row["path"]: row["action"] for row in document["files"]} == {
        **dict.fromkeys(WROTE, "wrote"),
        "templates/hero.j2": "kept",
    }


def test_a_folder_that_cannot_be_written_to(empty: Site) -> None:
    """A fault of the disk is told as one."""
    empty.write("file", "")
    ran = empty.run("init", "-f", "file/assets.toml")

    assert ran.code == Exit.SYSTEM
    assert "not a directory" in ran.err


def test_nothing_waits_for_a_pipe(empty: Site) -> None:
    """A `.gitignore` that cannot be read is reported."""
    os.mkfifo(empty.folder / ".gitignore")
    ran = empty.run("init")

    assert (ran.code, "it is not a regular file" in ran.err) == (6, True)


def test_a_folder_of_pictures_is_adopted(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is current as it is, whatever its size and name; a changed prompt renders that one alone."""
    for name in ("img/hero image.png", "img/icons/01.webp", "img/icons/01.jpg", "img/ü.png"):
        path = empty.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = Image.effect_noise((96, 60), 60).convert("RGB")
        noise.save(path)
    empty.write("img/broken.png", "no picture")
    empty.write("img/logo.SVG", "<svg/>")
    Image.new("RGB", (64, 64)).save(empty.folder / "img" / "mobile.png", "JPEG")
    empty.write("img/node_modules/x.png", "foreign")
    before = {name: data for name, data in empty.files().items() if name.startswith("img/")}

    ran = empty.run("init", "--from", "img")
    assert (ran.code, ran.err.count("left out")) == (Exit.DONE, 3)
    assert f"left out {Path('img/logo.SVG')}: no model delivers that format" in ran.err
    assert (
        f"left out {Path('img/mobile.png')}: its name says another format than its own, jpeg"
        in ran.err
    )
    assert f"left out {Path('img/broken.png')}: cannot be read as a picture" in ran.err
    assert {name: empty.folder.joinpath(name).read_bytes() for name in before} == before
    assert empty.run("check").code == Exit.DONE
    assert "4 files" in empty.run("plan").out
    empty.edit("assets.toml", '"hero image"', '"a hero in the mountains"')
    assert "1 to render, 3 up to date. Price: $0.03." in empty.run("plan").out
    with serving() as server:
        order_from(server.base_url, monkeypatch)
        assert empty.run("build", "--yes").code == Exit.DONE
        assert charges(server) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such files")
def test_a_picture_that_cannot_be_an_output_is_left_out(empty: Site) -> None:
    """The spec that is written holds on every system; each other file is named, with the reason."""
    names = ("x{{b}}", "{# c #}", "a:b", "con", " lead", "a\tb", "a", "A")
    empty.folder.joinpath("img").mkdir()
    for name in names:
        Image.new("RGB", (64, 64), "teal").save(empty.folder / "img" / f"{name}.png")

    ran = empty.run("init", "--from", "img")
    assert (ran.code, ran.err.count("left out")) == (Exit.DONE, len(names) - 1)
    assert f"left out {Path('img/a:b.png')}: has `:` in it" in ran.err
    assert "Adopted 1 picture" in ran.err
    assert empty.run("check").code == Exit.DONE


@pytest.mark.parametrize("folder", ["nowhere", "empty", ".."])
def test_a_folder_without_pictures_is_refused(empty: Site, folder: str) -> None:
    """Nothing is written then."""
    empty.folder.joinpath("empty").mkdir()
    assert empty.run("init", "--from", folder).code == Exit.USAGE
    assert not empty.folder.joinpath("assets.toml").exists()
