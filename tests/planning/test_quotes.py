"""What a plan says before money is spent: prices, cliffs, altered references, misfits."""

from __future__ import annotations

import json
from typing import Final

import pytest
from PIL import Image

from tests.conftest import Site

HEAD: Final = '[project]\nname = "acme"\n[defaults]\nprovider = "bfl"\n'


def _refs(site: Site, **sizes: tuple[int, int]) -> None:
    for name, size in sizes.items():
        Image.new("RGB", size, "teal").save(site.folder / f"{name}.png")


def test_plan_prices_each_order_and_their_sum(site: Site) -> None:
    """Each order has its price; the sum is a range where a picture may turn out unnecessary."""
    ran = site.run("plan", "--profile", "final")

    lines = ran.out.splitlines()
    assert next(line for line in lines if "mascot" in line).endswith("$0.03")
    assert next(line for line in lines if "hero[theme=dark]" in line).endswith("$0.045")
    assert lines[-1].endswith("Price: $0.15.")
    summary = json.loads(site.run("plan", "--profile", "final", "--json").out)["summary"]
    assert (summary["price_min"], summary["price_max"]) == ("0.150", "0.150")


def test_cliff_is_told(empty: Site) -> None:
    """A size just above a megapixel is worth a note in the plan."""
    empty.write(
        "assets.toml", f'{HEAD}[asset.fox]\nprompt = "a fox"\nheight = 1024\nwidth = 1040\n'
    )

    plan = empty.run("plan")

    said = "1040×1024 is billed as 2 megapixels; 1024×1024 costs $0.015 less"  # noqa: RUF001  # as shown
    assert f"note: fox: {said}" in plan.out
    assert json.loads(empty.run("plan", "--json").out)["steps"][0]["notes"] == [said]


def test_no_cliff_where_nothing_is_paid(empty: Site) -> None:
    """A free sketch has no cliff worth a word."""
    empty.write(
        "assets.toml",
        '[project]\nname = "a"\n[asset.fox]\nprompt = "a fox"\nwidth = 1040\nheight = 1024\n',
    )

    assert "note" not in empty.run("plan").out


def test_altered_references_are_told(empty: Site) -> None:
    """What will be scaled, converted or freed of metadata is said once, however often it is used."""
    _refs(empty, fit=(64, 64), large=(2400, 2400))
    Image.new("RGB", (64, 64)).save(empty.folder / "scan.tiff")
    Image.new("RGB", (64, 64)).save(empty.folder / "photo.jpg", comment=b"at home")
    empty.write(
        "assets.toml",
        f'{HEAD}[asset.fox]\nprompt = "a fox"\nrefs = ["fit.png", "large.png", "scan.tiff"]\n'
        '[asset.owl]\nprompt = "an owl"\nrefs = ["large.png", "photo.jpg"]\n',
    )

    notes = [line for line in empty.run("plan").out.splitlines() if line.startswith("note")]

    assert notes == [
        "note: fox, owl: `large.png` is sent scaled from 2400×2400 to 2048×2048",  # noqa: RUF001  # as shown
        "note: fox: `scan.tiff` is sent as PNG instead of TIFF",
        "note: owl: `photo.jpg` is sent without its metadata",
    ]


def test_scaled_reference_is_priced_as_it_is_sent(empty: Site) -> None:
    """A reference of nine megapixels is billed as the four that the model gets."""
    _refs(empty, large=(3072, 3072))
    empty.write("assets.toml", f'{HEAD}[asset.fox]\nprompt = "a fox"\nrefs = ["large.png"]\n')

    assert "Price: $0.09." in empty.run("plan").out


def test_master_as_reference_is_scaled_too(empty: Site) -> None:
    """The size of a picture that is not made yet is known, and so is what becomes of it."""
    empty.write(
        "assets.toml",
        f'{HEAD}[asset.fox]\nprovider = "sketch"\nprompt = "a fox"\nwidth = 3072\nheight = 2048\n'
        '[asset.owl]\nprompt = "an owl"\nrefs = [{ asset = "fox" }]\n',
    )

    assert "note: owl: `fox` is sent scaled from 3072×2048" in empty.run("plan").out  # noqa: RUF001  # as shown


@pytest.mark.parametrize("command", ["plan", "check", "build"])
def test_crowded_order_is_refused_where_it_stands(empty: Site, command: str) -> None:
    """More megapixels than a model takes is an error of the spec, with line and column."""
    _refs(empty, a=(2048, 2048), b=(2048, 2048))
    empty.write(
        "assets.toml",
        f'{HEAD}[asset.fox]\nprompt = "a fox"\nwidth = 2048\nheight = 1024\n'
        'refs = ["a.png", "b.png"]\n',
    )

    ran = empty.run(command)

    assert ran.code == 2
    assert "`flux-2-pro` takes 9 megapixels of output and references together" in ran.err
    assert "--> assets.toml:9:8" in ran.err
    assert "references: 4 + 4" in ran.err


def test_small_reference_is_refused_where_it_stands(empty: Site) -> None:
    """A reference that is too small is named by its own place in the list."""
    _refs(empty, big=(512, 512), small=(300, 200))
    empty.write(
        "assets.toml",
        f'{HEAD}model = "flux-3-image"\n[asset.fox]\nprompt = "a fox"\n'
        'refs = ["big.png", "small.png"]\n',
    )

    ran = empty.run("plan")

    assert ran.code == 2
    assert "`small.png` is too small for `flux-3-image`" in ran.err
    assert "--> assets.toml:8:20" in ran.err


def test_misfit_of_a_paid_picture_does_not_matter(empty: Site) -> None:
    """Only what is to be ordered is held against a model; a free sketch takes any reference."""
    _refs(empty, small=(30, 20))
    empty.write(
        "assets.toml",
        '[project]\nname = "a"\n[profile.draft]\n[profile.final]\nprovider = "bfl"\n'
        'model = "flux-3-image"\n[asset.fox]\nprompt = "a fox"\nrefs = ["small.png"]\n',
    )

    assert empty.run("plan", "--profile", "draft").code == 0
    assert empty.run("plan", "--profile", "final").code == 2


@pytest.mark.parametrize(
    ("seed", "code", "message"),
    [("seed = 7", 2, "`take = 2` sends the same again: `seed = 7` is fixed"), ("", 0, "")],
)
def test_another_take_of_a_fixed_seed_is_refused(
    empty: Site, seed: str, code: int, message: str
) -> None:
    """What differs in nothing that is sent is not bought; a sketch costs nothing."""
    text = f'{HEAD}[profile.draft]\nprovider = "sketch"\n[asset.fox]\nprompt = "a fox"\n{seed}\ntake = 2\n'
    empty.write("assets.toml", text)

    ran = empty.run("plan")

    assert (ran.code, message in ran.err) == (code, True)
    assert empty.run("plan", "-p", "draft").code == 0
