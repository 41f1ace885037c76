"""Sales in figures: payments by type, and what was sold by brand, fuel, month or strategy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Float, String, cast, extract, func, select
from sqlmodel import Session, col

from domain import markets, sales_lists, tables
from domain.errors import Invalid, LimitExceeded
from domain.sales_lists import OrderFilter
from domain.sql_days import days_between
from domain.tables import OrderStatus, PaymentType

MAX_GROUPS = 1_000

LIVE = frozenset(OrderStatus) - {OrderStatus.CANCELLED}


class SalesGroup(StrEnum):
    """What sales are counted by."""

    BRAND = "BRAND"
    FUEL = "FUEL"
    BRAND_FUEL = "BRAND_FUEL"
    MONTH = "MONTH"
    STRATEGY_VERSION = "STRATEGY_VERSION"


@dataclass(frozen=True, slots=True)
class PaymentTypeCount:
    """Payments of one type."""

    type: PaymentType
    payments: int
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class SalesRow:
    """The orders of one group.

    Attributes:
        key: what they have in common, e.g. ("Peugeot", "PETROL"); empty for orders without a quote
            where the strategy version is what they are counted by.
        mean_versus_market: mean of total price over the quote's market price, minus 1; None where
            no order has a quote.
        mean_days_to_sell: from the day of acquisition to the day of the order.
    """

    key: tuple[str, ...]
    orders: int
    revenue: Decimal
    currency: str
    mean_versus_market: float | None
    mean_days_to_sell: float | None


def payment_type_counts(
    session: Session, market: str, wanted: OrderFilter
) -> list[PaymentTypeCount]:
    """Payments of each type that was used, over the orders that pass.

    Raises:
        NotFound: there is no such market.
    """
    place = markets.by_code(session, market)
    passing = sales_lists.conditions(session, wanted)
    payment, order = tables.Payment, tables.Order
    rows = session.execute(
        select(col(payment.type), func.count(), func.sum(col(payment.amount)))
        .join(order, col(order.id) == payment.order_id)
        .where(col(order.market_id) == place.id, *passing)
        .group_by(col(payment.type))
    )
    found = [PaymentTypeCount(kind, count, total, place.currency) for kind, count, total in rows]
    return sorted(found, key=lambda each: list(PaymentType).index(each.type))


def sales(
    session: Session,
    market: str,
    by: SalesGroup,
    wanted: OrderFilter,
    *,
    first: int | None = None,
    most: int = MAX_GROUPS,
) -> list[SalesRow]:
    """What was sold, by group, in the order of their keys.

    A cancelled order is no sale: it counts only where the filter asks for that status.

    Args:
        first: only so many groups; all of them where it is None.
        most: groups that are answered at all.

    Raises:
        NotFound: there is no such market.
        Invalid: nobody may ask for so many groups.
        LimitExceeded: all are asked for, and there are more.
    """
    if first is not None and not 0 <= first <= most:
        raise Invalid(f"first is {first}: ask for 0 to {most}.", path=("first",))
    place = markets.by_code(session, market)
    if wanted.statuses is None:
        wanted = replace(wanted, statuses=LIVE)
    order, vehicle, quote = tables.Order, tables.Vehicle, tables.Quote
    # Both amounts are kept in hundredths, so their ratio is that of the prices.
    ratio = cast(col(order.total_price), Float) / cast(
        func.nullif(col(quote.market_price), 0), Float
    )
    days = days_between(col(vehicle.acquired_on), col(order.ordered_on))
    group = _group(by)
    rows = session.execute(
        select(
            func.count(),
            func.sum(col(order.total_price)),
            func.avg(ratio) - 1,
            func.avg(cast(days, Float)),
            *group,
        )
        .select_from(order)
        .join(vehicle, col(vehicle.id) == order.vehicle_id)
        .outerjoin(quote, col(quote.id) == order.quote_id)
        .outerjoin(
            tables.StrategyVersion, col(tables.StrategyVersion.id) == quote.strategy_version_id
        )
        .outerjoin(tables.Strategy, col(tables.Strategy.id) == tables.StrategyVersion.strategy_id)
        .where(col(order.market_id) == place.id, *sales_lists.conditions(session, wanted))
        .group_by(*group)
    )
    found = [
        SalesRow(_key(by, key), count, revenue, place.currency, _number(ratio), _number(days))
        for count, revenue, ratio, days, *key in rows
    ]
    if first is None and len(found) > most:
        raise LimitExceeded(
            f"There are {len(found)} groups, and {most} can be answered: narrow the filter, "
            "or ask for the first of them.",
            path=("first",),
        )
    return sorted(found, key=lambda each: each.key)[:first]


def _group(by: SalesGroup) -> list[Any]:
    order, vehicle = tables.Order, tables.Vehicle
    groups: dict[SalesGroup, list[Any]] = {
        SalesGroup.BRAND: [col(vehicle.brand)],
        SalesGroup.FUEL: [col(vehicle.fuel)],
        SalesGroup.BRAND_FUEL: [col(vehicle.brand), col(vehicle.fuel)],
        SalesGroup.MONTH: [
            extract("year", col(order.ordered_on)),
            extract("month", col(order.ordered_on)),
        ],
        SalesGroup.STRATEGY_VERSION: [
            col(tables.Strategy.name),
            cast(col(tables.StrategyVersion.number), String),
        ],
    }
    return groups[by]


def _key(by: SalesGroup, values: list[Any]) -> tuple[str, ...]:
    if by is SalesGroup.MONTH:
        year, month = values
        return (f"{int(year):04}-{int(month):02}",)
    return tuple(str(value) for value in values if value is not None)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
