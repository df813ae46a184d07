"""What the version before wrote is read by this one, and asks for nothing.

`fixtures/0.1.0` holds a project that commit 108de8e built: its lock, its files, its
ledger, and what its commands said with `--json`. One profile is drawn by `sketch`.
The other was ordered from the simulator, which delivered some orders, refused one,
lost one, finished one too late, and sent one picture in another size.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import Exit
from flux2build.ledger import entry_from_json, entry_to_json
from flux2build.lockfile import Derived, Generated, dumps, loads
from flux2build.model import Derive, Generate, key_of
from flux2build.storage.disk import home
from tests.conftest import Site

BEFORE: Final = Path(__file__).parent / "fixtures" / "0.1.0"
LOCK: Final = BEFORE.joinpath("site/assets.lock").read_text("utf-8")


@pytest.fixture
def older(empty: Site) -> Site:
    """The project of the version before, with that version's ledger."""
    shutil.copytree(BEFORE / "site", empty.folder, dirs_exist_ok=True)
    shutil.copy(BEFORE / "ledger.jsonl", home() / "ledger.jsonl")
    return empty


def said(name: str) -> str:
    """What a command of the version before said."""
    return BEFORE.joinpath(name).read_text("utf-8")


def test_its_files_are_current(older: Site) -> None:
    """There is no drift, and a build writes nothing, not even the lock."""
    before = older.files()

    assert older.run("check").code == Exit.DONE
    assert older.run("build").code == Exit.DONE
    assert older.files() == before


@pytest.mark.parametrize("profile", ["default", "final"])
def test_its_plan_is_the_same(older: Site, profile: str) -> None:
    """Every step has the same verdict, reasons and price; so has each order in the ledger."""
    assert older.run("plan", "-p", profile, "--json").out == said(f"plan-{profile}.json")


def test_its_lock_is_written_again_byte_for_byte() -> None:
    """Reading the lock and writing it gives the same text."""
    assert dumps(loads(LOCK, "assets.lock")) == LOCK


def test_its_keys_are_the_same() -> None:
    """The key of every picture and deliverable follows from its locked request and inputs."""
    lock = loads(LOCK, "assets.lock")
    rows = [row for block in lock.blocks.values() for row in block.rows]
    pictures = [row for row in rows if isinstance(row, Generated)]
    deliverables = [row for row in rows if isinstance(row, Derived)]

    assert (len(pictures), len(deliverables)) == (10, 12)
    for row in pictures:
        task = Generate(row.provider, row.model, row.prompt, row.params, row.take)
        assert key_of(task, tuple(each.sha256 for each in row.inputs)) == row.key
    for made in deliverables:
        derive = Derive(made.ops, made.encoding)
        assert key_of(derive, tuple(each.sha256 for each in made.inputs)) == made.key


def test_its_ledger_is_written_again_byte_for_byte() -> None:
    """Reading each entry and writing it gives the same text."""
    lines = [line.partition(" ")[2] for line in said("ledger.jsonl").splitlines()]

    assert [entry_to_json(entry_from_json(line)) for line in lines] == lines


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("orders", "list", "--json"), "orders.json"),
        (("cost", "--by", "asset", "--everything", "--json"), "cost.json"),
    ],
)
def test_its_ledger_adds_up_to_the_same(older: Site, words: tuple[str, ...], name: str) -> None:
    """The same orders are open, and the same money is spent and reserved."""
    assert older.run(*words).out == said(name)


SPELLED: Final = BEFORE.with_name("older-spelling")
"""A project bought at Replicate while the carrier's spelling of a model was part of its orders."""


@pytest.fixture
def spelled(empty: Site) -> Site:
    """The project in `SPELLED`, with its ledger."""
    shutil.copytree(SPELLED / "site", empty.folder, dirs_exist_ok=True)
    shutil.copy(SPELLED / "ledger.jsonl", home() / "ledger.jsonl")
    return empty


def actions(site: Site) -> dict[str, str]:
    """What is to be done about each file."""
    steps = json.loads(site.run("plan", "--json").out)["steps"]
    return {step["output"]: step["action"] for step in steps}


KNOWN: Final = {"img/bad.png": "ask", "img/late.png": "resume", "img/lost.png": "ask"}
HERE: Final = {"img/mascot.png": "keep", "img/hero.png": "keep", "img/hero-32.webp": "keep"}


@pytest.mark.parametrize("carrier", ["black-forest-labs/", ""])
def test_an_older_spelling_buys_nothing(spelled: Site, carrier: str) -> None:
    """However the spec spells a model, what was bought is kept, and what is open stays open."""
    text = spelled.folder.joinpath("assets.toml").read_text("utf-8")
    spelled.write("assets.toml", text.replace("black-forest-labs/", carrier))

    assert actions(spelled) == KNOWN | HERE
    assert "orders" not in json.loads(spelled.run("plan", "--json").out)


@pytest.mark.parametrize("gone", ["img", "assets.lock"])
def test_an_older_spelling_is_paid_for(spelled: Site, gone: str) -> None:
    """Without its files, or without its lock, a picture that was bought is not bought again."""
    path = spelled.folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert "render" not in actions(spelled).values()


def test_an_older_spelling_is_rewritten(spelled: Site) -> None:
    """A build renames the models of the lock, and changes nothing else."""
    before = spelled.files()
    spelled.run("build", "hero")
    after = spelled.files()
    text = after.pop("assets.lock").decode()

    assert after == {name: data for name, data in before.items() if name != "assets.lock"}
    assert "black-forest-labs" not in text
    assert text == dumps(loads(before["assets.lock"].decode(), "assets.lock"))
    rows = [block.generated for block in loads(text, "assets.lock").blocks.values()]
    assert all(row is None or row.order.digest == row.key for row in rows)


@pytest.mark.parametrize("provider", ["bfl", "cometapi"])
def test_an_order_is_bought_at_one_carrier(spelled: Site, provider: str) -> None:
    """What was bought at Replicate is not bought again elsewhere where the same is sent."""
    text = spelled.folder.joinpath("assets.toml").read_text("utf-8")
    text = text.replace('prompt = "a ', 'disable_pup = false\nprompt = "a ')
    spelled.write("assets.toml", f'[profile.elsewhere]\nprovider = "{provider}"\n{text}')
    ran = spelled.run("plan", "-p", "elsewhere", "--json")

    found = {step["output"]: step["action"] for step in json.loads(ran.out)["steps"]}
    assert found == dict.fromkeys(HERE, "adopt") | KNOWN


def test_an_older_spelling_adds_up_with_the_name(spelled: Site) -> None:
    """What was bought under a carrier's spelling is counted under the model's one name."""
    sums = json.loads(spelled.run("cost", "--by", "model", "--everything", "--json").out)

    assert [each["model"] for each in sums["sums"]] == ["flux-2-flex", "flux-2-pro"]
