"""The index saves reading what has not changed, and never hides what has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flux2build.digest import of_bytes
from flux2build.storage import index as index_module
from flux2build.storage.index import Index
from flux2build.storage.index_rows import in_order
from tests.conftest import settle

LONG_AGO = 1_700_000_000


def aged(path: Path, data: bytes = b"fox") -> None:
    """A file that was written long before anyone looked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a file, a folder and a file below."""
    aged(tmp_path / "assets.toml", b"spec")
    for name in ("b.md", "a.md", ".hidden"):
        aged(tmp_path / "posts" / name)
    aged(tmp_path / "public" / "fox.png")
    settle()
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were opened to be hashed, from now on."""
    opened: list[str] = []
    real = index_module._hashed

    def hashed(path: str) -> index_module.Row:
        opened.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(index_module, "_hashed", hashed)
    return opened


PATHS = ["assets.toml", "public/fox.png", "public", "templates/missing.j2", "posts/"]


def remembered(folder: Path) -> None:
    """An index on disk that knows an answer about everything."""
    index = Index.load(str(folder))
    assert index.remember("build final", "all good", PATHS)
    index.save()


def test_states_and_digests(folder: Path) -> None:
    """A path is a file with a digest, or what else it is."""
    os.mkfifo(folder / "pipe")
    index = Index.load(str(folder))

    assert index.digest("assets.toml") == of_bytes(b"spec")
    assert index.digest("public") is None
    states = [index.state(path) for path in (*PATHS[1:], "pipe", "assets.toml/x")]
    names = of_bytes(b"a.md\0b.md")
    assert states == [of_bytes(b"fox"), "folder", "missing", names, "special", "missing"]


def test_many_files_have_the_states_that_each_has_alone(folder: Path) -> None:
    """Hashing files together is hashing each, whatever they are, and is remembered as well."""
    paths = [f"many/{n}.png" for n in range(600)]
    for n, path in enumerate(paths[:-1]):
        aged(folder / path, b"fox" * n)
    (folder / paths[7]).unlink()
    aged(folder / "large.png", bytes(3 * 1024 * 1024))
    paths += ["public", "assets.toml", "large.png"]
    together, alone = Index.load(str(folder)), Index.load(str(folder))

    digests = together.digests(paths)

    expected = {path: digest for path in paths if (digest := alone.digest(path)) is not None}
    assert digests == expected
    assert digests["large.png"] == of_bytes(bytes(3 * 1024 * 1024))
    assert together.asked == alone.asked
    together.save()
    assert Index.load(str(folder)).digests(paths) == expected


def test_what_cannot_be_looked_at_is_unreadable(folder: Path) -> None:
    """A circle of links is neither a file nor missing."""
    (folder / "loop").symlink_to("loop")
    index = Index.load(str(folder))

    assert index.state("loop") == "unreadable"
    assert index.digest("loop") is None


def test_a_file_that_turns_into_a_pipe_is_not_waited_for(folder: Path) -> None:
    """Between asking and reading, what lies at a path may be swapped."""
    os.mkfifo(folder / "pipe")

    assert index_module._hashed(str(folder / "pipe"))[0] == "special"


def test_saving_without_news_writes_nothing(folder: Path) -> None:
    """The index file is left alone when it would say the same."""
    remembered(folder)
    file = folder / ".flux2build" / "index"
    before = file.stat()
    index = Index.load(str(folder))
    index.digest("assets.toml")
    index.save()

    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_answer_stands_while_nothing_changes(folder: Path, reads: list[str]) -> None:
    """The next process gets the answer without reading a single file."""
    remembered(folder)
    reads.clear()

    assert Index.load(str(folder)).answer("build final") == "all good"
    assert Index.load(str(folder)).answer("build draft") is None
    assert Index.load(str(folder)).digest("public/fox.png") == of_bytes(b"fox")
    assert reads == []


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "public" / "fox.png").write_bytes(b"fix"),
        lambda folder: (folder / "public" / "fox.png").unlink(),
        lambda folder: aged(folder / "templates" / "missing.j2"),
        lambda folder: shutil.rmtree(folder / "public"),
        lambda folder: (folder / "assets.toml").write_bytes(b"longer spec"),
        lambda folder: (folder / "posts" / "c.md").write_bytes(b""),
        lambda folder: (folder / "posts" / "a.md").rename(folder / "posts" / "d.md"),
    ],
    ids=["edited", "removed", "appeared", "folder gone", "longer", "beside", "renamed"],
)
def test_any_change_takes_the_answer_back(folder: Path, change: object) -> None:
    """An edited, removed or new file is noticed, and the answer is gone for good."""
    remembered(folder)
    change(folder)  # type: ignore[operator] # a function of the table above
    index = Index.load(str(folder))

    assert index.answer("build final") is None
    assert index.answer("build final") is None


