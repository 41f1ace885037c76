"""The sample market: would somebody who buys cars in France believe it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from statistics import mean, median

import pytest

from domain.listings import ListingRow
from domain.markets import MarketSettings
from domain.plausibility import Checker
from domain.sample import listings, stock
from domain.sample.cars import generations
from domain.sample.valuation import (
    Car,
    as_advertised,
    market_value,
    price_when_new,
    usual_mileage_km,
)
from domain.stock import VehicleRow

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def advertised() -> list[ListingRow]:
    return list(listings(today=TODAY))


@pytest.fixture(scope="module")
def offered() -> list[VehicleRow]:
    return list(stock(today=TODAY))


def of(rows: Iterable[ListingRow], **wanted: object) -> list[ListingRow]:
    return [row for row in rows if all(getattr(row, name) == wanted[name] for name in wanted)]


def asked(rows: Iterable[ListingRow]) -> float:
    """The price in the middle, in euros."""
    return float(median(row.price for row in rows))


def test_a_seed_and_a_day_make_the_same_market_every_time() -> None:
    once = list(listings(today=TODAY, seed=7, count=300))
    again = list(listings(today=TODAY, seed=7, count=300))
    another = list(listings(today=TODAY, seed=8, count=300))

    assert once == again
    assert once != another


def test_the_market_is_as_large_and_as_varied_as_a_real_one(
    advertised: list[ListingRow], offered: list[VehicleRow]
) -> None:
    assert (len(advertised), len(offered)) == (20_000, 800)
    assert len({row.brand for row in advertised}) == 28
    assert len({(row.brand, row.model) for row in advertised}) > 130


def test_everything_in_it_can_be_imported(
    advertised: list[ListingRow], offered: list[VehicleRow]
) -> None:
    checker = Checker(MarketSettings(), today=TODAY)

    faults = [fault for row in advertised for fault in checker.check(row, seen_on=TODAY)[1]]
    faults += [fault for row in offered for fault in checker.check(row, seen_on=TODAY)[1]]

    assert faults == []


def test_listings_were_seen_within_the_year_and_after_their_car_was_registered(
    advertised: list[ListingRow],
) -> None:
    assert all(TODAY - timedelta(days=365) <= row.observed_on <= TODAY for row in advertised)
    assert all(row.release_year <= row.observed_on.year for row in advertised)


def test_every_listing_can_be_told_from_the_others(advertised: list[ListingRow]) -> None:
    assert len({(row.source, row.reference) for row in advertised}) == len(advertised)


def test_a_newer_208_is_dearer_than_an_older_one(advertised: list[ListingRow]) -> None:
    cars = of(advertised, brand="Peugeot", model="208", fuel="Essence")

    by_year = [asked(of(cars, release_year=year)) for year in range(2014, 2025, 2)]

    assert by_year == sorted(by_year)


def test_a_car_that_was_driven_further_is_cheaper(advertised: list[ListingRow]) -> None:
    cars = of(advertised, brand="Renault", model="Clio", release_year=2022, fuel="Essence")
    usual = median(row.mileage_km for row in cars)

    little = asked(row for row in cars if row.mileage_km < usual)
    much = asked(row for row in cars if row.mileage_km > usual)

    assert much < little


def test_a_diesel_drives_more_than_a_petrol_car_of_its_year(advertised: list[ListingRow]) -> None:
    petrol = of(advertised, fuel="Essence", release_year=2019)
    diesel = of(advertised, fuel="Diesel", release_year=2019)

    assert mean(row.mileage_km for row in diesel) > 1.4 * mean(row.mileage_km for row in petrol)


def test_diesel_is_bought_less_from_year_to_year(advertised: list[ListingRow]) -> None:
    years = {year: of(advertised, release_year=year) for year in (2013, 2016, 2019, 2022, 2025)}

    shares = [len(of(rows, fuel="Diesel")) / len(rows) for rows in years.values()]

    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.6
    assert shares[-1] < 0.1


def test_a_zoe_is_electric_has_no_engine_size_and_shifts_by_itself(
    advertised: list[ListingRow],
) -> None:
    zoes = of(advertised, brand="Renault", model="Zoe")

    assert {(row.fuel, row.gearbox, row.engine_cc) for row in zoes} == {
        ("Électrique", "Automatique", None)
    }


def kept_after_five_years(model: str, engine: str) -> float:
    """The share of its list price that a car of the usual mileage is worth."""
    generation, power = next(
        (generation, power)
        for generation in generations()
        for power in generation.engines
        if (generation.model, power.name) == (model, engine)
    )
    car = Car(generation, power, trim=0, automatic=False, doors=5, release_year=2020)
    usual_km = usual_mileage_km(power.fuel, 5)
    value = market_value(car, age_years=5, mileage_km=usual_km, year=2025)
    return value / price_when_new(car)


def test_electric_cars_lose_value_faster_and_toyota_hybrids_slower() -> None:
    zoe = kept_after_five_years("Zoe", "R110 52 kWh")
    clio = kept_after_five_years("Clio", "1.0 TCe")
    yaris = kept_after_five_years("Yaris", "1.5 Hybrid 116h")

    assert zoe < clio < yaris


@pytest.mark.parametrize(
    ("model", "year", "low", "high"),
    [
        ("Twingo", 2016, 3_500, 7_500),  # a city car of ten years
        ("208", 2021, 9_500, 16_000),  # a supermini after a lease
        ("Sandero", 2023, 8_500, 13_500),  # cheap, and keeps its price
        ("3008", 2018, 12_000, 19_500),  # the family car of its year
        ("Golf", 2014, 6_500, 12_500),
        ("Série 3", 2021, 21_000, 34_000),  # a company saloon
        ("Model Y", 2023, 24_000, 38_000),
    ],
)
def test_typical_cars_ask_what_a_buyer_expects(
    advertised: list[ListingRow], model: str, year: int, low: int, high: int
) -> None:
    assert low < asked(of(advertised, model=model, release_year=year)) < high


def test_asking_prices_end_as_sellers_write_them(advertised: list[ListingRow]) -> None:
    endings = Counter(int(row.price) % 100 for row in advertised)

    assert endings[90] > len(advertised) / 2
    assert set(endings) <= {0, 50, 90}


@pytest.mark.parametrize(
    ("value", "taste", "written"),
    [
        (13_127, 0.0, 12_990),  # just short of round
        (13_127, 0.7, 13_000),  # round
        (13_127, 0.9, 13_100),  # close to what it is worth
        (3_127, 0.0, 3_090),  # for a cheap car 500 would be a sixth of its value
        (20, 0.0, 190),  # nothing is advertised for nothing
    ],
)
def test_a_value_becomes_an_asking_price(value: float, taste: float, written: int) -> None:
    assert as_advertised(value, taste) == written


def test_the_stock_was_bought_lately_and_for_less_than_it_asks(
    offered: list[VehicleRow],
) -> None:
    assert all(0 <= (TODAY - row.acquired_on).days <= 150 for row in offered)
    assert all(row.cost is not None and row.cost < row.price for row in offered)
    assert min(row.release_year for row in offered) >= TODAY.year - 9


def test_no_vehicle_was_bought_before_it_was_built() -> None:
    vehicles = list(stock(today=TODAY, count=5_000))

    assert any(row.release_year == TODAY.year for row in vehicles)
    assert all(row.release_year <= row.acquired_on.year for row in vehicles)


def test_the_tables_of_cars_fit_together() -> None:
    for generation in generations():
        name = f"{generation.brand} {generation.model} {generation.first_year}"
        last_year = generation.last_year or TODAY.year
        assert generation.engines, f"{name} has no engine"
        for engine in generation.engines:
            assert generation.first_year <= engine.since <= (engine.until or last_year), name
            assert (engine.until or last_year) <= last_year, name
            assert (engine.engine_cc is None) == (engine.fuel == "ELECTRIC"), name
