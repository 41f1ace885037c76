"""A vehicle as a feature row: one definition for training and serving, for one and for many.

Texts are folded, a missing text is empty and a missing number is NaN. What an estimator makes of a
row (codes, target encodings, products) is the estimator's own affair and is learnt from such rows.

Many vehicles are a ``FeatureTable``: still a sequence of rows to whoever wants rows, but what
depends on the specification alone is worked out once for all vehicles that share one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from domain.vehicles import Specification, VehicleColumns, VehicleFacts
from ml.dataset import TrainingData

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]

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


class FeatureTable(Sequence[FeatureRow]):
    """Feature rows by column.

    Attributes:
        specifications: the rows that differ in more than age and mileage, which are 0 in them.
        specification: which of them each vehicle has, shape (n_rows,).
        age_years, mileage_km: shape (n_rows,).
    """

    def __init__(
        self,
        specifications: Sequence[FeatureRow],
        specification: Codes,
        age_years: Vector,
        mileage_km: Vector,
    ) -> None:
        self.specifications = specifications
        self.specification = specification
        self.age_years = age_years
        self.mileage_km = mileage_km

    def __len__(self) -> int:
        return len(self.specification)

    @overload
    def __getitem__(self, index: int) -> FeatureRow: ...
    @overload
    def __getitem__(self, index: slice) -> FeatureTable: ...
    def __getitem__(self, index: int | slice) -> FeatureRow | FeatureTable:
        if isinstance(index, slice):
            return FeatureTable(
                self.specifications,
                self.specification[index],
                self.age_years[index],
                self.mileage_km[index],
            )
        known: FeatureRow = self.specifications[self.specification[index]]
        return known._replace(
            age_years=float(self.age_years[index]), mileage_km=float(self.mileage_km[index])
        )

    def __iter__(self) -> Iterator[FeatureRow]:
        return (self[place] for place in range(len(self)))

    def number(self, name: str) -> Vector:
        """One of ``NUMBERS`` of each vehicle, NaN where it is missing, shape (n_rows,)."""
        if name in ("age_years", "mileage_km"):
            return self.age_years if name == "age_years" else self.mileage_km
        at = NUMBERS.index(name)
        return self.expanded(lambda row: row.numbers[at])

    def expanded(self, known: Callable[[FeatureRow], object], dtype: type = float) -> NDArray[Any]:
        """What ``known`` says of each row's specification, shape (n_rows, ...)."""
        found: NDArray[Any] = np.array([known(each) for each in self.specifications], dtype=dtype)
        return found[self.specification]


def per_specification(rows: Sequence[FeatureRow], known: Callable[[FeatureRow], float]) -> Vector:
    """What ``known`` says of each row, which does not hang on age and mileage; shape (n_rows,)."""
    if isinstance(rows, FeatureTable):
        return rows.expanded(known)
    return np.array([known(row) for row in rows])


def table_of(rows: Sequence[FeatureRow]) -> FeatureTable:
    """The rows by column; in the same order."""
    if isinstance(rows, FeatureTable):
        return rows
    numbers: dict[tuple[Any, ...], int] = {}
    # Everything but age and mileage; two numbers that are not there are equal, which NaN is not.
    which = [
        numbers.setdefault(
            (*row[:5], *(None if number != number else number for number in row[7:])), len(numbers)
        )
        for row in rows
    ]
    return FeatureTable(
        [
            FeatureRow._make(
                (*known[:5], 0.0, 0.0, *(math.nan if each is None else each for each in known[5:]))
            )
            for known in numbers
        ],
        np.array(which, dtype=np.intp),
        np.array([row.age_years for row in rows]),
        np.array([row.mileage_km for row in rows]),
    )


def row_of(vehicle: VehicleFacts, *, on: date) -> FeatureRow:
    """The feature row of a vehicle whose age is counted to ``on``."""
    return _row(vehicle, float(on.year - vehicle.release_year), float(vehicle.mileage_km))


def table_of_vehicles(vehicles: VehicleColumns, *, on: date) -> FeatureTable:
    """The feature rows of vehicles whose age is counted to ``on``."""
    return FeatureTable(
        [_row(each, 0.0, 0.0) for each in vehicles.specifications],
        vehicles.specification.astype(np.intp),
        (on.year - vehicles.release_year).astype(np.float64),
        vehicles.mileage_km.astype(np.float64),
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


def _row(vehicle: VehicleFacts | Specification, age_years: float, mileage_km: float) -> FeatureRow:
    brand = _folded(vehicle.brand)
    return FeatureRow(
        brand,
        f"{brand} {_folded(vehicle.model)}",
        _folded(vehicle.version),
        vehicle.fuel.value,
        vehicle.gearbox.value if vehicle.gearbox else "",
        age_years,
        mileage_km,
        _number(vehicle.horsepower),
        _number(vehicle.engine_cc),
        _number(vehicle.doors),
    )


def _folded(text: str | None) -> str:
    return text.strip().casefold() if text else ""


def _number(value: int | None) -> float:
    return math.nan if value is None else float(value)