def test_the_same_size_and_modification_time_do_not_fool_it(folder: Path) -> None:
    """Setting the old time after an edit leaves the change time, which tells."""
    path = folder / "public" / "fox.png"
    before = path.stat()
    remembered(folder)
    path.write_bytes(b"fix")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert Index.load(str(folder)).answer("build final") is None


def test_a_file_that_was_touched_is_read_once_and_the_answer_stands(
    folder: Path, reads: list[str]
) -> None:
    """Content decides: `touch` and `git checkout` of the same bytes change nothing."""
    remembered(folder)
    os.utime(folder / "assets.toml")
    settle()
    reads.clear()

    assert Index.load(str(folder)).answer("build final") == "all good"
    assert reads == ["assets.toml"]
    remembered(folder)
    reads.clear()
    assert Index.load(str(folder)).answer("build final") == "all good"
    assert reads == []


def test_a_file_changed_just_before_it_was_hashed_is_hashed_again(
    folder: Path, reads: list[str]
) -> None:
    """A change within one tick of the disk's clock cannot hide (racily clean)."""
    path = folder / "public" / "fox.png"
    path.write_bytes(b"owl")
    remembered(folder)
    reads.clear()

    assert Index.load(str(folder)).answer("build final") == "all good"
    assert reads == ["fox.png"]


def test_an_answer_is_not_kept_when_it_was_made_from_something_else(folder: Path) -> None:
    """What was read while answering must still be there when the answer is noted."""
    index = Index.load(str(folder))

    assert index.remember(
        "k", "text", PATHS, {"assets.toml": of_bytes(b"spec"), "public": "folder"}
    )
    assert index.remember("k", "text", PATHS, {"assets.toml": "file"})
    assert not index.remember("k", "text", PATHS, {"assets.toml": of_bytes(b"older spec")})
    assert index.answer("k") is None


