"""A file has the format of its name; a model's other choice is reported, and its picture kept."""

from __future__ import annotations

import pytest

from flux2build.simulator import running
from tests.checks.sites import check_json, paths
from tests.conftest import Site
from tests.simulated import AT_ONCE, order_from

SPEC = """\
[defaults]
provider = "bfl"
model = "flux-3-image"
[asset.fox]
prompt = "two foxes."
alt = "A fox"
"""
DELIVER = 'deliver = [{ path = "fox-web.{{ format }}", formats = ["png"] }]\n'


def test_a_model_without_formats(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives as JPEG is what was ordered; as `fox.png` it is not to be published as it is."""
    empty.write("assets.toml", SPEC)
    with running(AT_ONCE) as base:
        order_from(base, monkeypatch)
        assert empty.run("build", "--yes").code == 0
        bought = empty.folder.joinpath("fox.png").read_bytes()
        findings = [each for each in check_json(empty) if each["code"] == "wrong-format"]
        empty.write("assets.toml", SPEC + DELIVER)
        assert empty.run("build").code == 0

    assert bought.startswith(b"\xff\xd8\xff")
    assert [(f["severity"], f["message"]) for f in findings] == [
        ("warning", "it is jpeg, and its name says png")
    ]
    assert paths(check_json(empty), "wrong-format") == []
    assert empty.folder.joinpath("fox.png").read_bytes() == bought
    assert empty.folder.joinpath("fox-web.png").read_bytes().startswith(b"\x89PNG")
