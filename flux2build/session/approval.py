"""The pictures that a person has to approve according to the spec."""

from __future__ import annotations

from typing import Final

from flux2build.assetspec.spec import Spec
from flux2build.checks.review import ReviewOptions
from flux2build.errors import SpecError, UsageError
from flux2build.model import AssetName, Generate
from flux2build.planning.graph import Graph
from flux2build.planning.plan import Plan
from flux2build.planning.selection import field_of, select

_CHECK: Final = "review"


def rendered(spec: Spec) -> frozenset[AssetName]:
    """Every asset whose picture is rendered."""
    return frozenset(each.asset for each in spec.recipes if isinstance(each.task, Generate))


def reviewed(spec: Spec, graph: Graph) -> frozenset[AssetName]:
    """The assets whose pictures a person has to approve.

    Raises:
        SpecError: `[checks.review]` names something that does not exist.
    """
    if spec.ships_approved:
        return rendered(spec)
    own = frozenset(name for name, asset in spec.assets.items() if asset.review)
    return own | (_by_check(spec, graph) & rendered(spec))


def _by_check(spec: Spec, graph: Graph) -> frozenset[AssetName]:
    options = spec.checks.get(_CHECK)
    if not isinstance(options, ReviewOptions) or not options.required:
        return frozenset()
    field = field_of(Plan(spec.profile, ()), spec.named, graph.up, graph.down)
    try:
        return select(options.required, (), field)
    except UsageError as error:
        key = ("checks", _CHECK, "required")
        raise SpecError(*(spec.located(each, key) for each in error.problems)) from error
