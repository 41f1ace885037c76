import numpy as np
import pytest

from ml.dataset import Part
from ml.evaluation import evaluate, measures
from tests.ml import made


def test_measures_are_what_their_names_say() -> None:
    price = np.array([10_000.0, 20_000.0])
    estimate = np.array([11_000.0, 15_000.0])

    found = measures(price, estimate, estimate - 2_000, estimate + 2_000)

    assert found == {
        "rows": 2,
        "mae": 3_000.0,
        "mape": pytest.approx(0.175),
        "median_ape": pytest.approx(0.175),
        "r2": pytest.approx(1 - 26 / 50),
        "within10": 0.5,
        "coverage": 0.5,
        "relative_width": pytest.approx(0.3),
    }


def test_no_listings_measure_nothing() -> None:
    metrics = evaluate(made.predictor(), made.listings().take(np.array([], dtype=np.intp)))

    assert (metrics["rows"], metrics["mape"], metrics["groups"]) == (0, 0.0, [])


def test_the_groups_hold_every_listing_once_the_largest_first() -> None:
    unseen = made.listings().part(Part.TEST)

    groups = evaluate(made.predictor(), unseen)["groups"]

    sizes = [group["rows"] for group in groups]
    assert sum(sizes) == unseen.rows
    assert sizes == sorted(sizes, reverse=True)
    assert {(group["brand"], group["fuel"]) for group in groups} >= {
        ("Peugeot", "PETROL"),
        ("Renault", "ELECTRIC"),
    }


def test_a_rebuilt_model_measures_as_when_it_was_trained() -> None:
    unseen = made.listings().part(Part.TEST)

    # What comes after a model is measured by training once more, so only a training tells it.
    measured_anew = evaluate(made.predictor(), unseen) | {"out_of_time": None}

    assert measured_anew == made.trained().metrics
