"""Other people's clients on the simulator: each in an environment of its own, installed by name.

A program beside this module has the steps of one client. It is run where the client is
installed, and tells what came of each step: the size of a picture, or what was raised.
A client that cannot be installed is skipped by its name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from flux2build.providers.sketch import drawing
from flux2build.simulator import Scenario
from tests.simulated import serving

PROGRAMS: Final = Path(__file__).parent
PICTURE: Final = "png 256x320"
FIRST, REFERENCE = Decimal("0.03"), Decimal("0.015")
"""USD for a small picture, and for each reference that is sent along."""
INSTALLING: Final = 300
"""Seconds for an installation, after which a client counts as absent."""


@dataclass(frozen=True)
class Client:
    """A client, and what its steps are to come to."""

    program: str
    packages: Sequence[str]
    """What its environment is made of; the first one is the client."""
    moderation: str
    """What it says of a prompt that the server moderates."""
    steps: Mapping[str, str]
    """What each step comes to, moderation apart."""
    references: int = 4
    """The references that arrive: one with an edit, three with another order."""
    ignored: frozenset[str] = frozenset()
    """Fields that it sends although the model has none of these names."""

    def __str__(self) -> str:
        return self.packages[0]

    @property
    def pictures(self) -> int:
        """How many pictures it buys."""
        return sum(answer.startswith("png") for answer in self.steps.values())


USUAL: Final = {"text": PICTURE, "edit": PICTURE, "three": PICTURE}
WAITED: Final = {**USUAL, "wait": PICTURE}
CLIENTS: Final = (
    Client(
        "replicate_1.py.txt",
        ["replicate<2"],
        "E005",
        {**WAITED, "files": "kept", "model": "3.0.2"},
    ),
    Client(
        "replicate_2.py.txt", ["replicate>=2.0.0b1,<3"], "E005", {**WAITED, "model": "flux-2-pro"}
    ),
    Client(
        "litellm.py.txt",
        ["litellm"],
        "Request Moderated",
        {"text": PICTURE, "edit": "png 256x256"},
        1,
    ),
    Client("blackforest.py.txt", ["blackforest"], "Polling exceeded maximum retries", USUAL),
    Client("huggingface_hub.py.txt", ["huggingface_hub", "pillow"], "TimeoutError", USUAL),
    Client("replicate.mjs", ["replicate"], "E005", {**WAITED, "model": "flux-2-pro"}),
    Client("ai_sdk_black_forest_labs.mjs", ["@ai-sdk/black-forest-labs", "ai"], "timed out", USUAL),
    Client(
        "ai_sdk_replicate.mjs",
        ["@ai-sdk/replicate", "ai"],
        "Invalid JSON response",
        USUAL,
        # It names references as BFL does, so that Replicate takes an edit and ignores them.
        references=0,
        ignored=frozenset({"input_image", "input_image_2", "input_image_3", "num_outputs"}),
    ),
)


def installed(client: Client, folder: Path) -> list[str]:
    """The command that runs a client's program, once the client is installed in a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if client.program.endswith(".mjs"):
        steps, node = [["npm", "install", "--no-fund", "--no-audit", *client.packages]], "node"
        command = [node, str(folder / "runner.mjs"), f"./{client.program}"]
        shutil.copy(PROGRAMS / "runner.mjs", folder)
        shutil.copy(PROGRAMS / client.program, folder)
    else:
        python = str(folder / "env/bin/python")
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", *client.packages]
        steps = [[sys.executable, "-m", "venv", str(folder / "env")], pip]
        parts = ("prelude.py.txt", client.program, "postlude.py.txt")
        program = "".join(PROGRAMS.joinpath(part).read_text("utf-8") for part in parts)
        folder.joinpath("program.py").write_text(program, encoding="utf-8")
        command = [python, str(folder / "program.py")]
    try:
        for step in steps:
            subprocess.run(
                step,
                cwd=folder,
                env=environment,
                capture_output=True,
                check=True,
                timeout=INSTALLING,
            )
    except (OSError, subprocess.SubprocessError):
        pytest.skip(f"{client} cannot be installed")
    return command


def told(command: Sequence[str], base: str, folder: Path) -> dict[str, str]:
    """What a client's program tells of its steps."""
    pictures = [folder / f"{name}.png" for name in "abc"]
    for path in pictures:
        path.write_bytes(drawing.picture(path.stem, 256, 256, "png", path.stem))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [*command, base, *map(str, pictures)],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("told:")]
    assert lines, ran.stderr
    answers: dict[str, str] = json.loads(lines[0].removeprefix("told:"))
    return answers


def _version(client: Client, folder: Path) -> str:
    """A client's name and the version that was installed."""
    name = re.split("[<>=]", client.packages[0])[0]
    if client.program.endswith(".mjs"):
        about = json.loads((folder / "node_modules" / name / "package.json").read_text("utf-8"))
        return f"{name} {about['version']} (npm)"
    [installed] = folder.glob(f"env/lib/python*/site-packages/{name}-*.dist-info")
    return f"{name} {installed.name.removesuffix('.dist-info').rpartition('-')[2]} (PyPI)"


@pytest.mark.skipif(not os.environ.get("FLUX2BUILD_DEEP"), reason="FLUX2BUILD_DEEP=1 runs it")
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.program.partition(".")[0])
def test_a_client_is_served(client: Client, tmp_path: Path) -> None:
    """A client gets its pictures, sees moderation as its own code words it, and pays for no more."""
    command = installed(client, tmp_path)
    with serving(Scenario(latency=0.2, fast=True)) as server:
        answers = told(command, str(server.base_url).rstrip("/"), tmp_path)
        charges: list[Any] = server.get("/_sim/charges").json()["charges"]
        unknown = server.get("/_sim/state").json()["unknown_fields"]

    steps = ", ".join(f"{step}: {answer}" for step, answer in answers.items())
    sys.stdout.write(f"\n| {_version(client, tmp_path)} | {steps} | {len(charges)} charges |")
    moderation = answers.pop("moderation")
    assert answers == client.steps
    assert client.moderation in moderation
    assert len(charges) == client.pictures
    assert sum(Decimal(charge["usd"]) for charge in charges) == (
        FIRST * client.pictures + REFERENCE * client.references
    )
    assert {each["field"] for each in unknown} == client.ignored
