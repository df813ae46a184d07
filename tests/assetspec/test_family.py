"""Families: members and their names."""

from __future__ import annotations

import pytest

from flux2build.assetspec.family import AssetFamily, FamilyExpander, axis_of
from flux2build.assetspec.faults import Faults
from flux2build.assetspec.quota import Quota
from flux2build.assetspec.tables import AssetTable
from tests.assetspec.specs import MemoryTree, headlines


def expand(
    table: dict[str, object], files: dict[str, str | bytes]
) -> tuple[AssetFamily, list[str]]:
    """A family, and what is wrong with it."""
    faults = Faults()
    family = FamilyExpander(MemoryTree(files), faults, Quota(faults)).expand(
        "a", AssetTable.model_validate(table)
    )
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
    """A family may be empty today; that is no mistake."""
    family, wrong = expand({"rows": {"file": "p.csv", "key": "sku"}}, {"p.csv": "sku\n"})

    assert (family.members, wrong) == ((), [])


def test_an_axis_has_one_meaning() -> None:
    """The key of the rows cannot be an axis of the matrix as well."""
    family, wrong = expand(
        {"rows": {"file": "p.csv", "key": "n"}, "matrix": {"n": ["x"]}}, {"p.csv": "n\n1\n"}
    )

    assert family.members == ()
    assert wrong == ["`n` is an axis of the matrix and the key of the rows"]


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
