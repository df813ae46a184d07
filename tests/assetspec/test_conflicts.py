"""What a merge left half done is refused wherever people write, and never becomes a prompt."""

from __future__ import annotations

from typing import Final

import pytest

from tests.assetspec.specs import problems, read

CONFLICT: Final = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"
ROWS: Final = '[asset.a]\nrows = {{ file = "p{}", key = "sku" }}\nprompt = "{{{{ row.sku }}}}"\n'
STRINGS: Final = """\
[catalog]
path = "{locale}%s"
axis = "locale"
[asset.a]
matrix.locale = ["de"]
prompt = "{{ t('a') }}"
"""


@pytest.mark.parametrize(
    ("spec", "file", "text", "line"),
    [
        ("", "", '[asset.a]\nprompt = """\n' + CONFLICT.format("x", "y") + '"""\n', 3),
        (ROWS.format(".csv"), "p.csv", "sku\n" + CONFLICT.format("A", "B"), 2),
        (ROWS.format(".tsv"), "p.tsv", "sku\tb\n" + CONFLICT.format("A\t1", "B\t2"), 2),
        (ROWS.format(".jsonl"), "p.jsonl", CONFLICT.format('{"sku": 1}', '{"sku": 2}'), 1),
        (ROWS.format(".yaml"), "p.yaml", CONFLICT.format("- sku: A", "- sku: B"), 1),
        (ROWS.format(".toml"), "p.toml", "[[r]]\n" + CONFLICT.format("sku = 'A'", "sku = 'B'"), 2),
        (ROWS.format(".md"), "p.md", "---\n" + CONFLICT.format("sku: A", "sku: B") + "---\n", 2),
        (STRINGS % ".json", "de.json", "{\n" + CONFLICT.format('"a": "x"', '"a": "y"') + "}", 2),
        (STRINGS % ".po", "de.po", 'msgid "a"\n' + CONFLICT.format('msgstr "x"', 'msgstr "y"'), 2),
        ('[asset.a]\ntemplate = "t.j2"\n', "templates/t.j2", "a\n" + CONFLICT.format("x", "y"), 2),
    ],
)
def test_both_sides_of_a_merge_are_no_text(spec: str, file: str, text: str, line: int) -> None:
    """In spec, data, pages, catalogues and templates a conflict is an error at its line."""
    found = problems(spec or text, {file: text} if file else {})

    assert [problem.message for problem in found] == ["a merge left its conflict markers here"]
    assert found[0].place
    assert (found[0].place.file, found[0].place.line) == (file or "assets.toml", line)


def test_a_page_may_tell_of_conflicts() -> None:
    """Below its front matter, a page has whatever text its author likes."""
    page = "---\nsku: A\n---\n" + CONFLICT.format("x", "y")

    assert read(ROWS.format(".md"), {"p.md": page}).recipes
