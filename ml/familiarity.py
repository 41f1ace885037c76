"""What the training data held, so that an estimate can say when it leaves them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.features import FeatureRow

MODEL_SAYS_SO = 30
"""From so many listings on, what was seen of a model bounds what is familiar of it."""

Bounds = Sequence[tuple[float, float]]
"""The lowest and highest value seen of each number and of the log price, NaN where none was."""


@dataclass(frozen=True)
class Familiar:
    """The values that were seen, in the market and by model.

    Attributes:
        market: the bounds of all listings.
        models: by model, the bounds of its listings where they are many, None where they are few.
    """

    market: Bounds
    models: Mapping[str, Bounds | None]

    def is_outside(self, row: FeatureRow, log_price: float) -> bool:
        """Whether the model is unknown, or a number or the estimate is beyond what was seen."""
        if row.model not in self.models:
            return True
        bounds = self.models[row.model] or self.market
        return any(
            value < low or value > high
            for value, (low, high) in zip((*row.numbers, log_price), bounds, strict=True)
        )

    def document(self) -> dict[str, Any]:
        """All of it as JSON; a bound that is not known is null."""
        return {
            "market": _plain(self.market),
            "models": {name: bounds and _plain(bounds) for name, bounds in self.models.items()},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Familiar:
        """What ``document`` was made from."""
        return cls(
            _bounds(document["market"]),
            {name: bounds and _bounds(bounds) for name, bounds in document["models"].items()},
        )


def familiar_with(rows: Sequence[FeatureRow], log_prices: Sequence[float]) -> Familiar:
    """What these listings make familiar."""
    values = np.column_stack([np.array([row.numbers for row in rows]), np.asarray(log_prices)])
    by_model: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_model.setdefault(row.model, []).append(index)
    return Familiar(
        _seen(values),
        {
            model: _seen(values[which]) if len(which) >= MODEL_SAYS_SO else None
            for model, which in by_model.items()
        },
    )


def _seen(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[tuple[float, float]]:
    # fmin and fmax pass over what is missing.
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _plain(bounds: Bounds) -> list[list[float | None]]:
    return [[None if math.isnan(each) else each for each in pair] for pair in bounds]


def _bounds(plain: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    low_high = ([math.nan if each is None else float(each) for each in pair] for pair in plain)
    return [(low, high) for low, high in low_high]
