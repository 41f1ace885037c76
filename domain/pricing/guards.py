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


def band_of(guards: Guards, market_price: Decimal, cost: Decimal | None) -> Band:
    """The band of one vehicle, from the guards that are set and known."""
    floors: list[Bound] = []
    if guards.min_price is not None:
        floors.append(
            Bound(guards.min_price, f"Not below the lowest price {plain_text(guards.min_price)}")
        )
    if guards.min_market_share is not None:
        floors.append(
            Bound(
                EXACT.multiply(guards.min_market_share, market_price),
                f"Not below {percent(guards.min_market_share)} of the market price",
            )
        )
    if guards.min_margin is not None and cost is not None:
        floors.append(
            Bound(
                EXACT.multiply(cost, EXACT.add(Decimal(1), guards.min_margin)),
                f"Not below cost and a margin of {percent(guards.min_margin)}",
            )
        )
    ceiling = None
    if guards.max_market_share is not None:
        ceiling = Bound(
            EXACT.multiply(guards.max_market_share, market_price),
            f"Not above {percent(guards.max_market_share)} of the market price",
        )
    return Band(max(floors, key=lambda bound: bound.amount, default=None), ceiling)
