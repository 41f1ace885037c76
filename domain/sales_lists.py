"""Lists of orders and clients: filtered by the database, in a total order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, exists, false, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from domain import markets, stock_lists, tables
from domain.bounds import at_least, at_most, check_search
from domain.errors import Invalid, Path
from domain.offers import has_price
from domain.pages import MAX_SIZE, Direction, Ordered
from domain.stock_lists import VehicleFilter
from domain.tables import OrderStatus, PaymentType
from domain.vocabulary import Fuel

OrderRow = tuple[tables.Order, str]
"""An order and its market's currency."""
PaymentRow = tuple[tables.Payment, str]
"""A payment and its market's currency."""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders; None accepts anything, an empty collection nothing. Bounds are included.

    Attributes:
        brands, fuels, colours, doors: of the vehicle, as in ``VehicleFilter``.
        min_vehicle_price, max_vehicle_price: of what the vehicle is offered for.
        paid_with_all: at least one payment of each of these types.
        email_starts_with: of the client; case does not matter.
    """

    market: str | None = None
    statuses: Collection[OrderStatus] | None = None
    brands: Collection[str] | None = None
    fuels: Collection[Fuel] | None = None
    colours: Collection[str] | None = None
    doors: int | None = None
    min_vehicle_price: Decimal | None = None
    max_vehicle_price: Decimal | None = None
    min_total_price: Decimal | None = None
    max_total_price: Decimal | None = None
    paid_with_all: Collection[PaymentType] | None = None
    min_payments: int | None = None
    email_starts_with: str | None = None
    ordered_from: date | None = None
    ordered_to: date | None = None


@dataclass(frozen=True, slots=True)
class ClientFilter:
    """Which clients; with ``orders`` only those who have at least one that passes."""

    email_starts_with: str | None = None
    orders: OrderFilter | None = None


class OrderOrderField(StrEnum):
    """What a list of orders is ordered by; equals in the order in which they were stored."""

    ORDERED_ON = "ORDERED_ON"
    TOTAL_PRICE = "TOTAL_PRICE"


@dataclass(frozen=True, slots=True)
class OrderOrder:
    """By what, and which way."""

    field: OrderOrderField
    direction: Direction = Direction.ASC


NEWEST_FIRST = OrderOrder(OrderOrderField.ORDERED_ON, Direction.DESC)

_COLUMNS: dict[OrderOrderField, Any] = {
    OrderOrderField.ORDERED_ON: col(tables.Order.ordered_on),
    OrderOrderField.TOTAL_PRICE: col(tables.Order.total_price),
}


@dataclass(frozen=True, slots=True)
class OrdersWanted:
    """How many of a client's orders are asked for."""

    client_id: int
    first: int


def orders(session: Session, wanted: OrderFilter, order: OrderOrder = NEWEST_FIRST) -> Ordered:
    """Orders and their currency.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    statement = _with_currency().where(*conditions(session, wanted))
    if (only := markets.only_one(session, wanted.market)) is not None:
        statement = statement.where(tables.Order.market_id == only)
    return Ordered(
        statement,
        by=(_COLUMNS[order.field], col(tables.Order.id)),
        descending=order.direction is Direction.DESC,
    )


def clients(session: Session, wanted: ClientFilter) -> Ordered:
    """Clients, in the order in which they were first seen.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    client = tables.Client
    statement = select(client)
    if wanted.email_starts_with is not None:
        statement = statement.where(_starts_with(wanted.email_starts_with))
    if wanted.orders is not None:
        passing = conditions(session, wanted.orders, path=("filter", "orders"))
        buyers = select(tables.Order.client_id).where(*passing)
        statement = statement.where(col(client.id).in_(buyers))
    return Ordered(statement, by=(col(client.id),))


def conditions(
    session: Session, wanted: OrderFilter, *, path: Path = ("filter",)
) -> list[ColumnElement[bool]]:
    """The filter as conditions on ``tables.Order``.

    Args:
        path: where the filter stands in the caller's input.

    Raises:
        NotFound: it names a market that does not exist.
    """
    order = tables.Order
    found = _plain_conditions(wanted)
    if wanted.market is not None:
        market = markets.by_code(session, wanted.market, path=(*path, "market"))
        found.append(col(order.market_id) == market.id)
    vehicle = VehicleFilter(
        brands=wanted.brands,
        fuels=wanted.fuels,
        colours=wanted.colours,
        doors=wanted.doors,
        min_price=wanted.min_vehicle_price,
        max_price=wanted.max_vehicle_price,
    )
    if vehicle != VehicleFilter():
        passing = stock_lists.conditions(session, vehicle)
        offered = select(tables.Vehicle.id).join_from(
            tables.Vehicle, tables.AskingPrice, has_price()
        )
        found.append(col(order.vehicle_id).in_(offered.where(*passing)))
    if wanted.email_starts_with is not None:
        buyers = select(tables.Client.id).where(_starts_with(wanted.email_starts_with))
        found.append(col(order.client_id).in_(buyers))
    return found


