import numpy as np
import pytest

from ml.conformal import Interval, calibrated, fit_interval, group_of
from ml.features import FeatureRow, rows_of
from tests.ml import made


@pytest.fixture(scope="module")
def rows() -> list[FeatureRow]:
    return rows_of(made.listings(6000, seed=4))


def prices_and_estimates(rows: list[FeatureRow], *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates that err more for one small group and for dear cars, and the true logarithms."""
    draw = np.random.default_rng(seed)
    expected = np.array([10 - 0.1 * row.age_years for row in rows])
    spread = np.where([row.brand == "dacia" for row in rows], 0.3, 0.1)
    spread = spread * np.where(expected > np.quantile(expected, 0.9), 2, 1)
    return expected + draw.normal(0, spread), expected


@pytest.fixture(scope="module")
def interval(rows: list[FeatureRow]) -> Interval:
    """Learnt from one half of the rows, calibrated on the other."""
    log_price, expected = prices_and_estimates(rows, seed=1)
    learnt = fit_interval(rows[::2], log_price[::2], (log_price - expected)[::2], seed=0)
    return calibrated(learnt, rows[1::2], log_price[1::2], expected[1::2], coverage=0.9)


def test_nine_in_ten_prices_that_were_never_seen_lie_inside(
    rows: list[FeatureRow], interval: Interval
) -> None:
    log_price, expected = prices_and_estimates(rows, seed=2)

    inside = np.abs(log_price - expected) <= interval.half_widths(rows, expected)

    assert 0.88 < inside.mean() < 0.93


def test_they_do_so_in_each_group_and_at_each_price_level(
    rows: list[FeatureRow], interval: Interval
) -> None:
    log_price, expected = prices_and_estimates(rows, seed=3)
    inside = np.abs(log_price - expected) <= interval.half_widths(rows, expected)
    groups = np.array([group_of(row) for row in rows])

    by_group = [inside[groups == group].mean() for group in set(groups)]
    by_level = [inside[tenth].mean() for tenth in np.array_split(np.argsort(log_price), 10)]

    assert min(by_group) > 0.86
    assert min(by_level) > 0.82


def test_the_ends_of_an_interval_do_not_cross_those_of_a_dearer_vehicle(
    rows: list[FeatureRow], interval: Interval
) -> None:
    estimates = np.linspace(5, 12, 500)

    half = interval.half_widths([rows[0]] * len(estimates), estimates)

    assert (np.diff(estimates - half) > 0).all()
    assert (np.diff(estimates + half) > 0).all()


def test_it_is_rebuilt_from_its_state(rows: list[FeatureRow], interval: Interval) -> None:
    rebuilt = Interval.rebuild(interval.state())

    estimates = np.full(len(rows), 9.5)
    assert (
        rebuilt.half_widths(rows, estimates).tobytes()
        == interval.half_widths(rows, estimates).tobytes()
    )
