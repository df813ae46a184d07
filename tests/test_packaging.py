"""What a wheel says of its project, wherever it is built."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("hatchling", reason="hatchling is not installed")

ROOT: Final = Path(__file__).parents[1]
ADDRESS: Final = "https://github.com/acme/flux2build"


def metadata(config: dict[str, Any]) -> dict[str, Any]:
    """What the hook of the build adds."""
    said: dict[str, Any] = {}
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))["CustomMetadataHook"]
    hook(str(ROOT), config).update(said)
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

    monkeypatch.delenv("GITHUB_REPOSITORY")
    said = metadata({"repository": ""})
    assert said["urls"] == {}
    assert said["readme"]["text"] == (ROOT / "README.md").read_text(encoding="utf-8")
