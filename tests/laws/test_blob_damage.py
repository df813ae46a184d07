"""Whatever happens to a picture in the store, it is bought again only by a person's word."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.errors import Exit
from flux2build.ledger import Delivered
from flux2build.session.home import user_journal, user_store
from tests.conftest import Site
from tests.simulated import charges, order_from, serving


def in_its_place(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else where the bytes were."""

    def replaced(blob: Path) -> None:
        blob.unlink()
        make(blob)

    return replaced


DAMAGE: Final[dict[str, Callable[[Path], object]]] = {
    "missing": Path.unlink,
    "empty": in_its_place(Path.touch),
    "truncated": in_its_place(lambda blob: blob.write_bytes(b"\x89PNG")),
    "flipped": lambda blob: rewritten(blob, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "longer": lambda blob: rewritten(blob, lambda data: data + b"\n"),
    "folder": in_its_place(Path.mkdir),
    "nowhere": in_its_place(lambda blob: blob.symlink_to("nowhere")),
    "loop": in_its_place(lambda blob: blob.symlink_to(blob.name)),
}
"""What may happen to a file of the store, by the name of an asset."""


def rewritten(blob: Path, edit: Callable[[bytes], bytes]) -> None:
    """Write other bytes to a file that is read-only."""
    data = blob.read_bytes()
    blob.unlink()
    blob.write_bytes(edit(data))


SPEC: Final = """\
[project]
output = "out"
[defaults]
provider = "bfl"
width = 64
height = 64
""" + "".join(f'[asset.{name}]\nprompt = "a boat, {name}"\n' for name in (*DAMAGE, "whole"))


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """A provider that delivers at once, with its bill."""
    with serving() as control:
        yield control


@pytest.fixture
def bought(
    empty: Site, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Delivered]:
    """What was bought, by asset; only the pictures in the store are left."""
    order_from(server.base_url, monkeypatch)
    empty.write("assets.toml", SPEC)
    assert empty.run("build", "--yes").code == Exit.DONE
    shutil.copytree(empty.folder / "out", empty.folder.parent / "colleague")
    shutil.rmtree(empty.folder / "out")
    return {each.asset: each for each in user_journal().read() if isinstance(each, Delivered)}


def damage_all(bought: dict[str, Delivered]) -> None:
    """Damage every picture of the store but one."""
    for name, damage in DAMAGE.items():
        damage(user_store().path(bought[name].output))


def without_the_lock(site: Site) -> None:
    """Only the ledger tells what was bought."""
    (site.folder / "assets.lock").unlink()


def without_the_ledger(_: Site) -> None:
    """Only the lock tells what was bought, as on a machine to which the store was copied."""
    shutil.rmtree(user_journal().path.with_name("claims"))
    user_journal().path.unlink()


WITNESSES: Final = {"both": lambda _: None, "ledger": without_the_lock, "lock": without_the_ledger}


@pytest.mark.parametrize("witnesses", WITNESSES)
def test_a_damaged_picture_is_never_bought_again_unseen(
    empty: Site, server: httpx.Client, bought: dict[str, Delivered], witnesses: str
) -> None:
    """No build charges anything; the others are restored, and the ways out are named."""
    damage_all(bought)
    WITNESSES[witnesses](empty)
    before = charges(server)

    for _ in range(3):
        built = empty.run("build", "--yes")
        assert built.code == Exit.DECIDE
        assert built.err.count("was paid for already") == len(DAMAGE)
        assert (empty.folder / "out/whole.png").is_file()
        assert charges(server) == before
    assert f"{len(DAMAGE)} to decide, 1 up to date. Price: free." in empty.run("plan").out
    checked = empty.run("check")
    assert (checked.code, checked.out.count("paid for already")) == (Exit.DRIFT, len(DAMAGE))
    if witnesses != "lock":
        doctor = empty.run("doctor")
        assert doctor.code != Exit.DONE
        assert f"paid for and are missing: {len(DAMAGE)}" in doctor.out


def test_a_person_decides(empty: Site, server: httpx.Client, bought: dict[str, Delivered]) -> None:
    """A file that is brought back costs nothing; the words that the message names buy once."""
    damage_all(bought)
    before = charges(server)
    shown = empty.run("build", "--yes", "missing", "flipped").err
    order = bought["missing"].attempt[:8]
    assert f"`flux2build orders resubmit {order}`" in shown
    assert "flux2build build --force 'flipped'" in shown
    listed = empty.run("orders", "list", "--everything")
    states = {line.split()[4]: line.split()[1] for line in listed.out.splitlines()}
    assert (states["missing"], states["flipped"], states["whole"]) == ("missing",) * 2 + (
        "delivered",
    )
    assert "paid for, and its bytes are not in the store" in listed.err

    assert empty.run("orders", "resubmit", order).code == Exit.DONE
    assert empty.run("build", "--yes", "missing").code == Exit.DONE
    empty.edit(
        "assets.toml", "[asset.loop]", '[asset.twin]\nprompt = "a boat, flipped"\n[asset.loop]'
    )
    assert empty.run("build", "--yes", "--force", "flipped", "flipped", "twin").code == Exit.DONE
    assert charges(server) == before + 2
    shutil.copy(empty.folder.parent / "colleague/loop.png", empty.folder / "out/loop.png")
    assert empty.run("build", "--yes", "missing", "flipped", "loop").code == Exit.DONE
    assert charges(server) == before + 2


def test_a_copy_in_the_work_tree_is_enough(
    empty: Site, server: httpx.Client, bought: dict[str, Delivered]
) -> None:
    """Damaged bytes are taken from a copy under another name, in the same build."""
    damage_all(bought)
    before = charges(server)
    shutil.copytree(empty.folder.parent / "colleague", empty.folder / "moved")

    assert empty.run("build", "--yes").code == Exit.DONE
    assert charges(server) == before


def test_a_fresh_machine_buys_nothing_that_the_lock_has(
    empty: Site, server: httpx.Client, bought: dict[str, Delivered], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only the lock, a person decides about paid pictures, and free ones are drawn again."""
    monkeypatch.setenv("FLUX2BUILD_HOME", str(empty.folder / "new"))
    before = charges(server)

    for _ in range(2):
        built = empty.run("build", "--yes")
        assert built.code == Exit.DECIDE
        assert built.err.count("was paid for already") == len(bought)
    assert "paid for already, its bytes are not here" in empty.run("plan").out
    assert charges(server) == before
    assert empty.run("build", "--force", "whole", "whole", "--max-cost", "0.05").code == Exit.DONE
    assert charges(server) == before + 1
    empty.edit("assets.toml", 'provider = "bfl"', 'provider = "sketch"')
    assert empty.run("build").code == Exit.DONE


def test_without_lock_and_ledger_nothing_is_bought_over_a_file(
    empty: Site, server: httpx.Client, bought: dict[str, Delivered], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that git ignores is missing in a clone: what lies there may be what was paid for."""
    shutil.copytree(empty.folder.parent / "colleague", empty.folder / "out")
    without_the_lock(empty)
    monkeypatch.setenv("FLUX2BUILD_HOME", str(empty.folder / "new"))
    files, before = empty.files(), charges(server)

    assert f"{len(bought)} to decide" in empty.run("plan").out
    assert "nothing tells where it comes from" in empty.run("check").out
    built = empty.run("build", "--yes")
    assert (built.code, charges(server), empty.files()) == (Exit.DECIDE, before, files)
    (empty.folder / "out/loop.png").unlink()
    assert empty.run("build", "--yes", "loop").code == Exit.DECIDE
    assert empty.run("build", "--yes", "--force", "loop", "loop").code == Exit.DONE
    assert empty.run("build", "--yes", "--force", "whole", "whole").code == Exit.DONE
    assert empty.run("build", "--yes").code == Exit.DECIDE
    assert charges(server) == before + 2


def test_what_is_made_of_a_lost_picture_stays(empty: Site, bought: dict[str, Delivered]) -> None:
    """Files that are current need no master; only those that are to be derived wait for it."""
    shutil.copytree(empty.folder.parent / "colleague", empty.folder / "out")
    asset = "[asset.whole]\n"
    two = """deliver = [{ path = "small.webp" }, { path = "large.webp" }]\n"""
    empty.edit("assets.toml", asset, asset + two)
    assert empty.run("build", "whole").code == Exit.DONE
    (empty.folder / "out/whole.png").unlink()
    (empty.folder / "out/large.webp").unlink()
    user_store().path(bought["whole"].output).unlink()

    built = empty.run("build", "whole")
    assert built.code == Exit.DECIDE
    assert "1 failed, 1 blocked, 1 up to date" in built.err
