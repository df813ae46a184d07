"""The edition of the code: another one for any change, the same one without any."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flux2build import __version__
from flux2build.storage.edition import _ASIDE, EDITION, edition_of
from tests.laws.processes import ROOT

PACKAGE = ROOT / "flux2build"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package: code, data, and what Python made of it."""
    folder = tmp_path / "flux2build"
    for name in ("model.py", "ops/trim.py", "providers/acme.toml", "ops/__pycache__/trim.pyc"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version = 1\n", encoding="utf-8")
    return folder


def rewrite(path: Path) -> None:
    """Change a file's bytes; its size and the time of its last change are what they were."""
    before = path.stat()
    path.write_text("version = 2\n", encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: list[Callable[[Path], object]] = [
    lambda package: rewrite(package / "ops/trim.py"),
    lambda package: rewrite(package / "providers/acme.toml"),
    lambda package: (package / "ops/blur.py").touch(),
    lambda package: (package / "model.py").unlink(),
    lambda package: (package / "ops/trim.py").replace(package / "model.py"),
    lambda package: (package / "model.py").rename(package / "models.py"),
    lambda package: (package / "gone.py").symlink_to("nowhere"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_a_checkout_makes_another_edition(
    package: Path, change: Callable[[Path], object]
) -> None:
    """Code and data count, whatever the times say; what Python makes of code does not."""
    before = edition_of(str(package))
    (package / "ops/__pycache__/trim.pyc").write_bytes(b"new")
    assert edition_of(str(package)) == before

    change(package)

    assert edition_of(str(package)) != before


def test_the_record_stands_for_what_is_installed(package: Path) -> None:
    """The same files make the same edition wherever they are installed, other ones another."""
    record = package.with_name(f"flux2build-{__version__}.dist-info") / "RECORD"
    record.parent.mkdir()
    record.write_text("flux2build/model.py,sha256=one,12\n", encoding="utf-8")
    before = edition_of(str(package))

    rewrite(package / "model.py")
    assert edition_of(str(package)) == before
    record.write_text("flux2build/model.py,sha256=two,12\n", encoding="utf-8")
    assert edition_of(str(package)) != before


def test_an_archive_stands_for_what_lies_in_it(tmp_path: Path) -> None:
    """A package in a zip file has the edition of the archive."""
    archive = tmp_path / "flux2build.pyz"

    def packed(text: str) -> str:
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("flux2build/model.py", text)
        return edition_of(str(archive / "flux2build"))

    assert packed("version = 1") == edition_of(str(archive / "flux2build")) != packed("version = 2")


def test_what_is_left_aside_is_there() -> None:
    """A folder that was renamed would count without anybody noticing what it costs."""
    assert [name for name in _ASIDE if not (PACKAGE / name).is_dir()] in ([], ["__pycache__"])
    assert edition_of(str(PACKAGE)) == EDITION
