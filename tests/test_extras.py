"""The hint about a missing extra installs it, wherever flux2build came from."""

from __future__ import annotations

import pytest

from flux2build.extras import requirement

COMMIT = "1f0c3a5d9b7e2468ace013579bdf02468ace1357"
GIT = f"git+https://git.example.org/tools.git@{COMMIT}#subdirectory=images"


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        ({}, "'flux2build[simulate]'"),
        (
            {"url": "file:///srv/my%20tools/flux2build", "dir_info": {"editable": True}},
            "-e '/srv/my tools/flux2build[simulate]'",
        ),
        (
            {"url": "file:///srv/flux2build", "dir_info": {}},
            "'flux2build[simulate] @ file:///srv/flux2build'",
        ),
        (
            {"url": "https://example.org/flux2build-0.1.0-py3-none-any.whl", "archive_info": {}},
            "'flux2build[simulate] @ https://example.org/flux2build-0.1.0-py3-none-any.whl'",
        ),
        (
            {
                "url": "https://git.example.org/tools.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
                "subdirectory": "images",
            },
            f"'flux2build[simulate] @ {GIT}'",
        ),
    ],
    ids=["index", "editable", "folder", "wheel", "git"],
)
def test_requirement(origin: dict[str, object], wanted: str) -> None:
    """Pip gets the package from the place that PEP 610's record of this installation names."""
    assert requirement("simulate", origin) == wanted
