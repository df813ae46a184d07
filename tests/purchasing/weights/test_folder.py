"""Folders of weights: what names them, and what is never loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flux2build.digest import of_bytes, of_json
from flux2build.errors import SystemFault
from flux2build.purchasing.weights.folder import opened
from flux2build.storage.index import Index
from tests.purchasing.weights.made_up import weights


def _digest(folder: Path) -> str:
    return opened(folder).digest(Index(str(folder.parent)))


def test_the_digest_is_that_of_weights_and_configuration(tmp_path: Path) -> None:
    """It is made of the sorted paths and digests of safetensors and JSON, and of nothing else."""
    folder = weights(tmp_path / "klein")
    names = sorted(["model_index.json", "transformer/config.json", "transformer/model.safetensors"])
    files = [[name, of_bytes((folder / name).read_bytes())] for name in names]

    found = opened(folder)

    assert (found.pipeline, found.distilled) == ("Flux2KleinPipeline", True)
    assert list(found.files) == names
    assert _digest(folder) == of_json(files)
    assert found.bytes == sum((folder / name).stat().st_size for name in names)


def test_other_weights_have_another_digest_and_a_moved_folder_the_same(tmp_path: Path) -> None:
    """What counts is what would be rendered with."""
    folder = weights(tmp_path / "klein")
    digest = _digest(folder)

    folder.joinpath("README.md").write_text("other", "utf-8")
    moved = folder.rename(tmp_path / "elsewhere")
    assert _digest(moved) == digest

    moved.joinpath("transformer/model.safetensors").write_text("other", "utf-8")
    assert _digest(moved) != digest


def _link(folder: Path) -> None:
    folder.parent.joinpath("secret.json").write_text("{}", "utf-8")
    folder.joinpath("secret.json").symlink_to(folder.parent / "secret.json")


def _linked_folder(folder: Path) -> None:
    folder.joinpath("vae").symlink_to(folder / "transformer")


def _written(name: str, text: str = "x") -> Callable[[Path], object]:
    return lambda folder: folder.joinpath(name).write_text(text, "utf-8")


def _huge(folder: Path) -> None:
    with folder.joinpath("model_index.json").open("ab") as file:
        file.truncate(1 << 30)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_written("vae.bin"), "`vae.bin` is a pickle"),
        (_written("transformer/old.CKPT"), "`transformer/old.CKPT` is a pickle"),
        (_written("pipeline.py"), "`pipeline.py` is a program"),
        (_link, "`secret.json` is a link that leads elsewhere"),
        (_linked_folder, "`vae` is a link that leads elsewhere"),
        (_written("model_index.json", "{"), "`model_index.json` is not JSON"),
        (_written("model_index.json", "[" * 100_000), "`model_index.json` is not JSON"),
        (_written("model_index.json", "[]"), "`model_index.json` is not a table"),
        (_written("model_index.json", "{}"), "`model_index.json` names no pipeline"),
        (_huge, "`model_index.json` cannot be read: it is too large"),
        (lambda folder: folder.joinpath("model_index.json").unlink(), "has no `model_index.json`"),
        (lambda folder: folder.rename(folder.parent / "x"), "it does not exist"),
        (
            lambda folder: weights(folder, vae=["vae_of_a_stranger", "Vae"]),
            "takes `vae` from `vae_of_a_stranger`",
        ),
        (
            lambda folder: weights(folder, vae=[["diffusers"], "Vae"]),
            "takes `vae` from `['diffusers']`",
        ),
    ],
)
def test_what_could_run_code_or_is_no_pipeline_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """The folder is named, and what is wrong with it."""
    folder = weights(tmp_path / "klein")
    spoil(folder)

    with pytest.raises(SystemFault) as caught:
        opened(folder)

    (problem,) = caught.value.problems
    assert str(folder) in problem.message
    assert said in problem.message


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    """A file may have two names."""
    folder = weights(tmp_path / "klein")
    folder.joinpath("vae.json").symlink_to("transformer/config.json")

    assert "vae.json" in opened(folder).files


def test_a_large_file_with_holes_is_hashed_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    """A file may be of any size, but it must be a file."""
    folder = weights(tmp_path / "klein")
    with folder.joinpath("vae.safetensors").open("wb") as file:
        file.truncate(1 << 26)
    assert _digest(folder)

    os.mkfifo(folder / "pipe.json")
    with pytest.raises(SystemFault, match=r"pipe\.json` cannot be read"):
        _digest(folder)
