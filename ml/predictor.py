"""Estimates from a trained model version, for one vehicle or many, without its training library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from domain.estimates import Contribution, Estimate
from domain.money import CENT, to_cents
from domain.spans import span
from domain.vehicles import VehicleFacts
from ml.algorithms.contract import Estimator, Vector
from ml.conformal import Interval
from ml.explanation import contributions, mean_price
from ml.familiarity import Familiar
from ml.features import FeatureRow, row_of

LOWEST_LOG, HIGHEST_LOG = math.log(0.01), math.log(1e9)
"""No price is below the smallest coin or above a thousand million."""


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
        return self.estimate_rows([row_of(vehicle, on=on) for vehicle in vehicles])

    def estimate_rows(self, rows: Sequence[FeatureRow]) -> list[Estimate]:
        """One estimate per feature row."""
        if not rows:
            return []
        price, low, high = self.log_bounds(rows)
        return [
            _estimate(each, at_least, at_most, self.familiar.is_outside(row, each))
            for row, each, at_least, at_most in zip(
                rows, price.tolist(), low.tolist(), high.tolist(), strict=True
            )
        ]

    def log_bounds(self, rows: Sequence[FeatureRow]) -> tuple[Vector, Vector, Vector]:
        """The logarithm of price, low and high of each row, each of shape (n_rows,)."""
        with span("price model", algorithm=self.algorithm, vehicles=len(rows)):
            price = np.clip(self.estimator.log_prices(rows), LOWEST_LOG, HIGHEST_LOG)
            half = self.interval.half_widths(rows)
        return (
            price,
            np.clip(price - half, LOWEST_LOG, HIGHEST_LOG),
            np.clip(price + half, LOWEST_LOG, HIGHEST_LOG),
        )

    def explain(self, vehicle: VehicleFacts, *, on: date) -> list[Contribution]:
        """What moved the estimate, largest first; the effects and ``mean_price`` add up to it."""
        row = row_of(vehicle, on=on)
        estimate = self.estimate_rows([row])[0]
        return contributions(self.estimator, row, vehicle, estimate.market_price, self.background)

    @cached_property
    def mean_price(self) -> Decimal:
        """The mean estimate of the vehicles that stand for the market, to 0.01."""
        return mean_price(self.estimator, self.background)


def _estimate(price: float, low: float, high: float, is_outside: bool) -> Estimate:
    market_price = _amount(price)
    return Estimate(
        market_price=market_price,
        low=min(_amount(low), market_price),
        high=max(_amount(high), market_price),
        outside_training_data=is_outside,
    )


def _amount(log_price: float) -> Decimal:
    return max(to_cents(Decimal(math.exp(log_price))), CENT)
