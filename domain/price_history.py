"""Price history: every price that a stock vehicle was offered for, and what the law asks of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, func, or_, true
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from domain import tables
from domain.errors import Invalid
from domain.sql_days import days_between

DEFAULT_CHANGES = 20
MAX_CHANGES = 200
PRIOR_PRICE_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many of a vehicle's changes are asked for."""

    vehicle_id: int
    first: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a vehicle's price, see ``tables.PriceChange``."""

    price: Decimal
    changed_at: datetime
    reason: str
    strategy_version_id: int | None


@dataclass(frozen=True, slots=True)
class Price:
    """A price, and from when on it was asked."""

    amount: Decimal
    since: datetime


def check_first(first: int) -> None:
    """Refuse a number of changes that nobody could want.

    Raises:
        Invalid: below 0 or above ``MAX_CHANGES``.
    """
    if not 0 <= first <= MAX_CHANGES:
        raise Invalid(f"first is {first}: ask for 0 to {MAX_CHANGES}.", path=("first",))


def newest_changes(session: Session, wanted: Sequence[Wanted]) -> dict[Wanted, list[Change]]:
    """The latest price changes of many vehicles, newest first, in one statement."""
    newest = _newest if session.get_bind().dialect.name == "postgresql" else _newest_of_all
    statement = newest(
        {each.vehicle_id for each in wanted}, max((each.first for each in wanted), default=0)
    )
    by_vehicle: defaultdict[int, list[Change]] = defaultdict(list)
    for vehicle_id, *facts in session.execute(statement):
        by_vehicle[vehicle_id].append(Change(*facts))
    return {each: by_vehicle[each.vehicle_id][: each.first] for each in wanted}


def _columns() -> list[Any]:
    """Of a change; columns and no objects, since a page of vehicles has hundreds of changes."""
    names = ("vehicle_id", *(each.name for each in fields(Change)))
    return [col(getattr(tables.PriceChange, name)) for name in names]


def _newest(vehicle_ids: Collection[int], first: int) -> Select[Any]:
    """So many of each vehicle: of a long history the index gives no more than is asked for."""
    change, vehicle = tables.PriceChange, tables.Vehicle
    newest = (
        select_columns(*_columns(), col(change.id))
        .where(col(change.vehicle_id) == col(vehicle.id))
        .order_by(col(change.id).desc())
        .limit(first)
        .correlate(vehicle)
        .lateral("newest")
    )
    return (
        select_columns(*list(newest.c)[:-1])
        .join_from(vehicle, newest, true())
        .where(col(vehicle.id).in_(vehicle_ids))
        .order_by(newest.c.vehicle_id, newest.c.id.desc())
    )


def _newest_of_all(vehicle_ids: Collection[int], first: int) -> Select[Any]:
    """The same where a database knows no LATERAL: every change is read and given its place."""
    change = tables.PriceChange
    place = func.row_number().over(
        partition_by=col(change.vehicle_id), order_by=col(change.id).desc()
    )
    ranked = (
        select_columns(*_columns(), place.label("place"))
        .where(col(change.vehicle_id).in_(vehicle_ids))
        .subquery()
    )
    return (
        select_columns(*list(ranked.c)[:-1])
        .where(ranked.c.place <= first)
        .order_by(ranked.c.vehicle_id, ranked.c.place)
    )


def lowest_prior_prices(session: Session, vehicle_ids: Collection[int]) -> dict[int, Decimal]:
    """The prior price of each vehicle that has one, see ``lowest_prior_price``; one statement."""
    found: dict[int, Decimal] = {}
    rows = session.execute(_of_late(vehicle_ids))
    for vehicle_id, changes in groupby(rows, key=attrgetter("vehicle_id")):
        prices = [Price(amount, since) for _, amount, since in changes]
        prior = lowest_prior_price(prices)
        if prior is not None:
            found[vehicle_id] = prior
    return found


def _of_late(vehicle_ids: Collection[int]) -> Select[Any]:
    """The changes that can matter for a prior price, oldest first, with some days to spare."""
    change = tables.PriceChange
    vehicle, since = col(change.vehicle_id), col(change.changed_at)
    until = func.lead(since).over(partition_by=vehicle, order_by=col(change.id))
    present = func.first_value(since).over(partition_by=vehicle, order_by=col(change.id).desc())
    every = (
        select_columns(
            vehicle,
            col(change.price),
            since,
            col(change.id),
            func.date(until).label("until"),
            func.date(present).label("present"),
        )
        .where(vehicle.in_(vehicle_ids))
        .subquery()
    )
    days_before = days_between(every.c.until, every.c.present)
    return (
        select_columns(every.c.vehicle_id, every.c.price, every.c.changed_at)
        .where(or_(every.c.until.is_(None), days_before <= PRIOR_PRICE_PERIOD.days + 2))
        .order_by(every.c.vehicle_id, every.c.id)
    )


def lowest_prior_price(prices: Sequence[Price]) -> Decimal | None:
    """The lowest price that was asked within the 30 days before the present one was set.

    A price that was set earlier and still asked at the beginning of these days counts as well. A
    vehicle that has been on offer for less long counts from its first price on. This is the "prior
    price" that a trader indicates with a reduction: Directive 98/6/EC, article 6a, paragraph 2, as
    amended by Directive (EU) 2019/2161.

    Args:
        prices: all of a vehicle, oldest first; the last one is the present one.

    Returns:
        None where the present price is the only one so far.
    """
    if not prices:
        return None
    opening = prices[-1].since - PRIOR_PRICE_PERIOD
    return min((price.amount for price, until in _periods(prices) if until > opening), default=None)


def _periods(prices: Sequence[Price]) -> Iterator[tuple[Price, datetime]]:
    """Each price but the present one, and until when it was asked."""
    for price, following in pairwise(prices):
        if following.since > price.since:
            yield price, following.since
