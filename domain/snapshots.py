"""The pricing snapshot of a market: all that a quote needs, read once, never changed.

A request takes the snapshot at its start and keeps it to its end, whatever is promoted or activated
meanwhile. ``ml.serving`` builds the next one beside it and swaps one reference.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.activations import arm
from domain.errors import NoActiveStrategy, NoChampionModel
from domain.estimates import PriceModel
from domain.markets import MarketSettings
from domain.matching import Matcher
from domain.pricing.engine import PricingPolicy


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model version that answers."""

    id: int
    market_id: int
    estimator: PriceModel


@dataclass(frozen=True, slots=True)
class ServedStrategy:
    """A strategy version in force, compiled, and the activation that put it there."""

    activation_id: int
    version_id: int
    share: float
    policy: PricingPolicy


@dataclass(frozen=True, slots=True)
class PricingSnapshot:
    """One market at one moment."""

    market_id: int
    market_code: str
    currency: str
    settings: MarketSettings
    matcher: Matcher
    model: ServedModel | None
    strategy: ServedStrategy | None
    challenger: ServedStrategy | None

    def champion_model(self) -> ServedModel:
        """The model that answers.

        Raises:
            NoChampionModel: none was promoted yet.
        """
        if self.model is None:
            raise NoChampionModel(self.market_code, path=("market",))
        return self.model

    def active_strategy(self) -> ServedStrategy:
        """The strategy in force for most vehicles.

        Raises:
            NoActiveStrategy: none is in force.
        """
        if self.strategy is None:
            raise NoActiveStrategy(self.market_code, path=("market",))
        return self.strategy

    def strategy_for(self, vehicle_key: str) -> ServedStrategy:
        """The strategy that prices this vehicle: the challenger for its share, always the same.

        Raises:
            NoActiveStrategy: none is in force.
        """
        challenger = self.challenger
        if challenger and arm(challenger.activation_id, vehicle_key, challenger.share):
            return challenger
        return self.active_strategy()
