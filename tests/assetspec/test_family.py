"""Families: members and their names."""

from __future__ import annotations

import pytest

from flux2build.assetspec.family import AssetFamily, FamilyExpander, axis_of
from flux2build.assetspec.faults import Faults
from flux2build.assetspec.prompts import Prompts
from flux2build.assetspec.quota import MEMBER, PART, Quota
from flux2build.assetspec.rows.data_file import MOST_ROWS
from flux2build.assetspec.tables import AssetTable
from flux2build.assetspec.templating import TextRenderer
from flux2build.assetspec.translations.catalog import Translations
from tests.assetspec.specs import MemoryTree, headlines


def expand(
    table: dict[str, object], files: dict[str, str | bytes]
) -> tuple[AssetFamily, list[str]]:
    """A family, and what is wrong with it."""
    faults = Faults()
    tree = MemoryTree(files)
    texts = TextRenderer(Prompts(tree, "templates"), Translations(tree, None, faults))
    expander = FamilyExpander(tree, faults, Quota(faults), texts, {"least": 2})
    family = expander.expand("a", AssetTable.model_validate(table))
    return family, [fault.message for fault in faults.assets]


@pytest.mark.parametrize(
    ("column", "axis"),
    [("sku", "sku"), ("Product ID", "Product_ID"), (" n° ", "n"), ("2nd", "_2nd"), ("é", "_")],
)
def test_axes_can_be_said_in_templates(column: str, axis: str) -> None:
    """A column names an axis, as far as a template can call it."""
    assert axis_of(column) == axis


def test_an_asset_by_itself() -> None:
    """Without a matrix and rows there is one member, named like the asset."""
    family, wrong = expand({}, {})

    assert [member.name for member in family.members] == ["a"]
    assert (family.axes, wrong) == ((), [])


def test_rows_times_matrix() -> None:
    """Rows and a matrix multiply; both are axes, and either can be excluded."""
    family, wrong = expand(
        {
            "rows": {"file": "p.jsonl", "key": "sku"},
            "matrix": {"side": ["front", "back"]},
            "exclude": [{"sku": "2", "side": "back"}],
        },
        {"p.jsonl": '{"sku": 1}\n{"sku": 2}\n'},
    )

    assert [member.name for member in family.members] == [
        "a[side=front,sku=1]",
        "a[side=back,sku=1]",
        "a[side=front,sku=2]",
    ]
    assert (family.axes, wrong) == (("side", "sku"), [])


def test_an_empty_data_file_has_no_members() -> None:
    """A family may be empty; that is not a mistake."""
    family, wrong = expand({"rows": {"file": "p.csv", "key": "sku"}}, {"p.csv": "sku\n"})

    assert (family.members, wrong) == ((), [])


def test_an_axis_has_one_meaning() -> None:
    """The key of the rows cannot be an axis of the matrix as well."""
    family, wrong = expand(
        {"rows": {"file": "p.csv", "key": "n"}, "matrix": {"n": ["x"]}}, {"p.csv": "n\n1\n"}
    )

    assert family.members == ()
    assert wrong == ["`n` is an axis of the matrix and the key of the rows"]


def test_rows_that_a_condition_picks() -> None:
    """A condition sees the row and the variables; blank cells are mistakes, unless it has a default."""
    files: dict[str, str | bytes] = {"p.csv": "sku,stock\nA,3\nB,0\nC,2\nD,\n"}

    def picked(where: str) -> tuple[list[str], list[str]]:
        family, wrong = expand({"rows": {"file": "p.csv", "key": "sku", "where": where}}, files)
        return [one.axes["sku"] for one in family.members], wrong

    assert picked("{{ row.stock | default(0) | int >= least }}") == (["A", "C"], [])
    assert picked("{{ row.sku == 'B' }}") == (["B"], [])
    kept, wrong = picked("{{ row.stock | int > 0 }}")
    assert kept == ["A", "C"]
    assert wrong == ["column `stock` is blank in p.csv line 5"]


def test_a_key_of_several_columns_is_several_axes() -> None:
    """Each of the columns is an axis, and all of them together name a member."""
    family, wrong = expand(
        {"rows": {"file": "p.csv", "key": ["sku", "Shoe Size"]}, "exclude": [{"Shoe_Size": "9"}]},
        {"p.csv": "sku,Shoe Size\nA,8\nA,9\nB,8\n"},
    )

    assert [one.name for one in family.members] == ["a[Shoe_Size=8,sku=A]", "a[Shoe_Size=8,sku=B]"]
    assert (family.axes, wrong) == (("sku", "Shoe_Size"), [])


def test_values_keep_what_a_name_cannot_hold() -> None:
    """Values stay as written; in a name, all characters except letters, digits and `_.-@:` become one `-`."""
    values = ["art deco", "50/50 & more", "C++", "+size", "plain"]
    family, wrong = expand(
        {"rows": {"file": "p.csv", "key": "sku"}, "matrix": {"style": values}},
        {"p.csv": "sku\nA 1\n"},
    )

    assert wrong == []
    assert [one.axes for one in family.members] == [{"style": v, "sku": "A 1"} for v in values]
    names = ["art-deco", "50-50-more", "C", "size", "plain"]
    assert [one.name for one in family.members] == [f"a[sku=A-1,style={name}]" for name in names]


def test_values_with_one_name_are_told_apart_by_nobody() -> None:
    """Two values that come to one name are a mistake; so is one that leaves nothing of a name."""
    _, wrong = expand({"matrix": {"style": ["a b", "a/b", "++"]}}, {})
    assert wrong == ["value `a/b` is the same as `a b`", "value `++` starts with `+`"]

    rows = {"file": "p.csv", "key": "sku"}
    family, wrong = expand({"rows": rows}, {"p.csv": "sku\nC\nC++\n&\n"})
    assert [one.name for one in family.members] == ["a[sku=C]"]
    assert wrong[0] == "keys `C` and `C++` have the same name `C`"
    assert wrong[1].startswith("key `&` has `&` in it")


def test_a_family_may_have_as_many_members_as_a_data_file_has_rows() -> None:
    """A spec of 100,000 pictures with five references and tags each is within the quota."""
    Quota(Faults()).take(MOST_ROWS * (MEMBER + 5 * PART), ("asset", "a"))


@pytest.mark.parametrize(
    "more",
    [
        "b = {axis} }}",
        'b = ["x"] }}\ndeliver = [{{ widths = [1, 2, 3], matrix = {{ c = {axis} }} }}]',
        'b = ["x"] }}\ndeliver = [{{ ops = [{many}] }}]',
        'b = ["x"] }}\ntags = {axis}',
    ],
)
def test_families_are_bounded(more: str) -> None:
    """A few lines cannot ask for millions of pictures, files or operations."""
    axis = [str(n) for n in range(2000)]
    many = '{ op = "crop", ratio = "1:1" },' * 1000
    spec = f'[asset.a]\nprompt = "x"\nmatrix = {{ a = {axis}, '

    assert headlines(spec + more.format(axis=axis, many=many)) == [
        "assets.toml:1:8: the spec asks for too many pictures and files"
    ]
