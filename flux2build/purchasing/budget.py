"""What one run may spend: the worst case is set aside before an order is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from flux2build.errors import BudgetError, Problem


@dataclass(slots=True)
class BudgetGuard:
    """Caps in USD, and what is spent or set aside; no order goes out that could overshoot a cap.

    What an earlier run ordered is not in it: that money is spent already. Where a
    provider charges more than its list price, nothing more is ordered under a cap.
    """

    per_run: Decimal | None = None
    per_asset: Decimal | None = None
    planned: Decimal | None = None
    """What the plan came to at the most: more than that nobody has agreed to."""
    spent: Decimal = Decimal(0)
    excess: Decimal = Decimal(0)
    """What providers charged beyond the worst case they had announced."""
    _aside: dict[str, Decimal] = field(default_factory=dict)
    _announced: dict[str, Decimal] = field(default_factory=dict)
    """The worst case of every attempt that was or may be charged, by the list."""

    @property
    def reserved(self) -> Decimal:
        """What the orders on their way may still cost at the most."""
        return sum(self._aside.values(), Decimal(0))

    def reserve(self, attempt: str, asset: str, worst: Decimal) -> None:
        """Set the worst case of an attempt aside.

        Raises:
            BudgetError: that would go over a cap or the plan; nothing was set aside.
        """
        announced = sum(self._announced.values(), worst)
        if self.planned is not None and announced > self.planned:
            raise _unplanned(asset, worst)
        if self.per_asset is not None and worst > self.per_asset:
            raise _over(asset, worst, self.per_asset, "[budget] per_asset")
        if self.per_run is not None:
            if self.excess:
                raise _dearer(asset, self.excess)
            left = self.per_run - self.spent - self.reserved
            if worst > left:
                raise _over(asset, worst, left, "this run's cap")
        self._aside[attempt] = self._announced[attempt] = worst

    def charge(self, attempt: str, cost: Decimal) -> Decimal:
        """The provider says what an attempt costs; how much that is beyond what was set aside."""
        beyond = max(Decimal(0), cost - self._aside.get(attempt, cost))
        if beyond:
            self._aside[attempt] = cost
            self.excess += beyond
        return beyond

    def settle(self, attempt: str, cost: Decimal) -> None:
        """An attempt of this run was charged; its reservation ends."""
        self.charge(attempt, cost)
        if self._aside.pop(attempt, None) is not None:
            self.spent += cost

    def release(self, attempt: str) -> None:
        """An attempt was certainly not charged; its reservation ends."""
        self._aside.pop(attempt, None)
        self._announced.pop(attempt, None)


def _unplanned(asset: str, worst: Decimal) -> BudgetError:
    """The error where files or orders changed after the plan was made."""
    return BudgetError(
        Problem(
            f"`{asset}` was not ordered: the plan had no ${worst} for it",
            hint="something changed since; `flux2build plan` shows what a build costs now",
        )
    )


def _dearer(asset: str, excess: Decimal) -> BudgetError:
    """The error once a worst case has proved wrong: the next one may be wrong as well."""
    return BudgetError(
        Problem(
            f"`{asset}` was not ordered: ${excess} more than the list price was charged before, "
            "so the cap could not be kept",
            hint="put the new price on the model's card in your own configuration, then build again",
        )
    )


def _over(asset: str, worst: Decimal, left: Decimal, cap: str) -> BudgetError:
    return BudgetError(
        Problem(
            f"`{asset}` may cost ${worst}, and {cap} leaves ${max(left, Decimal(0))}",
            hint="nothing was ordered for it; raise the cap or select fewer assets",
        )
    )
