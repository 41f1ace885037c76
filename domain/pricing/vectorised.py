"""The engine for a whole stock: the same prices as ``domain.pricing.engine``, to the cent.

Money is whole numbers throughout, in units so small that nothing is ever cut off: a hundredth, by
four decimals of the rule's factor, by four of the ladder's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.pricing.columns import UNKNOWN, Codes, StockColumns, Whole, in_cents, place_of
from domain.pricing.content import Guards, Rounding, RoundingMode, StrategyContent
from domain.pricing.engine import PricingReason
from domain.pricing.sieve import RuleSieve

REFUSED = -1
"""The price of a vehicle that rule and ladder lead below zero."""

# Factors, shares and margins have four decimals at most.
_ONE = 10_000

# A cent in the smallest units.
_CENT = _ONE * _ONE

# So many vehicles at once stay in the processor's cache.
_CHUNK = 1 << 15

# Half of what an int64 holds: sums of two fit as well. Where a stock could need more, Python's own
# whole numbers take over, and are slower.
_OPEN_END = 1 << 62
_OPEN_END_OF_OBJECTS = 10**60

_Amounts = NDArray[Any]
"""In the smallest units; int64, or Python's own whole numbers."""

_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PricedStock:
    """One row a vehicle, all of shape (n_vehicles,).

    Attributes:
        price_cents: ``REFUSED`` where rule and ladder lead below zero and no guard holds the price.
        rule: position in the content of the rule that decided.
        guarded: where a guard moved the price.
        floor_above_ceiling: where the guards contradict each other, and the floor has won.
    """

    price_cents: Whole
    rule: Codes
    guarded: _Mask
    floor_above_ceiling: _Mask


class VectorisedPolicy:
    """A strategy's content, compiled once for many vehicles at a time."""

    def __init__(self, content: StrategyContent) -> None:
        """Compile checked content.

        Raises:
            NotSubmittable: some rules clash.
        """
        self._content = content
        self._sieve = RuleSieve(content.rules)
        self._factors = np.array([_scaled(rule.factor) for rule in content.rules])
        self._added = np.array([in_cents(rule.amount) * _ONE for rule in content.rules])
        self._days = [step.from_day for step in content.ladder]
        # Before the first step the factor is 1.
        self._steps = np.array([_ONE, *(_scaled(step.factor) for step in content.ladder)])

    def price(self, stock: StockColumns) -> PricedStock:
        """Price all vehicles."""
        rule = self._sieve.deciding(stock)
        price = np.empty(len(stock), dtype=np.int64)
        guarded = np.empty(len(stock), dtype=bool)
        upside_down = np.empty(len(stock), dtype=bool)
        for start in range(0, len(stock), _CHUNK):
            part = slice(start, start + _CHUNK)
            market, cost = stock.market_cents[part], stock.cost_cents[part]
            if self._largest(market, cost) >= _OPEN_END:
                market, cost = market.astype(object), cost.astype(object)
            exact = market * self._factors[rule[part]] + self._added[rule[part]]
            exact = exact * self._steps[place_of(stock.days_in_stock[part], self._days)]
            band = _band(self._content.guards, market, cost)
            held = band.hold(exact)
            guarded[part] = held != exact
            upside_down[part] = band.floor > band.ceiling
            cents = _rounded(held, self._content.rounding, band)
            price[part] = np.where(cents < 0, REFUSED, cents)
        return PricedStock(price, rule, guarded, upside_down)

    def reasons(self, stock: StockColumns, priced: PricedStock) -> list[tuple[PricingReason, ...]]:
        """Why a person should look at each price; the very reasons of ``domain.pricing.engine``."""
        defaults = [rule.conditions.accept_everything for rule in self._content.rules]
        is_default = np.array(defaults)[priced.rule]
        no_cost = stock.cost_cents == UNKNOWN
        odd = {
            PricingReason.COST_UNKNOWN: no_cost & (self._content.guards.min_margin is not None),
            PricingReason.FLOOR_ABOVE_CEILING: priced.floor_above_ceiling,
            PricingReason.DEFAULT_RULE: is_default & (len(defaults) > 1),
        }
        return [
            tuple(reason for reason, is_odd in zip(odd, row, strict=True) if is_odd)
            for row in zip(*(each.tolist() for each in odd.values()), strict=True)
        ]

    def _largest(self, market: Whole, cost: Whole) -> int:
        """No amount on the way to a price is larger, in the smallest units."""
        guards, rounding = self._content.guards, self._content.rounding
        highest = int(market.max(initial=0))
        by_rule = highest * int(self._factors.max()) + int(np.abs(self._added).max())
        by_share = highest * max(_scaled(guards.min_market_share), _scaled(guards.max_market_share))
        by_margin = int(cost.max(initial=0)) * (_ONE + _scaled(guards.min_margin))
        step = in_cents(rounding.step) if rounding else 0
        return (
            max(by_rule * int(self._steps.max()), by_share * _ONE, by_margin * _ONE)
            + (_cents(guards.min_price) + 2 * step + 2) * _CENT
        )


