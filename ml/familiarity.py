"""What the training data held, so that an estimate can say when it leaves them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.features import NUMBERS, FeatureRow, FeatureTable

MODEL_SAYS_SO = 30
"""From so many listings on, the ages, mileages and engines of a model bound what is familiar."""

Bounds = Sequence[tuple[float, float]]
"""The lowest and highest value seen of each number and of the log price, NaN where none was."""


@dataclass(frozen=True)
class Familiar:
    """The values that were seen, by model.

    Attributes:
        models: by model, the bounds of its prices, and those of its numbers where its listings are
            many; where they are few, the numbers have the bounds of the whole market.
    """

    models: Mapping[str, Bounds]

    def is_outside(self, row: FeatureRow, log_price: float) -> bool:
        """Whether the model is unknown, or a number or the estimate is beyond what was seen."""
        bounds = self.models.get(row.model)
        if bounds is None:
            return True
        return any(
            value < low or value > high
            for value, (low, high) in zip((*row.numbers, log_price), bounds, strict=True)
        )

    def are_outside(
        self, table: FeatureTable, log_prices: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """``is_outside`` of each row, shape (n_rows,)."""
        known = table.expanded(lambda row: row.model in self.models, dtype=bool)
        numbers = table.expanded(lambda row: row.numbers)
        numbers[:, NUMBERS.index("age_years")] = table.age_years
        numbers[:, NUMBERS.index("mileage_km")] = table.mileage_km
        values = np.column_stack([numbers, log_prices])
        # An unknown model needs no bounds.
        anything = [(math.nan, math.nan)] * values.shape[1]
        bounds = table.expanded(lambda row: self.models.get(row.model, anything))
        low, high = bounds[:, :, 0], bounds[:, :, 1]
        outside = ((values < low) | (values > high)).any(axis=1)
        return np.asarray(~known | outside)

    def document(self) -> dict[str, Any]:
        """All of it as JSON; a bound that is not known is null."""
        return {name: _plain(bounds) for name, bounds in self.models.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Familiar:
        """What ``document`` was made from."""
        return cls({name: _bounds(bounds) for name, bounds in document.items()})


def familiar_with(rows: Sequence[FeatureRow], log_prices: Sequence[float]) -> Familiar:
    """What these listings make familiar."""
    numbers = np.array([row.numbers for row in rows])
    values = np.column_stack([numbers, np.asarray(log_prices)])
    of_market = _seen(numbers)
    by_model: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_model.setdefault(row.model, []).append(index)
    models = {}
    for model, which in by_model.items():
        seen = _seen(values[which])
        models[model] = seen if len(which) >= MODEL_SAYS_SO else [*of_market, seen[-1]]
    return Familiar(models)


def _seen(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[tuple[float, float]]:
    # fmin and fmax pass over what is missing.
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _plain(bounds: Bounds) -> list[list[float | None]]:
    return [[None if math.isnan(each) else each for each in pair] for pair in bounds]


def _bounds(plain: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    low_high = ([math.nan if each is None else float(each) for each in pair] for pair in plain)
    return [(low, high) for low, high in low_high]
