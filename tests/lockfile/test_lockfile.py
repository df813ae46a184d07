"""The lock as text: it round-trips, merges, and its errors say where."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import Json, of_bytes
from flux2build.errors import LockError
from flux2build.lockfile import (
    Block,
    Candidate,
    Derived,
    Generated,
    LockConflict,
    LockedInput,
    Lockfile,
    Review,
    ReviewState,
    Written,
    dumps,
    loads,
)
from flux2build.lockfile.merge import sides
from flux2build.lockfile.read import read_carefully, read_quickly
from flux2build.lockfile.text import canonical_tables, tables
from flux2build.model import AssetName, Operation, Output, Receipt
from tests.hostile import TEXTS

FIXTURES = Path(__file__).parents[1] / "fixtures"
TEXT = st.text(max_size=40)
LINES = st.lists(
    st.sampled_from(
        ["A fox. ", "in a scarf\n", 'says "hi"\\', "<<<<<<< ours\n", "=======\n", "\r\n"]
    ),
    max_size=5,
).map("".join)
NAMES = st.text(st.sampled_from("abz09-_.[]=, '\"\\é\u202e\n"), min_size=1, max_size=12)
PATHS = st.lists(
    st.sampled_from(["public", "a b", "héro.png", "x", ".hidden"]), min_size=1, max_size=3
)
DIGESTS = st.binary(max_size=2).map(of_bytes)
COUNTS = st.integers(0, 2**40)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=5,
)
PARAMS = st.dictionaries(NAMES, JSON, max_size=4)
COSTS = st.one_of(st.none(), st.decimals(0, 1000, places=4))


PICTURES = PATHS.map(lambda parts: "/".join(parts) + ".webp")


def outputs(path: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Output]:
    """Outputs at any path, or at the ones that are given."""
    return st.builds(
        Output, PICTURES if path is None else path, DIGESTS, COUNTS, COUNTS, COUNTS, NAMES
    )


SEEN = st.lists(st.builds(LockedInput, NAMES, DIGESTS), max_size=3).map(tuple)
RECEIPTS = st.builds(
    Receipt, NAMES, TEXT, COSTS, NAMES, st.one_of(st.none(), COUNTS), st.one_of(st.none(), LINES)
)
GENERATED = st.builds(
    Generated,
    key=DIGESTS,
    schema=COUNTS,
    provider=NAMES,
    model=NAMES,
    prompt=st.one_of(TEXT, LINES),
    params=PARAMS,
    take=COUNTS,
    inputs=SEEN,
    output=outputs(),
    receipt=RECEIPTS,
    picked=st.booleans(),
    extra=st.just({}),
)
CANDIDATES = st.builds(
    Candidate,
    number=st.integers(1, 99),
    key=DIGESTS,
    take=COUNTS,
    seed=st.one_of(st.none(), COUNTS),
    output=outputs(st.just("")),
    receipt=RECEIPTS,
    extra=st.just({}),
)
REVIEWS = st.builds(Review, st.sampled_from(ReviewState), DIGESTS, TEXT, TEXT, LINES, st.just({}))
DERIVED = st.builds(
    Derived,
    key=DIGESTS,
    schema=COUNTS,
    ops=st.lists(st.builds(Operation, NAMES, COUNTS, PARAMS), max_size=2).map(tuple),
    encoding=PARAMS,
    inputs=SEEN,
    output=outputs(),
    encoder=TEXT,
    extra=st.just({}),
)
WRITTEN = st.builds(
    Written,
    key=DIGESTS,
    schema=COUNTS,
    document=NAMES,
    version=COUNTS,
    output=st.builds(Output, PATHS.map("/".join), DIGESTS, COUNTS),
    extra=st.just({}),
)
BLOCKS = st.builds(
    Block,
    asset=NAMES.map(AssetName),
    profile=st.sampled_from(["draft", "final", "", "a b"]),
    meta=DIGESTS,
    generated=st.one_of(st.none(), GENERATED),
    derived=st.lists(DERIVED, max_size=2, unique_by=lambda d: d.output.path).map(
        lambda found: tuple(sorted(found, key=lambda d: d.output.path))
    ),
    written=st.lists(WRITTEN, max_size=2, unique_by=lambda d: d.output.path).map(
        lambda found: tuple(sorted(found, key=lambda d: d.output.path))
    ),
    candidates=st.lists(CANDIDATES, max_size=3, unique_by=lambda each: each.number).map(
        lambda several: tuple(sorted(several, key=lambda each: each.number))
    ),
    review=st.one_of(st.none(), REVIEWS),
    extra=st.just({}),
)
LOCKS = (
    st.lists(BLOCKS, max_size=4)
    .map(lambda blocks: Lockfile({(block.asset, block.profile): block for block in blocks}))
    .map(lambda lock: replace(lock, revision=lock.needed))
)


def made(name: str, word: str, *, path: str = "") -> Block:
    """A block of an asset whose picture shows some word."""
    output = Output(path or f"public/{name}.png", of_bytes(word.encode()), 9, 64, 64, "png")
    row = Generated(
        key=of_bytes(f"key {word}".encode()),
        schema=1,
        provider="sketch",
        model="sketch",
        prompt=f"A {word}. In a scarf.",
        params={"width": 64, "height": 64},
        take=1,
        inputs=(),
        output=output,
        receipt=Receipt("sketch", cost=Decimal(0), cost_source="free"),
    )
    return Block(AssetName(name), "final", of_bytes(name.encode()), row)


def locked(*blocks: Block) -> Lockfile:
    """A lock of some blocks."""
    return Lockfile({(block.asset, block.profile): block for block in blocks})


@settings(max_examples=150, deadline=None)
@given(LOCKS)
def test_reading_what_was_written_gives_the_same_lock(lock: Lockfile) -> None:
    """Nothing is lost or changed between a lock and its text."""
    text = dumps(lock)

    assert loads(text, "assets.lock") == lock
    assert dumps(loads(text, "assets.lock")) == text
    assert loads(text.replace("\n", "\r\n"), "assets.lock") == lock


@settings(max_examples=100, deadline=None)
@given(LOCKS, st.randoms(use_true_random=False))
def test_the_text_does_not_depend_on_the_order_of_insertion(lock: Lockfile, random: object) -> None:
    """Two locks that say the same are written the same."""
    items = list(lock.blocks.items())
    random.shuffle(items)  # type: ignore[attr-defined] # hypothesis gives a random.Random

    assert dumps(Lockfile(dict(items))) == dumps(lock)


@settings(max_examples=100, deadline=None)
@given(LOCKS)
def test_the_text_is_toml(lock: Lockfile) -> None:
    """The quick reader reads exactly what any TOML reader does."""
    text = dumps(lock)

    assert tables(text) == tomli.loads(text)


@settings(max_examples=150, deadline=None)
@given(LOCKS, st.data())
def test_the_quick_reader_never_reads_more_into_a_text_than_toml_does(
    lock: Lockfile, data: st.DataObject
) -> None:
    """Whatever is done to a lock, it reads as TOML says, or not at all."""
    text = dumps(lock)
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 80)))
    part = data.draw(
        st.one_of(
            st.sampled_from(
                ['"', "[", "]\n", "#", "\n", " = ", ".", "x = 1\n", "\x00", "\t", text[at:end] * 2]
            ),
            st.text(max_size=3),
        )
    )
    text = text[:at] + part + text[end:]
    try:
        expected: object = tomli.loads(text)
    except (ValueError, RecursionError):
        expected = None
    try:
        found: object = tables(text)
    except (ValueError, RecursionError):
        found = None

    assert found == expected


def reading(read: Callable[[str, str], Lockfile], text: str) -> object:
    """The lock in a text, or what is wrong with it."""
    try:
        lock = read(text, "assets.lock")
    except LockError as error:
        return error.problems
    return lock, lock.older


@pytest.mark.parametrize("file", sorted(FIXTURES.rglob("*.lock")), ids=str)
def test_the_quick_and_the_careful_reader_agree_on_what_earlier_versions_wrote(file: Path) -> None:
    """A lock of any release means the same to both."""
    text = file.read_text(encoding="utf-8")

    assert reading(loads, text) == reading(read_carefully, text)


@settings(max_examples=200, deadline=None)
@given(LOCKS, st.data())
def test_the_quick_and_the_careful_reader_agree(lock: Lockfile, data: st.DataObject) -> None:
    """Whatever is done to the lines of a lock, both read the same lock or tell the same faults."""
    lines = dumps(lock).split("\n")
    at = data.draw(st.integers(3, len(lines)))
    end = data.draw(st.integers(at, min(len(lines), at + 6)))
    other = data.draw(st.integers(3, len(lines)))
    odd = ["", "# note", "x = 1", 'prompt = """', "schema = -1", "[asset.x]", "[asset.x.y]"]
    lines[at:end] = data.draw(
        st.sampled_from([[], lines[other : other + 4], lines[at:end] * 2, *([one] for one in odd)])
    )
    text = "\n".join(lines)

    assert reading(loads, text) == reading(read_carefully, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('model = "sketch"', 'model = "black-forest-labs/flux-2-pro"'),
        ("public/fox.json", "assets.lock"),
        ("public/fox.json", "Assets.TOML"),
        ("public/fox.json", "../fox.json"),
        ("public/fox.json", "public/con.json"),
        ("public/fox.png", "public/fox.txt"),
        ("public/fox.png", "public/nul.png"),
        ('"A fox. "', "'A \\ fox'"),
        ('"A fox. "', '"A \\u00e9 \\b"'),
        ('"A fox. "', '"\\uD800"'),
        ("params.width = 64", "params.width = 1_0"),
        ("params.width = 64", "params.width = 0x10"),
        ("params.width = 64", "params.width = 2020-01-01"),
        ("params.width = 64", "params.width.x = 64"),
        ("params.width = 64", "params.width = 64 # wide"),
        ("params.width = 64", "params.width = 64\nparams_json.width = '64'"),
        ("params.width = 64", f"params.width = {'9' * 5000}"),
        ('receipt.cost = "0"', 'receipt.cost = "0"\nreceipt.seed = -0'),
        ("picked = true", "picked = false"),
        ("revision = 2", "revision = 0"),
        ("revision = 2", "revision = 9"),
        ("revision = 2", 'revision = 2\nasset.fox = "x"'),
        ("[asset.fox.final]", "[asset.'fox'.final]"),
        ("[asset.fox.final.generated]", '[asset."fox".final.generated]'),
    ],
)
def test_the_quick_and_the_careful_reader_agree_on_what_people_do(old: str, new: str) -> None:
    """Other spellings and wrong values mean the same to both."""
    block, other = made("fox", "fox"), made("owl", "owl")
    written = Output("public/fox.json", of_bytes(b"{}"), 2)
    row = Written(of_bytes(b"key"), 1, "manifest", 1, written)
    assert block.generated
    block = replace(block, generated=replace(block.generated, picked=True), written=(row,))
    text = dumps(locked(block, other))
    assert old in text
    text = text.replace(old, new)

    assert reading(loads, text) == reading(read_carefully, text)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.text().map("version = 1\n".__add__), LOCKS.map(dumps)), st.data())
