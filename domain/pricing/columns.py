"""A whole stock as columns of whole numbers: what the vectorised engine reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.pricing.table import PricedVehicle
from domain.vehicles import VehicleColumns
from domain.vocabulary import Fuel, Gearbox

Whole = NDArray[np.int64]
Codes = NDArray[np.int32]

UNKNOWN = -1
"""In the columns of costs and days in stock: not known."""

LARGEST_TABLE = 1 << 22
"""Up to so many values a table has a place for each; beyond, they are sorted or searched."""

FUEL_CODES = {fuel: code for code, fuel in enumerate(Fuel)}
GEARBOX_CODES: dict[Gearbox | None, int] = {
    gearbox: code for code, gearbox in enumerate([*Gearbox, None])
}


@dataclass(frozen=True, slots=True)
class StockColumns:
    """One row a vehicle, all of shape (n_vehicles,).

    Attributes:
        brands, models: the names that ``brand`` and ``model`` number.
        fuel, gearbox: by ``FUEL_CODES`` and ``GEARBOX_CODES``.
        market_cents, cost_cents: in hundredths of the market's currency.
    """

    brands: tuple[str, ...]
    models: tuple[str, ...]
    brand: Codes
    model: Codes
    fuel: Codes
    gearbox: Codes
    age_years: Codes
    mileage_km: Codes
    market_cents: Whole
    days_in_stock: Codes
    cost_cents: Whole

    def __len__(self) -> int:
        return len(self.market_cents)


def columns_of(vehicles: Sequence[PricedVehicle], market_prices: Iterable[Decimal]) -> StockColumns:
    """The vehicles, each with its market price in whole hundredths, as columns."""
    brands, brand = _numbered([vehicle.brand for vehicle in vehicles])
    models, model = _numbered([vehicle.model for vehicle in vehicles])
    return StockColumns(
        brands=brands,
        models=models,
        brand=brand,
        model=model,
        fuel=_codes(FUEL_CODES[vehicle.fuel] for vehicle in vehicles),
        gearbox=_codes(GEARBOX_CODES[vehicle.gearbox] for vehicle in vehicles),
        age_years=_codes(vehicle.age_years for vehicle in vehicles),
        mileage_km=_codes(vehicle.mileage_km for vehicle in vehicles),
        market_cents=_amounts(market_prices),
        days_in_stock=_codes(
            UNKNOWN if vehicle.days_in_stock is None else vehicle.days_in_stock
            for vehicle in vehicles
        ),
        cost_cents=_amounts(
            Decimal(UNKNOWN).scaleb(-2) if vehicle.cost is None else vehicle.cost
            for vehicle in vehicles
        ),
    )


def with_market_prices(
    vehicles: VehicleColumns,
    market_cents: Whole,
    *,
    on: date,
    days_in_stock: Codes,
    cost_cents: Whole,
) -> StockColumns:
    """Vehicles as strategies see them; their ages are counted to the day of the estimate."""
    specifications, which = vehicles.specifications, vehicles.specification
    brands, brand = _numbered([each.brand for each in specifications])
    models, model = _numbered([each.model for each in specifications])
    return StockColumns(
        brands=brands,
        models=models,
        brand=brand[which],
        model=model[which],
        fuel=_codes(FUEL_CODES[each.fuel] for each in specifications)[which],
        gearbox=_codes(GEARBOX_CODES[each.gearbox] for each in specifications)[which],
        age_years=on.year - vehicles.release_year,
        mileage_km=vehicles.mileage_km,
        market_cents=market_cents,
        days_in_stock=days_in_stock,
        cost_cents=cost_cents,
    )


def place_of(values: Codes | Whole, cuts: Sequence[int]) -> Codes:
    """How many of the rising cuts are not above each value."""
    if not len(values):
        return np.zeros(0, dtype=np.int32)
    lowest, highest = int(values.min()), int(values.max())
    if highest - lowest >= LARGEST_TABLE:
        return np.searchsorted(cuts, values, side="right").astype(np.int32)
    # Looking a value up is many times quicker than searching for it.
    span = np.arange(lowest, highest + 1)
    places = np.searchsorted(cuts, span, side="right").astype(np.int32)
    return places[values - lowest]


def in_cents(amount: Decimal) -> int:
    """An amount in whole hundredths.

    Raises:
        ValueError: it has parts smaller than a hundredth.
    """
    cents = int(amount.scaleb(2))
    if cents != amount.scaleb(2):
        raise ValueError(f"{amount} has parts smaller than a hundredth")
    return cents


def _amounts(amounts: Iterable[Decimal]) -> Whole:
    return np.fromiter((in_cents(amount) for amount in amounts), dtype=np.int64)


def _codes(values: Iterable[int]) -> Codes:
    return np.fromiter(values, dtype=np.int32)


def _numbered(names: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    numbers: dict[str, int] = {}
    codes = _codes(numbers.setdefault(name, len(numbers)) for name in names)
    return tuple(numbers), codes