def orders_by_id(session: Session, ids: Collection[int]) -> dict[int, OrderRow]:
    """Orders by their ids."""
    rows = session.exec(_with_currency().where(col(tables.Order.id).in_(ids)))
    return {order.id: (order, currency) for order, currency in rows}


def payments_by_id(session: Session, ids: Collection[int]) -> dict[int, PaymentRow]:
    """Payments by their ids."""
    rows = session.exec(
        select(tables.Payment, tables.Market.currency)
        .join(tables.Order, col(tables.Order.id) == tables.Payment.order_id)
        .join(tables.Market, col(tables.Market.id) == tables.Order.market_id)
        .where(col(tables.Payment.id).in_(ids))
    )
    return {payment.id: (payment, currency) for payment, currency in rows}


def payments_of(session: Session, order_ids: Collection[int]) -> dict[int, list[tables.Payment]]:
    """The payments of many orders, earliest first, in one statement."""
    payment = tables.Payment
    rows = session.exec(
        select(payment)
        .where(col(payment.order_id).in_(order_ids))
        .order_by(col(payment.paid_on), col(payment.id))
    )
    found: dict[int, list[tables.Payment]] = {key: [] for key in order_ids}
    for row in rows:
        found[row.order_id].append(row)
    return found


def check_first(first: int) -> None:
    """Refuse a number of a client's orders that one answer cannot hold.

    Raises:
        Invalid: below 0 or above ``MAX_SIZE``.
    """
    if not 0 <= first <= MAX_SIZE:
        raise Invalid(f"first is {first}: ask for 0 to {MAX_SIZE}.", path=("first",))


def orders_of_clients(
    session: Session, wanted: Sequence[OrdersWanted]
) -> dict[OrdersWanted, list[OrderRow]]:
    """The latest orders of many clients, newest first, in one statement."""
    order = tables.Order
    place = func.row_number().over(
        partition_by=col(order.client_id),
        order_by=(col(order.ordered_on).desc(), col(order.id).desc()),
    )
    ranked = (
        select(col(order.id), place.label("place"))
        .where(col(order.client_id).in_({each.client_id for each in wanted}))
        .subquery()
    )
    rows = session.exec(
        _with_currency()
        .join(ranked, ranked.c.id == order.id)
        .where(ranked.c.place <= max(each.first for each in wanted))
        .order_by(ranked.c.place)
    )
    by_client: dict[int, list[OrderRow]] = {each.client_id: [] for each in wanted}
    for found, currency in rows:
        by_client[found.client_id].append((found, currency))
    return {each: by_client[each.client_id][: each.first] for each in wanted}


def _with_currency() -> Select[tables.Order, str]:
    return select(tables.Order, tables.Market.currency).join(
        tables.Market, col(tables.Market.id) == tables.Order.market_id
    )


def _plain_conditions(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    order = tables.Order
    asked: list[tuple[Any, Any]] = [
        (wanted.statuses, col(order.status).in_),
        (wanted.min_total_price, lambda bound: at_least(col(order.total_price), bound)),
        (wanted.max_total_price, lambda bound: at_most(col(order.total_price), bound)),
        (wanted.ordered_from, col(order.ordered_on).__ge__),
        (wanted.ordered_to, col(order.ordered_on).__le__),
        (wanted.min_payments, _has_payments),
    ]
    found = [condition(value) for value, condition in asked if value is not None]
    return found + [_is_paid_with(each) for each in dict.fromkeys(wanted.paid_with_all or ())]


def _is_paid_with(kind: PaymentType) -> ColumnElement[bool]:
    payment = tables.Payment
    return exists().where(col(payment.order_id) == tables.Order.id, col(payment.type) == kind)


def _has_payments(least: int) -> ColumnElement[bool]:
    payment = tables.Payment
    count = (
        select(func.count())
        .select_from(payment)
        .where(col(payment.order_id) == tables.Order.id)
        .correlate(tables.Order)
        .scalar_subquery()
    )
    return count >= least


def _starts_with(start: str) -> ColumnElement[bool]:
    check_search(start, "filter", "emailStartsWith")
    if "\0" in start:
        return false()
    escaped = "".join(f"/{sign}" if sign in "/%_" else sign for sign in start.lower())
    return col(tables.Client.email).like(f"{escaped}%", escape="/")
