"""Open weights in a project: free, named by their digest, and needed only to render."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

from flux2build.digest import of_bytes
from tests.conftest import Site
from tests.imported import imported
from tests.purchasing.weights.made_up import weights

SPEC: Final = """\
[project]
name = "acme"
[defaults]
provider = "local"
width = 64
height = 64
[asset.fox]
prompt = "a fox"
"""
ELSEWHERE: Final = "sha256:" + "0" * 64


@pytest.fixture
def config(empty: Site) -> Path:
    """A site that renders with weights, and the user's configuration that says where they lie."""
    weights(empty.folder.parent / "klein")
    empty.write("assets.toml", SPEC)
    file = Path(os.environ["FLUX2BUILD_CONFIG"])
    _configure(file, f'[models.flux-2-klein-4b]\npath = "{empty.folder.parent / "klein"}"')
    return file


def _configure(file: Path, text: str) -> None:
    file.write_text(text.replace("[models", "[local.models"), "utf-8")


def _model(site: Site) -> str:
    ran = site.run("show", "fox")
    assert ran.code == 0, ran.err
    return next(line.split()[1] for line in ran.out.splitlines() if line.split()[:1] == ["model"])


def test_a_plan_is_free_and_loads_nothing(empty: Site, config: Path) -> None:
    """What renders is imported by a build, and torch by nothing but a worker."""
    assert config.is_file()
    found = imported(empty, "plan")

    assert "Price: free." in empty.run("plan").out
    assert not {"asyncio", "torch", "diffusers", "transformers", "numpy"} & found


def test_orders_are_named_by_the_weights(empty: Site, config: Path) -> None:
    """Other weights are another model, wherever they lie."""
    before = _model(empty)
    folder = empty.folder.parent / "klein"
    moved = folder.rename(folder.with_name("moved"))
    _configure(config, f'[models.flux-2-klein-4b]\npath = "{moved}"')
    assert _model(empty) == before
    assert before.startswith("local/flux-2-klein-4b@sha256:")

    moved.joinpath("transformer/model.safetensors").write_text("other", "utf-8")
    assert _model(empty) != before


def test_weights_on_other_machines_are_named_by_their_digest(empty: Site, config: Path) -> None:
    """A digest stands for weights that only a cluster has, and refuses others that lie here."""
    written = config.read_text("utf-8")
    _configure(config, f'[models.flux-2-klein-4b]\ndigest = "{ELSEWHERE}"')
    assert _model(empty) == f"local/flux-2-klein-4b@{ELSEWHERE}"

    _configure(config, f'{written}\ndigest = "{ELSEWHERE}"')
    ran = empty.run("build")

    assert ran.code == 6
    assert "the weights of `flux-2-klein-4b` are others than `digest` says" in ran.err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 6, "the weights of `flux-2-klein-4b` are not on this machine"),
        ('local = "klein"', 2, "`local` is a table"),
        ('[local]\ndevice = "cpu"', 2, "`local.device`: unknown key `device`"),
        ('[local]\noffload = "all"', 2, "`local.offload`: `all` is not one of `none`, `model`"),
        ("[local]\ndevices = []", 2, "`local.devices`: must not be empty"),
        ("[local.models.x]", 2, "`local.models.x`: `path` is missing"),
        ('[local.models.x]\ndigest = "sha256:0"', 2, "`local.models.x.digest`"),
        (
            f'[local.models.flux-2-klein-4b]\ndigest = "{ELSEWHERE}"',
            6,
            "the weights of `flux-2-klein-4b` are not on this machine",
        ),
        ('[local.models.flux-2-klein-4b]\npath = "nowhere"', 6, "it does not exist"),
        ('[local.models.flux-2-klein-4b]\npath = "~nobody/x"', 6, "it does not exist"),
    ],
)
def test_a_configuration_that_cannot_be_used(
    empty: Site, config: Path, text: str, code: int, said: str
) -> None:
    """A build says what is missing or wrong, and where."""
    config.write_text(text, "utf-8")
    told = code == 6 and "digest" not in text  # else they may be on other machines
    assert ("cannot be made here: " in empty.run("plan").out) == told

    ran = empty.run("build")

    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert not empty.folder.joinpath("fox.png").exists()


