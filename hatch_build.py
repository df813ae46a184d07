"""What the wheel says of its repository: project URLs, and a README whose links lead there.

The address is `repository` in `pyproject.toml`; where that is empty, a build on GitHub knows its own, and a
clone the one that it came from. Without any the wheel names no address, and the README stays as it is.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(
    r"(?P<before>\]\(|(?P<image><img src=\"|!\[[^\]]*\]\())(?P<path>[^)\":#]+)(?=[)\"#])"
)
"""The target of a link or of an image, if it is a path of the repository."""


_ORIGIN = re.compile(
    r"(?:(?:https|ssh)://(?:[^/@]*@)?(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+)?/|[^/@:]+@(?P<short>[\w.-]+):)"
    r"(?P<path>[\w.~/-]+?)(?:\.git)?/?"
)
"""The address of a clone's origin, by https or by ssh; a user's name or token is left out."""


def origin(root: Path) -> str:
    """The page of the repository that a clone came from; empty where that is not on the web."""
    words = ("git", "config", "--get", "remote.origin.url")
    try:
        ran = subprocess.run(  # noqa: S603 - our own command
            words, cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    match = _ORIGIN.fullmatch(ran.stdout.strip()) if (root / ".git").exists() else None
    return f"https://{match['host'] or match['short']}/{match['path']}" if match else ""


def absolute(readme: str, repository: str) -> str:
    """The README with addresses instead of paths, and with the repository's where one is to be typed."""

    def linked(match: re.Match[str]) -> str:
        view = "raw" if match["image"] else "blob"
        return f"{match['before']}{repository}/{view}/HEAD/{match['path']}"

    return _LINK.sub(linked, readme).replace("git+ADDRESS", f"git+{repository}")


class CustomMetadataHook(MetadataHookInterface):
    """Adds `readme` and `urls` to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what depends on the repository's address."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = self._repository()
        pages = {
            "Repository": "",
            "Documentation": "/tree/HEAD/docs",
            "Changelog": "/blob/HEAD/CHANGELOG.md",
            "Issues": "/issues",
        }
        metadata["urls"] = {name: repository + page for name, page in pages.items() if repository}
        text = absolute(readme, repository) if repository else readme
        metadata["readme"] = {"content-type": "text/markdown", "text": text}

    def _repository(self) -> str:
        named = str(self.config.get("repository", ""))
        if not named and os.environ.get("GITHUB_REPOSITORY"):
            server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
            named = f"{server}/{os.environ['GITHUB_REPOSITORY']}"
        return (named or origin(Path(self.root))).rstrip("/")
