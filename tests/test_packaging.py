"""What a wheel says of its project, wherever it is built."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("hatchling", reason="hatchling is not installed")

from tests.repositories import begin, git

ROOT: Final = Path(__file__).parents[1]
ADDRESS: Final = "https://github.com/acme/flux2build"


def metadata(config: dict[str, Any], root: Path = ROOT) -> dict[str, Any]:
    """What the hook of the build adds."""
    said: dict[str, Any] = {}
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))["CustomMetadataHook"]
    hook(str(root), config).update(said)
    return said


def test_an_address_makes_every_link_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of an index has no files beside it, so each link leads to one of the repository."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    said = metadata({"repository": f"{ADDRESS}/"})
    text = said["readme"]["text"]
    targets = re.findall(r"\]\(([^)#]+)|src=\"([^\"]+)", text)
    paths = [re.sub(f"^{ADDRESS}/(?:blob|raw)/HEAD/", "", link or image) for link, image in targets]

    assert said["urls"]["Repository"] == ADDRESS
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert all(image.startswith(f"{ADDRESS}/raw/") for _, image in targets if image)
    assert "git+ADDRESS" not in text


def test_a_build_on_github_knows_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service names server and repository; elsewhere nothing is claimed."""
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/flux2build")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    assert metadata({})["urls"]["Issues"] == f"{ADDRESS}/issues"


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://github.com/acme/flux2build.git", ADDRESS),
        ("https://ann:secret@github.com/acme/flux2build", ADDRESS),
        ("git@github.com:acme/flux2build.git", ADDRESS),
        (
            "ssh://git@git.example.com:2222/tools/flux2build.git/",
            "https://git.example.com/tools/flux2build",
        ),
        ("/srv/git/flux2build", None),
        ("file:///srv/git/flux2build", None),
        ("../flux2build", None),
        (None, None),
    ],
)
def test_a_clone_knows_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str | None, address: str | None
) -> None:
    """Without the secrets of its address; a clone of a folder claims nothing."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    begin(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tmp_path.joinpath("README.md").write_text(readme, encoding="utf-8")
    if origin:
        git(tmp_path, "remote", "add", "origin", origin)

    said = metadata({"repository": ""}, tmp_path)
    assert said["urls"].get("Repository") == address
    assert (said["readme"]["text"] == readme) == (address is None)
