"""Price intervals that keep their coverage, overall and in each part of the market.

Normalised split-conformal prediction (Lei et al., 2018, section 5.2): the half-width on the
logarithm of the price is ``quantile * spread(vehicle)``. The spread is learnt from errors on
listings that the estimator had not seen; the quantile comes from further listings, so that the
share of prices inside the interval is right whatever the spread is worth.

Two corrections follow, each of what the calibration listings show: by brand and fuel, and by how
dear a vehicle is, since what turns out dear was rarely expected to.

The spread does not depend on mileage, and hangs on the estimate but gently: both ends of an
interval then fall with mileage as the estimate does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.algorithms.contract import State, Vector
from ml.curves import Matrix
from ml.encoding import Encoder, fit_encoder
from ml.features import FeatureRow, per_specification
from ml.trees import Trees

SMALLEST_ERROR = 0.02
"""No error counts for less, and no spread is below, on the logarithm: being right by chance proves
nothing."""

LEVELS = 10
"""Equal parts of the market, from cheap to dear, that are corrected each for itself."""

GROUP_WEIGHT = 20.0
"""A brand's vehicles of one fuel count for themselves as far as they are more than this many."""

ONE_SIDED = 1.64
"""Standard errors on the safe side, 95 % of a normal distribution: of a small group the quantile is
only roughly known, and its interval must hold all the same."""

SPREAD_QUANTILE = 0.9
"""Of the error's size: what intervals are for lies in the tails."""
SPREAD_TREES = 120


@dataclass(frozen=True, eq=False)
class Interval:
    """How far the price of a vehicle may lie from its estimate.

    Attributes:
        quantile: the half-width in units of the spread.
        groups: by brand and fuel, a factor on the spread; 1 where there is none.
        levels: a factor on the spread by the logarithm of the estimate: where it holds, rising,
            and how large it is; linear between, and level beyond.
        encoder, trees: the spread, before the factors.
    """

    quantile: float
    groups: Mapping[str, float]
    levels: tuple[Vector, Vector]
    encoder: Encoder
    trees: Trees

    def half_widths(self, rows: Sequence[FeatureRow], log_prices: Vector) -> Vector:
        """Half the interval on the logarithm of the price, shape (n_rows,).

        Args:
            log_prices: the estimates, of the same shape.
        """
        return self.quantile * self.spreads(rows) * np.interp(log_prices, *self.levels)

    def spreads(self, rows: Sequence[FeatureRow]) -> Vector:
        """The expected size of the error, but for price level and a factor common to all."""
        spreads = self.trees.predict(_without_mileage(self.encoder, self.encoder.matrix(rows)))
        factors = per_specification(rows, lambda row: self.groups.get(group_of(row), 1.0))
        return np.asarray(np.maximum(spreads, SMALLEST_ERROR) * factors)

    def state(self) -> State:
        """What ``rebuild`` makes it from."""
        document = {
            "quantile": self.quantile,
            "groups": dict(self.groups),
            "levels": [level.tolist() for level in self.levels],
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
            levels=_sound_levels(*document["levels"]),
            encoder=Encoder.rebuild(document["encoder"], state.arrays),
            trees=Trees.rebuild(state.arrays),
        )


def fit_interval(
    rows: Sequence[FeatureRow], log_price: Vector, errors: Vector, *, seed: int
) -> Interval:
    """Learn the spread; nothing corrects it until ``calibrated``.

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
    return Interval(1.0, {}, (np.zeros(1), np.ones(1)), encoder, trees)


def calibrated(
    interval: Interval,
    rows: Sequence[FeatureRow],
    log_price: Vector,
    expected: Vector,
    *,
    coverage: float,
) -> Interval:
    """The interval with the quantile that covers this share of listings not seen so far.

    Args:
        expected: the estimate of each logarithm of a price, shape (n_rows,).
        coverage: above 0 and below 1.
    """
    errors = np.abs(log_price - expected)
    scores = errors / interval.spreads(rows)
    grouped = replace(interval, groups=_group_factors(rows, scores, coverage))
    scores = errors / grouped.spreads(rows)
    levelled = replace(grouped, levels=_level_factors(log_price, expected, scores, coverage))
    scores = np.sort(errors / levelled.half_widths(rows, expected))
    # The finite-sample rank of split-conformal prediction.
    rank = math.ceil((len(scores) + 1) * coverage)
    return replace(levelled, quantile=float(scores[min(rank, len(scores)) - 1]))


def group_of(row: FeatureRow) -> str:
    """The part of the market for which coverage is watched: a brand's vehicles of one fuel."""
    return f"{row.brand}|{row.fuel}"


def _group_factors(rows: Sequence[FeatureRow], scores: Vector, coverage: float) -> dict[str, float]:
    """What each group's spread is off by, drawn towards 1 where the group is small.

    The rank is the upper confidence bound of the quantile's (Vovk, 2012, on coverage that holds
    for the calibration listings at hand), not its expectation.
    """
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(group_of(row), []).append(index)
    usual = float(np.quantile(scores, coverage))
    if not usual:
        return {}
    return {
        group: (float(np.quantile(scores[which], _safe_share(coverage, len(which)))) / usual)
        ** (len(which) / (len(which) + GROUP_WEIGHT))
        for group, which in sorted(groups.items())
    }


def _level_factors(
    log_price: Vector, expected: Vector, scores: Vector, coverage: float
) -> tuple[Vector, Vector]:
    """What the spread is off by where vehicles turned out cheap or dear, by their estimate."""
    usual = float(np.quantile(scores, coverage))
    parts = np.array_split(np.argsort(log_price, kind="stable"), min(LEVELS, len(log_price)))
    at = np.maximum.accumulate([np.median(expected[part]) for part in parts])
    if not usual:
        return at, np.ones(len(at))
    off = [
        float(np.quantile(scores[part], _safe_share(coverage, len(part)))) / usual for part in parts
    ]
    # No steeper than the price: the ends of an interval must not cross those of a dearer vehicle.
    for place in range(1, len(off)):
        gap = float(at[place] - at[place - 1])
        off[place] = min(max(off[place], off[place - 1] - gap), off[place - 1] + gap)
    return at, np.array(off)


def _sound_levels(at: Sequence[float], factors: Sequence[float]) -> tuple[Vector, Vector]:
    levels = np.array(at, dtype=np.float64), np.array(factors, dtype=np.float64)
    if levels[0].ndim != 1 or levels[0].shape != levels[1].shape or not len(levels[0]):
        raise ValueError("the price levels do not fit together")
    return levels


def _safe_share(coverage: float, count: int) -> float:
    error = math.sqrt(coverage * (1 - coverage) / count)
    return min(coverage + ONE_SIDED * error, count / (count + 1))


def _without_mileage(encoder: Encoder, matrix: Matrix) -> NDArray[np.float64]:
    if "mileage_km" in encoder.columns:
        matrix[:, encoder.columns.index("mileage_km")] = 0.0
    return matrix
