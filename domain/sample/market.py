"""The sample market's listings and stock, drawn from a seed: the same seed, the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from domain.listings import ListingRow
from domain.sample.offers import Offer, any_car, offers
from domain.sample.valuation import Car, as_advertised, market_value, usual_mileage_km
from domain.stock import VehicleRow
from domain.vocabulary import Fuel

OBSERVED_DAYS = 365
OLDEST_LISTED_YEARS = 18
LONGEST_IN_STOCK_DAYS = 150
OLDEST_IN_STOCK_YEARS = 8

# Condition, history and the seller's temper: what no column of a listing tells.
_CONDITION = 0.065
_DRIVING_HABITS = 0.33
_USED_PRICES_PER_YEAR = 0.97
# A dealer gives a guarantee and asks for it; a private seller wants to be rid of the car.
_SOURCES = {"dealers": (0.64, 1.02), "classifieds": (0.36, 0.97)}
_FUEL_WORDS = {
    Fuel.PETROL: "Essence",
    Fuel.DIESEL: "Diesel",
    Fuel.HYBRID: "Hybride",
    Fuel.PLUG_IN_HYBRID: "Hybride rechargeable",
    Fuel.ELECTRIC: "Électrique",
    Fuel.LPG: "GPL",
    Fuel.ETHANOL: "Bioéthanol",
}
_COLOURS = {
    "Gris": 28, "Blanc": 24, "Noir": 21, "Bleu": 13, "Rouge": 7, "Argent": 3, "Vert": 2,
    "Orange": 1, "Beige": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """A car on a day: how far it has been driven and what it is worth."""

    car: Car
    registered: date
    day: date
    mileage_km: int
    value: float


def listings(*, today: date, seed: int = 20, count: int = 20_000) -> Iterator[ListingRow]:
    """Asking prices seen on the market within the year before ``today``."""
    random = Random(f"listings {seed}")  # noqa: S311 - a sample wants repetition, not secrecy
    for number, offer in enumerate(_draw(random, today, OLDEST_LISTED_YEARS, count), start=1):
        seen = _seen(random, offer, today, within_days=OBSERVED_DAYS)
        source = "dealers" if random.random() < _SOURCES["dealers"][0] else "classifieds"
        asking = seen.value * _SOURCES[source][1]
        yield ListingRow(
            source=source,
            reference=f"{number:06}",
            brand=seen.car.generation.brand,
            model=seen.car.generation.model,
            version=version_of(seen.car),
            fuel=_FUEL_WORDS[seen.car.engine.fuel],
            gearbox=_gearbox_of(seen.car),
            release_year=seen.car.release_year,
            mileage_km=seen.mileage_km,
            horsepower=seen.car.engine.horsepower,
            engine_cc=seen.car.engine.engine_cc,
            doors=seen.car.doors,
            price=Decimal(as_advertised(asking, random.random())),
            observed_on=seen.day,
        )


def stock(*, today: date, seed: int = 20, count: int = 800) -> Iterator[VehicleRow]:
    """Vehicles of the seller's own, bought within the last 150 days and below their value."""
    random = Random(f"stock {seed}")  # noqa: S311 - a sample wants repetition, not secrecy
    for number, offer in enumerate(_draw(random, today, OLDEST_IN_STOCK_YEARS, count), start=1):
        seen = _seen(random, offer, today, within_days=0)
        days = int(random.gammavariate(2.0, 26.0))
        longest = min((seen.day - seen.registered).days, LONGEST_IN_STOCK_DAYS)
        bought_at = seen.value * min(max(random.gauss(0.87, 0.035), 0.75), 0.97)
        yield VehicleRow(
            reference=f"VO-{number:05}",
            brand=seen.car.generation.brand,
            model=seen.car.generation.model,
            version=version_of(seen.car),
            fuel=_FUEL_WORDS[seen.car.engine.fuel],
            gearbox=_gearbox_of(seen.car),
            release_year=seen.car.release_year,
            mileage_km=seen.mileage_km,
            doors=seen.car.doors,
            colour=random.choices(list(_COLOURS), list(_COLOURS.values()))[0],
            horsepower=seen.car.engine.horsepower,
            engine_cc=seen.car.engine.engine_cc,
            cost=Decimal(round(bought_at, -1)).quantize(Decimal("1")),
            price=Decimal(as_advertised(seen.value, random.random())),
            acquired_on=seen.day - timedelta(days=min(days, longest)),
        )


def version_of(car: Car) -> str:
    """Engine, power and trim as an advertisement writes them: "1.2 PureTech 100 Allure"."""
    power = str(car.engine.horsepower)
    trims = car.generation.trims
    return " ".join(
        part
        for part in (
            car.engine.name,
            power if power not in car.engine.name else "",
            trims[car.trim] if trims else "",
        )
        if part
    )


def _draw(random: Random, today: date, oldest_years: int, count: int) -> Sequence[Offer]:
    # In January there is hardly a used car of the new year.
    newest_year = (today - timedelta(days=60)).year
    known = offers(newest_year=newest_year, oldest_years=oldest_years)
    frequencies = list(accumulate(offer.frequency for offer in known))
    return random.choices(known, cum_weights=frequencies, k=count)


def _seen(random: Random, offer: Offer, today: date, *, within_days: int) -> _Seen:
    car = any_car(random, offer)
    first_day = date(car.release_year, 1, 1)
    last_day = min(date(car.release_year, 12, 31), today - timedelta(days=14))
    registered = _day(random, first_day, last_day)
    earliest = max(today - timedelta(days=within_days), registered + timedelta(days=7))
    day = _day(random, earliest, today)
    age_years = (day - registered).days / 365.25
    habits = random.lognormvariate(-(_DRIVING_HABITS**2) / 2, _DRIVING_HABITS)
    mileage_km = 10 + int(usual_mileage_km(car.engine.fuel, age_years) * habits)
    drift = _USED_PRICES_PER_YEAR ** ((day - today).days / 365.25)
    value = market_value(car, age_years=age_years, mileage_km=mileage_km, year=today.year)
    value *= drift * math.exp(random.gauss(0, _CONDITION))
    return _Seen(car, registered, day, mileage_km, value)


def _day(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randrange((last - first).days + 1))


def _gearbox_of(car: Car) -> str:
    return "Automatique" if car.automatic else "Manuelle"