@dataclass(frozen=True, slots=True)
class _Band:
    """From floor to ceiling of each vehicle, both included."""

    floor: _Amounts
    ceiling: _Amounts

    def hold(self, price: _Amounts) -> _Amounts:
        """The price inside the band; a floor above the ceiling wins."""
        return np.maximum(np.minimum(price, self.ceiling), self.floor)

    def of(self, rows: NDArray[np.intp]) -> _Band:
        """The band of some of the vehicles."""
        return _Band(self.floor[rows], self.ceiling[rows])


def _band(guards: Guards, market: _Amounts, cost: _Amounts) -> _Band:
    open_end = _OPEN_END_OF_OBJECTS if market.dtype == object else _OPEN_END
    floor = np.full_like(market, -open_end)
    ceiling = np.full_like(market, open_end)
    if guards.min_price is not None:
        floor = np.maximum(floor, _cents(guards.min_price) * _CENT)
    if guards.min_market_share is not None:
        floor = np.maximum(floor, market * (_scaled(guards.min_market_share) * _ONE))
    if guards.min_margin is not None:
        with_margin = cost * ((_ONE + _scaled(guards.min_margin)) * _ONE)
        floor = np.where(cost == UNKNOWN, floor, np.maximum(floor, with_margin))
    if guards.max_market_share is not None:
        ceiling = market * (_scaled(guards.max_market_share) * _ONE)
    return _Band(floor, ceiling)


def _rounded(price: _Amounts, rounding: Rounding | None, band: _Band) -> _Amounts:
    """Whole cents; see ``domain.pricing.rounding`` for what each line stands for."""
    if rounding is None:
        return _to_cents(price, band)
    step, ending = in_cents(rounding.step) * _CENT, in_cents(rounding.ending) * _CENT
    below = (price - ending) // step * step + ending
    # So far above the candidate below, the mode takes the next one.
    enough = {RoundingMode.DOWN: step, RoundingMode.UP: 1, RoundingMode.NEAREST: -(-step // 2)}
    chosen = np.where(price - below >= enough[rounding.mode], below + step, below)
    low = np.flatnonzero(chosen < band.floor)
    high = np.flatnonzero(chosen > band.ceiling)
    chosen[high] = (band.ceiling[high] - ending) // step * step + ending
    chosen[low] = -((ending - band.floor[low]) // step) * step + ending
    chosen = np.maximum(chosen, ending)
    cents = chosen // _CENT
    outside = np.flatnonzero((chosen < band.floor) | (chosen > band.ceiling))
    cents[outside] = _to_cents(price[outside], band.of(outside))
    return cents


def _to_cents(price: _Amounts, band: _Band) -> _Amounts:
    half_up = (np.abs(price) + _CENT // 2) // _CENT
    cents = np.where(price < 0, -half_up, half_up)
    low = cents * _CENT < band.floor
    high = (cents * _CENT > band.ceiling) & ((cents - 1) * _CENT >= band.floor)
    return cents + low - high


def _scaled(factor: Decimal | None) -> int:
    """A factor in ten-thousandths; 0 where it is not set."""
    return 0 if factor is None else in_cents(factor.scaleb(2))


def _cents(amount: Decimal | None) -> int:
    return 0 if amount is None else in_cents(amount)
