"""The budget of one run: the most that an order may cost is reserved before it is sent."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from flux2build.errors import BudgetError
from flux2build.providers.pricing import money


class BudgetGuard(Struct):
    """Caps in USD, and the sums spent or reserved; orders that could exceed a cap are not sent.

    Orders of earlier runs do not count, because that money is spent already. Once a provider has
    charged more than its list price, nothing more is ordered under a cap.
    """

    per_run: Decimal | None = None
    per_asset: Decimal | None = None
    planned: Decimal | None = None
    """The most that the plan may cost; nobody has agreed to more."""
    spent: Decimal = Decimal(0)
    excess: Decimal = Decimal(0)
    """What providers charged beyond the worst case that was set aside."""
    costs: list[tuple[str, Decimal]] = field(default_factory=list)
    """The asset and the cost of every order of this run that was charged."""
    _aside: dict[str, Decimal] = field(default_factory=dict)
    _announced: dict[str, Decimal] = field(default_factory=dict)
    """The worst case, by list price, of every attempt that was or may be charged."""

    @property
    def reserved(self) -> Decimal:
        """The most that pending orders may still cost."""
        return sum(self._aside.values(), Decimal(0))

    def reserve(self, attempt: str, asset: str, worst: Decimal) -> None:
        """Set the worst case of an attempt aside.

        Raises:
            BudgetError: it would exceed a cap or the plan; nothing is set aside.
        """
        announced = sum(self._announced.values(), worst)
        if self.planned is not None and announced > self.planned:
            raise _unplanned(asset, worst)
        if self.per_asset is not None and worst > self.per_asset:
            raise _over(asset, worst, self.per_asset, "[budget] per_asset")
        if self.per_run is not None:
            if self.excess:
                raise _dearer(asset, self.excess)
            available = self.per_run - self.spent - self.reserved
            if worst > available:
                raise _over(asset, worst, available, "this run's cap")
        self._aside[attempt] = self._announced[attempt] = worst

    def charge(self, attempt: str, cost: Decimal) -> Decimal:
        """Note the provider's price of an attempt; return how much it exceeds the reservation."""
        beyond = max(Decimal(0), cost - self._aside.get(attempt, cost))
        if beyond:
            self._aside[attempt] = cost
            self.excess += beyond
        return beyond

    def settle(self, attempt: str, asset: str, cost: Decimal) -> None:
        """Count an attempt of this run as spent, and end its reservation."""
        self.charge(attempt, cost)
        if self._aside.pop(attempt, None) is not None:
            self.spent += cost
            self.costs.append((asset, cost))

    def release(self, attempt: str) -> None:
        """End the reservation of an attempt that was certainly not charged."""
        self._aside.pop(attempt, None)
        self._announced.pop(attempt, None)


def _unplanned(asset: str, worst: Decimal) -> BudgetError:
    """The error for an order that the plan did not foresee, as something changed after it was made."""
    return BudgetError(
        f"`{asset}` was not ordered: the plan had no ${worst} for it",
        hint="something changed since; `flux2build plan` shows what a build costs now",
    )


def _dearer(asset: str, excess: Decimal) -> BudgetError:
    """The error once a list price has proved wrong: the next one may be wrong as well."""
    return BudgetError(
        f"`{asset}` was not ordered: ${excess} more than the list price was charged before, "
        "so the cap could not be kept",
        hint="put the new price on the model's card in your own configuration, then build again",
    )


def _over(asset: str, worst: Decimal, available: Decimal, cap: str) -> BudgetError:
    return BudgetError(
        f"`{asset}` may cost {money(worst)}, and {cap} leaves {money(max(available, Decimal(0)))}",
        hint="nothing was ordered for it; raise the cap or select fewer assets",
    )
