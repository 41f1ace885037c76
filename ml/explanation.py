"""What moved an estimate away from the market's mean, feature by feature.

The features of background vehicles, which stand for the market, are replaced one after the other by
those of the vehicle; each replacement moves their mean estimate. As the order matters, the effect
of a feature is the mean over one order and its reverse: Shapley values (Strumbelj and Kononenko,
2014) sampled antithetically. The effects add up to the whole way from the mean to the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np

from domain.estimates import Contribution
from domain.money import to_cents
from domain.vehicles import VehicleFacts
from ml.algorithms.contract import Estimator
from ml.features import FeatureRow


@dataclass(frozen=True)
class Feature:
    """A feature as people speak of it, and the parts of a feature row that it stands for."""

    name: str
    parts: tuple[str, ...]


FEATURES = (
    Feature("model", ("brand", "model", "version")),
    Feature("age", ("age_years",)),
    Feature("mileage", ("mileage_km",)),
    Feature("fuel", ("fuel",)),
    Feature("gearbox", ("gearbox",)),
    Feature("engine", ("engine_cc",)),
    Feature("power", ("horsepower",)),
    Feature("doors", ("doors",)),
)


def mean_price(estimator: Estimator, background: Sequence[FeatureRow]) -> Decimal:
    """The mean estimate of the background, to 0.01."""
    return to_cents(Decimal(_mean(estimator.log_prices(background).tolist())))


def contributions(
    estimator: Estimator,
    row: FeatureRow,
    vehicle: VehicleFacts,
    market_price: Decimal,
    background: Sequence[FeatureRow],
) -> list[Contribution]:
    """The effect of each feature, largest first; with ``mean_price`` they add up to the estimate.

    Args:
        market_price: the estimate of ``row``, to 0.01.
        background: vehicles that stand for the market, at least one.
    """
    present = [each for each in FEATURES if _is_known(each, [row, *background])]
    there = _steps(estimator, row, background, present)
    back = _steps(estimator, row, background, present[::-1])[::-1]
    effects = [to_cents(Decimal((one + other) / 2)) for one, other in zip(there, back, strict=True)]
    ranked = sorted(zip(effects, present, strict=True), key=lambda pair: -abs(pair[0]))
    whole = market_price - mean_price(estimator, background)
    # The largest effect takes the cents that rounding each of them lost.
    rest = whole - sum(effects, Decimal())
    return [
        Contribution(feature.name, _words(feature, vehicle, row), effect + (0 if place else rest))
        for place, (effect, feature) in enumerate(ranked)
    ]


def _steps(
    estimator: Estimator,
    row: FeatureRow,
    background: Sequence[FeatureRow],
    order: Sequence[Feature],
) -> list[float]:
    """How far each feature, in this order, moves the mean estimate of the background."""
    stages = [list(background)]
    for feature in order:
        taken = {part: getattr(row, part) for part in feature.parts}
        stages.append([each._replace(**taken) for each in stages[-1]])
    logs = estimator.log_prices([each for stage in stages for each in stage])
    means = [_mean(stage.tolist()) for stage in np.split(logs, len(stages))]
    return [after - before for before, after in pairwise(means)]


def _mean(log_prices: Sequence[float]) -> float:
    return math.fsum(map(math.exp, log_prices)) / len(log_prices)


def _is_known(feature: Feature, rows: Sequence[FeatureRow]) -> bool:
    values = (getattr(row, part) for row in rows for part in feature.parts)
    return any(value == value and value != "" for value in values)


def _words(feature: Feature, vehicle: VehicleFacts, row: FeatureRow) -> str:
    """The vehicle's own value, as a person would write it."""
    match feature.name:
        case "model":
            named = (vehicle.brand, vehicle.model, vehicle.version)
            return " ".join(part for part in named if part)
        case "age":
            return f"{row.age_years:.0f} years"
        case "mileage":
            return f"{vehicle.mileage_km} km"
        case "engine":
            return _or_unknown(vehicle.engine_cc, "cc")
        case "power":
            return _or_unknown(vehicle.horsepower, "hp")
        case "doors":
            return _or_unknown(vehicle.doors, "doors")
        case "fuel":
            return vehicle.fuel.value
        case _:
            return vehicle.gearbox.value if vehicle.gearbox else "unknown"


def _or_unknown(number: int | None, unit: str) -> str:
    return "unknown" if number is None else f"{number} {unit}"
