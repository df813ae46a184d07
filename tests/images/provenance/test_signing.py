"""Masters stay what was delivered, and what their manifests say is noted beside their digest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from flux2build.building.artifacts import Artifacts
from flux2build.building.runner import build
from flux2build.building.toolbox import Toolbox
from flux2build.building.world import RealWorld
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.extras import pip_install
from flux2build.images.ops import OPS
from flux2build.images.provenance.c2pa import VALID
from flux2build.ledger import fold
from flux2build.lockfile import Generated, Lockfile, loads
from flux2build.model import Asset, AssetName, C2paManifest, Generate, Order, Recipe
from flux2build.planning.plan import plan
from flux2build.planning.snapshot import Snapshot
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import Reference
from flux2build.purchasing.local_renderer import LocalRenderer
from flux2build.storage.store import Store
from tests.conftest import Site
from tests.images.provenance.test_c2pa import FORMATS, SIGNED

FOX = AssetName("fox")
WITHOUT = (
    "import sys; sys.modules['c2pa'] = None; "
    "from flux2build.cli.entry import main; sys.exit(main(sys.argv[1:]))"
)
"""flux2build as it is installed without the extra."""
WITH = "import sys; from flux2build.cli.entry import main; sys.exit(main(sys.argv[1:]))"
LOADED = (
    "import sys; from flux2build.cli.entry import main; code = main(sys.argv[1:]); "
    "print(*sys.modules); sys.exit(code)"
)


@dataclass(frozen=True)
class Signing:
    """A provider that delivers a picture which somebody else has signed."""

    data: bytes
    name: str = "signing"
    default_model: str = "signing"
    cards: Mapping[str, Card] = field(default_factory=dict)

    def draw(self, _order: Order, _references: Sequence[Reference]) -> bytes:
        """The one picture that it delivers."""
        return self.data


def delivered(folder: Path, data: bytes, form: str) -> Generated:
    """What the lock says of a picture that a provider delivered, once it was built."""
    store, halt = Store(folder / "store"), asyncio.Event()
    task = Generate("signing", "signing", "a fox", {"width": 32, "height": 24, "format": form})
    recipe = Recipe(FOX, task, (), f"fox.{form}")
    artifacts, metas = Artifacts(folder, store, {}), {FOX: Asset(FOX, FOX, {}).meta}
    snapshot = Snapshot("default", {}, Lockfile(), fold(()), artifacts.has, metas=metas)
    planned = plan([recipe], snapshot, lambda _: (Decimal(0), Decimal(0)))

    async def run() -> None:
        slots = asyncio.Semaphore(1)
        renderer = LocalRenderer(Signing(data), store, slots, halt)
        toolbox, place = Toolbox(OPS, {}), folder / "assets.lock"
        world = RealWorld(artifacts, place, {"signing": renderer}, toolbox)
        report = await build(planned, snapshot, world, lambda _: None, halt)
        assert not report.failures

    asyncio.run(run())
    block = loads(folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock").block(
        FOX, "default"
    )
    assert block is not None
    assert block.generated is not None
    return block.generated


@pytest.mark.parametrize("form", FORMATS)
def test_a_master_is_byte_for_byte_what_was_delivered(tmp_path: Path, form: str) -> None:
    """Work tree, store and digest have the bytes delivered, so a signature in them stays valid."""
    row = delivered(tmp_path, SIGNED[form], form)

    assert tmp_path.joinpath(f"fox.{form}").read_bytes() == SIGNED[form]
    assert Store(tmp_path / "store").get(row.output.sha256) == SIGNED[form]
    assert row.output.sha256 == of_bytes(SIGNED[form])


@pytest.mark.parametrize("form", FORMATS)
def test_its_manifest_is_noted(tmp_path: Path, form: str) -> None:
    """A verified manifest names its signer and the program that wrote it."""
    manifest = delivered(tmp_path, SIGNED[form], form).output.manifest

    assert manifest == C2paManifest(VALID, "Wren & Wheel", "flux2build 0.1.0")


def test_without_the_library_manifests_are_read_and_nothing_is_signed(site: Site) -> None:
    """The extra is asked for by name, before anything is rendered; all else works without it."""
    command = [sys.executable, "-c", WITHOUT, "build"]
    site.edit("assets.toml", "[defaults]", "[defaults]\nsign = true")
    signed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert signed.returncode == Exit.SYSTEM
    assert pip_install("provenance") in signed.stderr
    assert not site.folder.joinpath("img").exists()

    site.edit("assets.toml", "sign = true", "")
    assert subprocess.run(command, capture_output=True, check=False).returncode == Exit.DONE


@pytest.mark.parametrize("start", [WITHOUT, WITH], ids=["without the extra", "with it"])
@pytest.mark.parametrize(
    "manifest",
    [
        'output.manifest = "valid"\noutput.signer = "Wren"\noutput.generator = "w"',
        'output.manifest = "present"\noutput.signer = ""\noutput.generator = "w"',
    ],
    ids=["signer known", "signer unknown"],
)
def test_what_a_machine_can_say_of_a_signer_is_no_drift(
    site: Site, manifest: str, start: str
) -> None:
    """A lock written with the extra is current without it, and the other way round."""
    assert site.run("build").code == Exit.DONE
    lock = site.folder.joinpath("assets.lock")
    text = lock.read_text("utf-8").replace('output.manifest = "none"', manifest)
    site.write("assets.lock", text)

    for words in (["check"], ["plan", "--exit-code"], ["build"]):
        ran = subprocess.run(
            [sys.executable, "-c", start, *words], capture_output=True, check=False
        )
        assert ran.returncode == Exit.DONE
    assert lock.read_text("utf-8") == text


def test_the_library_is_loaded_only_for_manifests(site: Site) -> None:
    """A build of pictures without manifests does not wait for it."""
    ran = subprocess.run([sys.executable, "-c", LOADED, "build"], capture_output=True, check=True)
    assert site.folder.joinpath("img/mascot.png").exists()

    assert b"flux2build.images.provenance.c2pa_backend" not in ran.stdout.split()


def test_that_there_is_none_is_noted_too(site: Site) -> None:
    """A master without a manifest says so in its row, and reads back as one without."""
    assert site.run("build").code == Exit.DONE
    text = site.folder.joinpath("assets.lock").read_text("utf-8")
    lock = loads(text, "assets.lock")

    assert text.count('output.manifest = "none"') == len(lock.blocks)
    assert all(b.generated and b.generated.output.manifest is None for b in lock.blocks.values())


def test_an_invalid_manifest_is_a_finding(site: Site) -> None:
    """A picture that was changed after it was signed is named before it is published."""
    assert site.run("build").code == Exit.DONE
    invalid = 'output.manifest = "invalid"\noutput.signer = "x"\noutput.generator = "y"'
    lock = site.folder.joinpath("assets.lock").read_text("utf-8")
    site.write("assets.lock", lock.replace('output.manifest = "none"', invalid))
    ran = site.run("check", "--output-format", "concise")

    assert ran.code == Exit.DONE
    assert ran.out.count("warning manifest-invalid") == 2, "of those that are published"
