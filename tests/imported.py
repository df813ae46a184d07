"""Which modules a call imports, counted in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from tests.conftest import Site

HEAVY: Final = {"click", "httpx", "jinja2", "networkx", "pathlib", "PIL", "pydantic", "rich"}
"""Packages that take long to import."""
SCRIPT: Final = (
    "import sys; from flux2build.cli.entry import main; code = main(sys.argv[1:]); "
    "print(*sys.modules, file=open('modules', 'w')); sys.exit(code)"
)


def imported(site: Site, *words: str, **variables: str) -> set[str]:
    """The modules that a call has imported when it ends, and their top-level packages."""
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=site.folder,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )
    modules = site.folder.joinpath("modules").read_text("utf-8").split()
    return {*modules, *(module.partition(".")[0] for module in modules)}
