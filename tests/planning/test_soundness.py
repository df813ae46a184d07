"""Whether the files that pictures are made of can be used: judged once, and before anything is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from PIL import Image

from flux2build.errors import Problem
from flux2build.images.ops import OPS
from flux2build.planning.soundness import Judged, Look, Soundness, Together, each_by_itself
from flux2build.providers.pricing import Size
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from flux2build.storage.many_files import in_threads
from tests.conftest import Site
from tests.odd_pictures import saved

PNG: Final = saved(Image.new("RGB", (64, 48)), "PNG")
SPEC: Final = """\
[project]
name = "acme"
[defaults]
provider = "bfl"
[asset.fox]
prompt = "a fox"
refs = ["NAME"]
"""
PROJECT: Final = """\
[project]
name = "acme"
"""
ASSET: Final = """
[asset.NAME]
source = "NAME.png"
deliver = [{ path = "out/NAME.webp" }]
"""


def test_a_file_is_read_once_and_a_known_one_not_at_all() -> None:
    """Pixels that were judged before are known by their digest, whatever their file is called."""
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return PNG

    soundness = Soundness(OPS, read, lambda path: path[0], Judged({"b": (9, 8)}))

    assert [soundness.size(path) for path in ("a1", "a2", "b", "a1")] == [(64, 48)] * 2 + [
        (9, 8),
        (64, 48),
    ]
    assert reads == ["a1"]
    assert soundness.known.learned


@pytest.mark.parametrize("together", [each_by_itself, in_threads])
def test_side_by_side_or_not_pictures_are_judged_alike(together: Together, empty: Site) -> None:
    """Broken ones are named at their first use, in the order of the plan; two copies are one picture.

    A large one is not decoded beside others.
    """
    large = saved(Image.new("1", (4001, 4000)), "PNG")
    files = {
        "a.png": PNG[:60],
        "b.png": PNG,
        "c.png": large,
        "d.png": b"",
        "e.png": PNG,
        "f.png": large,
    }
    assets = "".join(ASSET.replace("NAME", name[0]) for name in files)
    empty.write("assets.toml", f"{PROJECT}{assets}")
    for name, data in files.items():
        empty.folder.joinpath(name).write_bytes(data)
    project = Project.open(CommonOptions())
    plan, beside = project.whole, dict[str, object]()

    def looked(look: Look, paths: Sequence[str]) -> Mapping[str, Size | Problem | None]:
        sizes = together(look, paths)
        beside.update(sizes)
        return sizes

    soundness = Soundness(OPS, files.__getitem__, project.index.digest, together=looked)

    assert [
        (key[1], problem.message.split(":")[0]) for key, problem in soundness.problems(plan)
    ] == [
        ("a", "`a.png` is damaged or cut off"),
        ("d", "`d.png` is empty"),
    ]
    assert sorted(soundness.known.sound.values()) == [(64, 48), (4001, 4000)]
    assert [beside[name] for name in beside if files[name] == large] == [None]


def test_plan_decodes_only_what_has_changed(empty: Site) -> None:
    """A later command knows the pictures that an earlier plan has judged; `check` keeps nothing."""
    empty.write("assets.toml", SPEC.replace("NAME", "desk.png"))
    empty.folder.joinpath("desk.png").write_bytes(PNG)

    def known() -> list[tuple[int, int]]:
        return list(Project.open(CommonOptions()).judged.sound.values())

    empty.run("check")
    assert known() == []
    empty.run("plan")
    assert known() == [(64, 48)]
    empty.folder.joinpath("desk.png").write_bytes(PNG[:60])
    assert "`desk.png` is damaged" in empty.run("plan").err


@pytest.mark.parametrize("form", ["TIFF", "BMP"])
def test_a_picture_without_a_size_in_its_header_is_measured(form: str, empty: Site) -> None:
    """What is sent as PNG is priced, scaled and refused by its size like any other reference."""
    empty.write("assets.toml", SPEC.replace("NAME", "scan"))

    def planned(side: int) -> str:
        empty.folder.joinpath("scan").write_bytes(saved(Image.new("RGB", (side, side)), form))
        ran = empty.run("plan")
        return ran.out + ran.err

    assert f"sent as PNG instead of {form}" in planned(512)
    assert "sent scaled from 2400×2400 to 2048×2048" in planned(2400)  # noqa: RUF001  # as shown
    empty.edit("assets.toml", '"bfl"', '"bfl"\nmodel = "flux-3-image"')
    assert "too small" in planned(8)


def test_only_what_is_to_be_made_is_judged(empty: Site) -> None:
    """A broken picture bars what it is for, and nothing else that a person chooses to build."""
    empty.write(
        "assets.toml", SPEC.replace("NAME", "desk.png") + '[asset.owl]\nprompt = "an owl"\n'
    )
    empty.folder.joinpath("desk.png").write_bytes(b"{}")

    assert empty.run("plan").code == 2
    assert empty.run("plan", "fox").code == 2
    assert empty.run("plan", "owl").code == 0
