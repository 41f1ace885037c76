"""Guards: the band that a price stays in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.money import plain_text
from domain.pricing.content import Guards
from domain.pricing.steps import EXACT, percent


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of the band, exact, and the sentence that explains it."""

    amount: Decimal
    explanation: str


@dataclass(frozen=True, slots=True)
class Band:
    """From the highest floor to the ceiling, both included; None is open."""

    floor: Bound | None = None
    ceiling: Bound | None = None

    @property
    def is_upside_down(self) -> bool:
        """Whether the floor lies above the ceiling; the floor then wins."""
        return (
            self.floor is not None
            and self.ceiling is not None
            and self.floor.amount > self.ceiling.amount
        )

    def violated_bound(self, price: Decimal) -> Bound | None:
        """The bound to which the price has to move; None where it lies inside the band."""
        floor, ceiling = self.floor, self.ceiling
        if floor is not None and (price < floor.amount or self.is_upside_down):
            return floor if price != floor.amount else None
        if ceiling is not None and price > ceiling.amount:
            return ceiling
        return None


class CompiledGuards:
    """The guards of a strategy, their sentences written once."""

    def __init__(self, guards: Guards) -> None:
        self._min_price: Bound | None = None
        if guards.min_price is not None:
            sentence = f"Not below the lowest price {plain_text(guards.min_price)}"
            self._min_price = Bound(guards.min_price, sentence)
        self._min_share = _factor(
            guards.min_market_share, "Not below {} of the market price", base=0
        )
        self._max_share = _factor(
            guards.max_market_share, "Not above {} of the market price", base=0
        )
        self._min_margin = _factor(guards.min_margin, "Not below cost and a margin of {}", base=1)

    def band(self, market_price: Decimal, cost: Decimal | None) -> Band:
        """The band of one vehicle, from the guards that are set and known."""
        floor = self._min_price
        if self._min_share is not None:
            floor = _higher(floor, self._min_share, market_price)
        if self._min_margin is not None and cost is not None:
            floor = _higher(floor, self._min_margin, cost)
        if self._max_share is None:
            return Band(floor)
        factor, sentence = self._max_share
        return Band(floor, Bound(EXACT.multiply(factor, market_price), sentence))


_Factor = tuple[Decimal, str]
"""A bound as a multiple of something, and its sentence."""


def _factor(share: Decimal | None, sentence: str, *, base: int) -> _Factor | None:
    if share is None:
        return None
    return EXACT.add(Decimal(base), share), sentence.format(percent(share))


def _higher(floor: Bound | None, guard: _Factor, base: Decimal) -> Bound:
    factor, sentence = guard
    amount = EXACT.multiply(factor, base)
    return floor if floor is not None and floor.amount >= amount else Bound(amount, sentence)
