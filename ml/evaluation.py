"""How good a price model is, measured on listings it never saw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.algorithms.contract import Vector
from ml.dataset import TrainingData
from ml.features import rows_of
from ml.predictor import Predictor


def evaluate(predictor: Predictor, data: TrainingData) -> dict[str, Any]:
    """The metrics of a model on listings, by the names that the API gives them.

    ``groups`` has one entry per brand and fuel, the most listings first.
    """
    rows = rows_of(data)
    if not rows:
        return measures(data.price, data.price, data.price, data.price) | {"groups": []}
    estimate, low, high = (np.exp(each) for each in predictor.log_bounds(rows))
    overall = measures(data.price, estimate, low, high)
    return overall | {"groups": list(_by_group(data, estimate, low, high))}


def measures(price: Vector, estimate: Vector, low: Vector, high: Vector) -> dict[str, Any]:
    """The metrics of estimates and their intervals against the prices asked, all of shape (n,).

    Shares are in [0, 1]; ``mae`` is in the market's currency; no listings measure nothing: all 0.
    """
    if not len(price):
        names = ("mae", "mape", "median_ape", "r2", "within10", "coverage", "relative_width")
        return {"rows": 0} | dict.fromkeys(names, 0.0)
    error = np.abs(estimate - price)
    share = error / price
    variance = float(np.square(price - price.mean()).sum())
    return {
        "rows": len(price),
        "mae": float(error.mean()),
        "mape": float(share.mean()),
        "median_ape": float(np.median(share)),
        "r2": 1.0 - float(np.square(error).sum()) / variance if variance else 0.0,
        "within10": float(np.mean(share <= 0.1)),
        "coverage": float(np.mean(_covered(price, low, high))),
        "relative_width": float(np.mean((high - low) / price)),
    }


def _by_group(
    data: TrainingData, estimate: Vector, low: Vector, high: Vector
) -> Iterator[dict[str, Any]]:
    members: dict[tuple[str, str], list[int]] = {}
    for index, group in enumerate(zip(data.brand.tolist(), data.fuel.tolist(), strict=True)):
        members.setdefault(group, []).append(index)
    covered = _covered(data.price, low, high)
    share = np.abs(estimate - data.price) / data.price
    for (brand, fuel), which in sorted(members.items(), key=lambda each: (-len(each[1]), each[0])):
        yield {
            "brand": brand,
            "fuel": fuel,
            "rows": len(which),
            "mape": float(share[which].mean()),
            "coverage": float(covered[which].mean()),
        }


def _covered(price: Vector, low: Vector, high: Vector) -> NDArray[np.bool_]:
    covered: NDArray[np.bool_] = (low <= price) & (price <= high)
    return covered
