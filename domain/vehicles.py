"""A vehicle in the three forms it has on its way to a price.

described (free text)  ->  catalogue entry (what it was taken for)  ->  facts (what is estimated)

Many vehicles at once have their facts by column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.vocabulary import Fuel, Gearbox


@dataclass(frozen=True, slots=True)
class VehicleDescription:
    """A vehicle as a form or a partner feed describes it: free text, possibly misspelt."""

    brand: str
    model: str
    release_year: int
    fuel: str
    mileage_km: int
    gearbox: str | None = None
    doors: int | None = None
    version: str | None = None
    trim: str | None = None
    horsepower: int | None = None
    engine: str | None = None
    engine_cc: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What the catalogue of one market knows of one vehicle specification.

    ``seen`` counts the listings and stock vehicles behind it: of two entries that fit a description
    equally well, the more common one is the better guess.
    """

    id: int
    brand: str
    model: str
    fuel: Fuel
    version: str | None = None
    trim: str | None = None
    engine: str | None = None
    gearbox: Gearbox | None = None
    doors: int | None = None
    horsepower: int | None = None
    engine_cc: int | None = None
    first_year: int | None = None
    last_year: int | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What the market price of a vehicle is estimated from, in catalogue names and plain units."""

    brand: str
    model: str
    fuel: Fuel
    release_year: int
    mileage_km: int
    version: str | None = None
    gearbox: Gearbox | None = None
    horsepower: int | None = None
    engine_cc: int | None = None
    doors: int | None = None


class Specification(NamedTuple):
    """What listings and stock vehicles of one catalogue entry have in common."""

    brand: str
    model: str
    version: str | None
    fuel: Fuel
    gearbox: Gearbox | None
    doors: int | None
    horsepower: int | None
    engine_cc: int | None


@dataclass(frozen=True, slots=True, eq=False)
class VehicleColumns:
    """The facts of many vehicles; few specifications make up many vehicles.

    Attributes:
        specifications: those that there are.
        specification: which of them each vehicle has, shape (n_vehicles,).
        release_year, mileage_km: shape (n_vehicles,).
    """

    specifications: Sequence[Specification]
    specification: NDArray[np.int32]
    release_year: NDArray[np.int32]
    mileage_km: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.specification)


def columns_of(vehicles: Sequence[VehicleFacts]) -> VehicleColumns:
    """The vehicles by column."""
    specifications: dict[tuple[Any, ...], int] = {}
    which = [
        specifications.setdefault(key, len(specifications)) for key in map(_specification, vehicles)
    ]
    return VehicleColumns(
        [Specification._make(key) for key in specifications],
        np.array(which, dtype=np.int32),
        np.array([vehicle.release_year for vehicle in vehicles], dtype=np.int32),
        np.array([vehicle.mileage_km for vehicle in vehicles], dtype=np.int32),
    )


_specification = attrgetter(*Specification._fields)


def fields_of(given: VehicleDescription | CatalogueEntry | VehicleFacts) -> dict[str, Any]:
    """The fields by name, to be kept; ``dataclasses.asdict`` would copy each of them deeply."""
    return {name: getattr(given, name) for name in given.__slots__}


def facts_of(
    description: VehicleDescription, entry: CatalogueEntry, *, gearbox: Gearbox | None
) -> VehicleFacts:
    """The facts of a described vehicle: what was given, and the catalogue entry for the rest.

    Args:
        gearbox: the described gearbox, understood; None where none was given.
    """

    def given(value: int | None, known: int | None) -> int | None:
        return known if value is None else value

    return VehicleFacts(
        brand=entry.brand,
        model=entry.model,
        fuel=entry.fuel,
        release_year=description.release_year,
        mileage_km=description.mileage_km,
        version=entry.version,
        gearbox=gearbox or entry.gearbox,
        horsepower=given(description.horsepower, entry.horsepower),
        engine_cc=given(description.engine_cc, entry.engine_cc),
        doors=given(description.doors, entry.doors),
    )
