"""Experiments: what a challenger and the strategy beside it did in the same stretch of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

from sqlalchemy import BigInteger, Float, Table, cast, func, select, type_coerce
from sqlmodel import Session, SQLModel

from domain import tables
from domain.ledger import Ledger

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
    """

    version_id: int
    is_challenger: bool
    versus_market: Mean

    @property
    def quotes(self) -> int:
        """How many quotes it priced."""
        return self.versus_market.quotes


@dataclass(frozen=True, slots=True)
class Experiment:
    """The arms of one challenger's time, the challenger last; one without quotes is left out."""

    starts_at: datetime
    ends_at: datetime | None
    arms: tuple[Arm, ...]

    @property
    def difference(self) -> Interval | None:
        """By how much more the challenger asks, relative to the market, after Welch (1947).

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
    statement = _sums().where(
        _QUOTE.c.market_id == activation.market_id,
        _QUOTE.c.created_at >= activation.starts_at,
        _QUOTE.c.market_price > 0,
    )
    if ends_at is not None:
        statement = statement.where(_QUOTE.c.created_at < ends_at)
    arms = [
        Arm(version_id, is_challenger, _mean(quotes, total, squares))
        for version_id, is_challenger, quotes, total, squares in session.execute(statement)
    ]
    return Experiment(activation.starts_at, ends_at, tuple(arms))


def _sums() -> Any:
    """Selects by arm how many quotes there are, and the sums that mean and spread follow from."""
    # Whole hundredths as the database keeps them.
    price = cast(type_coerce(_QUOTE.c.price, BigInteger), Float)
    market_price = cast(type_coerce(_QUOTE.c.market_price, BigInteger), Float)
    versus_market = price / market_price - 1.0
    arm = (_QUOTE.c.strategy_version_id, _QUOTE.c.challenger)
    return (
        select(
            *arm,
            func.count(),
            func.sum(versus_market),
            func.sum(versus_market * versus_market),
        )
        .group_by(*arm)
        .order_by(_QUOTE.c.challenger, _QUOTE.c.strategy_version_id)
    )


def _mean(quotes: int, total: float, squares: float) -> Mean:
    mean = total / quotes
    if quotes == 1:
        return Mean(quotes, mean, None)
    variance = max(0.0, (squares - quotes * mean * mean) / (quotes - 1))
    return Mean(quotes, mean, math.sqrt(variance / quotes))
