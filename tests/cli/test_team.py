"""A team pays once: what one machine has bought, another one takes from the store that they share."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build import digest, lockfile
from flux2build.cli.entry import main
from flux2build.errors import Exit
from flux2build.sharing.keys import Space, key_of
from tests.cli.machines import SPEC, Machine, age, settle_in
from tests.paid_provider import picture
from tests.simulated import charges, scenario

ORDERS: Final = 2
FILES: Final = 3
PROFILES: Final = """\
[project]
name = "acme"
profile = "draft"
[profile.draft]
provider = "sketch"
[profile.final]
provider = "bfl"
model = "flux-2-pro"
output = "final"
[defaults]
width = 64
height = 64
[asset.fox]
prompt = "a fox"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, server: httpx.Client) -> Path:
    """A store that is filled, and the machine that has bought all of it."""
    folder = tmp_path_factory.mktemp("built")
    folder.joinpath("store").mkdir()
    with pytest.MonkeyPatch.context() as settings:
        settle_in(folder, server, settings)
        settings.setenv("FLUX2BUILD_HOME", str(folder / "home-one"))
        folder.joinpath("one/.git").mkdir(parents=True)
        settings.chdir(folder / "one")
        folder.joinpath("one/assets.toml").write_text(SPEC, "utf-8")
        assert main(["build", "--yes"]) == Exit.DONE
    return folder


@pytest.fixture
def filled(machines: list[Machine], store: Path, built: Path) -> Path:
    """The store, once the first machine has bought everything."""
    for name in ("store", "one", "home-one"):
        shutil.copytree(built / name, store.with_name(name), dirs_exist_ok=True)
    assert machines[0].run("build").code == Exit.DONE
    return store


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_clone_restores_everything(
    machines: list[Machine], server: httpx.Client, filled: Path
) -> None:
    """With the lock, an empty home and a filled store, everything is restored and nothing is bought."""
    one, other = machines
    other.clone(one)

    planned, built = other.run("plan"), other.run("build")

    assert planned.out.count("restore  the file is missing, from the team's store") == FILES
    assert "Price: free." in planned.out
    assert (built.code, charges(server)) == (Exit.DONE, 0)
    assert other.pictures() == one.pictures()
    assert other.run("check").code == Exit.DONE
    assert not list(filled.glob("claims/[1-9a-f]*"))


@pytest.mark.usefixtures("filled")
def test_a_receipt_is_adopted(machines: list[Machine], server: httpx.Client) -> None:
    """Without the lock, what anybody has bought is adopted with its receipt, through a whole chain."""
    _, other = machines

    planned, built = other.run("plan"), other.run("build")

    assert "2 to adopt, 1 to derive" in planned.out
    assert "Price: free." in planned.out
    assert (built.code, charges(server)) == (Exit.DONE, 0)
    locks = [machine.folder.joinpath("assets.lock").read_bytes() for machine in machines]
    assert locks[0] == locks[1]


def test_looking_asks_nobody(machines: list[Machine], server: httpx.Client, filled: Path) -> None:
    """`check`, and whatever finds nothing missing, neither asks the store nor minds that it is gone."""
    one, other = machines
    other.clone(one)
    filled.rename(filled.with_name("gone"))

    assert "team" not in (ran := other.run("check")).out + ran.err
    assert ran.code == Exit.DRIFT
    for words in (["plan"], ["build"], ["check"], ["build", "--json"], ["explain", "fox"]):
        ran = one.run(*words)
        assert (ran.code, "team" in ran.out + ran.err) == (Exit.DONE, False)
    assert charges(server) == 0


def test_a_store_that_is_down(
    machines: list[Machine], server: httpx.Client, store: Path, tmp_path: Path
) -> None:
    """One warning is printed; nothing is bought unless the settings allow it, and then shared later."""
    one, other = machines
    store.rename(gone := store.with_name("gone"))

    stopped = one.run("build", "--yes")

    assert stopped.code == Exit.SYSTEM
    assert charges(server) == 0
    assert stopped.err.count("warning: the team's store") == 1
    assert "`fox` was not ordered: the team's store" in stopped.err
    (config := tmp_path / "config.toml").write_text('[store]\nwhen_down = "alone"\n')
    one.settings.setenv("FLUX2BUILD_CONFIG", str(config))
    alone = one.run("build", "--yes")
    assert (alone.code, charges(server)) == (Exit.DONE, ORDERS)
    assert alone.err.count("buying without the team") == 1
    gone.rename(store)
    one.site.edit("assets.toml", "fox.webp", "small.webp")
    assert one.run("build").code == Exit.DONE
    assert (other.run("build").code, charges(server)) == (Exit.DONE, ORDERS)


