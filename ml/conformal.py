"""Price intervals that keep their coverage, overall and in each part of the market.

Normalised split-conformal prediction (Lei et al., 2018, section 5.2): the half-width on the
logarithm of the price is ``quantile * spread(vehicle)``. The spread is learnt from errors on
listings that the estimator had not seen; the quantile comes from further listings, so that the
share of prices inside the interval is right whatever the spread is worth.

The spread does not depend on mileage: both ends of an interval then fall with mileage as the
estimate does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.algorithms.contract import State, Vector
from ml.encoding import Encoder, Matrix, fit_encoder
from ml.features import FeatureRow
from ml.trees import Trees

SMALLEST_ERROR = 0.02
"""No error counts for less, and no spread is below, on the logarithm: being right by chance proves
nothing."""

GROUP_WEIGHT = 200.0
"""A brand's vehicles of one fuel count for themselves as far as they are more than this many."""

SPREAD_QUANTILE = 0.9
"""Of the error's size: what intervals are for lies in the tails."""
SPREAD_TREES = 120


@dataclass(frozen=True, eq=False)
class Interval:
    """How far the price of a vehicle may lie from its estimate.

    Attributes:
        quantile: the half-width in units of the spread.
        groups: by brand and fuel, a factor on the spread; 1 where there is none.
        encoder, trees: the spread, before the factor.
    """

    quantile: float
    groups: Mapping[str, float]
    encoder: Encoder
    trees: Trees

    def half_widths(self, rows: Sequence[FeatureRow]) -> Vector:
        """Half the interval on the logarithm of the price, shape (n_rows,)."""
        return self.quantile * self.spreads(rows)

    def spreads(self, rows: Sequence[FeatureRow]) -> Vector:
        """The expected size of the error, but for a factor common to all, shape (n_rows,)."""
        spreads = self.trees.predict(_without_mileage(self.encoder, self.encoder.matrix(rows)))
        factors = np.array([self.groups.get(group_of(row), 1.0) for row in rows])
        return np.asarray(np.maximum(spreads, SMALLEST_ERROR) * factors)

    def state(self) -> State:
        """What ``rebuild`` makes it from."""
        document = {
            "quantile": self.quantile,
            "groups": dict(self.groups),
            "encoder": self.encoder.document(),
        }
        return State(document, self.encoder.arrays() | self.trees.arrays())

    @classmethod
    def rebuild(cls, state: State) -> Interval:
        """The interval that ``state`` came from.

        Raises:
            KeyError, TypeError, ValueError: it is none of an interval.
        """
        document: Mapping[str, Any] = state.document
        return cls(
            quantile=float(document["quantile"]),
            groups={group: float(factor) for group, factor in document["groups"].items()},
            encoder=Encoder.rebuild(document["encoder"], state.arrays),
            trees=Trees.rebuild(state.arrays),
        )


def fit_interval(
    rows: Sequence[FeatureRow], log_price: Vector, errors: Vector, *, seed: int
) -> Interval:
    """Learn the spread; its quantile is 1 until ``calibrated``.

    Args:
        errors: the logarithm of the price less its estimate, each by an estimator that had not
            seen the listing, shape (n_rows,).
    """
    from ml.flattening import fit_trees

    encoder, matrix = fit_encoder(rows, log_price, seed=seed)
    matrix = _without_mileage(encoder, matrix)
    trees = fit_trees(
        matrix,
        np.maximum(np.abs(errors), SMALLEST_ERROR),
        columns=encoder.columns,
        seed=seed,
        loss="quantile",
        quantile=SPREAD_QUANTILE,
        max_iter=SPREAD_TREES,
        learning_rate=0.06,
        max_leaf_nodes=31,
        min_samples_leaf=min(50, max(5, len(rows) // 20)),
        l2_regularization=20,
        max_features=0.5,
    )
    interval = Interval(1.0, {}, encoder, trees)
    factors = _group_factors(rows, np.abs(errors) / interval.spreads(rows))
    return Interval(1.0, factors, encoder, trees)


def calibrated(
    interval: Interval, rows: Sequence[FeatureRow], errors: Vector, *, coverage: float
) -> Interval:
    """The interval with the quantile that covers this share of listings not seen so far.

    Args:
        errors: the logarithm of each price less its estimate, shape (n_rows,).
        coverage: above 0 and below 1.
    """
    # This estimator errs less than those that the spread was learnt from, and not everywhere by as
    # much: the groups are looked at again.
    again = _group_factors(rows, np.abs(errors) / interval.spreads(rows))
    groups = {
        group: interval.groups.get(group, 1.0) * again.get(group, 1.0)
        for group in sorted({*interval.groups, *again})
    }
    interval = Interval(1.0, groups, interval.encoder, interval.trees)
    scores = np.sort(np.abs(errors) / interval.spreads(rows))
    # The finite-sample rank of split-conformal prediction.
    rank = math.ceil((len(scores) + 1) * coverage)
    quantile = float(scores[min(rank, len(scores)) - 1])
    return Interval(quantile, groups, interval.encoder, interval.trees)


def group_of(row: FeatureRow) -> str:
    """The part of the market for which coverage is watched: a brand's vehicles of one fuel."""
    return f"{row.brand}|{row.fuel}"


def _group_factors(rows: Sequence[FeatureRow], scores: Vector) -> dict[str, float]:
    """What each group's spread is off by, drawn towards 1 where the group is small."""
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(group_of(row), []).append(index)
    usual = float(np.quantile(scores, 0.9))
    return {
        group: (float(np.quantile(scores[which], 0.9)) / usual)
        ** (len(which) / (len(which) + GROUP_WEIGHT))
        for group, which in sorted(groups.items())
    }


def _without_mileage(encoder: Encoder, matrix: Matrix) -> NDArray[np.float64]:
    if "mileage_km" in encoder.columns:
        matrix[:, encoder.columns.index("mileage_km")] = 0.0
    return matrix
