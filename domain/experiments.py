"""Experiments: what a challenger and the strategy beside it did in the same stretch of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

from sqlalchemy import BigInteger, Float, Table, cast, func, select, type_coerce
from sqlmodel import Session, SQLModel, col

from domain import tables
from domain.ledger import Ledger
from domain.sql_days import days_between
from domain.tables import OrderStatus

COVERAGE = 0.95
FEWEST_QUOTES = 30
"""For an interval: with fewer the normal distribution is no fair picture of a mean."""

_Z = NormalDist().inv_cdf(0.5 + COVERAGE / 2)
_QUOTE: Table = SQLModel.metadata.tables[tables.Quote.__tablename__]


@dataclass(frozen=True, slots=True)
class Interval:
    """A range that holds the true mean with probability ``COVERAGE``."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over quotes, with what is needed to say how sure it is.

    Attributes:
        error: standard error of the mean; None with a single quote.
    """

    quotes: int
    value: float
    error: float | None

    @property
    def interval(self) -> Interval | None:
        """Around the mean; None where the quotes are too few to say."""
        if self.error is None or self.quotes < FEWEST_QUOTES:
            return None
        return Interval(self.value - _Z * self.error, self.value + _Z * self.error)


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of an experiment.

    Attributes:
        versus_market: price over market price, minus 1.
        orders: quotes that a live order names.
        mean_days_to_sell: of those, from a vehicle's arrival to its order; None without orders.
    """

    version_id: int
    is_challenger: bool
    versus_market: Mean
    orders: int
    mean_days_to_sell: float | None

    @property
    def quotes(self) -> int:
        """How many quotes it priced."""
        return self.versus_market.quotes

    @property
    def conversion(self) -> float:
        """Orders over quotes."""
        return self.orders / self.quotes

    @property
    def conversion_interval(self) -> Interval:
        """Around the conversion, after Wilson (1927): honest for few quotes, and for none sold."""
        n, share, z = self.quotes, self.conversion, _Z
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        # At the very ends the arithmetic of floats misses them by a hair.
        low = max(0.0, middle - half) if self.orders else 0.0
        high = min(1.0, middle + half) if self.orders < n else 1.0
        return Interval(low, high)


@dataclass(frozen=True, slots=True)
class Experiment:
    """The arms of one challenger's time, the challenger last; one without quotes is left out."""

    starts_at: datetime
    ends_at: datetime | None
    arms: tuple[Arm, ...]

    @property
    def difference(self) -> Interval | None:
        """By how much more the challenger asks, relative to the market; spreads may differ.

        None unless there is one arm on each side and both have quotes enough.
        """
        if [arm.is_challenger for arm in self.arms] != [False, True]:
            return None
        before, after = (arm.versus_market for arm in self.arms)
        if before.interval is None or after.interval is None:
            return None
        error = math.hypot(before.error or 0.0, after.error or 0.0)
        difference = after.value - before.value
        return Interval(difference - _Z * error, difference + _Z * error)


def report(session: Session, activation: tables.Activation, ledger: Ledger) -> Experiment | None:
    """The experiment that a challenger is; None for an activation that prices every vehicle.

    Args:
        ledger: of the activation's market.
    """
    if activation.share == 1:
        return None
    ends_at = ledger.end_of(activation.id)
    in_its_time = [
        _QUOTE.c.market_id == activation.market_id,
        _QUOTE.c.created_at >= activation.starts_at,
        _QUOTE.c.market_price > 0,
    ]
    if ends_at is not None:
        in_its_time.append(_QUOTE.c.created_at < ends_at)
    priced = session.execute(_prices().where(*in_its_time)).all()
    sold = _sales(session, in_its_time)
    arms = [
        Arm(version_id, side, _mean(*sums), *sold.get((version_id, side), (0, None)))
        for version_id, side, *sums in priced
    ]
    return Experiment(activation.starts_at, ends_at, tuple(arms))


_ARM = (_QUOTE.c.strategy_version_id, _QUOTE.c.challenger)


def _prices() -> Any:
    """Selects by arm how many quotes there are, and the sums that mean and spread follow from."""
    # Whole hundredths as the database keeps them.
    price = cast(type_coerce(_QUOTE.c.price, BigInteger), Float)
    market_price = cast(type_coerce(_QUOTE.c.market_price, BigInteger), Float)
    versus_market = price / market_price - 1.0
    return (
        select(
            *_ARM,
            func.count(),
            func.sum(versus_market),
            func.sum(versus_market * versus_market),
        )
        .group_by(*_ARM)
        .order_by(_QUOTE.c.challenger, _QUOTE.c.strategy_version_id)
    )


def _orders() -> Any:
    """Selects by arm how many quotes a live order names, and the mean days to sell."""
    order, vehicle = tables.Order, tables.Vehicle
    days = days_between(col(vehicle.acquired_on), col(order.ordered_on))
    return (
        select(*_ARM, func.count(_QUOTE.c.id.distinct()), func.avg(cast(days, Float)))
        .join_from(_QUOTE, order, col(order.quote_id) == _QUOTE.c.id)
        .join(vehicle, col(vehicle.id) == order.vehicle_id)
        .where(col(order.status) != OrderStatus.CANCELLED)
        .group_by(*_ARM)
    )


def _sales(session: Session, in_its_time: Sequence[Any]) -> dict[Any, tuple[int, float | None]]:
    """Orders and mean days to sell of each arm that has any, by version and side."""
    found = session.execute(_orders().where(*in_its_time))
    return {tuple(arm): (orders, days) for *arm, orders, days in found}


def _mean(quotes: int, total: float, squares: float) -> Mean:
    mean = total / quotes
    if quotes == 1:
        return Mean(quotes, mean, None)
    variance = max(0.0, (squares - quotes * mean * mean) / (quotes - 1))
    return Mean(quotes, mean, math.sqrt(variance / quotes))
