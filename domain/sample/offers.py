"""What stands in French used-car advertisements: how often each car, how old, and on what fuel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from domain.sample.cars import Engine, Generation, Segment, generations
from domain.sample.valuation import Car, between_years
from domain.vocabulary import Fuel

# How buyers of new cars in France chose in a year, in per cent, of the fuels that a model was sold
# with. Diesel fell from three cars in four to one in twenty; hybrids and batteries took over.
_FUEL_SHARES: dict[Fuel, dict[int, float]] = {
    Fuel.PETROL: {2008: 22, 2012: 25, 2015: 39, 2017: 48, 2020: 47, 2022: 37, 2024: 30, 2026: 23},
    Fuel.DIESEL: {2008: 77, 2012: 73, 2015: 57, 2017: 47, 2020: 31, 2022: 16, 2024: 7, 2026: 4},
    Fuel.HYBRID: {2010: 1, 2012: 2, 2016: 3, 2019: 6, 2020: 10, 2022: 22, 2024: 34, 2026: 42},
    Fuel.PLUG_IN_HYBRID: {2013: 0.2, 2018: 0.8, 2019: 1, 2020: 5, 2021: 8, 2023: 9, 2026: 6},
    Fuel.ELECTRIC: {2011: 0.2, 2015: 1, 2018: 1.5, 2019: 2, 2020: 7, 2021: 10, 2023: 17, 2026: 19},
    Fuel.LPG: {2019: 2, 2020: 12, 2022: 22, 2026: 24},
    Fuel.ETHANOL: {2020: 2, 2022: 12, 2026: 8},
}
# Advertisements by the age of the car: leases end after three to five years, wrecks are not sold.
_BY_AGE = {0: 5, 1: 9, 3: 14, 4: 14, 6: 10, 8: 8, 10: 6, 13: 3.5, 18: 1}
_AUTOMATIC_SHARE = {2008: 0.1, 2014: 0.18, 2018: 0.32, 2022: 0.5, 2026: 0.58}
_AUTOMATIC_SHARE_PREMIUM = {2008: 0.35, 2014: 0.5, 2018: 0.68, 2026: 0.85}
# In the year in which a generation comes or goes it shares the showroom with another.
_HALF_A_YEAR = 0.5


@dataclass(frozen=True, slots=True)
class Offer:
    """An engine of a generation in one year of registration, and how often it is advertised."""

    generation: Generation
    engine: Engine
    release_year: int
    frequency: float


def offers(*, newest_year: int, oldest_years: int) -> list[Offer]:
    """All that can be met, from cars of the newest year to those that are the oldest."""
    return [
        offer
        for generation in generations()
        for age in range(oldest_years + 1)
        for offer in _offers_of(generation, newest_year - age, between_years(_BY_AGE, age))
    ]


def any_car(random: Random, offer: Offer) -> Car:
    """One car of the offer with a trim, a gearbox and doors."""
    generation, gearboxes = offer.generation, offer.engine.gearboxes
    shares = _AUTOMATIC_SHARE_PREMIUM if generation.segment is Segment.PREMIUM else _AUTOMATIC_SHARE
    either = random.random() < between_years(shares, offer.release_year)
    trims = max(len(generation.trims), 1)
    return Car(
        generation=generation,
        engine=offer.engine,
        trim=min(int(random.triangular(0, trims)), trims - 1),
        automatic=gearboxes == "A" or (gearboxes == "MA" and either),
        doors=generation.doors[0 if random.random() < 0.8 else -1],
        release_year=offer.release_year,
    )


def _offers_of(generation: Generation, year: int, of_that_age: float) -> Iterator[Offer]:
    on_sale = [engine for engine in generation.engines if _is_sold(engine, year)]
    engines = Counter(engine.fuel for engine in on_sale)
    shares = {fuel: between_years(_FUEL_SHARES[fuel], year) for fuel in engines}
    coming_or_going = year in (generation.first_year, generation.last_year)
    sold = generation.sold * of_that_age * (_HALF_A_YEAR if coming_or_going else 1)
    for engine in on_sale:
        share = shares[engine.fuel] / sum(shares.values()) / engines[engine.fuel]
        yield Offer(generation, engine, year, sold * share)


def _is_sold(engine: Engine, year: int) -> bool:
    return engine.since <= year <= (engine.until or year)
