"""Offers: the vehicles of the stock, each with what it is offered for today."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from domain import markets, tables


@dataclass(frozen=True, slots=True)
class Offer:
    """A stock vehicle, its price, and the currency of its market."""

    vehicle: tables.Vehicle
    price: Decimal
    currency: str


def has_price() -> ColumnElement[bool]:
    """Joins ``tables.AskingPrice`` to its ``tables.Vehicle``."""
    asking, vehicle = tables.AskingPrice, tables.Vehicle
    # By the market as well: only so the index by price gives the list of one market in its order.
    return and_(
        col(asking.vehicle_id) == col(vehicle.id),
        col(asking.market_id) == col(vehicle.market_id),
    )


def select_offers() -> Select[tables.Vehicle, Decimal, str]:
    """All of them, each row as the arguments of an ``Offer``."""
    return (
        select(tables.Vehicle, col(tables.AskingPrice.price), col(tables.Market.currency))
        .join_from(tables.Vehicle, tables.AskingPrice, has_price())
        .join(tables.Market, col(tables.Market.id) == tables.Vehicle.market_id)
    )


def by_id(session: Session, ids: Collection[int]) -> dict[int, Offer]:
    """The offers of these vehicles, in one statement."""
    rows = session.exec(select_offers().where(col(tables.Vehicle.id).in_(ids)))
    return {vehicle.id: Offer(vehicle, price, currency) for vehicle, price, currency in rows}


def of_reference(session: Session, market: str, reference: str) -> Offer | None:
    """The offer of a stock number, where there is one.

    Raises:
        NotFound: there is no such market.
    """
    place = markets.by_code(session, market)
    # PostgreSQL takes no null character, so no row can hold one.
    if "\0" in reference:
        return None
    mine = (tables.Vehicle.market_id == place.id, tables.Vehicle.reference == reference)
    found = session.exec(select_offers().where(*mine)).one_or_none()
    return None if found is None else Offer(*found)
