"""A tree of pictures that differ in a number, and a simulator that sells them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flux2build.simulator import spawned
from flux2build.simulator.server import VARIABLES

SPEC = """\
[project]
name = "bench"
output = "img"

[defaults]
provider = "{provider}"
width = {side}
height = {side}

[asset.shot]
rows = {{ file = "shots.csv", key = "sku" }}
prompt = "{prompt}"
"""
NUMBERED, EQUAL = "a lighthouse on a cliff at dusk, number {{ row.sku }}", "{{ row.words }}"
KEYS = ("BFL_API_KEY", "COMETAPI_KEY", "REPLICATE_API_TOKEN")


@contextmanager
def tree(count: int, side: int, provider: str = "sketch", prompt: str = NUMBERED) -> Iterator[Path]:
    """A folder in which so many pictures are wanted, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        yield written(Path(folder), count, side, provider, prompt)


def written(folder: Path, count: int, side: int, provider: str, prompt: str = NUMBERED) -> Path:
    """The folder, with a spec for so many pictures."""
    rows = "".join(f"{number},a lighthouse\n" for number in range(count))
    folder.joinpath("shots.csv").write_text(f"sku,words\n{rows}")
    folder.joinpath("assets.toml").write_text(
        SPEC.format(side=side, provider=provider, prompt=prompt)
    )
    return folder


@contextmanager
def selling(*arguments: str) -> Iterator[Mapping[str, str]]:
    """The environment of a user of all simulated providers; arguments as of `flux2build simulate`."""
    with spawned(*arguments, "--fast") as url:
        endpoints = {name: url + path for name, path in VARIABLES.items()}
        yield {**endpoints, **dict.fromkeys(KEYS, "practice")}
