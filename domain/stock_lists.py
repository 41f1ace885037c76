"""Lists of stock vehicles: filtered by the database, in a total order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, exists, false, func, not_
from sqlmodel import Session, col, select

from domain import catalogue, markets, tables
from domain.bounds import at_least, at_most, check_search
from domain.errors import Path
from domain.offers import select_offers
from domain.pages import Direction, Ordered
from domain.vocabulary import Fuel, Gearbox, fold


@dataclass(frozen=True, slots=True)
class VehicleFilter:
    """Which vehicles; None accepts anything, an empty collection nothing. Bounds are included.

    Attributes:
        brands: names or aliases; case and accents do not matter.
        colours: as they are stored; case does not matter.
        available: whether no live order may hold the vehicle, or one has to.
        search: words, each of which has to be found in brand, model or version.
    """

    market: str | None = None
    brands: Collection[str] | None = None
    fuels: Collection[Fuel] | None = None
    gearboxes: Collection[Gearbox] | None = None
    colours: Collection[str] | None = None
    doors: int | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_release_year: int | None = None
    max_release_year: int | None = None
    min_mileage_km: int | None = None
    max_mileage_km: int | None = None
    available: bool | None = None
    search: str | None = None


class VehicleOrderField(StrEnum):
    """What a list of vehicles is ordered by; equals in the order in which they were stored."""

    PRICE = "PRICE"
    MILEAGE_KM = "MILEAGE_KM"
    RELEASE_YEAR = "RELEASE_YEAR"
    DAYS_IN_STOCK = "DAYS_IN_STOCK"
    REFERENCE = "REFERENCE"


@dataclass(frozen=True, slots=True)
class VehicleOrder:
    """By what, and which way."""

    field: VehicleOrderField
    direction: Direction = Direction.ASC


_COLUMNS: dict[VehicleOrderField, Any] = {
    VehicleOrderField.PRICE: col(tables.AskingPrice.price),
    VehicleOrderField.MILEAGE_KM: col(tables.Vehicle.mileage_km),
    VehicleOrderField.RELEASE_YEAR: col(tables.Vehicle.release_year),
    VehicleOrderField.DAYS_IN_STOCK: col(tables.Vehicle.acquired_on),
    VehicleOrderField.REFERENCE: col(tables.Vehicle.reference),
}


def listed(session: Session, wanted: VehicleFilter, order: VehicleOrder | None) -> Ordered:
    """Offers, see ``select_offers``; without an order as their vehicles were stored.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    statement = select_offers().where(*conditions(session, wanted))
    if (only := markets.only_one(session, wanted.market)) is not None:
        statement = statement.where(tables.Vehicle.market_id == only)
    by_price = order is not None and order.field is VehicleOrderField.PRICE
    # The same number, but an index orders only what is its own.
    newest_last = col(tables.AskingPrice.vehicle_id if by_price else tables.Vehicle.id)
    if order is None:
        return Ordered(statement, by=(newest_last,))
    descending = order.direction is Direction.DESC
    if order.field is VehicleOrderField.DAYS_IN_STOCK:
        # Few days in stock is a late day of acquisition.
        descending = not descending
    return Ordered(statement, by=(_COLUMNS[order.field], newest_last), descending=descending)


def conditions(
    session: Session, wanted: VehicleFilter, *, path: Path = ("filter",)
) -> list[ColumnElement[bool]]:
    """The filter as conditions on ``tables.Vehicle``, joined with ``offers.has_price``.

    Args:
        path: where the filter stands in the caller's input.

    Raises:
        NotFound: it names a market that does not exist.
    """
    vehicle = tables.Vehicle
    found: list[ColumnElement[bool]] = []
    if wanted.market is not None:
        market = markets.by_code(session, wanted.market, path=(*path, "market"))
        found.append(col(vehicle.market_id) == market.id)
    if wanted.brands is not None:
        found.append(col(vehicle.brand).in_(catalogue.brands(session, *wanted.brands)))
    if wanted.colours is not None:
        found.append(is_of_colours(wanted.colours))
    if wanted.available is not None:
        found.append(not_(is_held()) if wanted.available else is_held())
    if wanted.search is not None:
        found += _holds_words(check_search(wanted.search, "filter", "search"))
    return found + _plain_conditions(wanted)


def is_held() -> ColumnElement[bool]:
    """Vehicles that a live order holds."""
    order = tables.Order
    return exists().where(
        col(order.vehicle_id) == tables.Vehicle.id,
        col(order.status) != tables.OrderStatus.CANCELLED,
    )


def is_of_colours(colours: Collection[str]) -> ColumnElement[bool]:
    """Vehicles of one of these colours, in whatever case they are written."""
    # PostgreSQL takes no null character, so no row can hold one.
    wanted = [colour.strip().lower() for colour in colours if "\0" not in colour]
    return func.lower(col(tables.Vehicle.colour)).in_(wanted)


def _plain_conditions(wanted: VehicleFilter) -> list[ColumnElement[bool]]:
    vehicle, asking = tables.Vehicle, tables.AskingPrice
    asked: list[tuple[Any, Any]] = [
        (wanted.fuels, col(vehicle.fuel).in_),
        (wanted.gearboxes, col(vehicle.gearbox).in_),
        (wanted.doors, col(vehicle.doors).__eq__),
        (wanted.min_price, lambda bound: at_least(col(asking.price), bound)),
        (wanted.max_price, lambda bound: at_most(col(asking.price), bound)),
        (wanted.min_release_year, col(vehicle.release_year).__ge__),
        (wanted.max_release_year, col(vehicle.release_year).__le__),
        (wanted.min_mileage_km, col(vehicle.mileage_km).__ge__),
        (wanted.max_mileage_km, col(vehicle.mileage_km).__le__),
    ]
    return [condition(value) for value, condition in asked if value is not None]


def _holds_words(search: str) -> list[ColumnElement[bool]]:
    """Found in the catalogue, which has a row where the stock has many."""
    if not search.strip():
        return []
    words = fold(search).split()
    if not words:
        # Nothing but signs, and no name has any that are looked at.
        return [false()]
    entry = tables.CatalogueEntry
    known = select(entry.id).where(
        *(col(entry.words).contains(word, autoescape=True) for word in words)
    )
    return [col(tables.Vehicle.entry_id).in_(known)]
