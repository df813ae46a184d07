"""Files are found, read within the project only, and replaced whole."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import SpecError, SystemFault, UsageError
from flux2build.storage.disk import DiskFiles, find_spec, home, replace, root_of
from flux2build.storage.project_files import Kind


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a spec two folders below its root, and a file outside."""
    (tmp_path / "outside.txt").write_text("secret")
    folder = tmp_path / "repo" / "site" / "images"
    folder.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / "logo.png").write_bytes(b"logo")
    (folder / "assets.toml").write_text("")
    return folder


def test_home_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`FLUX2BUILD_HOME` moves ledger and store; without it they lie in the user's data folder."""
    monkeypatch.setenv("FLUX2BUILD_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("FLUX2BUILD_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert "flux2build" in str(home())


@pytest.mark.parametrize("named", ["data", "./my data", "~nobody-of-that-name/data"])
def test_a_relative_home_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str
) -> None:
    """It would mean a different ledger in each folder; the hint has the absolute path."""
    monkeypatch.setenv("FLUX2BUILD_HOME", named)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as caught:
        home()

    hint = caught.value.problems[0].hint or ""
    command, _, meant = hint.strip("`").rpartition("FLUX2BUILD_HOME=")
    assert command.endswith("`export ")
    assert shlex.split(meant)[0].startswith(str(tmp_path / named))


def test_the_root_is_the_nearest_folder_with_git(project: Path, tmp_path: Path) -> None:
    """A `.git` folder, or file as in a work tree, marks the root; else the folder is its own."""
    assert root_of(project) == tmp_path / "repo"
    (project.parent / ".git").write_text("gitdir: elsewhere")
    assert root_of(project) == project.parent
    assert root_of(tmp_path) == tmp_path


def test_the_spec_is_found_upwards_but_not_beyond_the_root(project: Path, tmp_path: Path) -> None:
    """A spec of another project above is not taken for this one's."""
    (tmp_path / "assets.toml").write_text("")
    deep = project / "a" / "b"
    deep.mkdir(parents=True)

    assert find_spec(deep) == project / "assets.toml"
    assert find_spec(tmp_path / "repo") is None
    assert find_spec(tmp_path / "repo" / "site") is None


