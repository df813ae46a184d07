"""Merged locks: the spec decides, then the files, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from flux2build.digest import Digest
from flux2build.lockfile import Generated, Lockfile
from flux2build.model import AssetName, MasterOf, Recipe
from flux2build.planning.reconcile import reconciled
from tests.snapshots import PROFILE, d, generated, locked, master

DEN = master("den", "a den", MasterOf(AssetName("fox")))


def merged(
    ours: Lockfile,
    theirs: Lockfile,
    recipes: Sequence[Recipe],
    files: Mapping[str, Digest] | None = None,
) -> Lockfile:
    """Both sides of a merge as one lock."""
    return reconciled({PROFILE: recipes}, ours, theirs, files or {})


def fox(prompt: str, data: str) -> tuple[Recipe, Generated]:
    """The fox with another prompt, as one side of a merge rendered it."""
    recipe = master("fox", prompt)
    return recipe, generated(recipe, data=data)


def test_the_spec_decides_a_merge() -> None:
    """If the sides have two pictures, the one that the merged spec asks for is kept."""
    red, blue = fox("a red fox", "red"), fox("a blue fox", "blue")

    for one, other in ((red, blue), (blue, red)):
        assert merged(locked(red), locked(blue), [one[0]]) == locked(one), other


def test_a_merge_follows_the_pictures() -> None:
    """A picture is wanted if it was made from the upstream picture that is wanted."""
    sides = []
    for prompt in ("a red fox", "a blue fox"):
        recipe, row = fox(prompt, prompt)
        sides.append(locked((recipe, row), (DEN, generated(DEN, [row.output.sha256], prompt))))
    red, blue = sides

    assert merged(red, blue, [master("fox", "a red fox"), DEN]) == red
    assert merged(red, blue, [master("fox", "a blue fox"), DEN]) == blue


def test_files_decide_where_the_spec_does_not() -> None:
    """Where neither side is wanted, the row whose file is there is kept, else ours."""
    red, blue = fox("a red fox", "red"), fox("a blue fox", "blue")
    green = [master("fox", "a green fox")]

    assert merged(locked(red), locked(blue), green, {"img/fox.png": d("blue")}) == locked(blue)
    assert merged(locked(red), locked(blue), green) == locked(red)


def test_profiles_merge_by_their_own_spec() -> None:
    """Each profile keeps what that profile wants."""
    red, blue = fox("a red fox", "red"), fox("a blue fox", "blue")
    ours, theirs = locked(red, profile="final"), locked(blue, profile="final")

    assert reconciled({"final": [blue[0]], PROFILE: [red[0]]}, ours, theirs, {}) == theirs


_ROWS = st.fixed_dictionaries(
    {}, optional={n: st.sampled_from(["red", "blue"]) for n in ("fox", "den", "owl")}
)


@given(_ROWS, _ROWS, st.sampled_from(["red", "blue", "green"]))
def test_merging_loses_nothing(ours: dict[str, str], theirs: dict[str, str], wish: str) -> None:
    """Merging with itself changes nothing, both orders agree on what is wanted, all assets stay."""

    def side(rows: dict[str, str]) -> Lockfile:
        pairs = [(r := master(n, c), generated(r, data=c)) for n, c in rows.items()]
        return locked(*pairs)

    recipes = [master(name, wish) for name in ("fox", "den", "owl")]
    one, two = side(ours), side(theirs)
    here, there = merged(one, two, recipes), merged(two, one, recipes)

    assert merged(one, one, recipes) == one
    assert {name for name, _ in here.blocks} == {*ours, *theirs}
    for name in {*ours, *theirs}:
        wanted = wish in {ours.get(name), theirs.get(name)}
        both = [lock.blocks[(AssetName(name), PROFILE)].generated for lock in (here, there)]
        assert not wanted or {row.prompt for row in both if row} == {wish}
