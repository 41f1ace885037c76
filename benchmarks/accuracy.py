"""Accuracy and coverage of every algorithm on unseen listings of the UK market, beside its peers.

    python -m benchmarks.accuracy [--rows N]

The peers are fitted in the same run to the same listings, and measured on the same unseen fifth:
scikit-learn's default gradient boosting with native categories, on the price and on its logarithm,
and LightGBM tuned for this market (``uv sync --group benchmarks``). The intervals stand beside
those of quantile regression, conformalised (Romano et al., 2019) to the coverage of ours there.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.uk_market import uk_listings
from ml import algorithms, artifact
from ml.dataset import Part, TrainingData, parts, without_repeats
from ml.encoding import fit_encoder
from ml.features import CATEGORIES, rows_of
from ml.training import train

KEY = b"benchmark"
SMALLEST_GROUP = 100

Matrix = NDArray[np.float64]


def main() -> None:
    """Print one line per contender, then the coverage of the intervals."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, help="use only so many listings")
    arguments.add_argument("--only", help="measure this algorithm alone, and no peers")
    chosen = arguments.parse_args()
    listings = uk_listings(limit=chosen.rows)
    print(f"{listings.rows} listings, unseen: {listings.part(Part.TEST).rows}\n")
    print(f"{'contender':34} {'MAPE':>7} {'seconds':>8}")
    if not chosen.only:
        for name, fit in peers():
            report_peer(name, fit, without_repeats(listings))
    for name in [chosen.only] if chosen.only else algorithms.names():
        coverage = report(name, listings)
    width = quantile_width(listings, coverage)
    print(f"quantile regression, made to cover {coverage:.1%}: mean width {width:.1%}")


def report(name: str, listings: TrainingData) -> float:
    """Train one of Forecourt's algorithms, and print how good its prices and intervals are.

    Returns:
        The share of unseen prices that its intervals hold.
    """
    started = time.perf_counter()
    trained = train(listings, algorithm=name, hyperparameters={}, coverage=0.9)
    seconds = time.perf_counter() - started
    metrics = trained.metrics
    print(f"{'forecourt ' + name:34} {metrics['mape']:7.2%} {seconds:8.1f}")
    groups = [group for group in metrics["groups"] if group["rows"] >= SMALLEST_GROUP]
    if groups:
        worst = min(groups, key=lambda group: group["coverage"])
        print(
            f"    coverage {metrics['coverage']:.1%}, mean width {metrics['relative_width']:.1%}; "
            f"worst group {worst['brand']} {worst['fuel']} {worst['coverage']:.1%}"
        )
    tenths = coverage_by_price_tenth(trained.artifact, listings)
    print("    by price tenth " + " ".join(f"{tenth:.1%}" for tenth in tenths), flush=True)
    return float(metrics["coverage"])


def coverage_by_price_tenth(content: bytes, listings: TrainingData) -> list[float]:
    """Coverage on unseen listings in ten equal parts, from the cheapest to the dearest."""
    predictor = artifact.load(content, signature=artifact.sign(content, KEY), key=KEY)
    unseen = without_repeats(listings).part(Part.TEST)
    _, low, high = predictor.log_bounds(rows_of(unseen))
    price = np.log(unseen.price)
    covered = (low <= price) & (price <= high)
    tenths = np.array_split(np.argsort(price, kind="stable"), 10)
    return [float(covered[tenth].mean()) for tenth in tenths]


def peers() -> Iterator[tuple[str, Callable[[Matrix, Matrix, Matrix], Matrix]]]:
    """The contenders by name: what fits and then estimates logarithms of prices."""
    yield "scikit-learn default, raw price", lambda *rows: np.log(default_boosting(*rows, raw=True))
    yield "scikit-learn default, log price", default_boosting
    if importlib.util.find_spec("lightgbm"):
        yield "LightGBM tuned, log price", tuned_lightgbm
    else:
        print("LightGBM is not installed: it is left out")


def report_peer(
    name: str, fit: Callable[[Matrix, Matrix, Matrix], Matrix], listings: TrainingData
) -> None:
    """Fit a peer to what is not unseen, and print how good it is on what is."""
    unseen = parts(listings) == Part.TEST
    matrix, log_price = plain_matrix(listings), np.log(listings.price)
    started = time.perf_counter()
    estimate = np.exp(fit(matrix[~unseen], log_price[~unseen], matrix[unseen]))
    price = listings.price[unseen]
    mape = float(np.mean(np.abs(estimate - price) / price))
    print(f"{name:34} {mape:7.2%} {time.perf_counter() - started:8.1f}")


def quantile_width(listings: TrainingData, coverage: float) -> float:
    """The mean relative width of quantile regression's intervals, moved to hold this share.

    It reads what the trees of Forecourt read. It may learn from all that is not unseen, and is
    moved on the unseen listings themselves: more than a conformal step could give it.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    usable = without_repeats(listings)
    unseen = parts(usable) == Part.TEST
    seen = usable.take(~unseen)
    log_price = np.log(usable.price[unseen])
    encoder, matrix = fit_encoder(rows_of(seen), np.log(seen.price), seed=0)
    bounds = []
    for quantile in (0.05, 0.95):
        estimator = HistGradientBoostingRegressor(
            loss="quantile", quantile=quantile, max_iter=400, learning_rate=0.06,
            max_leaf_nodes=63, l2_regularization=20, max_features=0.5, random_state=0,
            categorical_features=[name in CATEGORIES for name in encoder.columns],
        )  # fmt: skip
        estimator.fit(matrix, np.log(seen.price))
        bounds.append(estimator.predict(encoder.matrix(rows_of(usable.take(unseen)))))
    low, high = np.minimum(*bounds), np.maximum(*bounds)
    margin = np.quantile(np.maximum(low - log_price, log_price - high), coverage)
    width = np.exp(high + margin) - np.exp(low - margin)
    return float(np.mean(width / usable.price[unseen]))


def plain_matrix(listings: TrainingData) -> Matrix:
    """Brand, model, fuel, gearbox as codes; age, mileage and engine as they are."""
    rows = rows_of(listings)
    words = np.array([row.words for row in rows])
    numbers = np.array([row.numbers for row in rows])
    codes = [np.unique(words[:, place], return_inverse=True)[1] for place in (0, 1, 3, 4)]
    return np.column_stack([*codes, numbers[:, :2], numbers[:, 3]]).astype(np.float64)


def default_boosting(
    matrix: Matrix, log_price: Matrix, unseen: Matrix, *, raw: bool = False
) -> Matrix:
    """scikit-learn as it comes."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    estimator = HistGradientBoostingRegressor(categorical_features=[0, 1, 2, 3], random_state=0)
    target = np.exp(log_price) if raw else log_price
    return np.asarray(estimator.fit(matrix, target).predict(unseen))


def tuned_lightgbm(matrix: Matrix, log_price: Matrix, unseen: Matrix) -> Matrix:
    """LightGBM with the settings that did best on other rows of this market."""
    import lightgbm

    settings = {
        "objective": "l2", "num_leaves": 127, "learning_rate": 0.025, "lambda_l2": 30,
        "feature_fraction_bynode": 0.3, "cat_smooth": 1, "cat_l2": 0, "max_cat_threshold": 255,
        "verbose": -1, "seed": 0,
    }  # fmt: skip
    rows = lightgbm.Dataset(matrix, log_price, categorical_feature=[0, 1, 2, 3])
    return np.asarray(lightgbm.train(settings, rows, 1200).predict(unseen))


if __name__ == "__main__":
    main()
