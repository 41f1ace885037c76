"""Histogram gradient boosting on the logarithm of the price: many small trees, the accurate one.

The trees do not learn the price but what it differs by from an anchor: the depreciation curve of
the vehicle's specification, less most of what its kilometres take off. What is smooth need not be
put together from steps, so fewer trees do better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from joblib import Parallel, delayed

from ml.algorithms.contract import Progress, State, Vector
from ml.curves import Matrix
from ml.encoding import CURVES, FEW_ROWS, Encoder, fit_encoder
from ml.features import FeatureRow, FeatureTable, table_of
from ml.trees import Trees
from ml.wear import Wear, fit_wear

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

NEVER_RISES_WITH = ("mileage_km",)

REACH = 0.12
"""How far, on the logarithm, a price may pull from what was expected of it."""

ANCHORED_WEAR = 0.6
"""The share of the wear that is in the anchor. The trees may only take more off, never give back:
with all of it there, a vehicle whose price falls slower could not be told."""

MEMBERS = 2
"""Sets of trees of which an estimate is the mean. Each has learnt from curves that were drawn with
other listings held out, and errs a little otherwise."""


@dataclass(frozen=True, eq=False)
class TreeEstimator:
    """An encoder, the wear, and the trees that read what the encoder makes of a row."""

    encoder: Encoder
    wear: Wear
    trees: Trees

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        rows = rows if len(rows) <= FEW_ROWS else table_of(rows)
        matrix = self.encoder.matrix(rows)
        # What the trees start from.
        anchor = _curve(self.encoder, matrix) + ANCHORED_WEAR * self.wear.taken_off(rows)
        return np.asarray(self.trees.predict(matrix) + anchor)

    def state(self) -> State:
        return State(
            {"encoder": self.encoder.document(), "wear": self.wear.document()},
            self.encoder.arrays() | self.trees.arrays(),
        )


class HistGradientBoosting:
    """See the module."""

    name = "hist_gradient_boosting"
    summary = "Gradient boosted trees on the logarithm of the price: the most accurate."
    artifact_format = "trees/4"
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "iterations": {
                "type": ["integer", "null"],
                "minimum": 10,
                "maximum": 5000,
                "default": None,
                "description": "Trees in all; null chooses by the number of listings.",
            },
            "learning_rate": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "maximum": 1,
                "default": None,
                "description": "Step of each tree; null chooses by the number of listings.",
            },
            "leaves": {
                "type": "integer",
                "minimum": 2,
                "maximum": 1000,
                "default": 63,
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
                "default": 0.5,
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
        expected: Vector | None = None,
    ) -> TreeEstimator:
        from ml.flattening import flatten

        table, log_price = table_of(rows), np.log(prices)
        wear = fit_wear(table, log_price)
        worn = wear.taken_off(table)
        target = log_price if expected is None else _within_reach(log_price, expected)
        member = partial(
            _member,
            table,
            target - worn,
            target - ANCHORED_WEAR * worn,
            hyperparameters=hyperparameters,
        )
        progress(0.05)
        if expected is None:
            # What but tells what to expect of others need not be the best.
            fitted = [member(seed=seed)]
        else:
            fitted = Parallel(n_jobs=-1, prefer="threads")(
                delayed(member)(seed=seed + each) for each in range(MEMBERS)
            )
        progress(1.0)
        encoder = fitted[0][0]
        return TreeEstimator(encoder, wear, flatten(*(booster for _, booster in fitted)))

    def rebuild(self, state: State) -> TreeEstimator:
        return TreeEstimator(
            Encoder.rebuild(state.document["encoder"], state.arrays),
            Wear.rebuild(state.document["wear"]),
            Trees.rebuild(state.arrays),
        )

    def parameters(self, estimator: TreeEstimator) -> None:  # noqa: ARG002 - trees have none
        return None


def _member(
    table: FeatureTable,
    unworn: Vector,
    target: Vector,
    *,
    hyperparameters: Mapping[str, Any],
    seed: int,
) -> tuple[Encoder, HistGradientBoostingRegressor]:
    """One set of trees, and the encoder of what it reads, which is the same for every seed.

    Args:
        unworn: what each vehicle would cost before its first kilometre: curves of that have less
            scatter, shape (n_rows,).
        target: what curve and trees are to add up to, shape (n_rows,).
    """
    from ml.flattening import boosted

    encoder, matrix = fit_encoder(table, unworn, seed=seed)
    iterations = -(-(hyperparameters["iterations"] or _iterations(len(table))) // MEMBERS)
    return encoder, boosted(
        matrix,
        target - _curve(encoder, matrix),
        columns=encoder.columns,
        never_rises_with=NEVER_RISES_WITH,
        seed=seed,
        max_iter=iterations,
        learning_rate=hyperparameters["learning_rate"] or _total_step(len(table)) / iterations,
        max_leaf_nodes=hyperparameters["leaves"],
        l2_regularization=hyperparameters["l2"],
        max_features=hyperparameters["feature_share"],
    )


def _curve(encoder: Encoder, matrix: Matrix) -> Vector:
    """Of each vehicle's specification, at its age, shape (n_rows,)."""
    return matrix[:, encoder.columns.index(CURVES[-1])]


def _iterations(listings: int) -> int:
    """As many small steps as the listings have something to teach for."""
    return int(np.clip(listings // 140, 250, 400))


def _total_step(listings: int) -> float:
    """Iterations times learning rate: with many small steps the accuracy hangs on their product."""
    return float(np.clip(15 + listings / 4000, 15, 30))


def _within_reach(log_price: Vector, expected: Vector) -> Vector:
    """Prices that lie far from what was expected of them, drawn nearer.

    Squared errors chase the few listings that are mistyped or have what no field tells. This brings
    the mean near the median, by which percentage errors are judged.
    """
    return np.asarray(expected + np.clip(log_price - expected, -REACH, REACH))
