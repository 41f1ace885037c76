"""Histogram gradient boosting on the logarithm of the price: many small trees, the accurate one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ml.algorithms.contract import Progress, State, Vector
from ml.encoding import Encoder, fit_encoder
from ml.features import CATEGORIES, FeatureRow
from ml.trees import Trees


@dataclass(frozen=True, eq=False)
class TreeEstimator:
    """An encoder, and the trees that read what it makes of a row."""

    encoder: Encoder
    trees: Trees

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        return self.trees.predict(self.encoder.matrix(rows))

    def state(self) -> State:
        return State(self.encoder.document(), self.encoder.arrays() | self.trees.arrays())


class HistGradientBoosting:
    """See the module."""

    name = "hist_gradient_boosting"
    summary = "Gradient boosted trees on the logarithm of the price: the most accurate."
    artifact_format = "trees/1"
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "iterations": {
                "type": ["integer", "null"],
                "minimum": 10,
                "maximum": 5000,
                "default": None,
                "description": "Trees; null chooses by the number of listings.",
            },
            "learning_rate": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "maximum": 1,
                "default": None,
                "description": "Step of each tree; null makes all steps together 30.",
            },
            "leaves": {
                "type": "integer",
                "minimum": 2,
                "maximum": 1000,
                "default": 127,
                "description": "Leaves of a tree at most.",
            },
            "l2": {
                "type": "number",
                "minimum": 0,
                "maximum": 10000,
                "default": 30,
                "description": "How strongly leaves of few listings are drawn to zero.",
            },
            "feature_share": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1,
                "default": 0.3,
                "description": "Share of the features that each split may choose from.",
            },
        },
    }

    def fit(
        self,
        rows: Sequence[FeatureRow],
        prices: Vector,
        *,
        hyperparameters: Mapping[str, Any],
        seed: int,
        progress: Progress,
    ) -> TreeEstimator:
        from sklearn.ensemble import HistGradientBoostingRegressor

        from ml.flattening import flatten

        log_price = np.log(prices)
        encoder, matrix = fit_encoder(rows, log_price, seed=seed)
        progress(0.1)
        iterations = hyperparameters["iterations"] or _iterations(len(rows))
        estimator = HistGradientBoostingRegressor(
            max_iter=iterations,
            learning_rate=hyperparameters["learning_rate"] or TOTAL_STEP / iterations,
            max_leaf_nodes=hyperparameters["leaves"],
            l2_regularization=hyperparameters["l2"],
            max_features=hyperparameters["feature_share"],
            categorical_features=[name in CATEGORIES for name in encoder.columns],
            monotonic_cst=[-1 if name in NEVER_RISES_WITH else 0 for name in encoder.columns],
            early_stopping=False,
            random_state=seed,
        )
        estimator.fit(matrix, log_price)
        progress(1.0)
        return TreeEstimator(encoder, flatten(estimator))

    def rebuild(self, state: State) -> TreeEstimator:
        return TreeEstimator(
            Encoder.rebuild(state.document, state.arrays), Trees.rebuild(state.arrays)
        )

    def parameters(self, estimator: TreeEstimator) -> None:  # noqa: ARG002 - trees have none
        return None


TOTAL_STEP = 30.0
"""Iterations times learning rate: with many small steps the accuracy hangs on their product."""

NEVER_RISES_WITH = ("mileage_km",)


def _iterations(listings: int) -> int:
    """Enough small steps for the accuracy that so many listings allow."""
    return int(np.clip(listings // 60, 200, 1200))
