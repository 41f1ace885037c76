from dataclasses import replace

import numpy as np

from ml import algorithms, out_of_time
from ml.dataset import Part, TrainingData
from tests.ml import made

RIDGE = algorithms.get("ridge")


def measured(data: TrainingData) -> dict[str, object] | None:
    return out_of_time.measured(
        RIDGE, {"alpha": 1.0}, data.part(Part.TRAIN), data.part(Part.TEST), seed=0
    )


def over_a_year(data: TrainingData) -> TrainingData:
    """The same listings, one after the other through a year."""
    days = np.arange(data.rows) * 365 // data.rows
    return replace(data, observed_on=np.datetime64("2025-01-01") + days)


def test_listings_of_a_few_days_say_nothing_about_time() -> None:
    assert measured(made.listings()) is None


def test_only_what_came_before_is_learnt_from() -> None:
    data = over_a_year(made.listings())
    late = data.observed_on >= np.datetime64("2025-10-20")
    doubled_at_last = replace(data, price=np.where(late, 2 * data.price, data.price))

    usual, surprised = measured(data), measured(doubled_at_last)

    assert usual is not None
    assert surprised is not None
    assert usual["mape"] < 0.12
    assert 0.45 < surprised["mape"] < 0.55


def test_it_names_the_first_day_of_the_newest_fifth_and_how_many_it_measured() -> None:
    data = over_a_year(made.listings())

    found = measured(data)

    assert found is not None
    assert str(found["observed_from"]).startswith("2025-10")
    assert abs(found["rows"] / data.part(Part.TEST).rows - 0.2) < 0.05
