import math
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import CENT, amount, to_cents
from domain.vehicles import VehicleFacts, columns_of
from domain.vocabulary import Fuel, Gearbox
from ml import algorithms
from ml.predictor import _cents
from tests.ml import made
from tests.ml.made import ODD_CARS, TODAY, a_car

ALGORITHMS = sorted(algorithms.BUILT_IN)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_vehicle_alone_and_among_others_gets_the_same_cents(algorithm: str) -> None:
    predictor = made.predictor(algorithm)
    cars = [*ODD_CARS, *(a_car(mileage_km=1000 * step) for step in range(300))]

    together = predictor.estimate(cars, on=TODAY)

    assert [predictor.estimate([car], on=TODAY)[0] for car in cars] == together


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_admissible_vehicle_has_a_price_within_its_interval(algorithm: str) -> None:
    for estimate in made.predictor(algorithm).estimate(ODD_CARS, on=TODAY):
        assert Decimal(0) < estimate.low <= estimate.market_price <= estimate.high
        assert estimate.high < Decimal(10_000_000)
        assert estimate.market_price == estimate.market_price.quantize(Decimal("0.01"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_kilometres_are_never_dearer(algorithm: str) -> None:
    for car in (a_car(), a_car(model="3008"), *ODD_CARS):
        driven = [replace(car, mileage_km=km) for km in range(0, 400_000, 4_000)]

        estimates = made.predictor(algorithm).estimate(driven, on=TODAY)

        for name in ("market_price", "low", "high"):
            amounts = [getattr(each, name) for each in estimates]
            assert amounts == sorted(amounts, reverse=True), name


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_older_is_cheaper_from_year_to_year_with_the_kilometres_of_its_age(algorithm: str) -> None:
    for brand, model in made.MODELS:
        kept = [
            a_car(brand=brand, model=model, release_year=TODAY.year - age, mileage_km=14_000 * age)
            for age in range(1, 12)
        ]

        prices = [each.market_price for each in made.predictor(algorithm).estimate(kept, on=TODAY)]

        assert prices == sorted(prices, reverse=True)


any_car = st.builds(
    VehicleFacts,
    brand=st.sampled_from(["Peugeot", "PEUGEOT ", "Dacia", "Nobody"]),
    model=st.sampled_from(["208", "3008", "Sandero", "Unheard Of"]),
    fuel=st.sampled_from(Fuel),
    release_year=st.integers(1900, TODAY.year + 1),
    mileage_km=st.integers(0, 2_000_000),
    version=st.sampled_from([None, "", "100 ch", "75 ch", "GTi"]),
    gearbox=st.sampled_from([None, *Gearbox]),
    horsepower=st.sampled_from([None, 75, 100, 130, 100_000]),
    engine_cc=st.sampled_from([None, 1, 1199, 1499]),
    doors=st.sampled_from([None, 0, 5]),
)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(cars=st.lists(any_car, min_size=1, max_size=40))
def test_by_column_every_vehicle_has_the_cents_that_it_has_alone(
    algorithm: str, cars: list[VehicleFacts]
) -> None:
    predictor = made.predictor(algorithm)

    together = predictor.estimate(cars, on=TODAY)
    cents = predictor.market_cents(columns_of(cars), on=TODAY)

    alone = [predictor.estimate([car], on=TODAY)[0] for car in cars]
    assert together == alone
    assert [amount(each) for each in cents.tolist()] == [each.market_price for each in alone]


@given(st.floats(math.log(0.005), math.log(1e9)))
def test_a_price_is_rounded_half_up_from_the_very_float(log_price: float) -> None:
    exact = to_cents(Decimal(math.exp(log_price)))

    assert amount(int(_cents(np.array([log_price]))[0])) == max(exact, CENT)


def test_prices_a_hair_from_half_a_cent_go_where_the_float_lies() -> None:
    logs = math.log(1234.565) + np.arange(-300, 300) * 1e-15

    cents = _cents(logs)

    exact = [to_cents(Decimal(math.exp(each))) for each in logs]
    assert [amount(each) for each in cents.tolist()] == exact
    assert set(exact) == {Decimal("1234.56"), Decimal("1234.57")}


def test_age_is_counted_to_the_day_of_the_estimate() -> None:
    predictor = made.predictor()
    car = a_car(release_year=2020)

    next_year = predictor.estimate([car], on=date(2027, 6, 1))

    assert next_year == predictor.estimate([replace(car, release_year=2019)], on=TODAY)


def test_spelling_of_a_name_in_another_case_changes_nothing() -> None:
    predictor = made.predictor()

    assert predictor.estimate([a_car(brand="PEUGEOT")], on=TODAY) == predictor.estimate(
        [a_car()], on=TODAY
    )


def test_an_unknown_model_is_priced_like_its_brand() -> None:
    predictor = made.predictor()
    of_brand = [a_car(model=model) for brand, model in made.MODELS if brand == "Peugeot"]
    unknown, *known = predictor.estimate([a_car(model="9008"), *of_brand], on=TODAY)

    prices = [each.market_price for each in known]

    assert min(prices) < unknown.market_price < max(prices)


@pytest.mark.parametrize(
    "unfamiliar",
    [
        a_car(model="Unheard Of"),
        a_car(release_year=1980),  # older than any listing
        a_car(mileage_km=900_000),  # driven further
        a_car(engine_cc=6000),  # a larger engine
    ],
)
def test_what_training_never_saw_is_flagged(unfamiliar: object) -> None:
    estimate = made.predictor().estimate([unfamiliar], on=TODAY)[0]

    assert estimate.outside_training_data


@pytest.mark.parametrize("familiar", [a_car(), a_car(gearbox=None, horsepower=None)])
def test_what_training_saw_often_is_not_flagged(familiar: object) -> None:
    assert not made.predictor().estimate([familiar], on=TODAY)[0].outside_training_data


def test_nothing_asked_is_nothing_answered() -> None:
    assert made.predictor().estimate([], on=TODAY) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("car", ODD_CARS)
def test_contributions_and_the_mean_add_up_to_the_estimate(algorithm: str, car: object) -> None:
    predictor = made.predictor(algorithm)

    contributions = predictor.explain(car, on=TODAY)

    total = predictor.mean_price + sum(each.effect for each in contributions)
    assert total == predictor.estimate([car], on=TODAY)[0].market_price


def test_the_largest_contribution_stands_first_and_says_its_value() -> None:
    contributions = made.predictor().explain(a_car(release_year=2014), on=TODAY)

    assert (contributions[0].feature, contributions[0].value) == ("age", "12 years")
    sizes = [abs(each.effect) for each in contributions]
    assert sizes == sorted(sizes, reverse=True)


def test_an_automatic_gearbox_contributes_more_than_a_manual_one() -> None:
    def effect(gearbox: Gearbox) -> Decimal:
        contributions = made.predictor().explain(a_car(gearbox=gearbox), on=TODAY)
        return next(each.effect for each in contributions if each.feature == "gearbox")

    assert effect(Gearbox.MANUAL) < effect(Gearbox.AUTOMATIC)
