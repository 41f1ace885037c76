"""What must hold on a real market: a fraction of the UK listings, so that it takes seconds."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from benchmarks.uk_market import FILE, OBSERVED_ON, uk_listings
from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel, Gearbox
from ml import artifact
from ml.dataset import Part, TrainingData
from ml.predictor import Predictor
from ml.training import TrainedModel, train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.exists(), reason=f"the UK listings are not at {FILE}"),
]

KEY = b"test"


@pytest.fixture(scope="module")
def listings() -> TrainingData:
    return uk_listings(limit=8_000)


@pytest.fixture(scope="module")
def model(listings: TrainingData) -> TrainedModel:
    return train(listings, algorithm="hist_gradient_boosting", hyperparameters={}, coverage=0.9)


@pytest.fixture(scope="module")
def predictor(model: TrainedModel) -> Predictor:
    return artifact.load(model.artifact, signature=artifact.sign(model.artifact, KEY), key=KEY)


@pytest.fixture(scope="module")
def cars(listings: TrainingData) -> list[VehicleFacts]:
    """Two hundred unseen cars."""
    unseen = listings.part(Part.TEST).take(np.arange(200))
    return [
        VehicleFacts(
            unseen.brand[place],
            unseen.model[place],
            Fuel(unseen.fuel[place]),
            int(unseen.release_year[place]),
            int(unseen.mileage_km[place]),
            gearbox=Gearbox(unseen.gearbox[place]),
            engine_cc=int(np.nan_to_num(unseen.engine_cc[place])) or None,
        )
        for place in range(unseen.rows)
    ]


def prices(predictor: Predictor, cars: list[VehicleFacts]) -> list[Decimal]:
    return [each.market_price for each in predictor.estimate(cars, on=OBSERVED_ON)]


def test_a_fraction_of_the_market_is_enough_for_an_error_of_nine_percent(
    model: TrainedModel,
) -> None:
    assert model.metrics["mape"] < 0.09


def test_every_algorithm_beats_the_formula_it_replaces(
    model: TrainedModel, listings: TrainingData
) -> None:
    errors = {
        name: train(listings, algorithm=name, hyperparameters={}, coverage=0.9).metrics["mape"]
        for name in ("linear_regression", "ridge")
    }

    assert model.metrics["mape"] < errors["ridge"] < errors["linear_regression"] / 2


def test_intervals_hold_as_often_as_they_say(model: TrainedModel) -> None:
    assert 0.87 < model.metrics["coverage"] < 0.93


def test_no_large_group_is_left_without_its_coverage(model: TrainedModel) -> None:
    groups = [group for group in model.metrics["groups"] if group["rows"] >= 50]

    assert groups
    # Of fifty rows a tenth, give or take four in a hundred, lies outside by chance.
    assert min(group["coverage"] for group in groups) > 0.75


def test_ten_thousand_kilometres_more_are_never_dearer(
    predictor: Predictor, cars: list[VehicleFacts]
) -> None:
    for step in range(1, 6):
        near = [replace(car, mileage_km=car.mileage_km + 10_000 * (step - 1)) for car in cars]
        far = [replace(car, mileage_km=car.mileage_km + 10_000 * step) for car in cars]

        pairs = zip(prices(predictor, near), prices(predictor, far), strict=True)

        assert all(less_driven >= driven for less_driven, driven in pairs)


def test_three_years_older_with_their_kilometres_is_not_dearer(
    predictor: Predictor, cars: list[VehicleFacts]
) -> None:
    older = [
        replace(car, release_year=car.release_year - 3, mileage_km=car.mileage_km + 45_000)
        for car in cars
    ]

    pairs = zip(prices(predictor, cars), prices(predictor, older), strict=True)

    assert all(younger >= aged for younger, aged in pairs)


def test_an_estimate_lies_within_the_prices_of_its_model_or_is_flagged(
    predictor: Predictor, cars: list[VehicleFacts], listings: TrainingData
) -> None:
    for car, estimate in zip(cars, predictor.estimate(cars, on=OBSERVED_ON), strict=True):
        of_model = listings.price[(listings.brand == car.brand) & (listings.model == car.model)]

        within = of_model.min() <= estimate.market_price <= of_model.max()

        assert within or estimate.outside_training_data
