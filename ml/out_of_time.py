"""How a model fares on what comes after it: trained on older listings, measured on newer ones.

The unseen listings that versions are compared on are of the same days as those that were learnt
from. A model in service estimates on days that nobody has seen, so where the dates allow it the
same algorithm is fitted once more, to all but the newest listings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ml.algorithms.contract import Algorithm
from ml.dataset import TrainingData
from ml.features import rows_of

NEWEST_SHARE = 0.2
SHORTEST_DAYS = 60
"""Listings of fewer days say little about time."""

FEWEST_BEFORE, FEWEST_AFTER = 200, 50


def measured(
    algorithm: Algorithm,
    hyperparameters: Mapping[str, Any],
    seen: TrainingData,
    unseen: TrainingData,
    *,
    seed: int,
) -> dict[str, Any] | None:
    """The error on the newest of the unseen listings, learnt from the seen ones before them.

    Returns:
        ``observed_from`` (the first day that was estimated, ISO 8601), ``rows``, ``mape``,
        ``median_ape``; None where the listings span too short a time or are too few.
    """
    day = _first_of_newest(seen)
    if day is None:
        return None
    before, after = seen.take(seen.observed_on < day), unseen.take(unseen.observed_on >= day)
    if before.rows < FEWEST_BEFORE or after.rows < FEWEST_AFTER:
        return None
    estimator = algorithm.fit(
        rows_of(before),
        before.price,
        hyperparameters=hyperparameters,
        seed=seed,
        progress=lambda _share: None,
    )
    error = np.abs(np.exp(estimator.log_prices(rows_of(after))) - after.price) / after.price
    return {
        "observed_from": str(day),
        "rows": after.rows,
        "mape": float(error.mean()),
        "median_ape": float(np.median(error)),
    }


def _first_of_newest(listings: TrainingData) -> np.datetime64 | None:
    days = np.sort(listings.observed_on)
    if not len(days) or days[-1] - days[0] < np.timedelta64(SHORTEST_DAYS, "D"):
        return None
    first: np.datetime64 = days[int(len(days) * (1 - NEWEST_SHARE))]
    return first