def test_a_file_elsewhere_is_looked_at_where_it_lies(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An answer may depend on a file outside of the folder, such as the user's ledger."""
    ledger = tmp_path_factory.mktemp("home") / "ledger.jsonl"
    aged(ledger)
    settle()
    index = Index.load(str(folder))
    index.remember("check", "clean", [*PATHS, str(ledger)])
    index.save()

    assert Index.load(str(folder)).answer("check") == "clean"
    ledger.write_bytes(b"one order more")
    assert Index.load(str(folder)).answer("check") is None


def test_an_answer_goes_with_its_own_files_only(folder: Path) -> None:
    """One profile's change leaves another profile's answer alone."""
    index = Index.load(str(folder))
    index.remember("draft", "draft is clean", ["assets.toml"])
    index.remember("final", "final is clean", ["assets.toml", "public/fox.png"])
    index.save()
    (folder / "public" / "fox.png").write_bytes(b"owl")

    assert Index.load(str(folder)).answer("draft") == "draft is clean"
    assert Index.load(str(folder)).answer("final") is None
    later = Index.load(str(folder))
    later.digest("public/fox.png")
    later.save()
    assert Index.load(str(folder)).answer("draft") == "draft is clean"


def test_a_damaged_or_foreign_index_is_empty(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any damage, any other version, and any copy from elsewhere count for nothing."""
    remembered(folder)
    file = folder / ".flux2build" / "index"
    data = file.read_bytes()
    for at in range(0, len(data), 7):
        file.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        assert Index.load(str(folder)).answer("build final") is None
        file.write_bytes(data[:at])
        assert Index.load(str(folder)).answer("build final") is None
    file.write_bytes(data)
    assert Index.load(str(folder)).answer("build final") == "all good"

    clone = tmp_path_factory.mktemp("clone") / "project"
    shutil.copytree(folder, clone)
    assert Index.load(str(clone)).answer("build final") is None


def renewed(folder: Path, index: Index, data: bytes) -> bool:
    """Whether an index takes over that a picture was changed."""
    aged(folder / "public" / "fox.png", data)
    states = {**dict.fromkeys(PATHS, "as it was"), "public/fox.png": of_bytes(data)}
    same = "build final", "all good"
    known = index.renew(["build final"], "all good", same, states, {"public/fox.png"})
    index.save()
    return known


def test_what_changes_is_written_beside_the_index(folder: Path, reads: list[str]) -> None:
    """An answer after one file has changed writes a few bytes, looks at no file, and stands."""
    remembered(folder)
    before = (folder / ".flux2build" / "index").stat()
    reads.clear()

    assert renewed(folder, Index.load(str(folder)), b"owl")
    assert reads == []
    assert (folder / ".flux2build" / "index").stat() == before
    assert (folder / ".flux2build" / "index-changes").stat().st_size < 1000
    assert Index.load(str(folder)).answer("build final") == "all good"
    assert reads == ["fox.png"]
    aged(folder / "public" / "fox.png", b"fox")
    assert Index.load(str(folder)).answer("build final") is None


def test_what_is_not_renewed_is_void(folder: Path) -> None:
    """An answer that is not given anew for what has changed is none, and others stay."""
    index = Index.load(str(folder))
    for key, paths in {"check": PATHS, "build final": PATHS, "draft": PATHS[:1]}.items():
        index.remember(key, "all good", paths)
    index.save()

    assert renewed(folder, Index.load(str(folder)), b"owl")
    for _ in range(2):
        index = Index.load(str(folder))
        answers = [index.answer(key) for key in ("check", "build final", "draft")]
        assert answers == [None, "all good", "all good"]
        index.save()


def test_an_answer_is_not_renewed_for_other_paths(folder: Path) -> None:
    """What is new to an answer, or noted otherwise, takes a look at everything."""
    remembered(folder)
    index, same = Index.load(str(folder)), ("build final", "all good")
    index.digest("posts/a.md")

    states = dict.fromkeys(PATHS, "as it was")
    assert not index.renew(["k"], "text", same, {**states, "posts/a.md": "new"}, {})
    assert not index.renew(["k"], "text", same, dict.fromkeys(PATHS[1:], "as it was"), {})
    assert not index.renew(["k"], "text", ("build final", "else"), states, {})
    assert index.answer("k") is None


def test_files_that_were_just_written_are_hashed_once_more_only(
    folder: Path, reads: list[str]
) -> None:
    """What an answer has proved by hashing is noted with it."""
    (folder / "public" / "fox.png").write_bytes(b"owl")
    remembered(folder)
    settle()
    index = Index.load(str(folder))
    assert index.answer("build final") == "all good"
    index.save()
    reads.clear()

    assert Index.load(str(folder)).answer("build final") == "all good"
    assert reads == []


def test_damaged_changes_count_for_nothing(folder: Path) -> None:
    """Without what is written beside it, the index is as old as it is, and no answer is wrong."""
    remembered(folder)
    renewed(folder, Index.load(str(folder)), b"owl")
    file = folder / ".flux2build" / "index-changes"
    data = file.read_bytes()
    for at in range(len(data)):
        for damaged in (data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :], data[:at]):
            file.write_bytes(damaged)
            assert Index.load(str(folder)).answer("build final") is None
            assert Index.load(str(folder)).digest("public/fox.png") == of_bytes(b"owl")


def test_changes_are_those_of_one_writing(folder: Path) -> None:
    """What continues an index that was written anew since is not read, and leaves with it."""
    remembered(folder)
    file = folder / ".flux2build" / "index-changes"
    renewed(folder, Index.load(str(folder)), b"owl")
    stale = file.read_bytes()
    aged(folder / "public" / "fox.png", b"fox")
    (folder / ".flux2build" / "index").unlink()
    remembered(folder)

    assert not file.exists()
    file.write_bytes(stale)
    aged(folder / "public" / "fox.png", b"owl")
    assert Index.load(str(folder)).answer("build final") is None


def test_many_changes_are_written_into_the_index(folder: Path) -> None:
    """What lies beside the index stays small."""
    paths = [f"many/{n}.png" for n in range(index_module._FEW + 1)]
    index = Index.load(str(folder))
    index.remember("k", "text", paths)
    index.save()
    for path in paths:
        aged(folder / path)
    states = dict.fromkeys(paths, of_bytes(b"fox"))
    index = Index.load(str(folder))
    assert index.renew(["k"], "text", ("k", "text"), states, paths)
    index.save()

    assert not (folder / ".flux2build" / "index-changes").exists()
    assert Index.load(str(folder)).answer("k") == "text"


def many(folder: Path) -> dict[str, str]:
    """The states of 600 files on which a remembered answer depends."""
    paths = [f"many/{n:03}.png" for n in range(600)]
    for path in paths:
        aged(folder / path)
    settle()
    index = Index.load(str(folder))
    index.remember("k", "text", paths)
    index.save()
    return dict.fromkeys(paths, of_bytes(b"fox"))


@pytest.mark.parametrize("asked", [False, True], ids=["at once", "after an answer failed"])
def test_every_change_among_many_files_is_found(folder: Path, *, asked: bool) -> None:
    """Missing and edited files are told from all others, wherever they stand among them."""
    before = many(folder)
    paths = [*before]
    gone, edited = {0, 255, 256, 257, 300, 598, 599}, {1, 254, 258, 299, 301, 597}
    for at in gone:
        (folder / paths[at]).unlink()
    for at in edited:
        aged(folder / paths[at], b"owl")

    index = Index.load(str(folder))
    assert not asked or index.answer("k") is None
    found = [index.differing(before, "k", "text") for _ in range(2)]

    missing = {paths[at]: "missing" for at in gone}
    assert found == [{**missing, **{paths[at]: of_bytes(b"owl") for at in edited}}] * 2


def test_who_was_not_answered_goes_on_from_there(folder: Path) -> None:
    """A command that has something to do looks at each file once, and at all of them when it asks again."""
    before = many(folder)
    paths = [*before]
    aged(folder / paths[400], b"owl")
    index = Index.load(str(folder))

    assert index.answer("k") is None
    for at in (300, 500):
        aged(folder / paths[at], b"owl")
    first, second = (index.differing(before, "k", "text") for _ in range(2))

    assert [*first] == [paths[at] for at in (400, 500)]
    assert {*second} == {paths[at] for at in (300, 400, 500)}


def test_who_asks_again_is_answered_anew(folder: Path) -> None:
    """An answer that one process has given does not stand once a file is gone."""
    remembered(folder)
    index = Index.load(str(folder))
    assert index.answer("build final") is not None

    (folder / "assets.toml").unlink()

    assert index.answer("build final") is None


def test_what_lies_with_few_others_is_looked_at_first() -> None:
    """A spec and a reference come before many prompts, and these before more pictures."""
    many = [*(f"img/{n}.png" for n in range(9)), *(f"prompts/{n}.j2" for n in range(5))]

    ordered = in_order([*many, "refs/desk.png", "assets.toml", "assets.lock"])

    assert ordered == ["refs/desk.png", "assets.lock", "assets.toml", *sorted(many[9:]), *many[:9]]


def test_what_others_have_seen_takes_answers_back(folder: Path) -> None:
    """An answer that depends on an earlier state of a file is void once another one is entered."""
    remembered(folder)
    aged(folder / "assets.toml", b"another spec")
    settle()
    seen = Index(str(folder))
    seen.state("assets.toml")
    index = Index.load(str(folder))
    index.enter({"assets.toml": seen._rows["assets.toml"]})
    index.save()

    assert Index.load(str(folder)).answer("build final") is None


def test_attributes_prove_a_state_or_do_not(folder: Path, reads: list[str]) -> None:
    """A file is known to be what it was by its attributes alone, and never just after it was written."""
    remembered(folder)
    reads.clear()
    index, fox = Index.load(str(folder)), of_bytes(b"fox")

    assert index.proves("public/fox.png", fox)
    assert not index.proves("public/fox.png", of_bytes(b"owl"))
    assert not index.proves("public", "folder")
    assert not index.proves("posts/b.md", fox)
    assert reads == []
    aged(folder / "public" / "fox.png")
    assert not index.proves("public/fox.png", fox)
    assert index.state("public/fox.png") == fox
    assert not index.proves("public/fox.png", fox)
    (folder / "public" / "fox.png").unlink()
    assert not index.proves("public/fox.png", fox)


def test_git_ignores_it(folder: Path) -> None:
    """flux2build's own folder never shows up in `git status`."""
    remembered(folder)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    done = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=folder, check=True, capture_output=True
    )

    assert b".flux2build" not in done.stdout


def test_a_folder_that_is_a_link_is_not_written_through(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A stranger's repository cannot have files written elsewhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / ".flux2build").symlink_to(elsewhere)
    remembered(folder)

    assert list(elsewhere.iterdir()) == []


def test_a_disk_that_cannot_be_written_on_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is a convenience: failing to keep it is not an error."""

    def fail(*_: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(os, "replace", fail)
    remembered(folder)

    assert list((folder / ".flux2build").iterdir()) == [folder / ".flux2build" / ".gitignore"]


def test_paths_that_nobody_asks_about_are_forgotten(folder: Path) -> None:
    """The index does not grow with files that came and went."""
    index = Index.load(str(folder))
    index.digest("public/fox.png")
    index.save()
    index = Index.load(str(folder))
    index.remember("k", "text", ["assets.toml"])
    index.save()

    assert list(Index.load(str(folder))._packed.paths) == ["assets.toml"]  # type: ignore[union-attr] # just saved


def test_it_imports_next_to_nothing() -> None:
    """The common call cannot afford dataclasses, json, re, typing or pathlib."""
    heavy = {"dataclasses", "json", "re", "typing", "pathlib", "enum", "collections", "pydantic"}
    code = "import sys; import flux2build.storage.index; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], check=True, capture_output=True, text=True
    )

    assert not heavy & set(done.stdout.split())


class Mirror(RuleBasedStateMachine):
    """Whatever is done to files and to those of the index, it says what reading them would say."""

    names = st.sampled_from(["a", "b", "c"])
    some = st.sets(names)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"index-{os.getpid()}-{id(self)}"
        self.folder.mkdir()
        self.index, self.other = Index.load(str(self.folder)), Index.load(str(self.folder))
        self.truth: dict[str, bytes] = {}
        self.kept: dict[str, list[bytes]] = {"index": [], "index-changes": []}

    @initialize()
    def start(self) -> None:
        """Begin with an index that knows everything, and with one that changes something of it."""
        for name in ("a", "b"):
            self.write(name, b"1")
        self.remember()
        self.reload()
        self.write("a", b"2")
        self.renew({"a"}, ["k", "mark"])
        self.reload()
        for name in self.kept:
            self.keep(name)

    def teardown(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)

    @rule(name=names, data=st.sampled_from([b"1", b"2", b"33"]))
    def write(self, name: str, data: bytes) -> None:
        """Edit a file in place, perhaps to the same size within the same tick."""
        (self.folder / name).write_bytes(data)
        self.truth[name] = data

    @rule(name=names)
    def remove(self, name: str) -> None:
        """Delete a file."""
        (self.folder / name).unlink(missing_ok=True)
        self.truth.pop(name, None)

    @rule(old=names, new=names)
    def rename(self, old: str, new: str) -> None:
        """Move a file over another."""
        if old in self.truth:
            (self.folder / old).replace(self.folder / new)
            self.truth[new] = self.truth[old]
            if old != new:
                del self.truth[old]

    def states(self, names: Iterable[str]) -> dict[str, str]:
        """The true states of some files."""
        known = {name: self.truth.get(name) for name in sorted(names)}
        return {name: "missing" if d is None else of_bytes(d) for name, d in known.items()}

    @rule()
    def remember(self) -> None:
        """Note that everything is as it is."""
        states = self.states("abc")
        assert self.index.remember("k", repr(states), ["a", "b", "c"])
        self.index.note("mark", repr(states), "k")

    @rule(names=some, keys=st.sampled_from([["k", "mark"], ["mark"]]))
    def renew(self, names: set[str], keys: list[str]) -> None:
        """Note that some files are as they are, and others as they were when last noted."""
        packed = self.index._packed
        before = packed.answers.get("mark", ("", b""))[0] if packed else ""
        if before:
            states = {**literal_eval(before), **self.states(names)}
            assert self.index.renew(keys, repr(states), ("mark", before), states, names)

    @rule()
    def settle(self) -> None:
        """Wait until times tell whether a file has changed."""
        settle()

    @rule()
    def reload(self) -> None:
        """Go on in another process."""
        self.index.save()
        self.index = Index.load(str(self.folder))

    @rule()
    def take_turns(self) -> None:
        """Go on in a process that has read the index before, and writes it afterwards."""
        self.index, self.other = self.other, self.index

    @rule(name=st.sampled_from(["index", "index-changes"]))
    def keep(self, name: str) -> None:
        """Keep a copy of one of the files of the index."""
        if (file := self.folder / ".flux2build" / name).exists():
            self.kept[name].append(file.read_bytes())

    @rule(name=st.sampled_from(["index", "index-changes"]), at=st.integers(0, 3))
    def put_back(self, name: str, at: int) -> None:
        """Put one back, as a crash between two writes would, or lose it."""
        if (folder := self.folder / ".flux2build").exists():
            (folder / name).unlink(missing_ok=True)
            if at < len(self.kept[name]):
                (folder / name).write_bytes(self.kept[name][at])
        self.index = Index.load(str(self.folder))

    @invariant()
    def answers_truly(self) -> None:
        """The answer stands exactly as long as the files are what they were."""
        answer = self.index.answer("k")
        assert answer in {None, repr(self.states("abc"))}

    @rule(name=names)
    def digests_truly(self, name: str) -> None:
        """A digest is that of the bytes that are there."""
        data = self.truth.get(name)
        assert self.index.digest(name) == (None if data is None else of_bytes(data))

    @rule()
    def tells_what_differs(self) -> None:
        """What differs from earlier states is what differs from them, whether or not they were noted."""
        packed = self.index._packed
        before = packed.answers.get("mark", ("", b""))[0] if packed else ""
        if before:
            states, now = literal_eval(before), self.states("abc")
            expected = {name: now[name] for name in now if now[name] != states[name]}
            assert self.index.differing(states, "mark", before) == expected
            assert self.index.differing(states, "mark", "another") == expected


TestMirror = Mirror.TestCase
TestMirror.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


def test_an_index_that_goes_on_looks_at_every_state(tmp_path: Path) -> None:
    """A process that goes on knows of files which no answer that is written depends on, as `watch` does."""
    for name in ("old", "new"):
        tmp_path.joinpath(name).write_text("before", "utf-8")
    first = Index.load(str(tmp_path))
    states = {name: first.state(name) for name in ("old", "new")}
    assert first.remember("mark", "1", ["old"], states)
    first.save()
    read = Index.load(str(tmp_path))
    tmp_path.joinpath("new").write_text("after", "utf-8")

    assert read.again().differing(states, "mark", "1").keys() == {"new"}
