"""How far the vehicles that are priced now differ from those that a model version learnt from.

Training keeps a histogram of each feature. The population stability index compares it with that of
the vehicles asked for of late: below 0.1 nothing has happened, above 0.2 the feature has drifted
(N. Siddiqi, Credit Risk Scorecards, 2006; the figures go back to E. Lewis, 1994).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ml.algorithms.contract import Vector
from ml.features import CATEGORIES, NUMBERS, FeatureRow

BINS = 10

RAREST = 1e-4
"""A bin counts as holding this share at least: an empty one would make the index infinite."""

Histograms = Mapping[str, Mapping[str, Any]]
"""By feature, its bins and the share of vehicles in each, as JSON; see ``histograms``."""


def histograms(rows: Sequence[FeatureRow]) -> dict[str, dict[str, Any]]:
    """What the features of these rows look like, as JSON.

    A number has ``edges``, its deciles; a category ``values``, its most frequent ones. The last
    share of both is that of rows without the feature; the last but one of a category is that of
    all other values.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in CATEGORIES:
        words: list[str] = [getattr(row, name) for row in rows]
        frequent = Counter(filter(None, words)).most_common(BINS - 1)
        values = [value for value, _ in frequent]
        found[name] = {"values": values, "shares": _shares_of_words(words, values).tolist()}
    for name in NUMBERS:
        numbers = np.array([getattr(row, name) for row in rows], dtype=np.float64)
        edges = _deciles(numbers)
        found[name] = {"edges": edges.tolist(), "shares": _shares(numbers, edges).tolist()}
    return found


def drift(learnt_from: Histograms, rows: Sequence[FeatureRow]) -> dict[str, float]:
    """The population stability index of each feature, those that have drifted most first."""
    found = {}
    for name, histogram in learnt_from.items():
        values = [getattr(row, name) for row in rows]
        if "edges" in histogram:
            now = _shares(np.array(values, dtype=np.float64), np.array(histogram["edges"]))
        else:
            now = _shares_of_words(values, histogram["values"])
        found[name] = population_stability_index(np.array(histogram["shares"]), now)
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def population_stability_index(expected: Vector, actual: Vector) -> float:
    """``sum((actual - expected) * ln(actual / expected))`` over the bins; 0 where they are equal.

    Args:
        expected, actual: shares of the same bins, both of shape (n_bins,).
    """
    expected, actual = np.maximum(expected, RAREST), np.maximum(actual, RAREST)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def _deciles(numbers: Vector) -> Vector:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return np.empty(0)
    # Nearly all vehicles have five doors: equal deciles are one edge.
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower"))


def _shares(numbers: Vector, edges: Vector) -> Vector:
    """Shares of the bins that end at each edge, of the one above them all, and of the missing."""
    place = np.searchsorted(edges, numbers)
    place[np.isnan(numbers)] = len(edges) + 1
    return np.bincount(place, minlength=len(edges) + 2) / max(1, len(numbers))


def _shares_of_words(words: Sequence[str], values: Sequence[str]) -> Vector:
    """Shares of each value, of all others, and of the missing."""
    counted = Counter(words)
    known = [counted[value] for value in values]
    missing = counted[""]
    others = len(words) - sum(known) - missing
    return np.array([*known, others, missing]) / max(1, len(words))
