"""Guards: the band that a price stays in."""

from __future__ import annotations

from decimal import Decimal

from domain.money import plain_text
from domain.pricing.content import Guards
from domain.pricing.steps import EXACT, Cause, StepKind, percent

Bound = tuple[Decimal, Cause]
"""One end of a band, exact, and the guard that sets it."""

# Infinitely far away, so no price ever comes to tell of them.
_NO_FLOOR: Bound = (Decimal("-Infinity"), Cause(StepKind.GUARD, "No floor is set"))
_NO_CEILING: Bound = (Decimal("Infinity"), Cause(StepKind.GUARD, "No ceiling is set"))


class CompiledGuards:
    """The guards of a strategy, their sentences written once.

    They calculate in the context of their caller: ``domain.pricing.steps.EXACT``.
    """

    def __init__(self, guards: Guards) -> None:
        self._min_price = _NO_FLOOR
        if guards.min_price is not None:
            sentence = f"Not below the lowest price {plain_text(guards.min_price)}"
            self._min_price = (guards.min_price, Cause(StepKind.GUARD, sentence))
        self._min_share = _multiple(
            guards.min_market_share, "Not below {} of the market price", base=0
        )
        self._max_share = _multiple(
            guards.max_market_share, "Not above {} of the market price", base=0
        )
        self._min_margin = _multiple(guards.min_margin, "Not below cost and a margin of {}", base=1)

    def band(self, market_price: Decimal, cost: Decimal | None) -> tuple[Bound, Bound]:
        """The highest of the floors that are set and known, of equal ones the first; the ceiling.

        Infinitely far away where there is none.
        """
        floor = self._min_price
        if self._min_share is not None:
            share, cause = self._min_share
            amount = market_price * share
            if amount > floor[0]:
                floor = amount, cause
        if self._min_margin is not None and cost is not None:
            margin, cause = self._min_margin
            amount = cost * margin
            if amount > floor[0]:
                floor = amount, cause
        if self._max_share is None:
            return floor, _NO_CEILING
        share, cause = self._max_share
        return floor, (market_price * share, cause)


def _multiple(share: Decimal | None, sentence: str, *, base: int) -> Bound | None:
    """A bound as a multiple of the market price or of the cost."""
    if share is None:
        return None
    cause = Cause(StepKind.GUARD, sentence.format(percent(share)))
    return EXACT.add(Decimal(base), share), cause
