"""What the cars of the sample market are worth: new, with age, with mileage, and as advertised."""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.sample.cars import Engine, Generation, Segment
from domain.vocabulary import Fuel

# Consumer prices of new cars in France, 2015 = 1: calm until 2020, then shortage and inflation.
_NEW_PRICES = {
    2005: 0.87, 2010: 0.94, 2015: 1.0, 2020: 1.08, 2021: 1.11, 2022: 1.19, 2023: 1.27, 2026: 1.31,
}  # fmt: skip
# Batteries became cheaper faster than everything else became dearer.
_NEW_PRICES_ELECTRIC = {2005: 1.0, 2022: 1.0, 2023: 0.98, 2024: 0.93, 2026: 0.88}

# How much faster than usual a car loses value; usual is a tenth a year after the first drop.
_BRAND = {
    "Dacia": 0.8, "Toyota": 0.88, "Suzuki": 0.92, "Mini": 0.93, "Honda": 0.95, "Kia": 0.95,
    "Škoda": 0.96, "Cupra": 0.97, "Hyundai": 0.97, "Volkswagen": 0.97, "Mazda": 0.98, "BMW": 1.02,
    "Citroën": 1.05, "Fiat": 1.05, "Ford": 1.05, "smart": 1.05, "Jeep": 1.08, "Nissan": 1.08,
    "Opel": 1.08, "MG": 1.1, "DS": 1.12,
}  # fmt: skip
_SEGMENT = {
    Segment.CITY: 0.93,
    Segment.SMALL_SUV: 0.95,
    Segment.SUPERMINI: 0.96,
    Segment.PEOPLE_CARRIER: 1.02,
    Segment.PREMIUM: 1.04,
    Segment.SALOON: 1.12,
}
_FUEL = {
    Fuel.HYBRID: 0.88,
    Fuel.ETHANOL: 0.94,
    Fuel.LPG: 0.95,
    Fuel.DIESEL: 1.03,
    Fuel.PLUG_IN_HYBRID: 1.15,
    Fuel.ELECTRIC: 1.4,
}
_YEARLY_LOSS = 0.105
_KEPT_ON_REGISTRATION = 0.88
_TRIM_STEP = 0.07
_AUTOMATIC_EUR = 1_900
_LOST_PER_10_000_KM = 0.023
_SCRAP_EUR = 450

_YEARLY_KM = {
    Fuel.PETROL: 11_000,
    Fuel.ELECTRIC: 11_500,
    Fuel.HYBRID: 13_000,
    Fuel.ETHANOL: 13_000,
    Fuel.LPG: 14_000,
    Fuel.PLUG_IN_HYBRID: 14_500,
    Fuel.DIESEL: 18_500,
}


@dataclass(frozen=True, slots=True)
class Car:
    """One car as it was ordered new."""

    generation: Generation
    engine: Engine
    trim: int
    automatic: bool
    doors: int
    release_year: int


def price_when_new(car: Car) -> float:
    """The list price in euros in the year of its registration, trim and gearbox included."""
    extra = _AUTOMATIC_EUR if car.automatic and car.engine.gearboxes == "MA" else 0
    indexed = _price_level(car.engine.fuel, car.release_year) / _price_level(
        car.engine.fuel, car.engine.since
    )
    return (car.engine.list_price + extra) * (1 + _TRIM_STEP * car.trim) * indexed


def usual_mileage_km(fuel: Fuel, age_years: float) -> float:
    """What cars of that fuel have driven at that age; old ones are driven less."""
    return _YEARLY_KM[fuel] * math.pow(age_years, 0.88)


def market_value(car: Car, *, age_years: float, mileage_km: float, year: int) -> float:
    """What a buyer pays for it in that year, in euros, its condition unknown."""
    generation, fuel = car.generation, car.engine.fuel
    pace = (
        _BRAND.get(generation.brand, 1.0)
        * _SEGMENT.get(generation.segment, 1.0)
        * _FUEL.get(fuel, 1.0)
    )
    # Used prices follow the price of the new car that the buyer would take instead, half way.
    replacement = math.sqrt(_price_level(fuel, year) / _price_level(fuel, car.release_year))
    excess_km = mileage_km - usual_mileage_km(fuel, age_years)
    kept = (
        _KEPT_ON_REGISTRATION
        * math.exp(-_YEARLY_LOSS * pace * age_years)
        * math.exp(-_LOST_PER_10_000_KM * min(excess_km, 150_000) / 10_000)
    )
    three_doors = 0.97 if car.doors == 3 and max(generation.doors) > 3 else 1.0
    return price_when_new(car) * kept * replacement * three_doors + _SCRAP_EUR


def as_advertised(value: float, ending: float) -> int:
    """The asking price that a seller writes for a value: 12 990 and 13 500 rather than 13 127.

    Args:
        ending: in [0, 1), the seller's taste; most like a price to stop just short of round.
    """
    if value < 5_000:
        step, last = (100, 90) if ending < 0.5 else (50, 0)
    elif ending < 0.65:
        step, last = 500, 490
    elif ending < 0.85:
        step, last = 500, 0
    else:
        step, last = 100, 0
    return max(round((value - last) / step), 1) * step + last


def _price_level(fuel: Fuel, year: int) -> float:
    """The index of new prices in a year; between the years that are known it runs straight."""
    index = _NEW_PRICES_ELECTRIC if fuel is Fuel.ELECTRIC else _NEW_PRICES
    return between_years(index, year)


def between_years(known: dict[int, float], year: int) -> float:
    """The value in a year from those of some, straight between them and level beyond."""
    earlier = max((each for each in known if each <= year), default=min(known))
    later = min((each for each in known if each >= year), default=max(known))
    if later <= earlier:
        return known[earlier]
    share = (year - earlier) / (later - earlier)
    return known[earlier] + share * (known[later] - known[earlier])