def test_any_text_is_a_lock_or_a_lock_error(text: str, data: st.DataObject) -> None:
    """No text makes the reader fail in another way, and each error has a hint."""
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, len(text)))
    for damaged in (text, text[:at], text[:at] + text[end:], text[:at] + "[" * 2000 + text[at:]):
        try:
            loads(damaged, "assets.lock")
        except LockError as error:
            for problem in error.problems:
                assert problem.place is not None
                assert problem.place.file == "assets.lock"


def test_the_quick_reader_reads_what_the_writer_wrote() -> None:
    """A lock as it was written needs no TOML reader, and means the same to both."""
    lock = locked(*(made(f"asset-{n}", f"word {n}") for n in range(300)))
    text = dumps(lock)

    assert canonical_tables(text) == tomli.loads(text)
    assert read_quickly(text, "assets.lock") == lock == read_carefully(text, "assets.lock")


def test_a_newer_version_is_refused_and_both_are_named() -> None:
    """A lock of another version says which one it has and which one is read."""
    with pytest.raises(LockError) as caught:
        loads("# new\nversion = 7\n", "assets.lock")

    (problem,) = caught.value.problems
    assert problem.message == "`assets.lock` has version 7, this flux2build reads version 1"
    assert str(problem.place) == "assets.lock:2"


