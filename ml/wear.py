"""What kilometres take off a price, for the market, a brand and a model.

Vehicles of one specification and one age differ by little but their mileage. How their prices fall
with it, in such cells alone, is the wear: free of the fact that older cars have run further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.curves import AGES, Index, age_indexes
from ml.features import FeatureRow, per_specification, table_of

Vector = NDArray[np.float64]

PER_KM = 100_000
"""Kilometres that one unit of wear is counted for."""

DRAWN_WEIGHT = 1.0
"""How strongly a brand is drawn towards the market, and a model towards its brand: as by a listing
whose mileage lies 100 000 km from the mean of its cell."""


@dataclass(frozen=True, eq=False)
class Wear:
    """The change of the logarithm of the price with 100 000 km, never above 0.

    Attributes:
        market: that of whatever has none of its own.
        brands, models: by name, as ``FeatureRow`` has them.
    """

    market: float
    brands: Mapping[str, float]
    models: Mapping[str, float]

    def taken_off(self, rows: Sequence[FeatureRow]) -> Vector:
        """What its kilometres change the logarithm of each price by, shape (n_rows,)."""
        mileage = table_of(rows).mileage_km
        return np.asarray(per_specification(rows, self._of) * (mileage / PER_KM))

    def _of(self, row: FeatureRow) -> float:
        wear = self.models.get(row.model)
        return self.brands.get(row.brand, self.market) if wear is None else wear

    def document(self) -> dict[str, Any]:
        """What ``rebuild`` makes it from, as JSON."""
        return {"market": self.market, "brands": dict(self.brands), "models": dict(self.models)}

    @classmethod
    def rebuild(cls, document: Mapping[str, Any]) -> Wear:
        """The wear that ``document`` was made from.

        Raises:
            KeyError, ValueError, TypeError: it is none.
        """
        found = cls(
            float(document["market"]),
            {name: float(wear) for name, wear in document["brands"].items()},
            {name: float(wear) for name, wear in document["models"].items()},
        )
        if not all(
            wear <= 0 for wear in (found.market, *found.brands.values(), *found.models.values())
        ):
            raise ValueError("a price cannot rise with mileage")
        return found


def fit_wear(rows: Sequence[FeatureRow], log_price: Vector) -> Wear:
    """Learn the wear from what vehicles of one specification and age differ in.

    Args:
        log_price: shape (n_rows,).
    """
    table = table_of(rows)
    _, cell = np.unique(
        table.specification * AGES + age_indexes(table.age_years), return_inverse=True
    )
    mileage = _less_mean(table.mileage_km / PER_KM, cell)
    price = _less_mean(log_price, cell)
    together, alone = mileage * price, mileage * mileage

    market = float(together.sum() / alone.sum()) if alone.any() else 0.0
    of_brand = table.expanded(lambda row: row.brand, str)
    of_model = table.expanded(lambda row: row.model, str)
    brands = _drawn(of_brand, together, alone, lambda _: market)
    brand_of = {row.model: row.brand for row in table.specifications}
    models = _drawn(of_model, together, alone, lambda model: brands[brand_of[model]])
    return Wear(min(market, 0.0), _never_above_zero(brands), _never_above_zero(models))


def _less_mean(values: Vector, cell: Index) -> Vector:
    means = np.bincount(cell, weights=values) / np.bincount(cell)
    return np.asarray(values - means[cell])


def _drawn(
    names: NDArray[np.str_], together: Vector, alone: Vector, around: Callable[[str], float]
) -> dict[str, float]:
    """The wear of each name, drawn towards that of what it belongs to."""
    known, which = np.unique(names, return_inverse=True)
    above = np.bincount(which, weights=together).tolist()
    below = np.bincount(which, weights=alone).tolist()
    return {
        name: (up + around(name) * DRAWN_WEIGHT) / (down + DRAWN_WEIGHT)
        for name, up, down in zip(known.tolist(), above, below, strict=True)
    }


def _never_above_zero(wears: Mapping[str, float]) -> dict[str, float]:
    return {name: min(wear, 0.0) for name, wear in wears.items()}
