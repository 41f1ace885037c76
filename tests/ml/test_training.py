import numpy as np
import pytest

from domain.errors import Invalid, InvalidState
from ml.dataset import TrainingData, in_canonical_order
from ml.features import CATEGORIES, NUMBERS
from ml.training import FEWEST_LISTINGS, train
from tests.ml import made

QUICK = made.QUICK["hist_gradient_boosting"]


def test_a_model_names_what_it_was_trained_on() -> None:
    data = made.listings()

    trained = made.trained()

    assert trained.data_sha256 == data.fingerprint()
    assert (trained.trained_from, trained.trained_to) == (data.from_on, data.to_on)
    assert trained.trained_rows + trained.rejected_rows + trained.metrics["rows"] == data.rows


def test_hyperparameters_are_kept_with_the_defaults_of_those_not_given() -> None:
    assert made.trained().hyperparameters == QUICK | {"l2": 30, "feature_share": 0.5}


def test_the_same_listings_train_the_same_bytes_however_they_were_imported() -> None:
    data = made.listings(600)
    shuffled = data.take(np.random.default_rng(1).permutation(data.rows))
    imported_otherwise = in_canonical_order(shuffled)

    one, other = (
        train(each, algorithm="ridge", hyperparameters={}, coverage=0.9, seed=3)
        for each in (data, imported_otherwise)
    )

    assert one.artifact == other.artifact


def test_a_listing_without_a_price_that_can_be_is_set_aside() -> None:
    data = made.listings(600)
    price = data.price.copy()
    price[:7] = [0, -1, np.nan, np.inf, 0, 0, 0]

    trained = train(
        TrainingData(**{**vars(data), "price": price}),
        algorithm="linear_regression",
        hyperparameters={},
        coverage=0.9,
    )

    assert trained.rejected_rows == 7


def test_too_few_listings_are_refused_with_how_many_it_takes() -> None:
    with pytest.raises(InvalidState, match=f"at least {FEWEST_LISTINGS}"):
        train(made.listings(50), algorithm="ridge", hyperparameters={}, coverage=0.9)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(Invalid, match="ridge"):
        train(made.listings(), algorithm="oracle", hyperparameters={}, coverage=0.9)


def test_progress_rises_to_the_end_and_names_its_stages() -> None:
    told: list[tuple[float, str]] = []

    train(
        made.listings(600),
        algorithm="linear_regression",
        hyperparameters={},
        coverage=0.9,
        progress=lambda share, stage: told.append((share, stage)),
    )

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len({stage for _, stage in told}) > 3


def test_progress_that_raises_ends_the_training() -> None:
    class Cancelled(Exception):
        pass

    def cancel(share: float, _stage: str) -> None:
        if share > 0.1:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(
            made.listings(600),
            algorithm="linear_regression",
            hyperparameters={},
            coverage=0.9,
            progress=cancel,
        )


def test_a_linear_model_has_its_coefficients_in_the_open() -> None:
    parameters = made.trained("linear_regression").parameters

    assert parameters is not None
    assert parameters["slopes"]["age_years"] < 0
    assert set(parameters["levels"]["brand"]) == {"peugeot", "renault", "dacia", "bmw"}


def test_boosted_trees_have_no_parameters_in_plain_form() -> None:
    assert made.trained().parameters is None


@pytest.mark.parametrize(("algorithm", "mape"), [("hist_gradient_boosting", 0.11), ("ridge", 0.11)])
def test_the_error_comes_near_to_the_noise_of_the_market(algorithm: str, mape: float) -> None:
    # The made prices scatter by 4 to 16 %, eight in the mean.
    assert made.trained(algorithm).metrics["mape"] < mape


def test_intervals_cover_what_they_promise_in_every_large_group() -> None:
    metrics = made.trained().metrics

    assert 0.85 < metrics["coverage"] < 0.95
    assert all(group["coverage"] > 0.78 for group in metrics["groups"] if group["rows"] >= 50)


def test_a_wider_coverage_has_wider_intervals() -> None:
    narrow, wide = (
        train(made.listings(), algorithm="ridge", hyperparameters={}, coverage=coverage).metrics
        for coverage in (0.5, 0.95)
    )

    assert narrow["relative_width"] < wide["relative_width"] / 2
    assert narrow["coverage"] < wide["coverage"]


def test_intervals_are_wider_where_prices_scatter_more() -> None:
    predictor = made.predictor()
    new, old = (
        made.a_car(release_year=year, mileage_km=km)
        for year, km in ((2025, 14_000), (2014, 168_000))
    )

    def width(car: object) -> float:
        estimate = predictor.estimate([car], on=made.TODAY)[0]
        return float((estimate.high - estimate.low) / estimate.market_price)

    assert width(old) > 1.5 * width(new)


def test_a_model_keeps_what_the_vehicles_looked_like_that_it_learnt_from() -> None:
    features = made.trained().features

    assert set(features) == {*CATEGORIES, *NUMBERS}
    for histogram in features.values():
        assert sum(histogram["shares"]) == pytest.approx(1.0)
