"""A vehicle as a feature row: one definition for training and serving, for one and for many.

Texts are folded, a missing text is empty and a missing number is NaN. What an estimator makes of a
row (codes, target encodings, products) is the estimator's own affair and is learnt from such rows.
"""

from __future__ import annotations

import math
from datetime import date
from typing import NamedTuple

from domain.vehicles import VehicleFacts
from ml.dataset import TrainingData

CATEGORIES = ("brand", "model", "version", "fuel", "gearbox")
NUMBERS = ("age_years", "mileage_km", "horsepower", "engine_cc", "doors")


class FeatureRow(NamedTuple):
    """What the price of a vehicle is estimated from; ``model`` names the brand too."""

    brand: str
    model: str
    version: str
    fuel: str
    gearbox: str
    age_years: float
    mileage_km: float
    horsepower: float
    engine_cc: float
    doors: float

    @property
    def words(self) -> tuple[str, ...]:
        """The categories, in the order of ``CATEGORIES``."""
        return self[:5]

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers, in the order of ``NUMBERS``."""
        return self[5:]


def row_of(vehicle: VehicleFacts, *, on: date) -> FeatureRow:
    """The feature row of a vehicle whose age is counted to ``on``."""
    brand = _folded(vehicle.brand)
    return FeatureRow(
        brand,
        f"{brand} {_folded(vehicle.model)}",
        _folded(vehicle.version),
        vehicle.fuel.value,
        vehicle.gearbox.value if vehicle.gearbox else "",
        float(on.year - vehicle.release_year),
        float(vehicle.mileage_km),
        _number(vehicle.horsepower),
        _number(vehicle.engine_cc),
        _number(vehicle.doors),
    )


def rows_of(data: TrainingData) -> list[FeatureRow]:
    """The feature rows of listings, their ages counted to the day of observation."""
    observed_year = data.observed_on.astype("datetime64[Y]").astype(float) + 1970
    columns = (
        data.brand, data.model, data.version, data.fuel, data.gearbox,
        observed_year - data.release_year,
        data.mileage_km, data.horsepower, data.engine_cc, data.doors,
    )  # fmt: skip
    return [
        FeatureRow(
            folded := _folded(brand),
            f"{folded} {_folded(model)}",
            _folded(version),
            fuel,
            gearbox or "",
            *numbers,
        )
        for brand, model, version, fuel, gearbox, *numbers in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def specification(row: FeatureRow) -> str:
    """What the factory made: all that is known of a vehicle but its age and its mileage."""
    return (
        f"{row.model}|{row.version}|{row.fuel}|{row.gearbox}"
        f"|{row.horsepower}|{row.engine_cc}|{row.doors}"
    )


def _folded(text: str | None) -> str:
    return text.strip().casefold() if text else ""


def _number(value: int | None) -> float:
    return math.nan if value is None else float(value)
