"""What a simulation found: a summary, groups, and the vehicles that move most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.pricing.columns import (
    FUEL_CODES,
    GEARBOX_CODES,
    UNKNOWN,
    StockColumns,
    Whole,
)
from domain.pricing.table import PricedVehicle

Mask = NDArray[np.bool_]
Shares = NDArray[np.float64]

AGE_BANDS = (3, 6, 9, 12)
"""Years at which a band begins; before the first lies the band of the youngest."""
PRICE_BANDS = (5_000, 10_000, 15_000, 20_000, 30_000, 50_000)
"""Whole units of the market's currency at which a band begins, of the price before."""

_FUELS = {code: fuel for fuel, code in FUEL_CODES.items()}
_GEARBOXES = {code: gearbox for gearbox, code in GEARBOX_CODES.items()}


class SimulationGroup(StrEnum):
    """By what vehicles are gathered."""

    BRAND = "BRAND"
    FUEL = "FUEL"
    BRAND_FUEL = "BRAND_FUEL"
    AGE_BAND = "AGE_BAND"
    PRICE_BAND = "PRICE_BAND"


@dataclass(frozen=True, slots=True)
class SimulatedStock:
    """The vehicles that have a price before and after; one row each, shape (n_vehicles,).

    Attributes:
        ids: of ``tables.Vehicle``.
        inputs: what they were priced from.
        guarded: where a guard moved the price.
    """

    ids: Whole
    inputs: StockColumns
    before_cents: Whole
    after_cents: Whole
    guarded: Mask

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def change(self) -> Shares:
        """Relative: 0.02 is 2 % more."""
        change: Shares = self.after_cents / self.before_cents - 1
        return change

    def only(self, rows: Mask) -> SimulatedStock:
        """Some of the vehicles."""
        arrays = {
            each.name: getattr(self.inputs, each.name)[rows]
            for each in fields(self.inputs)
            if each.name not in ("brands", "models")
        }
        return SimulatedStock(
            ids=self.ids[rows],
            inputs=replace(self.inputs, **arrays),
            before_cents=self.before_cents[rows],
            after_cents=self.after_cents[rows],
            guarded=self.guarded[rows],
        )

    def vehicle(self, row: int) -> tuple[PricedVehicle, Decimal]:
        """One vehicle as the strategy saw it, and its market price."""
        inputs = self.inputs
        days, cost = int(inputs.days_in_stock[row]), int(inputs.cost_cents[row])
        vehicle = PricedVehicle(
            brand=inputs.brands[inputs.brand[row]],
            model=inputs.models[inputs.model[row]],
            fuel=_FUELS[int(inputs.fuel[row])],
            gearbox=_GEARBOXES[int(inputs.gearbox[row])],
            age_years=int(inputs.age_years[row]),
            mileage_km=int(inputs.mileage_km[row]),
            days_in_stock=None if days == UNKNOWN else days,
            cost=None if cost == UNKNOWN else amount(cost),
        )
        return vehicle, amount(int(inputs.market_cents[row]))


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole stock in one row; ``unpriced`` vehicles count in ``vehicles`` and nowhere else.

    Attributes:
        mean_change, median_change, p5_change, p95_change: relative, 0 without vehicles.
        below_cost: of the vehicles whose cost is known.
    """

    vehicles: int
    unpriced: int
    raised: int
    lowered: int
    unchanged: int
    value_before_cents: int
    value_after_cents: int
    mean_change: float
    median_change: float
    p5_change: float
    p95_change: float
    guarded: int
    below_cost: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The vehicles that have something in common."""

    key: tuple[str, ...]
    vehicles: int
    changed: int
    value_before_cents: int
    value_after_cents: int
    mean_change: float


