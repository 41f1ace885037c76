"""Stock vehicles by column: what prices a whole stock reads of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Select, String, Table, type_coerce
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col

from domain import tables
from domain.offers import has_price
from domain.pricing.columns import (
    UNKNOWN,
    Codes,
    StockColumns,
    Whole,
    with_market_prices,
)
from domain.snapshots import ServedModel
from domain.vehicles import Specification, VehicleColumns
from domain.vocabulary import Fuel, Gearbox

_VEHICLE: Table = SQLModel.metadata.tables[tables.Vehicle.__tablename__]


@dataclass(frozen=True, slots=True, eq=False)
class StockRows:
    """Vehicles of the stock, all of shape (n_vehicles,).

    Attributes:
        ids: of ``tables.Vehicle``, rising.
        price_cents, cost_cents: in hundredths; a cost that is not known is ``UNKNOWN``.
        acquired_on: as the number of the day in the calendar, see ``date.toordinal``.
    """

    ids: Whole
    references: Sequence[str]
    vehicles: VehicleColumns
    price_cents: Whole
    cost_cents: Whole
    acquired_on: Codes

    def __len__(self) -> int:
        return len(self.ids)

    def can_be_estimated(self, on: date) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which have an age: what is newer than any car can be has none."""
        return self.vehicles.release_year <= on.year + 1

    def only(self, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> StockRows:
        """Some of the vehicles."""
        if rows.all():
            return self
        vehicles = self.vehicles
        return StockRows(
            ids=self.ids[rows],
            references=[self.references[row] for row in np.flatnonzero(rows).tolist()],
            vehicles=VehicleColumns(
                vehicles.specifications,
                vehicles.specification[rows],
                vehicles.release_year[rows],
                vehicles.mileage_km[rows],
            ),
            price_cents=self.price_cents[rows],
            cost_cents=self.cost_cents[rows],
            acquired_on=self.acquired_on[rows],
        )

    def pieces(self, size: int) -> Iterator[StockRows]:
        """The same vehicles, so many at a time, each piece with its own specifications alone."""
        for begin in range(0, len(self), size):
            rows = slice(begin, begin + size)
            vehicles = self.vehicles
            used, which = np.unique(vehicles.specification[rows], return_inverse=True)
            yield StockRows(
                ids=self.ids[rows],
                references=self.references[rows],
                vehicles=VehicleColumns(
                    [vehicles.specifications[each] for each in used.tolist()],
                    which.astype(np.int32),
                    vehicles.release_year[rows],
                    vehicles.mileage_km[rows],
                ),
                price_cents=self.price_cents[rows],
                cost_cents=self.cost_cents[rows],
                acquired_on=self.acquired_on[rows],
            )

    def estimated(self, model: ServedModel, *, on: date) -> StockColumns:
        """What strategies read, the market prices among it; every vehicle can be estimated."""
        return with_market_prices(
            self.vehicles,
            model.estimator.market_cents(self.vehicles, on=on),
            on=on,
            days_in_stock=np.maximum(on.toordinal() - self.acquired_on, 0),
            cost_cents=self.cost_cents,
        )


def read(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, most: int | None = None
) -> StockRows:
    """The vehicles that meet some conditions, in the order in which they were stored.

    Args:
        most: so many at most; all of them where it is None.
    """
    statement = (
        _selected(col(tables.AskingPrice.price)).where(*conditions).order_by(col(tables.Vehicle.id))
    )
    return _rows(session.execute(statement.limit(most)).all())


def read_sold(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, on: date
) -> StockRows:
    """The vehicles that were sold, at the price that was paid, as they stood when they were.

    Their days are moved, so that on the day ``on`` each has the age and the days in stock that it
    had when it was ordered. Orders that are not accepted, and those for nothing, are no sales.
    """
    order = tables.Order
    statement = (
        _selected(col(order.total_price), col(order.ordered_on))
        .join(order, col(order.vehicle_id) == col(tables.Vehicle.id))
        .where(*conditions, *is_sale())
        .order_by(col(tables.Vehicle.id))
    )
    found = session.execute(statement).all()
    rows = _rows([row[:-1] for row in found])
    ordered_on: list[date] = [row[-1] for row in found]
    years = np.array([day.year for day in ordered_on], dtype=np.int32)
    days = np.array([day.toordinal() for day in ordered_on], dtype=np.int32)
    moved = replace(rows.vehicles, release_year=rows.vehicles.release_year + (on.year - years))
    return replace(rows, vehicles=moved, acquired_on=rows.acquired_on + (on.toordinal() - days))


def is_sale() -> tuple[ColumnElement[bool], ...]:
    """Orders that say what a vehicle was worth to somebody."""
    order = tables.Order
    sold = (tables.OrderStatus.ACCEPTED, tables.OrderStatus.PAID)
    return col(order.status).in_(sold), col(order.total_price) > 0


def _selected(price: Any, *more: Any) -> Select[Any]:
    vehicle = tables.Vehicle
    return select_columns(
        col(vehicle.id),
        col(vehicle.reference),
        col(vehicle.release_year),
        col(vehicle.mileage_km),
        # As the database keeps them: a decimal a row would take longer than all the rest.
        type_coerce(price, BigInteger),
        type_coerce(col(vehicle.cost), BigInteger),
        col(vehicle.acquired_on),
        *(_plain(name) for name in Specification._fields),
        *more,
    ).join_from(vehicle, tables.AskingPrice, has_price())


def _rows(found: Sequence[Sequence[Any]]) -> StockRows:
    columns = list(zip(*found, strict=True)) or [()] * (7 + len(Specification._fields))
    ids, references, years, mileages, prices, costs, days, *specifications = columns
    known: dict[tuple[Any, ...], int] = {}
    which = [known.setdefault(each, len(known)) for each in zip(*specifications, strict=True)]
    return StockRows(
        ids=np.array(ids, dtype=np.int64),
        references=references,
        vehicles=VehicleColumns(
            specifications=[_specification(*each) for each in known],
            specification=np.array(which, dtype=np.int32),
            release_year=np.array(years, dtype=np.int32),
            mileage_km=np.array(mileages, dtype=np.int32),
        ),
        price_cents=np.array(prices, dtype=np.int64),
        cost_cents=np.array([UNKNOWN if cost is None else cost for cost in costs], dtype=np.int64),
        acquired_on=np.array([day.toordinal() for day in days], dtype=np.int32),
    )


def _plain(name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = _VEHICLE.c[name]
    return type_coerce(column, String) if name in ("fuel", "gearbox") else column


def _specification(
    brand: str, model: str, version: str | None, fuel: str, gearbox: str | None, *numbers: int
) -> Specification:
    return Specification(
        brand, model, version, Fuel(fuel), None if gearbox is None else Gearbox(gearbox), *numbers
    )
