"""The check `same-request`: members of a family that ask for one picture are told, with the remedy."""

from __future__ import annotations

import pytest

from tests.conftest import Site


@pytest.mark.parametrize(
    ("axis", "prompt", "told"),
    [
        ("n = [1, 2]", "a fox", 'take = "{{ n }}"'),
        ('mood = ["calm", "wild"]', "a fox", "a prompt that names `{{ mood }}`"),
        ('mood = ["calm", "wild"]', "a {{ mood }} fox", ""),
    ],
)
def test_equal_requests_of_a_family_are_a_warning(
    empty: Site, axis: str, prompt: str, told: str
) -> None:
    """The warning names the members and what tells them apart; a prompt that differs needs none."""
    empty.write(
        "assets.toml", f'[asset.fox]\nmatrix = {{ {axis} }}\nprompt = "{prompt}"\nwidth = 64\n'
    )
    empty.run("build")
    checked = empty.run("check")

    assert checked.code == 0
    assert ("same-request" in checked.out) == bool(told)
    assert told in checked.out
