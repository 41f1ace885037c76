"""Fitting a linear formula: the design matrix, and the way back from it to plain coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml.algorithms.contract import Vector
from ml.features import NUMBERS, FeatureRow
from ml.linear import LinearFormula, categories_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PRICE_MARGIN = 2.0
"""A price is never below the lowest seen over this, nor above the highest seen times this."""


@dataclass(frozen=True)
class Terms:
    """Which terms a formula has.

    Attributes:
        target: ``price`` or ``log_price``.
        levels: the categories that add to the price.
        slopes_by: the categories that add to the slope of a number, by number.
        never_rises_with: the numbers whose slope is held at or below zero.
    """

    target: str
    levels: tuple[str, ...]
    slopes_by: Mapping[str, tuple[str, ...]]
    never_rises_with: tuple[str, ...] = ()


class Design:
    """The listings as the columns that a linear solver reads.

    Numbers are centred on their median and divided by their spread, which solvers need to be exact;
    ``formula`` undoes it.
    """

    def __init__(self, rows: Sequence[FeatureRow], prices: Vector, terms: Terms) -> None:
        self.terms = terms
        self.prices = prices
        self.numbers, self.centre, self.spread = _numbers(rows)
        words = [categories_of(row) for row in rows]
        self.values = {name: sorted({each[name] for each in words} - {""}) for name in terms.levels}
        self.which = {
            name: _positions([each[name] for each in words], values)
            for name, values in self.values.items()
        }

    @property
    def target(self) -> Vector:
        """What the formula predicts, shape (n_listings,)."""
        return np.log(self.prices) if self.terms.target == "log_price" else self.prices

    def matrix(self) -> csr_array:
        """Shape (n_listings, n_columns): numbers, then levels, then products."""
        from scipy.sparse import csr_array, hstack

        blocks = [csr_array(np.column_stack(list(self.numbers.values())))]
        blocks += [self._one_hot(name, None) for name in self.values]
        blocks += [self._one_hot(name, number) for number, name in self._products()]
        return csr_array(hstack(blocks, format="csr"))

    def formula(self, coefficients: Vector, intercept: float) -> LinearFormula:
        """The plain form of what a solver found for ``matrix`` and ``target``."""
        left = iter(coefficients.tolist())
        scaled = {name: next(left) for name in self.numbers}
        levels = {name: {v: next(left) for v in values} for name, values in self.values.items()}
        slopes_by: dict[str, dict[str, dict[str, float]]] = {}
        for number, name in self._products():
            slope = {value: next(left) / self.spread[number] for value in self.values[name]}
            slopes_by.setdefault(number, {})[name] = slope
            for value, each in slope.items():
                levels[name][value] -= each * self.centre[number]
        slopes = {name: each / self.spread[name] for name, each in scaled.items()}
        return LinearFormula(
            target=self.terms.target,
            intercept=intercept - sum(slopes[name] * self.centre[name] for name in slopes),
            slopes=slopes,
            missing=self.centre,
            levels=levels,
            slopes_by=slopes_by,
            never_rises_with=self.terms.never_rises_with,
            lowest=float(self.prices.min()) / PRICE_MARGIN,
            highest=float(self.prices.max()) * PRICE_MARGIN,
        )

    def _products(self) -> list[tuple[str, str]]:
        return [
            (number, name)
            for number, names in self.terms.slopes_by.items()
            if number in self.numbers
            for name in names
        ]

    def _one_hot(self, name: str, number: str | None) -> csr_array:
        from scipy.sparse import csr_array

        which = self.which[name]
        known = np.flatnonzero(which >= 0)
        entries = np.ones(len(known)) if number is None else self.numbers[number][known]
        shape = (len(which), len(self.values[name]))
        return csr_array((entries, (known, which[known])), shape=shape)


def _numbers(
    rows: Sequence[FeatureRow],
) -> tuple[dict[str, Vector], dict[str, float], dict[str, float]]:
    """By number that varies: its scaled column, its median and its spread."""
    scaled, centre, spread = {}, {}, {}
    for name in NUMBERS:
        column = np.array([getattr(row, name) for row in rows])
        known = column[~np.isnan(column)]
        if len(known) and known.min() < known.max():
            centre[name] = float(np.median(known))
            spread[name] = float(known.std())
            filled = np.where(np.isnan(column), centre[name], column)
            scaled[name] = (filled - centre[name]) / spread[name]
    return scaled, centre, spread


def _positions(words: Sequence[str], values: Sequence[str]) -> NDArray[np.intp]:
    place: dict[str, Any] = {value: index for index, value in enumerate(values)}
    return np.array([place.get(word, -1) for word in words], dtype=np.intp)
