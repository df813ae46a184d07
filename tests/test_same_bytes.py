"""Same inputs, same bytes: whatever the process, the number of cores and the seed of hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import SPEC, TEMPLATE

BUILD = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    mine = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, mine[: int(sys.argv[1])])
from flux2build.cli.entry import main
sys.exit(main(["build"]))
"""
MORE = """
[[asset.hero.deliver]]
path = "small-{{ theme }}-{{ cell }}.{{ format }}"
formats = ["avif", "png"]
ops = [
  { op = "slice", columns = 2, rows = 2, allow_empty = true, allow_twins = true },
  { op = "blur", radius = 1.5 },
  { op = "overlay", source = { asset = "mascot" }, scale = 0.4, anchor = "bottom-right" },
  { op = "key" },
]
"""


def built(folder: Path, cores: int, seed: str) -> dict[str, bytes]:
    """Every file that a build leaves, in a process of its own."""
    folder.joinpath(".git").mkdir(parents=True)
    folder.joinpath("templates").mkdir()
    folder.joinpath("templates/hero.j2").write_text(TEMPLATE)
    folder.joinpath("assets.toml").write_text(SPEC + MORE)
    home = {"FLUX2BUILD_HOME": str(folder / ".git/home"), "PYTHONHASHSEED": seed}
    subprocess.run(
        [sys.executable, "-c", BUILD, str(cores)],
        cwd=folder,
        env={**os.environ, **home},
        check=True,
        capture_output=True,
    )
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if not {".git", ".flux2build"} & set(path.relative_to(folder).parts)
    }


def test_a_build_leaves_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Pictures, files derived from them and the lock agree to the byte."""
    one, other = built(tmp_path / "one", 1, "1"), built(tmp_path / "other", 64, "2")
    assert len(one) > 20
    assert one == other
