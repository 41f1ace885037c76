"""A linear price formula in plain form: numbers and words that a person can recompute by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.algorithms.contract import State
from ml.encoding import KINDS, kinds_of
from ml.features import CATEGORIES, NUMBERS, FeatureRow

Vector = NDArray[np.float64]

LEVELS = (*CATEGORIES, "specification")


@dataclass(frozen=True)
class LinearFormula:
    """``intercept + levels + slopes * numbers``, the price itself or its natural logarithm.

    Attributes:
        target: ``price`` or ``log_price``.
        intercept: what every vehicle begins with.
        slopes: by number, what one unit of it adds.
        missing: by number, the value taken where a vehicle has none.
        levels: by category, what each of its values adds; others add nothing.
        slopes_by: by number and category, what each value adds to the number's slope.
        never_rises_with: the numbers whose slope, all told, counts as zero where it is above.
        lowest, highest: the bounds of every price.
    """

    target: str
    intercept: float
    slopes: Mapping[str, float]
    missing: Mapping[str, float]
    levels: Mapping[str, Mapping[str, float]]
    slopes_by: Mapping[str, Mapping[str, Mapping[str, float]]]
    never_rises_with: Sequence[str]
    lowest: float
    highest: float

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        """See ``ml.algorithms.contract.Estimator``."""
        return np.array([self._log_price(row) for row in rows], dtype=np.float64)

    def _log_price(self, row: FeatureRow) -> float:
        words = categories_of(row)
        total = self.intercept
        for name, values in self.levels.items():
            total += values.get(words[name], 0.0)
        for name, slope in self.slopes.items():
            for category, values in self.slopes_by.get(name, {}).items():
                slope += values.get(words[category], 0.0)
            if name in self.never_rises_with:
                slope = min(slope, 0.0)
            number = row.numbers[NUMBERS.index(name)]
            total += slope * (self.missing[name] if math.isnan(number) else number)
        if self.target == "log_price":
            return min(max(total, math.log(self.lowest)), math.log(self.highest))
        return math.log(min(max(total, self.lowest), self.highest))

    def state(self) -> State:
        """See ``ml.algorithms.contract.Estimator``."""
        return State(self.document())

    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "target": self.target,
            "intercept": self.intercept,
            "slopes": dict(self.slopes),
            "missing": dict(self.missing),
            "levels": {name: dict(values) for name, values in self.levels.items()},
            "slopes_by": {
                number: {name: dict(values) for name, values in by.items()}
                for number, by in self.slopes_by.items()
            },
            "never_rises_with": list(self.never_rises_with),
            "lowest": self.lowest,
            "highest": self.highest,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> LinearFormula:
        """The formula that ``document`` was made from.

        Raises:
            KeyError, TypeError, ValueError: it is no formula.
        """
        formula = cls(**document)
        if not 0 < formula.lowest <= formula.highest < math.inf:
            raise ValueError("the bounds of the price are not in order")
        if set(formula.missing) != set(formula.slopes):
            raise ValueError("every slope needs a value for vehicles without the number")
        return formula


def categories_of(row: FeatureRow) -> dict[str, str]:
    """The words of a vehicle by category, its specification among them."""
    words = dict(zip(CATEGORIES, row.words, strict=True))
    words["specification"] = kinds_of(row)[KINDS.index("specification")]
    return words