def test_weights_of_an_unknown_pipeline_are_refused(empty: Site, config: Path) -> None:
    """The class is named, with those that are known."""
    weights(empty.folder.parent / "klein", _class_name="StableDiffusionPipeline")
    assert config.is_file()

    ran = empty.run("build")

    assert ran.code == 6
    assert "has a `StableDiffusionPipeline`" in ran.err
    assert "`Flux2KleinPipeline`" in ran.err


def test_the_users_own_models_are_models(empty: Site, config: Path) -> None:
    """A name of theirs may be asked for, and a misspelt one is recognized."""
    _configure(config, f'[models.foxes]\npath = "{empty.folder.parent / "klein"}"')
    empty.edit("assets.toml", 'provider = "local"', 'provider = "local"\nmodel = "foxes"')
    assert _model(empty).startswith("local/foxes@sha256:")

    empty.edit("assets.toml", '"foxes"', '"foxs"')
    ran = empty.run("plan")
    assert (ran.code, "did you mean `foxes`?" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("guidance = 4", "model `flux-2-klein-4b` has no `guidance`"),
        ("prompt_upsampling = true", "models that have it: "),
        ("width = 100", "100 is not a multiple of 16; 96 or 112 are"),
        ("steps = 1000", "`steps` of `flux-2-klein-4b` goes from 1 to 100"),
    ],
)
def test_what_a_model_lacks_is_refused(empty: Site, config: Path, line: str, said: str) -> None:
    """The value is named at its place, with what may be written instead."""
    assert config.is_file()
    empty.edit("assets.toml", 'prompt = "a fox"', f'prompt = "a fox"\n{line}')

    ran = empty.run("plan")

    assert (ran.code, said in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("spoilt", [False, True], ids=["no weights", "weights with a pickle"])
def test_a_lock_is_checked_without_the_weights(empty: Site, config: Path, *, spoilt: bool) -> None:
    """Where the weights cannot be used, they are those that the lock names."""
    name = _model(empty)
    if spoilt:
        empty.folder.parent.joinpath("klein", "vae.bin").write_bytes(b"")
        assert "`vae.bin` is a pickle" in empty.run("build").err
    else:
        config.write_text("", "utf-8")
    assert _model(empty) == "local/flux-2-klein-4b"

    empty.write("assets.lock", f"# rendered with {name}\nversion = 1\nrevision = 1\n")

    assert _model(empty) == name


def test_a_lora_is_named_by_its_file(empty: Site, config: Path) -> None:
    """Its name and its digest are part of the order, and the lock names them where it is not."""
    file = empty.folder.parent / "pixel.safetensors"
    file.write_bytes(b"lora")
    written, lora = config.read_text("utf-8"), f'[local.loras.pixel]\npath = "{file}"\n'
    config.write_text(f"{written}\n{lora}", "utf-8")
    line = 'loras = [{ file = "pixel", scale = 0.5 }]'
    empty.edit("assets.toml", 'prompt = "a fox"', f'prompt = "a fox"\n{line}')

    def asked() -> str:
        return str(json.loads(empty.run("show", "fox", "--json").out)).partition("'loras': ")[2]

    known = asked()
    assert of_bytes(b"lora") in known
    entry = f'"file":"pixel","scale":0.5,"sha256":"{of_bytes(b"lora")}"'
    empty.write("assets.lock", f"# rendered with [{{{entry}}}]\nversion = 1\nrevision = 1\n")
    config.write_text(written, "utf-8")
    assert asked() == known

    ran = empty.run("build")
    assert (ran.code, "the LoRA `pixel` is not on this machine" in ran.err) == (6, True)


def test_weights_of_another_profile_are_not_hashed(empty: Site, config: Path) -> None:
    """A profile that renders elsewhere does not wait for gigabytes to be read."""
    empty.edit("assets.toml", 'provider = "local"\n', "")
    empty.edit("assets.toml", "[asset.fox]", '[profile.draft]\nprovider = "local"\n[asset.fox]')

    assert empty.run("check").code == 1
    assert not config.with_name("weights").exists()

    assert empty.run("check", "--profile", "draft").code == 1
    assert config.with_name("weights").exists()