def test_fields_of_a_newer_revision_survive_a_rewrite() -> None:
    """What a newer revision added is kept where it was, in every kind of table."""
    text = dumps(locked(made("fox", "fox"))).replace("revision = 1", 'revision = 3\nteam = "red"')
    text = text.replace("\nmeta =", '\napproval = { by = ["ann"] }\nmeta =')
    text = text.replace("\nschema =", '\noutput.phash = "ff"\nmood = "calm"\nschema =')
    lock = loads(text, "assets.lock")
    block = lock.blocks[(AssetName("fox"), "final")]

    assert lock.revision == 3
    assert lock.extra == {"team": "red"}
    assert block.extra == {"approval": {"by": ["ann"]}}
    assert block.generated is not None
    assert block.generated.extra == {"mood": "calm", "output": {"phash": "ff"}}
    assert loads(dumps(lock), "assets.lock") == lock


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("candidate.x]", "`candidate.x` of `fox` is not the number of a candidate"),
        ("candidate.0]", "`candidate.0` of `fox` is not the number of a candidate"),
        ('candidate.1]\nkey = "sha256:', "`candidate.1."),
        ('review]\nstate = "liked"', "`review.state` of `fox` is none of approved, held"),
        ('review]\nstate = "held"\nsha256 = 1', "`review.sha256` of `fox` is not a digest"),
    ],
)
def test_damage_of_a_candidate_or_a_decision_is_named(table: str, message: str) -> None:
    """An error in a table about candidates or decisions names the asset and the field."""
    text = f"{dumps(locked(made('fox', 'fox')))}\n[asset.fox.final.{table}\n"

    with pytest.raises(LockError) as caught:
        loads(text if text.count('"') % 2 == 0 else f'{text[:-1]}"\n', "assets.lock")

    assert caught.value.problems[0].message.startswith(message)


