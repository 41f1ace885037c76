"""A model version as a scikit-learn estimator, for notebooks and pipelines of data scientists.

Files of it are made with ``joblib``. Reading such a file runs what is in it, so it goes out only
and never comes back in: ``ml.exchange`` is the form that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from ml.algorithms.contract import Vector
from ml.features import CATEGORIES, NUMBERS, FeatureRow
from ml.predictor import Predictor

COLUMNS = (*CATEGORIES, *NUMBERS)


class PriceEstimator(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Prices of vehicles in a data frame, the very same that the server gives.

    ``X`` has the columns ``brand``, ``model``, ``fuel``, ``age_years`` and ``mileage_km``, and may
    have ``version``, ``gearbox``, ``horsepower``, ``engine_cc`` and ``doors``, with None or NaN
    where one is not known. Any object will do that gives a column by its name: a data frame of
    pandas or Polars, or a dict of lists. It is trained already and cannot be fitted.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Vector:  # noqa: N803 - scikit-learn's name
        """The market price of each vehicle in the market's currency, shape (n_vehicles,)."""
        return np.exp(self.predictor.log_bounds(_rows(X))[0])

    def predict_interval(self, X: Any) -> tuple[Vector, Vector]:  # noqa: N803
        """Low and high of each vehicle's interval, each of shape (n_vehicles,)."""
        _, low, high = self.predictor.log_bounds(_rows(X))
        return np.exp(low), np.exp(high)


def _rows(table: Any) -> list[FeatureRow]:
    there = set(getattr(table, "columns", table))
    count = len(table["brand"])
    columns = [list(table[name]) if name in there else [None] * count for name in COLUMNS]
    return [_row(values) for values in zip(*columns, strict=True)]


def _row(values: Sequence[Any]) -> FeatureRow:
    brand, model, version, fuel, gearbox = ("" if _is_missing(v) else str(v) for v in values[:5])
    numbers = (np.nan if _is_missing(value) else float(value) for value in values[5:])
    brand, model = brand.strip().casefold(), model.strip().casefold()
    return FeatureRow(
        brand, f"{brand} {model}", version.strip().casefold(), fuel, gearbox, *numbers
    )


def _is_missing(value: Any) -> bool:
    return value is None or value != value
