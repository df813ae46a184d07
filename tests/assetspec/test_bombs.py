"""A spec that wants too much is refused within ten seconds and 256 MiB, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.assetspec.bombs import SPECS, TEMPLATES
from tests.assetspec.file_bombs import FILES

SECONDS, KIBIBYTES = 10.0, 256 * 1024
MEASURED: Final = """
import json, re, resource, sys
from pathlib import Path
from flux2build.cli.entry import main
code, used = main(["check"]), resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text("utf-8"))
print(json.dumps([code, used.ru_utime + used.ru_stime, int(peak[1])]), file=sys.stderr)
"""
QUICK: Final = (
    "join",
    "sums",
    "tojson",
    "doubling",
    "a tree of calls",
    "doubled includes",
    "members beyond counting",
    "slices",
    "a spec without end",
    "fewer unknown keys",
    "lines of a message",
)
ALL: Final = {**TEMPLATES, **SPECS, **FILES}
TRIED: Final = ALL if os.environ.get("FLUX2BUILD_DEEP") else QUICK


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by the system")
@pytest.mark.parametrize("name", TRIED)
def test_bombs(tmp_path: Path, name: str) -> None:
    """Exit 2 with a message, soon, and with little memory."""
    tmp_path.joinpath(".git").mkdir()
    for name_of_file, contents in ALL[name]().items():
        path = tmp_path / name_of_file
        path.parent.mkdir(exist_ok=True)
        path.write_text(contents if isinstance(contents, str) else "", "utf-8")
        if isinstance(contents, int):
            os.truncate(path, contents)

    ran = subprocess.run(
        [sys.executable, "-c", MEASURED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *said, figures = ran.stderr.splitlines()
    code, seconds, peak = json.loads(figures)

    assert (code, said[0].startswith("error: ")) == (2, True)
    assert seconds < SECONDS
    assert peak < KIBIBYTES
