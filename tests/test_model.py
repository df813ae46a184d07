"""Keys: what is bought is named by its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from flux2build.digest import Json, of_bytes, of_json
from flux2build.model import (
    KEY_SCHEMA,
    Derive,
    Generate,
    Operation,
    Order,
    derivation,
    member,
    order_of,
)

_A, _B = of_bytes(b"a"), of_bytes(b"b")
_TASK = Generate("bfl", "flux-2-pro", "a fox", {"width": 1024, "height": 1024, "seed": 42})


def test_golden_order() -> None:
    """The key of a known order never changes while KEY_SCHEMA is 1."""
    order = order_of(_TASK, (_A, _B))

    assert order.digest == (
        "sha256:29b7624271872a480dec9bd72c87b7059aaf5aa23e1926782a5d2af5624ba066"
    )


_FLAT: Final = st.dictionaries(
    st.text(max_size=3),
    st.one_of(st.booleans(), st.sampled_from([0, 1, 0.0, -0.0, 1.0, 5e16, 1e-7]), st.text()),
    max_size=3,
)


@given(st.one_of(_FLAT, _FLAT.map(lambda flat: {"loras": [flat]})), st.text(), st.text())
def test_an_order_has_the_digest_of_its_canonical_json(
    params: Mapping[str, Json], model: str, prompt: str
) -> None:
    """However its JSON is put together, it is the canonical one."""
    order = Order(model, prompt, params, (_A, _B), 2)

    assert order.digest == of_json(
        {"schema": KEY_SCHEMA}
        | {"model": model, "prompt": prompt, "params": params, "inputs": [_A, _B], "take": 2}
    )


def test_golden_derivation() -> None:
    """The key of a known derivation never changes while KEY_SCHEMA is 1."""
    task = Derive((Operation("crop", 1, {"ratio": "16:9"}),), {"format": "webp", "quality": 80})

    assert derivation(task, (_A,)) == (
        "sha256:d7a2137d0e92700bba0f2bffc4853716a99bb119400e3407ac1a5dd6fa6fde40"
    )


def test_every_field_of_an_order_is_keyed() -> None:
    """Changing any field of an order changes its digest; there is no exempt one."""
    order = Order("m", "p", {"seed": 1}, (_A,), 1)
    others = {
        "model": Order("n", "p", {"seed": 1}, (_A,), 1),
        "prompt": Order("m", "q", {"seed": 1}, (_A,), 1),
        "params": Order("m", "p", {"seed": 2}, (_A,), 1),
        "inputs": Order("m", "p", {"seed": 1}, (_B,), 1),
        "take": Order("m", "p", {"seed": 1}, (_A,), 2),
    }

    assert set(Order.__struct_fields__) == set(others)
    assert len({order.digest, *(other.digest for other in others.values())}) == 6


def test_provider_is_not_in_the_order() -> None:
    """The same order at another provider is the same picture, already paid for."""
    elsewhere = Generate("cometapi", _TASK.model, _TASK.prompt, _TASK.params)

    assert order_of(elsewhere, (_A,)).digest == order_of(_TASK, (_A,)).digest


@given(st.dictionaries(st.sampled_from("abcd"), st.text("xyz", min_size=1), min_size=1))
def test_members_are_named_by_key(axes: dict[str, str]) -> None:
    """A member's name does not depend on the order of its axes."""
    assert member("hero", axes) == member("hero", dict(reversed(axes.items())))


def test_an_order_is_known_by_every_spelling() -> None:
    """An order has the digest that it had while a carrier's spelling of its model was part of it."""
    size = {"width": 1024, "height": 1024}
    plain = Order("flux-2-flex", "a fox", size, ())
    spelled = Order("black-forest-labs/flux-2-flex", "a fox", size, ())

    assert plain.names[0] == plain.digest
    assert spelled.digest in plain.names


def test_an_order_is_known_by_what_it_leaves_open() -> None:
    """A prompt that may be rewritten may be left as it is; one that must not be is another order."""
    left, off, on = (
        Order("flux-2-pro", "a fox", params, ())
        for params in ({}, {"disable_pup": False}, {"disable_pup": True})
    )

    assert {off.digest, on.digest} < set(left.names)
    assert left.digest in off.names
    assert on.digest not in off.names
    assert {left.digest, off.digest}.isdisjoint(on.names)
