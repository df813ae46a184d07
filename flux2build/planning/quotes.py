"""Quotes: the prices of orders, and how their references are sent, before anything is bought."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.errors import Problem
from flux2build.model import AssetName, Generate, Input, Key, MasterOf, Recipe
from flux2build.planning.plan import Plan, Step
from flux2build.planning.verdict import Action
from flux2build.providers import pricing, references
from flux2build.providers.capabilities import FREE, Card
from flux2build.providers.pricing import Size


class Quotes(Struct, eq=False):
    """Quotes for a project's orders; each reference is read once."""

    cards: Mapping[str, Mapping[str, Card]]
    masters: Mapping[AssetName, Size]
    """The size in pixels of each master that is ordered by size."""
    read: Callable[[str], bytes]
    """Reads the bytes of a source by its path."""
    size: Callable[[str], Size | None]
    """Returns the size of a source in pixels by its path; None if it cannot be used."""
    _altered: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def price(self, recipe: Recipe) -> tuple[Decimal, Decimal] | None:
        """Return the least and the most that a recipe may cost in USD; None if that is unknown."""
        paid = self._paid(recipe)
        if paid is None:
            return (Decimal(0), Decimal(0))
        task, card = paid
        sizes = [self._size(source) for source in recipe.inputs]
        sizes_sent = [references.sent_size(size, card) if size else None for size in sizes]
        quote = pricing.quote(card, task.params, sizes_sent)
        return (quote.low, quote.high) if quote else None

    def annotated(self, plan: Plan) -> Plan:
        """Return the plan with notes that a person should read before paying for an order."""
        return replace(plan, steps=tuple(map(self._annotated, plan.steps)))

    def misfits(self, plan: Plan) -> Iterator[tuple[Key, Problem]]:
        """Find orders that would be useless or refused, with their places in the spec."""
        for step in plan.steps:
            if step.verdict.action is Action.RENDER and (ordered := self._ordered(step.recipe)):
                task, card = ordered
                if task.take > 1 and "seed" in task.params and card.price != FREE:
                    yield (*step.recipe.key, "take"), _same_again(task)
                named = [(_name(source), self._size(source)) for source in step.recipe.inputs]
                for index, problem in references.misfits(card, task.params, named):
                    place = () if index is None else (index,)
                    yield (*step.recipe.key, "refs", *place), problem

    def _annotated(self, step: Step) -> Step:
        pair = self._bought(step)
        notes = self._notes(step.recipe, *pair) if pair else ()
        return replace(step, notes=(*step.notes, *notes)) if pair else step

    def _bought(self, step: Step) -> tuple[Generate, Card] | None:
        """Return the order of a step and its model; None if the step costs nothing."""
        return self._paid(step.recipe) if step.verdict.action is Action.RENDER else None

    def _paid(self, recipe: Recipe) -> tuple[Generate, Card] | None:
        """Return the order of a recipe and its model; None if it is always free."""
        ordered = self._ordered(recipe)
        return None if ordered is None or ordered[1].price == FREE else ordered

    def _ordered(self, recipe: Recipe) -> tuple[Generate, Card] | None:
        """Return the order of a recipe and its model; None if it is made of existing files."""
        task = recipe.task
        if not isinstance(task, Generate):
            return None
        return task, self.cards[task.provider][task.card]

    def _notes(self, recipe: Recipe, task: Generate, card: Card) -> Iterator[str]:
        size, cliff = pricing.size_of(task.params), pricing.cliff(card, task.params)
        if size and cliff:
            yield f"{references.shown(size)} is billed as {pricing.megapixels(*size)} megapixels; {cliff}"
        for source in recipe.inputs:
            if words := self._alteration(source, task.provider, card):
                yield f"`{_name(source)}` is sent {words}"

    def _alteration(self, source: Input, provider: str, card: Card) -> str:
        if isinstance(source, MasterOf):
            size = self._size(source)
            return references.scaling(size, card) if size else ""
        key = (source.path, provider, card.model)
        if key not in self._altered and (size := self.size(source.path)):
            self._altered[key] = references.alteration(self.read(source.path), size, card)
        return self._altered.get(key, "")

    def _size(self, source: Input) -> Size | None:
        """Return the size of a reference in pixels, if it is known before the reference exists."""
        if isinstance(source, MasterOf):
            return self.masters.get(source.asset)
        return self.size(source.path)


def masters(recipes: Iterable[Recipe]) -> dict[AssetName, Size]:
    """The sizes at which masters are ordered."""
    tasks = {recipe.asset: recipe.task for recipe in recipes if isinstance(recipe.task, Generate)}
    sizes = {name: pricing.size_of(task.params) for name, task in tasks.items()}
    return {name: size for name, size in sizes.items() if size}


def _same_again(task: Generate) -> Problem:
    """The problem of an order whose request equals that of an earlier one."""
    message = f"`take = {task.take}` sends the same again: `seed = {task.params['seed']}` is fixed"
    return Problem(message, hint="say another `seed` instead, or take `seed` away")


def _name(source: Input) -> str:
    return str(source).removeprefix("asset:")
