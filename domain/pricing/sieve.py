"""The rules as a sieve for many vehicles at once: condition by condition, which can still win.

A state stands for the rules that a vehicle's facts have not ruled out so far, the most specific one
first. Each condition leads from a state and a cell to the next state by one look into a table, and
only states that some vehicle reaches are ever worked out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil

import numpy as np

from domain.errors import NotSubmittable
from domain.pricing import containment
from domain.pricing.columns import LARGEST_TABLE, Codes, StockColumns, Whole, place_of
from domain.pricing.containment import Space, most_specific_first
from domain.pricing.content import Rule
from domain.pricing.crossings import Crossings

# What most rules ask for comes first: it leaves the fewest rules for the rest.
_ORDER = (
    containment.BRAND,
    containment.FUEL,
    containment.MODEL,
    containment.GEARBOX,
    containment.AGE,
    containment.MILEAGE,
    containment.MARKET_PRICE,
)

_State = tuple[int, ...]


class RuleSieve:
    """The rules of one strategy, ready to be asked for the deciding rule of each vehicle."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Prepare checked rules.

        Raises:
            NotSubmittable: two of them cross or are equal, and none settles it.
        """
        self._space = Space([rule.conditions for rule in rules])
        self._boxes = [self._space.box(rule.conditions) for rule in rules]
        if len(Crossings(self._boxes).unsettled()):
            raise NotSubmittable("Some rules clash: the strategy's analysis names them.")
        everything = self._space.everything
        asked = [
            {dimension for dimension in _ORDER if box[dimension] != everything[dimension]}
            for box in self._boxes
        ]
        self._dimensions = [
            dimension for dimension in _ORDER if any(dimension in each for each in asked)
        ]
        self._last_asked = [
            max((self._dimensions.index(dimension) for dimension in each), default=-1)
            for each in asked
        ]
        self._start: _State = tuple(most_specific_first(self._boxes))

    def deciding(self, stock: StockColumns) -> Codes:
        """Position of the rule that decides each vehicle; shape (n_vehicles,)."""
        states = [self._start]
        state = np.zeros(len(stock), dtype=np.int32)
        for position, dimension in enumerate(self._dimensions):
            cells = self._cells(stock, dimension)
            state, states = self._sift(state, states, cells, position)
        return np.array([alive[0] for alive in states], dtype=np.int32)[state]

    def _sift(
        self, state: Codes, states: Sequence[_State], cells: Codes, position: int
    ) -> tuple[Codes, list[_State]]:
        """The state of each vehicle after one more condition, and what the new states are."""
        dimension = self._dimensions[position]
        width = self._space.everything[dimension].bit_length()
        pairs, which = _distinct(state.astype(np.int64) * width + cells, len(states) * width)
        numbers: dict[_State, int] = {}
        reached = [
            numbers.setdefault(
                self._narrowed(states[pair // width], dimension, pair % width, position),
                len(numbers),
            )
            for pair in pairs.tolist()
        ]
        return np.array(reached, dtype=np.int32)[which], list(numbers)

    def _narrowed(self, alive: _State, dimension: int, cell: int, position: int) -> _State:
        """The rules that accept the cell, up to the first that asks for nothing more: it hits."""
        left = []
        for rule in alive:
            if self._boxes[rule][dimension] >> cell & 1:
                left.append(rule)
                if self._last_asked[rule] <= position:
                    break
        return tuple(left)

    def _cells(self, stock: StockColumns, dimension: int) -> Codes:
        """The cell of each vehicle in one dimension."""
        space = self._space
        match dimension:
            case containment.BRAND:
                return _renumbered(stock.brand, space.brand_cells(stock.brands))
            case containment.MODEL:
                return _renumbered(stock.model, space.model_cells(stock.models))
            case containment.FUEL:
                return stock.fuel
            case containment.GEARBOX:
                return stock.gearbox
            case containment.AGE:
                return place_of(stock.age_years, _whole(space.cuts[0]))
            case containment.MILEAGE:
                return place_of(stock.mileage_km, _whole(space.cuts[1]))
            case _:
                return place_of(stock.market_cents, _whole(100 * cut for cut in space.cuts[2]))


def _distinct(values: Whole, below: int) -> tuple[Whole, Codes | Whole]:
    """The distinct values, rising, and for each row which of them it has."""
    if below > LARGEST_TABLE:
        distinct, which = np.unique(values, return_inverse=True)
        return distinct, which
    distinct = np.flatnonzero(np.bincount(values, minlength=below))
    number = np.zeros(below, dtype=np.int32)
    number[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, number[values]


def _renumbered(codes: Codes, cells: Sequence[int]) -> Codes:
    return np.array(cells, dtype=np.int32)[codes]


def _whole(cuts: Iterable[int | Decimal]) -> list[int]:
    """Cuts between whole values: a value is at least 2.5 where it is at least 3."""
    return [ceil(cut) for cut in cuts]