def test_a_pull_request_only_reads(
    machines: list[Machine], server: httpx.Client, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pull request's CI everything is restored, and nothing is written or bought unclaimed."""
    one, other = machines
    before = contents(filled)
    other.clone(one)
    other.site.edit("assets.toml", "[asset.den]", '[asset.owl]\nprompt = "an owl"\n[asset.den]')
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "7")

    ran = other.run("build", "--yes")

    assert ran.code == Exit.SYSTEM
    assert "`owl` was not ordered: the team's store" in ran.err
    assert "is only read here" in ran.err
    assert (charges(server), contents(filled)) == (0, before)
    assert other.pictures().items() >= one.pictures().items()


@pytest.mark.parametrize("lie", [b"", b"not a picture", b"half"], ids=["empty", "other", "cut"])
def test_a_store_that_lies(
    machines: list[Machine], server: httpx.Client, filled: Path, lie: bytes
) -> None:
    """Wrong bytes are set aside and said; no wrong picture is delivered, and nothing bought again."""
    one, other = machines
    other.clone(one)
    (row,) = (
        block.generated
        for block in lockfile.loads(
            one.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock"
        ).blocks.values()
        if block.asset == "fox"
    )
    assert row is not None
    path = filled / "cas" / row.output.sha256.removeprefix("sha256:")
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data[: len(data) // 2] if lie == b"half" else lie)

    ran = other.run("build", "--yes")

    assert (ran.code, charges(server)) == (Exit.SYSTEM, 0)
    assert "the team's store has other bytes" in ran.err
    right = one.pictures()
    assert all(right[name] == data for name, data in other.pictures().items())
    assert path.read_bytes() in contents(other.home / "team" / "damaged").values()


def test_what_is_free_is_made_again(
    machines: list[Machine], server: httpx.Client, filled: Path
) -> None:
    """A file whose bytes in the store are wrong is derived from its master, which is said once, and mends them."""
    one, other = machines
    other.clone(one)
    derived = one.pictures()["img/fox.webp"]
    path = filled / key_of(Space.BYTES, digest.of_bytes(derived))
    path.chmod(0o600)
    path.write_bytes(b"wrong")

    ran = other.run("build", "--yes")

    assert (ran.code, charges(server)) == (Exit.DONE, 0), ran.err
    assert ran.err.count("warning: ") == ran.err.count("has other bytes") == 1
    assert "1 derived" in ran.err
    assert other.pictures() == one.pictures()
    assert path.read_bytes() == derived


def test_what_was_never_paid_for_is_made_again(machines: list[Machine], store: Path) -> None:
    """Where nothing was bought, a store in which everything is wrong stops no build."""
    one, other = machines
    for machine in machines:
        machine.site.edit("assets.toml", 'provider = "bfl"', 'provider = "sketch"')
        machine.site.edit("assets.toml", 'model = "flux-2-pro"\n', "")
        text = '[manifest]\npath = "pictures.json"\n'
        machine.site.edit("assets.toml", "[asset.fox]", f"{text}[asset.fox]")
    assert one.run("build").code == one.run("store", "push").code == Exit.DONE
    other.clone(one)
    for path in store.glob("cas/*"):
        path.chmod(0o600)
        path.write_bytes(b"wrong")

    ran = other.run("build")

    assert ran.code == Exit.DONE, ran.err
    assert other.pictures() == one.pictures()
    assert ran.err.count("has other bytes") == len(other.pictures())


def test_a_copy_helps_where_the_store_lies(
    machines: list[Machine], server: httpx.Client, filled: Path
) -> None:
    """Wrong bytes in the store are told, and stop no build that has the right ones elsewhere."""
    one, other = machines
    other.clone(one)
    other.folder.joinpath("kept").mkdir()
    for name in ("fox.png", "den.png"):
        data = one.pictures()[f"img/{name}"]
        other.folder.joinpath("kept", name).write_bytes(data)
        path = filled / key_of(Space.BYTES, digest.of_bytes(data))
        path.chmod(0o600)
        path.write_bytes(b"wrong")

    ran = other.run("build", "--yes")

    assert (ran.code, charges(server)) == (Exit.DONE, 0), ran.err
    assert "warning: the team's store has other bytes" in ran.err
    assert other.pictures() == one.pictures()


def test_a_claim_that_was_left_behind(
    machines: list[Machine], server: httpx.Client, store: Path
) -> None:
    """Another machine shows it, asks, and settles it by the very commands that it names."""
    one, other = machines
    scenario(server, {"stage": "submit", "fault": "drop-before-read"})
    assert one.run("build", "--yes", "fox").code == Exit.DECIDE
    scenario(server)
    age(store)

    asked, listed = other.run("build", "--yes", "fox"), other.run("orders")

    assert asked.code == Exit.DECIDE
    (command,) = set(re.findall(r"`flux2build (orders resubmit [0-9a-f]+)`", asked.err))
    name = command.split()[-1]
    assert re.search(rf"^{name}  claimed  .*  fox  bfl/flux-2-pro  at most \$0.03", listed.out)
    assert "orders resubmit ORDER     it was not bought" in listed.err
    (row,) = json.loads(other.run("orders", "list", "--json").out)["orders"]
    assert (row["state"], row["asset"]) == ("claimed", "fox")
    assert "another machine of the team is buying it" in other.run("explain", "fox").out
    assert "asset     fox" in other.run("orders", "show", name).out
    before = charges(server)
    assert other.run(*command.split()).code == Exit.DONE
    assert other.run("build", "--yes", "fox").code == Exit.DONE
    assert charges(server) == before + 1
    assert other.run("orders").out == ""


@pytest.mark.parametrize("profile", ["final", "draft", None])
def test_a_task_for_a_claim(
    machines: list[Machine], server: httpx.Client, store: Path, profile: str | None
) -> None:
    """A person who finds the task of a claim at the provider adopts it, in any profile or without a spec.

    The next build collects and shares it.
    """
    one, other = machines
    for machine in machines:
        machine.site.write("assets.toml", PROFILES)
    scenario(server, {"stage": "submit", "fault": "drop-after-read"})
    assert one.run("build", "--yes", "fox", "-p", "final").code == Exit.DECIDE
    scenario(server)
    (charge,) = server.get("/_sim/charges").json()["charges"]
    if profile is None:
        other.folder.joinpath("assets.toml").unlink()
    chosen = () if profile is None else ("-p", profile)
    (row,) = json.loads(other.run("orders", "list", "--json", *chosen).out)["orders"]
    assert row["asset"] == ("unknown" if profile is None else "fox")

    adopted = other.run("orders", "adopt", row["order"], charge["id"], *chosen)
    other.site.write("assets.toml", PROFILES)

    assert adopted.code == Exit.DONE, adopted.err
    assert other.run("build", "fox", "-p", "final").code == Exit.DONE
    assert charges(server) == 1
    assert len([*store.glob("orders/*")]) == 1
    assert not list(store.glob("claims/[1-9a-f]*"))


def test_what_another_machine_has_settled(
    machines: list[Machine], server: httpx.Client, store: Path
) -> None:
    """Each side is told, with a command, what the other one needs: first to share a picture, then to take it."""
    one, other = machines
    scenario(server, {"stage": "submit", "fault": "drop-after-read"})
    assert one.run("build", "--yes", "fox").code == Exit.DECIDE
    scenario(server)
    spec, fetched = other.folder / "assets.toml", other.folder / "fetched.png"
    text = spec.read_text("utf-8")
    spec.unlink()
    fetched.write_bytes(picture((64, 64)))
    (row,) = json.loads(other.run("orders", "list", "--json").out)["orders"]

    adopted = other.run("orders", "adopt", row["order"], "fetched.png")

    assert (
        "the team does not have it yet: after the next build, `flux2build store push`"
        in adopted.err
    )
    assert "team's store has" not in one.run("orders").err
    spec.write_text(text, "utf-8")
    assert other.run("build", "fox").code == Exit.DONE
    assert other.run("store", "push").code == Exit.DONE
    told = one.run("orders").err
    (words,) = re.findall(r"flux2build (orders adopt [0-9a-f]+ sha256:[0-9a-f]+)", told)
    assert one.run(*words.split()).code == Exit.DONE
    assert one.run("build", "fox").code == Exit.DONE
    assert one.pictures() == other.pictures()
    assert (charges(server), one.run("orders").out) == (1, "")
    assert not list(store.glob("claims/[1-9a-f]*"))


def test_without_a_store(machines: list[Machine]) -> None:
    """Without a team's store, no message mentions one, and no folder is made for it."""
    one, _ = machines
    one.site.edit("assets.toml", 'provider = "bfl"', 'provider = "sketch"')
    one.site.edit("assets.toml", 'model = "flux-2-pro"\n', "")

    ran = one.run("build")

    assert (ran.code, "team" in ran.out + ran.err) == (Exit.DONE, False)
    assert "team" not in {path.name for path in one.home.iterdir()}