def test_a_lock_without_candidates_or_decisions_needs_no_new_revision() -> None:
    """Only what an older flux2build does not know raises the revision."""
    block = made("fox", "fox")
    review = Review(ReviewState.HELD, of_bytes(b"fox"), "Ann <ann@example.com>", "2026-01-01")

    assert "\nrevision = 1\n" in dumps(locked(block))
    assert "\nrevision = 2\n" in dumps(locked(replace(block, review=review)))


def test_every_note_comes_back_as_it_was() -> None:
    """Whatever a person writes, or a name says, stays one value of the lock, in one line."""
    block = made("fox", "fox")
    for text in TEXTS:
        review = Review(ReviewState.REJECTED, of_bytes(b"x"), text, "2026-01-01", text)
        lock = locked(replace(block, review=review))
        written = dumps(replace(lock, revision=2))

        assert loads(written, "assets.lock").blocks == lock.blocks
        assert len(written.splitlines()) == len(dumps(locked(block)).splitlines()) + 7


def test_the_version_of_the_lock_is_its_own() -> None:
    """The version of a document's row is not taken for that of a lock that lost it."""
    text = dumps(locked(made("fox", "fox"))).replace("version = 1", "")

    with pytest.raises(LockError, match="does not say its `version`"):
        loads(f"{text}version = 1\n", "assets.lock")


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("schema = 1", "schema = one", "is damaged", 16),
        ("schema = 1", 'schema = "1"', "`generated.schema` of `fox` is not a whole number", 16),
        ("take = 1\n", "", "`generated.take` of `fox` is missing", 8),
        ("take = 1", "taek = 1", "is missing", 8),
        ("take = 1", "take = 1\nmood = 1", "`generated.mood` of `fox` is not known here", 20),
        ('meta = "sha256:', 'meta = "md5:', "`meta` of `fox` is not a digest", 6),
        ('"public/fox.png"', '"../../.ssh/../x"', "cannot be an output: it leads out", 15),
        ('"public/fox.png"', '"/etc/passwd"', "cannot be an output", 15),
        ('"public/fox.png"', '".git/HEAD"', "it lies in `.git`", 15),
        ('"public/fox.png"', '"sub/.GIT./fox.png"', "cannot be an output", 15),
        ('"public/fox.png"', '"public/fox.png "', "cannot be an output", 15),
        ('"public/fox.png"', '"assets.toml"', "does not end in the format of a picture", 15),
        ("take = 1", "take = 1\ntake = 1", "is damaged", 20),
        ("version = 1", "", "does not say its `version`", 1),
        ('receipt.cost = "0"', "receipt.cost = 0.1", "is not an amount", 29),
        ("params.width = 64", "params.width = [64]", "is neither text, number", 25),
        ("params.width = 64", "params.width = inf", "is neither text, number", 25),
        ("params.width = 64", "params_json.width = '{'", "does not hold JSON", 25),
        ("params.width = 64", "params_json.width = 'NaN'", "does not hold JSON", 25),
        ("inputs = []", "inputs = 1", "is not an array", 26),
        ("inputs = []", 'inputs = ["fox.png"]', "must hold names", 26),
        ("inputs = []", 'inputs = ["fox.png sha256:00"]', "is not a digest", 26),
        ('provider = "sketch"', "provider = 1", "is not text", 17),
        ("receipt.cost", "receipt.seed = 0.5\nreceipt.cost", "is not a whole number", 29),
        ("revision = 1", 'revision = "x"', "`revision` is not a whole number", 3),
        ("revision = 1", "revision = 0\nteam = 1", "`team` is not known here", 4),
        ("schema = 1", "output.phash = 1\nschema = 1", "is not known here", 16),
        ("take = 1", 'take = 1\npicked = "yes"', "`generated.picked` of `fox` is neither true", 20),
    ],
)
def test_damage_is_reported_with_its_line(old: str, new: str, message: str, line: int) -> None:
    """An error names the file, the line and the field, and never says to delete the lock."""
    text = dumps(locked(made("fox", "fox")))
    assert old in text
    with pytest.raises(LockError) as caught:
        loads(text.replace(old, new, 1), "assets.lock")

    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == ("assets.lock", line)
    assert "git restore" in (problem.hint or "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ops = []", "ops = 1", "`deliver.public/a.webp.ops` of `fox` is not an array"),
        ("ops = []", "ops = ['[]']", "must hold operations"),
        ("ops = []", 'ops = [\'{"op":1,"params":{},"version":1}\']', "must hold operations"),
        ("ops = []", "mood = 1\nops = []", "`deliver.public/a.webp.mood` of `fox` is not known"),
        ('."public/a.webp"]', '."../../../x/../a"]', "cannot be an output"),
        ('."public/a.webp"]', '."C:/a.webp"]', "cannot be an output"),
    ],
)
def test_damage_of_a_deliverable_names_it(old: str, new: str, message: str) -> None:
    """An error in a derived file says which file of which asset."""
    row = made("fox", "fox").generated
    assert row is not None
    output = replace(row.output, path="public/a.webp")
    derived = Derived(row.key, 1, (), {"format": "webp"}, (), output)
    text = dumps(locked(replace(made("fox", "fox"), derived=(derived,))))
    assert old in text
    with pytest.raises(LockError) as caught:
        loads(text.replace(old, new, 1), "assets.lock")

    assert message in caught.value.problems[0].message
    assert getattr(caught.value.problems[0].place, "line", 0) > 30