@pytest.mark.parametrize("path", ["out", "out/HEAD", "../../.git/HEAD", ".GIT", "a/.flux2build"])
def test_no_link_leads_into_git(project: Path, path: str) -> None:
    """The folders of git and of flux2build are not part of the project, by whatever name."""
    (project.parents[1] / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (project / "out").symlink_to("../../.git")
    tree = DiskFiles(project, root_of(project))

    assert tree.kind(path) is Kind.OUTSIDE
    assert tree.real(path) is None
    assert not tree.inside(path)


def test_files_have_several_names(project: Path) -> None:
    """The file at a path is found through linked folders, and recognized by any of its names."""
    (project / "assets.png").write_bytes(b"picture")
    (project / "here").symlink_to(".")
    (project / "other.png").hardlink_to(project / "assets.png")
    tree = DiskFiles(project, root_of(project))

    assert tree.real("here/assets.png") == "assets.png"
    assert tree.real("here") is None
    assert tree.same("other.png", ["missing.png", "assets.png"])
    assert not tree.same("assets.png", ["missing.png", "assets.toml"])
    assert not tree.same("missing.png", ["assets.png"])


def test_files_of_the_project_are_read(project: Path) -> None:
    """Paths are from the spec's folder and may climb, within the root; what was asked is noted."""
    tree = DiskFiles(project, root_of(project))

    assert tree.read("../../logo.png") == b"logo"
    assert tree.kind("nothing") is Kind.MISSING
    assert tree.kind("assets.toml/below") is Kind.MISSING
    assert tree.kind("..") is Kind.FOLDER
    assert tree.kind("assets.toml") is Kind.FILE
    assert tree.asked == {
        "../../logo.png": of_bytes(b"logo"),
        "nothing": "missing",
        "assets.toml/below": "missing",
        "..": "folder",
        "assets.toml": "file",
    }
    assert tree.kind("../../logo.png") is Kind.FILE
    assert tree.asked["../../logo.png"] == of_bytes(b"logo")


@pytest.mark.parametrize("path", ["../../../outside.txt", "/etc/passwd", "out", "dir/outside.txt"])
def test_nothing_outside_the_root_is_read(project: Path, path: str) -> None:
    """Neither climbing, nor an absolute path, nor a link leads out of the project."""
    (project / "out").symlink_to("../../../outside.txt")
    (project / "dir").symlink_to("../../..")
    tree = DiskFiles(project, root_of(project))

    assert tree.kind(path) is Kind.OUTSIDE
    with pytest.raises(SpecError, match="outside the project"):
        tree.read(path)


def test_links_within_the_root_are_followed(project: Path) -> None:
    """A link is as good as the file it leads to; a circle of links leads nowhere."""
    (project / "link.png").symlink_to("../../logo.png")
    (project / "loop").symlink_to("loop")
    tree = DiskFiles(project, root_of(project))

    assert tree.read("link.png") == b"logo"
    assert tree.kind("loop") in {Kind.SPECIAL, Kind.MISSING}


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_names_that_no_disk_has_are_no_crash(project: Path, name: str) -> None:
    """A hostile name is something that cannot be read, like any other."""
    tree = DiskFiles(project, root_of(project))

    assert tree.kind(name) is not Kind.FILE
    with pytest.raises(SpecError):
        tree.read(name)


def test_devices_and_pipes_are_never_opened(project: Path) -> None:
    """Reading a FIFO would wait for ever; it is refused by what it is."""
    os.mkfifo(project / "pipe")
    tree = DiskFiles(project, root_of(project))

    assert tree.kind("pipe") is Kind.SPECIAL
    with pytest.raises(SpecError, match="not a regular file"):
        tree.read("pipe")


def test_a_file_that_turns_into_a_pipe_is_not_waited_for(project: Path) -> None:
    """Between asking and reading, what lies at a path may be swapped by someone hostile."""

    class Late(DiskFiles):
        def kind(self, path: str) -> Kind:
            self.asked[path] = "file"
            return Kind.FILE

    os.mkfifo(project / "pipe")
    with pytest.raises(SpecError, match="not a regular file"):
        Late(project, root_of(project)).read("pipe")
    with pytest.raises(SpecError, match="no such file"):
        Late(project, root_of(project)).read("gone")


def test_without_a_repository_the_search_ends_at_the_top() -> None:
    """Where there is neither spec nor repository, nothing is found."""
    assert find_spec(Path("/")) is None


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new bytes are there, folders are made, and nothing else is left behind."""
    path = tmp_path / "a" / "b" / "hero.png"
    replace(path, b"old")
    replace(path, b"new")

    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    """An output's place cannot be turned against another file."""
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "hero.png").symlink_to("victim")
    replace(tmp_path / "hero.png", b"new")

    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert not (tmp_path / "hero.png").is_symlink()


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_failing_disk_leaves_the_old_bytes(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step fails, the error names the file and the old bytes are whole."""
    path = tmp_path / "hero.png"
    replace(path, b"old")

    def fail(*_: object) -> object:
        raise OSError(30, os.strerror(30))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(SystemFault, match=r"cannot write .*hero\.png.*read-only"):
            replace(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_killed_anywhere_the_file_is_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after every step of a replacement there is a whole file in its place."""
    path, seen = tmp_path / "hero.png", set()
    names = ("open", "write", "fsync", "close", "replace")
    for point in range(40):
        replace(path, b"old")
        left = [point]

        def watched(real: Callable[..., object], left: list[int]) -> Callable[..., object]:
            def call(*args: object, **named: object) -> object:
                left[0] -= 1
                if left[0] == -1:
                    raise Killed
                return real(*args, **named)

            return call

        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(os, name, watched(getattr(os, name), left))
            with suppress(Killed):
                replace(path, b"new")
        seen.add(path.read_bytes())

    assert seen == {b"old", b"new"}


def test_what_is_synced_is_the_file_then_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes are durable before they get their name, and the name before anyone is told."""
    steps: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(file: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
        real_sync(file)

    def rename(old: str, new: str) -> None:
        steps.append("rename")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    replace(tmp_path / "hero.png", b"new")

    assert steps == ["file", "rename", "folder"]
