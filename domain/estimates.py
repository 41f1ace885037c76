"""What the business asks of a price model; ``ml`` implements it, and nothing here knows how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.vehicles import VehicleColumns, VehicleFacts


@dataclass(frozen=True, slots=True)
class Estimate:
    """The market price of one vehicle, in the market's currency, to 0.01 half up."""

    market_price: Decimal
    low: Decimal
    high: Decimal
    outside_training_data: bool


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one feature moved an estimate away from the market's mean price."""

    feature: str
    value: str
    effect: Decimal


class PriceModel(Protocol):
    """A trained model version, ready to answer."""

    @property
    def coverage(self) -> float:
        """Probability with which the interval of an estimate holds the true market price."""

    def estimate(self, vehicles: Sequence[VehicleFacts], *, on: date) -> list[Estimate]:
        """One estimate per vehicle, ages counted to ``on``; the same alone or among a million."""

    def market_cents(self, vehicles: VehicleColumns, *, on: date) -> NDArray[np.int64]:
        """The market price of each vehicle in hundredths, the very one that ``estimate`` gives.

        Returns:
            Shape (n_vehicles,).
        """

    def explain(self, vehicle: VehicleFacts, *, on: date) -> list[Contribution]:
        """What moved the estimate, largest first; the effects and the mean add up to it exactly."""