@pytest.mark.parametrize("text", ["asset = 1", "[asset]\nfox = 1", "[asset.fox]\nfinal = 1"])
def test_what_should_be_a_table_and_is_not(text: str) -> None:
    """A value in the place of blocks is damage at its line."""
    with pytest.raises(LockError, match="is not a table") as caught:
        loads(f"version = 1\n{text}\n", "assets.lock")

    assert getattr(caught.value.problems[0].place, "line", 0) >= 2


def test_a_flood_of_damage_is_cut_short() -> None:
    """Only the first of very many problems are shown, with the number of the others."""
    names = [f"asset-{number}" for number in range(2000)]
    text = dumps(locked(*(made(name, name) for name in names))).replace("take = 1", "take = -1")
    with pytest.raises(LockError) as caught:
        loads(text, "assets.lock")

    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1].message == "and 1980 more like these"


def test_a_block_that_is_there_twice_is_an_error_with_its_line() -> None:
    """A merge that doubled a block is damage, not a choice."""
    text = dumps(locked(made("fox", "fox")))
    block = text[text.index("\n[asset.fox.final]") :]
    with pytest.raises(LockError) as caught:
        loads(text + block, "assets.lock")

    assert str(caught.value.problems[0].place).startswith(f"assets.lock:{text.count(chr(10)) + 2}")


