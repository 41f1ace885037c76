"""What a data scientist wants to see of a model version, measured on the listings it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import algorithms
from ml.algorithms.contract import Algorithm, Vector
from ml.dataset import Part, TrainingData, without_repeats
from ml.evaluation import evaluate
from ml.explanation import FEATURES, Feature
from ml.features import FeatureRow, rows_of
from ml.predictor import Predictor

LEARNING_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
MOST_SHUFFLED = 5_000
"""Listings that the importance of a feature is measured on: more do not change its rank."""

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Findings:
    """A model version, measured.

    Attributes:
        price, estimate, low, high: of the unseen listings, in the market's currency, shape
            (n_listings,).
        metrics: of ``ml.evaluation``, measured now.
        by_level: coverage in equal parts of the unseen listings, from the cheapest to the dearest.
        importance: by feature, the points of mean error that shuffling it adds, largest first.
        learning: listings learnt from, and the mean error on the unseen ones; empty where that was
            not asked for.
        same_listings: whether they are still those that the version was trained and measured on.
    """

    price: Vector
    estimate: Vector
    low: Vector
    high: Vector
    metrics: Mapping[str, Any]
    by_level: Sequence[float]
    importance: Sequence[tuple[str, float]]
    learning: Sequence[tuple[int, float]]
    same_listings: bool


def examine(
    predictor: Predictor,
    data: TrainingData,
    *,
    data_sha256: str,
    hyperparameters: Mapping[str, Any],
    with_learning: bool,
    seed: int = 0,
    progress: Progress = lambda _stage: None,
) -> Findings:
    """Measure a version on listings of its market.

    Args:
        data: those it was trained on, or as many of them as there still are.
        data_sha256: the fingerprint of those it was trained on.
        with_learning: train it again on shares of the listings, which takes about as long as its
            training did.
    """
    usable = without_repeats(data)
    unseen, seen = usable.part(Part.TEST), usable.part(Part.TRAIN)
    progress("Measuring on unseen listings")
    estimate, low, high = (np.exp(each) for each in predictor.log_bounds(rows_of(unseen)))
    progress("Shuffling one feature after the other")
    importance = _importance(predictor, unseen, seed=seed)
    learning: list[tuple[int, float]] = []
    for share in LEARNING_SHARES if with_learning else ():
        progress(f"Learning from {share:.0%} of the listings")
        chosen = algorithms.get(predictor.algorithm)
        learning.append(_learnt(chosen, hyperparameters, seen, unseen, share=share, seed=seed))
    return Findings(
        unseen.price,
        estimate,
        low,
        high,
        evaluate(predictor, unseen),
        _coverage_by_level(unseen.price, low, high),
        importance,
        learning,
        same_listings=data.fingerprint() == data_sha256,
    )


def _mape(price: Vector, log_estimate: Vector) -> float:
    return float(np.mean(np.abs(np.exp(log_estimate) - price) / price)) if len(price) else 0.0


def _coverage_by_level(price: Vector, low: Vector, high: Vector) -> list[float]:
    inside: NDArray[np.bool_] = (low <= price) & (price <= high)
    tenths = np.array_split(np.argsort(price, kind="stable"), 10)
    return [float(inside[tenth].mean()) for tenth in tenths if len(tenth)]


def _importance(
    predictor: Predictor, unseen: TrainingData, *, seed: int
) -> list[tuple[str, float]]:
    """Permutation importance (Breiman, 2001) of each feature on listings the model never saw."""
    draw = np.random.default_rng(seed)
    chosen = draw.permutation(unseen.rows)[:MOST_SHUFFLED]
    rows, price = rows_of(unseen.take(chosen)), unseen.price[chosen]
    usual = _mape(price, predictor.estimator.log_prices(rows))
    effects = [
        (
            feature.name,
            _mape(price, predictor.estimator.log_prices(_shuffled(rows, feature, draw))) - usual,
        )
        for feature in FEATURES
    ]
    return sorted(effects, key=lambda each: -each[1])


def _shuffled(
    rows: Sequence[FeatureRow], feature: Feature, draw: np.random.Generator
) -> list[FeatureRow]:
    others = [rows[each] for each in draw.permutation(len(rows))]
    return [
        row._replace(**{part: getattr(other, part) for part in feature.parts})
        for row, other in zip(rows, others, strict=True)
    ]


def _learnt(
    algorithm: Algorithm,
    hyperparameters: Mapping[str, Any],
    seen: TrainingData,
    unseen: TrainingData,
    *,
    share: float,
    seed: int,
) -> tuple[int, float]:
    count = max(1, round(seen.rows * share))
    chosen = seen.take(np.sort(np.random.default_rng(seed).permutation(seen.rows)[:count]))
    estimator = algorithm.fit(
        rows_of(chosen),
        chosen.price,
        hyperparameters=hyperparameters,
        seed=seed,
        progress=lambda _share: None,
    )
    return count, _mape(unseen.price, estimator.log_prices(rows_of(unseen)))
