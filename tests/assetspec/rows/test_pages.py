"""Many files by a pattern: pages with front matter, and one object in each file of data."""

from __future__ import annotations

import pytest

from flux2build.assetspec import rows
from flux2build.assetspec.rows.shaping import Shape
from flux2build.errors import SpecError
from tests.assetspec.specs import MemoryTree

PAGES = {
    "posts/tea.md": "---\ntitle: A pot of tea\ntags: [hot, wet]\ndraft: false\n---\n\n# Tea\n---\n",
    "posts/jam/index.mdx": '+++\ntitle = "Jam"\ndate = 2024-05-01\n+++\ntext\n',
    "posts/bare.md": "no front matter\n",
    "posts/own.markdown": "---\nslug: mine\ntitle:\n---\n",
    "posts/.hidden.md": "---\n: [\n",
    "posts/notes.txt": "x",
}


def table(pattern: str, key: str = "slug", files: dict[str, str] = PAGES) -> rows.Table:
    """The rows of the files that a pattern fits."""
    return rows.read(MemoryTree(files), pattern, Shape((key,)))


def problems(pattern: str, files: dict[str, str] = PAGES) -> list[str]:
    """What is wrong with the files: `place: message (hint)` of each problem."""
    with pytest.raises(SpecError) as caught:
        table(pattern, files=files)
    return [f"{each.place}: {each.message} ({each.hint})" for each in caught.value.problems]


def test_a_page_is_a_row() -> None:
    """Front matter has the cells; the name of the file is the key where it says none."""
    found = {row.key: dict(row) for row in table("posts/**/*.{md,mdx,markdown}").rows}

    assert list(found) == ["bare", "jam", "mine", "tea"]
    assert found["tea"] == {
        "file": "posts/tea.md",
        "folder": "posts",
        "slug": "tea",
        "title": "A pot of tea",
        "tags": ["hot", "wet"],
        "draft": False,
    }
    assert found["jam"]["date"] == "2024-05-01"
    assert found["bare"] == {"file": "posts/bare.md", "folder": "posts", "slug": "bare"}
    assert "title" not in found["mine"]


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("posts/*.md", ["posts/bare.md", "posts/tea.md"]),
        ("posts/**", [path for path in sorted(PAGES) if "hidden" not in path]),
        ("posts/*/index.mdx", ["posts/jam/index.mdx"]),
        ("posts/**/**/*.mdx", ["posts/jam/index.mdx"]),
        ("./posts/t*a.{txt,md}", ["posts/tea.md"]),
        ("posts/tea.md", ["posts/tea.md"]),
    ],
)
def test_patterns(pattern: str, files: list[str]) -> None:
    """Files come in the order of their paths; what is hidden is left out."""
    pages = {path: "[]" if path.endswith("txt") else text for path, text in PAGES.items()}
    if pattern == "posts/**":
        assert "`posts/notes.txt` is not a data file" in problems(pattern, pages)[0]
    else:
        assert list(table(pattern, files=pages).files) == files


def test_brackets_and_braces_may_be_names() -> None:
    """Sites name folders `[slug]`, and a file whose name looks like a pattern is that file."""
    files = {"app/[slug]/a.md": "", "app/s/b.md": "", "{a,b}.csv": "slug\nx\n"}

    assert table("app/[slug]/*.md", files=files).files == ("app/[slug]/a.md",)
    assert [row.key for row in table("{a,b}.csv", files=files).rows] == ["x"]


@pytest.mark.parametrize("suffix", ["json", "yaml", "toml"])
def test_an_object_in_each_file_is_one_row(suffix: str) -> None:
    """A file of its own for each product or author; a list in a file is as many rows."""
    one = {
        "json": '{"name": "Ann", "links": {"web": "x"}}',
        "yaml": "name: Ann\nlinks: {web: x}\n",
        "toml": 'name = "Ann"\nlinks = { web = "x" }\n',
    }[suffix]
    files = {f"authors/ann.{suffix}": one, "authors/more.json": '[{"slug": "bob", "name": "Bob"}]'}

    found = table("authors/*.{json,yaml,toml}", files=files).rows

    assert [(row.key, row["name"]) for row in found] == [("ann", "Ann"), ("bob", "Bob")]
    assert found[0]["links"] == {"web": "x"}


def test_messages_of_a_catalogue() -> None:
    """Each message is a row, with its text in the original and in the translation."""
    text = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);"\n\n'
    text += 'msgid "Sale"\nmsgstr "Rabatt"\n\n#, fuzzy\nmsgctxt "menu"\nmsgid "Open"\nmsgstr ""\n\n'
    text += 'msgid "%d cup"\nmsgid_plural "%d cups"\nmsgstr[0] "%d Tasse"\nmsgstr[1] "%d Tassen"\n'

    found = [dict(row) for row in table("de.po", "msgid", {"de.po": text}).rows]

    assert found == [
        {"msgid": "Sale", "msgstr": "Rabatt", "fuzzy": False},
        {"msgid": "Open", "msgctxt": "menu", "fuzzy": True},
        {"msgid": "%d cup", "msgstr": ["%d Tasse", "%d Tassen"], "fuzzy": False},
    ]


@pytest.mark.parametrize(
    ("files", "pattern", "expected"),
    [
        ({"a.md": "---\nx: 1\ny: b: c\n---\n"}, "*.md", "a.md:3:5: this is not YAML"),
        ({"a.md": '+++\nx = 1\ny = "\n+++\n'}, "*.md", "a.md:3:5: a text has no closing quote"),
        ({"a.md": "\u200b---\nx: 1\n---\n"}, "*.md", "a.md:1: front matter starts with `---`"),
        ({"a.md": "\n+++\u00a0\nx=1\n+++\n"}, "*.md", "a.md:2: front matter starts with `+++`"),
        ({"a.md": "---\nx: 1\n"}, "*.md", "a.md:1: the front matter has no closing `---`"),
        ({"a.md": "---\n- x\n---\n"}, "*.md", "a.md:2: front matter is an object of keys"),
        (
            {"a/x.md": "", "b/x.md": ""},
            "*/x.md",
            "b/x.md:1: `slug` is `x` in `a/x.md` and again in `b/x.md`",
        ),
        (
            {"content/a.md": ""},
            "contnt/*.md",
            "None: data files: no file fits `contnt/*.md`: there is no folder `contnt` (did you mean",
        ),
        (
            {"content/a.txt": "", "content/b.txt": ""},
            "content/*.md",
            "None: data files: no file fits `content/*.md` (`content` has `a.txt`, `b.txt`)",
        ),
        ({"a.md": ""}, "~/*.md", "None: data files: `~/*.md` is not a path of this project"),
        ({"a.md": "", "b.csv": ""}, "*.*", "b.csv:1: the data file is empty"),
        ({"a.yaml": "3"}, "a.yaml", "a.yaml:1: a data file in YAML holds a list of objects"),
    ],
)
def test_mistakes_have_their_file_and_line(
    files: dict[str, str], pattern: str, expected: str
) -> None:
    """Each of many files is named where something is wrong with it."""
    assert problems(pattern, files)[0].startswith(expected)