def test_every_block_that_is_wrong_is_reported() -> None:
    """Several problems are reported together."""
    text = dumps(locked(made("ant", "a"), made("bee", "b"))).replace("take = 1", "take = -1")
    with pytest.raises(LockError) as caught:
        loads(text, "assets.lock")

    assert [problem.place and problem.place.line for problem in caught.value.problems] == [19, 46]


def merged(folder: Path, base: str, ours: str, theirs: str, style: str) -> tuple[int, str]:
    """What git makes of two changes to one file: conflicts, and the text."""
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text, "utf-8", newline="")
    done = subprocess.run(
        ["git", "merge-file", "-p", *style.split(), "ours", "base", "theirs"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize("style", ["", "--diff3", "--zdiff3"])
def test_both_sides_of_a_conflict_are_read(tmp_path: Path, style: str) -> None:
    """Where both changed one asset, and each added another, each side has its own blocks."""
    base = locked(made("ant", "a"), made("fox", "fox"), made("owl", "owl"))
    ours = locked(*base.blocks.values(), made("fox", "red fox"), made("bee", "bee"))
    theirs = locked(*base.blocks.values(), made("fox", "grey fox"), made("cat", "cat"))
    conflicts, text = merged(tmp_path, dumps(base), dumps(ours), dumps(theirs), style)

    assert conflicts > 0
    with pytest.raises(LockConflict) as caught:
        loads(text, "assets.lock")
    assert "<<<<<<<" in text.splitlines()[getattr(caught.value.problems[0].place, "line", 0) - 1]
    assert sides(text, "assets.lock") == (ours, theirs)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_different_assets_never_conflict_and_no_side_mixes_pictures(data: st.DataObject) -> None:
    """Edits of different assets merge by themselves; a key keeps the bytes it was made with."""
    names = ["ant", "bee", "cat", "dog", "eel"]
    base = locked(*(made(name, name) for name in names))
    edits = [
        data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from("123"))) for _ in "ab"
    ]
    ours, theirs = (
        locked(
            *(
                made(name, edit.get(name, name) + name) if name in edit else made(name, name)
                for name in names
            )
        )
        for edit in edits
    )
    with tempfile.TemporaryDirectory() as folder:
        _, text = merged(Path(folder), dumps(base), dumps(ours), dumps(theirs), "")
    if not edits[0].keys() & edits[1].keys():
        changed = [made(name, word + name) for edit in edits for name, word in edit.items()]
        assert loads(text, "assets.lock") == locked(*base.blocks.values(), *changed)
        return
    pairs = {
        (block.generated.key, block.generated.output.sha256)
        for lock in (base, ours, theirs)
        for block in lock.blocks.values()
        if block.generated
    }
    for side in sides(text, "assets.lock"):
        for block in side.blocks.values():
            assert block.generated is not None
            assert (block.generated.key, block.generated.output.sha256) in pairs


def test_a_side_that_is_damaged_is_reported_at_its_line_in_the_file() -> None:
    """A line number counts the markers and the other side too."""
    text = dumps(locked(made("fox", "fox")))
    text = text.replace(
        "take = 1\n", "<<<<<<< ours\ntake = 1\n=======\ntake = 2\nmood = 1\n>>>>>>> x\n"
    )
    with pytest.raises(LockError) as caught:
        sides(text, "assets.lock")

    assert str(caught.value.problems[0].place) == "assets.lock:23"


@pytest.mark.parametrize(
    ("markers", "line"),
    [("<<<<<<< a\n", 5), ("=======\n", 4), ("<<<<<<< a\n=======\n=======\n>>>>>>> b\n", 6)],
)
def test_markers_that_are_not_paired_are_an_error(markers: str, line: int) -> None:
    """Half a conflict is not resolved by guessing."""
    with pytest.raises(LockError) as caught:
        sides("version = 1\nrevision = 1\n\n" + markers, "assets.lock")

    assert str(caught.value.problems[0].place) == f"assets.lock:{line}"
    assert "not paired" in caught.value.problems[0].message


def test_a_lock_without_conflicts_has_two_equal_sides() -> None:
    """Asking for the sides of a sound lock is harmless."""
    lock = locked(made("fox", "fox"))

    assert sides(dumps(lock), "assets.lock") == (lock, lock)