def summary_of(stock: SimulatedStock, *, unpriced: int) -> Summary:
    """Sum a simulation up."""
    before, after, cost = stock.before_cents, stock.after_cents, stock.inputs.cost_cents
    change = stock.change if len(stock) else np.zeros(1)
    p5, median, p95 = (float(each) for each in np.percentile(change, (5, 50, 95)))
    return Summary(
        vehicles=len(stock) + unpriced,
        unpriced=unpriced,
        raised=int((after > before).sum()),
        lowered=int((after < before).sum()),
        unchanged=int((after == before).sum()),
        value_before_cents=int(before.sum()),
        value_after_cents=int(after.sum()),
        mean_change=float(change.mean()),
        median_change=median,
        p5_change=p5,
        p95_change=p95,
        guarded=int(stock.guarded.sum()),
        below_cost=int(((cost != UNKNOWN) & (after < cost)).sum()),
    )


def groups_of(stock: SimulatedStock, by: SimulationGroup) -> list[GroupRow]:
    """The simulation by group: bands from low to high, the others with most vehicles first."""
    keys, codes = _KEYS[by](stock)
    count = np.bincount(codes, minlength=len(keys))
    changed = np.bincount(codes[stock.before_cents != stock.after_cents], minlength=len(keys))
    change = np.bincount(codes, weights=stock.change, minlength=len(keys))
    before, after = (_sums(codes, cents, len(keys)) for cents in _prices(stock))
    rows = [
        GroupRow(
            key=keys[at],
            vehicles=int(count[at]),
            changed=int(changed[at]),
            value_before_cents=int(before[at]),
            value_after_cents=int(after[at]),
            mean_change=float(change[at] / count[at]),
        )
        for at in np.flatnonzero(count)
    ]
    if by in (SimulationGroup.AGE_BAND, SimulationGroup.PRICE_BAND):
        return rows
    return sorted(rows, key=lambda row: (-row.vehicles, row.key))


def largest_moves(stock: SimulatedStock, first: int) -> list[int]:
    """The rows whose price moves most, relative to what it was; of equals the older vehicle."""
    order = np.lexsort((stock.ids, -np.abs(stock.change)))
    return [int(row) for row in order[:first]]


def amount(cents: int) -> Decimal:
    """Whole hundredths as an amount."""
    return Decimal(cents).scaleb(-2)


_Codes = NDArray[np.int64]
_Grouped = tuple[Sequence[tuple[str, ...]], _Codes]


def _by_brand(stock: SimulatedStock) -> _Grouped:
    return [(brand,) for brand in stock.inputs.brands], stock.inputs.brand.astype(np.int64)


def _by_fuel(stock: SimulatedStock) -> _Grouped:
    return [(fuel.value,) for fuel in FUEL_CODES], stock.inputs.fuel.astype(np.int64)


def _by_brand_and_fuel(stock: SimulatedStock) -> _Grouped:
    brands, brand = _by_brand(stock)
    fuels, fuel = _by_fuel(stock)
    return [(*one, *other) for one in brands for other in fuels], brand * len(fuels) + fuel


def _by_age(stock: SimulatedStock) -> _Grouped:
    starts = (0, *AGE_BANDS)
    labels = [f"{low}-{high - 1}" for low, high in zip(starts, AGE_BANDS, strict=False)]
    keys = [(label,) for label in (*labels, f"{AGE_BANDS[-1]}+")]
    return keys, np.searchsorted(AGE_BANDS, stock.inputs.age_years, side="right")


def _by_price(stock: SimulatedStock) -> _Grouped:
    inner = [f"{low}-{high}" for low, high in pairwise(PRICE_BANDS)]
    labels = (f"under {PRICE_BANDS[0]}", *inner, f"{PRICE_BANDS[-1]}+")
    starts = [100 * start for start in PRICE_BANDS]
    return [(label,) for label in labels], np.searchsorted(starts, stock.before_cents, side="right")


_KEYS: dict[SimulationGroup, Any] = {
    SimulationGroup.BRAND: _by_brand,
    SimulationGroup.FUEL: _by_fuel,
    SimulationGroup.BRAND_FUEL: _by_brand_and_fuel,
    SimulationGroup.AGE_BAND: _by_age,
    SimulationGroup.PRICE_BAND: _by_price,
}


def _prices(stock: SimulatedStock) -> tuple[Whole, Whole]:
    return stock.before_cents, stock.after_cents


def _sums(codes: _Codes, cents: Whole, groups: int) -> Whole:
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, codes, cents)
    return sums
