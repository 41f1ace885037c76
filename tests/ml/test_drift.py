import math

import numpy as np
import pytest

from ml.algorithms.check import made_listings
from ml.drift import RAREST, drift, histograms, population_stability_index

ROWS, _ = made_listings(2_000)


@pytest.mark.parametrize(
    ("expected", "actual", "index"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0.0),
        # (0.6 - 0.5) ln 1.2 + (0.4 - 0.5) ln 0.8
        ([0.5, 0.5], [0.6, 0.4], 0.1 * math.log(1.2) - 0.1 * math.log(0.8)),
        # The same the other way round: it has no direction.
        ([0.6, 0.4], [0.5, 0.5], 0.1 * math.log(1.2) - 0.1 * math.log(0.8)),
        # All moved to the other bin: finite, because a bin holds a little always.
        ([1.0, 0.0], [0.0, 1.0], 2 * (1 - RAREST) * math.log(1 / RAREST)),
        # A bin that is empty then and now says nothing.
        ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], 0.0),
    ],
)
def test_the_index_follows_its_formula(
    expected: list[float], actual: list[float], index: float
) -> None:
    assert population_stability_index(np.array(expected), np.array(actual)) == pytest.approx(index)


def test_the_very_vehicles_of_training_have_not_drifted() -> None:
    assert set(drift(histograms(ROWS), ROWS).values()) == {0.0}


def test_other_vehicles_of_the_same_market_have_not_drifted() -> None:
    learnt_from, asked_for = histograms(ROWS[:1_000]), ROWS[1_000:]

    assert max(drift(learnt_from, asked_for).values()) < 0.1


@pytest.mark.parametrize(
    ("feature", "changed"),
    [
        # Sellers now bring in older cars.
        ("age_years", lambda row: row._replace(age_years=row.age_years + 8)),
        # The registration document no longer tells the engine.
        ("engine_cc", lambda row: row._replace(engine_cc=math.nan)),
        # A fuel that was not there.
        ("fuel", lambda row: row._replace(fuel="ELECTRIC")),
        # A gearbox nobody tells.
        ("gearbox", lambda row: row._replace(gearbox="")),
    ],
)
def test_a_feature_that_has_moved_is_named_first_and_alone(feature: str, changed: object) -> None:
    asked_for = [changed(row) for row in ROWS]

    found = drift(histograms(ROWS), asked_for)

    assert next(iter(found)) == feature
    assert [name for name, index in found.items() if index > 0.2] == [feature]


def test_a_feature_that_no_vehicle_had_is_stable_and_drifts_once_it_is_told() -> None:
    learnt_from = histograms(ROWS)

    assert drift(learnt_from, ROWS)["horsepower"] == 0.0
    told = [row._replace(horsepower=110.0) for row in ROWS]
    assert drift(learnt_from, told)["horsepower"] > 0.2
