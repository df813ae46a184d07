"""What a command does not need is not imported: counted in modules, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from tests.conftest import Site

SCRIPT: Final = (
    "import sys; from flux2build.entry import main; code = main(sys.argv[1:]); "
    "print(*sys.modules, file=open('modules', 'w')); sys.exit(code)"
)
NETWORK: Final = {"httpx", "httpcore", "h11", "anyio", "urllib.request"}
SERVERS: Final = {"starlette", "uvicorn", "watchfiles"}


def imported(site: Site, *words: str) -> set[str]:
    """The modules that a call has imported once it has ended."""
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], cwd=site.folder, capture_output=True, check=False
    )
    modules = site.folder.joinpath("modules").read_text("utf-8").split()
    return {*modules, *(module.partition(".")[0] for module in modules)}


@pytest.mark.parametrize(
    "words",
    [
        ["check", "--json"],
        ["check", "--output-format", "github"],
        ["plan", "-v"],
        ["build", "--json"],
        ["explain", "mascot"],
    ],
    ids=" ".join,
)
def test_nothing_reaches_for_the_network(site: Site, words: list[str]) -> None:
    """Judged in full, with nothing to do: no client, no server, no provider's wire is imported."""
    site.run("build")

    found = imported(site, *words)

    assert "flux2build.verdict" in found
    assert found & (NETWORK | SERVERS) == set()
    assert not {name for name in found if name.startswith(("flux2build.http", "flux2build.simul"))}
    assert words[0] == "build" or "asyncio" not in found


def test_drift_reaches_for_no_network_either(site: Site) -> None:
    """A check that finds something is as offline as one that does not."""
    site.run("build")
    site.edit("assets.toml", "a friendly fox", "a friendly red fox")

    assert imported(site, "check") & (NETWORK | SERVERS) == set()


def test_only_the_index_is_asked(site: Site) -> None:
    """The answer that is known already takes three modules of flux2build."""
    site.run("build")

    for word in ("build", "plan", "check"):
        ours = {name for name in imported(site, word) if name.startswith("flux2build")}
        assert ours == {"flux2build", "flux2build.entry", "flux2build.index"}
