"""One judgement for every input: the same file gets the same words, whatever it is for."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Ran, Site
from tests.odd_pictures import odd_pictures

HEAD = """\
[project]
name = "acme"
[defaults]
width = 64
height = 64
[profile.draft]
provider = "sketch"
output = "comps"
[profile.final]
provider = "bfl"
model = "flux-2-pro"
[budget]
per_run = 100.0
"""
ROLES = {
    "reference": 'prompt = "a fox"\nrefs = ["odd/NAME"]',
    "source": 'source = "odd/NAME"\n[[asset."NAME".deliver]]\npath = "NAME.webp"',
    "overlay": 'prompt = "a fox"\n[[asset."NAME".deliver]]\npath = "NAME.webp"\n'
    'ops = [{ op = "overlay", source = "odd/NAME" }]',
    "grid": 'source = "whole.png"\n[[asset."NAME".deliver]]\npath = "NAME.webp"\n'
    'ops = [{ op = "grid", columns = 2, sources = ["odd/NAME"] }]',
}
COMMANDS = {
    "plan": ("plan", "--profile", "final"),
    "check": ("check", "--profile", "final"),
    "build": ("build", "--profile", "final", "--yes"),
    "sketch": ("build", "--profile", "draft"),
}


def _said(ran: Ran) -> list[str]:
    """The messages of a command."""
    return sorted(line for line in ran.err.splitlines() if line.startswith("error"))


@pytest.mark.parametrize("role", ROLES)
def test_an_odd_file_is_refused_alike_everywhere(
    role: str, empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever command meets it first says what is wrong with it; none plans, pays or draws."""
    monkeypatch.setenv("BFL_API_KEY", "none")
    folder = empty.folder / "odd"
    folder.mkdir()
    empty.draw("whole.png")
    spec = [HEAD]
    for name, (data, _) in odd_pictures().items():
        folder.joinpath(name).write_bytes(data)
        spec.append(f'[asset."{name}"]\n{ROLES[role].replace("NAME", name)}\n')
    empty.write("assets.toml", "".join(spec))
    before = empty.files()
    ran = {name: empty.run(*words) for name, words in COMMANDS.items()}

    reported = json.loads(empty.run("check", "--output-format", "json").out)

    assert len(reported["findings"]) == len(odd_pictures())
    assert {each.code for each in ran.values()} == {2}
    (said,) = {tuple(_said(each)) for each in ran.values()}
    for name, (_, words) in odd_pictures().items():
        assert [line for line in said if f"`odd/{name}` {words}" in line], name
    assert empty.files() == before, "nothing was made"
