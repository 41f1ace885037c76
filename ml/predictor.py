"""Estimates from a trained model version, for one vehicle or many, without its training library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.estimates import Contribution, Estimate
from domain.money import amount, to_cents
from domain.spans import span
from domain.vehicles import VehicleColumns, VehicleFacts, columns_of
from ml.algorithms.contract import Estimator, Vector
from ml.conformal import Interval
from ml.encoding import FEW_ROWS
from ml.explanation import contributions, mean_price
from ml.familiarity import Familiar
from ml.features import FeatureRow, FeatureTable, row_of, table_of_vehicles

LOWEST_LOG, HIGHEST_LOG = math.log(0.01), math.log(1e9)
"""No price is below the smallest coin or above a thousand million."""

CLOSE_TO_HALF = 1e-3
"""Of a hundredth: many times what the product of a price and a hundred can be off by."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A model version, ready to answer; the domain knows it as ``PriceModel``.

    Attributes:
        algorithm: the name of the algorithm that made it.
        coverage: the probability with which an interval holds the price.
        background: vehicles that stand for the market, against which an estimate is explained.
    """

    algorithm: str
    estimator: Estimator
    interval: Interval
    familiar: Familiar
    coverage: float
    background: Sequence[FeatureRow]

    def estimate(self, vehicles: Sequence[VehicleFacts], *, on: date) -> list[Estimate]:
        """One estimate per vehicle, ages counted to ``on``; the same alone or among a million."""
        if len(vehicles) > FEW_ROWS:
            return self.estimate_rows(table_of_vehicles(columns_of(vehicles), on=on))
        return self.estimate_rows([row_of(vehicle, on=on) for vehicle in vehicles])

    def market_cents(self, vehicles: VehicleColumns, *, on: date) -> NDArray[np.int64]:
        """The market prices of ``estimate`` in hundredths, shape (n_vehicles,)."""
        if not len(vehicles):
            return np.empty(0, dtype=np.int64)
        return _cents(self._log_prices(table_of_vehicles(vehicles, on=on)))

    def estimate_rows(self, rows: Sequence[FeatureRow]) -> list[Estimate]:
        """One estimate per feature row."""
        if not rows:
            return []
        price, low, high = self.log_bounds(rows)
        outside = (
            self.familiar.are_outside(rows, price)
            if isinstance(rows, FeatureTable)
            else map(self.familiar.is_outside, rows, price.tolist())
        )
        cents = _cents(price)
        return [
            Estimate(amount(market), amount(least), amount(most), bool(is_outside))
            for market, least, most, is_outside in zip(
                cents.tolist(),
                np.minimum(_cents(low), cents).tolist(),
                np.maximum(_cents(high), cents).tolist(),
                outside,
                strict=True,
            )
        ]

    def log_bounds(self, rows: Sequence[FeatureRow]) -> tuple[Vector, Vector, Vector]:
        """The logarithm of price, low and high of each row, each of shape (n_rows,)."""
        with span("price model", algorithm=self.algorithm, vehicles=len(rows)):
            price = self._log_prices(rows)
            half = self.interval.half_widths(rows, price)
        return (
            price,
            np.clip(price - half, LOWEST_LOG, HIGHEST_LOG),
            np.clip(price + half, LOWEST_LOG, HIGHEST_LOG),
        )

    def _log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        return np.clip(self.estimator.log_prices(rows), LOWEST_LOG, HIGHEST_LOG)

    def explain(self, vehicle: VehicleFacts, *, on: date) -> list[Contribution]:
        """What moved the estimate, largest first; the effects and ``mean_price`` add up to it."""
        row = row_of(vehicle, on=on)
        estimate = self.estimate_rows([row])[0]
        return contributions(self.estimator, row, vehicle, estimate.market_price, self.background)

    @cached_property
    def mean_price(self) -> Decimal:
        """The mean estimate of the vehicles that stand for the market, to 0.01."""
        return mean_price(self.estimator, self.background)


def _cents(log_prices: Vector) -> NDArray[np.int64]:
    """Prices in hundredths, half up, exactly; shape (n_rows,)."""
    # NumPy's exponential may differ from that of the standard library in the last bit.
    prices = np.array([math.exp(each) for each in log_prices.tolist()])
    hundredths = prices * 100
    cents = np.floor(hundredths + 0.5).astype(np.int64)
    # Where the product's own rounding could decide, exact arithmetic does.
    for row in np.flatnonzero(np.abs(hundredths % 1 - 0.5) < CLOSE_TO_HALF):
        cents[row] = int(to_cents(Decimal(prices[row].item())).scaleb(2))
    return np.maximum(cents, 1)
