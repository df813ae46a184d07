"""A path that names no file of the project is told as it was written, wherever it stands."""

from __future__ import annotations

from typing import Final

import pytest

from tests.assetspec.specs import problems

PLACES: Final = {
    "refs": '[asset.a]\nprompt = "x"\nrefs = ["{}"]\n',
    "source": '[asset.a]\nsource = "{}"\n',
    "rows": '[asset.a]\nprompt = "x"\nrows = {{ file = "{}", key = "sku" }}\n',
    "pattern": '[asset.a]\nprompt = "x"\nrows = {{ file = "{}/*.csv", key = "sku" }}\n',
    "catalog": '[catalog]\npath = "{}/{{locale}}.po"\naxis = "locale"\n',
    "extends": 'extends = ["{}"]\n[asset.a]\nprompt = "x"\n',
    "templates": '[project]\ntemplates = "{}"\n[asset.a]\nprompt = "x"\n',
}


@pytest.mark.parametrize("spec", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("https://example.org/a", "is an address, not a file", "download it into the project"),
        ("s3://bucket/a", "is an address, not a file", "download it into the project"),
        ("~/a", "`~` stands for no folder here", "copy the file into the project"),
        ("C:/a", "is not a path of this project", "from the spec's folder, with `/`"),
    ],
)
def test_what_is_no_path_is_quoted(spec: str, written: str, message: str, hint: str) -> None:
    """An address, a home folder and a drive are called that in every place, with what to do."""
    (problem, *others) = problems(spec.format(written))

    assert not others
    assert f"`{written}" in problem.message
    assert message in problem.message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize("written", ["hero", "hero.png", "img/hero.png"])
@pytest.mark.parametrize(
    "entry",
    ['refs = ["{}"]', '[[asset.a.deliver]]\nops = [{{ op = "overlay", source = "{}" }}]'],
)
def test_an_asset_is_named_as_an_asset(entry: str, written: str) -> None:
    """Where the name or the picture of an asset stands for a file, the hint says how it is named."""
    spec = f'[asset.a]\nprompt = "x"\n{entry.format(written)}\n[asset.hero]\nprompt = "y"\n'
    (problem,) = problems(spec)

    assert problem.message == f"`{written}` does not exist"
    assert problem.hint == '`{ asset = "hero" }` stands for the picture of `hero`'


def test_a_pattern_is_for_rows() -> None:
    """References are told one by one."""
    (problem,) = problems(PLACES["refs"].format("refs/*.png"), {"refs/a.png": ""})

    assert problem.hint == "only `rows` takes a pattern: name each file"


def test_a_folder_of_data_has_files() -> None:
    """The folder that stands for a data file is called one, with a file that it has."""
    (problem,) = problems(PLACES["rows"].format("data"), {"data/p.csv": "sku\n1\n"})

    assert problem.message == "data file `data` is a folder"
    assert problem.hint == "name a file in it, such as `data/p.csv`"


def test_a_folder_of_templates_that_is_not_there() -> None:
    """The folder in which the template lies is named."""
    spec = '[project]\ntemplates = "Templates"\n[asset.a]\ntemplate = "a.j2"\n'
    (problem,) = problems(spec, {"templates/a.j2": "x"})

    assert problem.hint == (
        'there is no folder `Templates`: set `templates = "templates"` in `[project]`'
    )
