"""Strategies, read: one or many at a time, with what follows from ledger, catalogue and stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, not_
from sqlalchemy import select as select_page
from sqlmodel import Session, col, func, or_, select

from domain import activations, markets, tables
from domain.bounds import check_search
from domain.errors import NotFound
from domain.ledger import Ledger
from domain.offers import has_price
from domain.pages import Ordered
from domain.pricing.analysis import Analysis, KnownNames, StockCell, analyse
from domain.pricing.documents import from_document
from domain.pricing.matrix import Change, Matrix, diff
from domain.stock_lists import is_held
from domain.tables import StoredStatus
from domain.vocabulary import Fuel


class StrategyStatus(StrEnum):
    """The first five are stored; the last three follow from the ledger and the clock."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    SCHEDULED = "SCHEDULED"
    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"


# What the ledger changes nothing about.
_STORED_ONLY = {
    StrategyStatus.DRAFT,
    StrategyStatus.SUBMITTED,
    StrategyStatus.REJECTED,
    StrategyStatus.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class StrategyFilter:
    """Which strategies; None accepts anything.

    A strategy passes ``status`` when one of its versions has it.
    """

    market: str | None = None
    status: StrategyStatus | None = None
    search: str | None = None


def status(version: tables.StrategyVersion, ledger: Ledger, *, at: datetime) -> StrategyStatus:
    """What a version is at an instant.

    Args:
        ledger: of the version's market.
    """
    if version.status is not StoredStatus.APPROVED:
        return StrategyStatus(version.status.value)
    return _standing(version.id, ledger, at)


def get(session: Session, strategy_id: int) -> tables.Strategy:
    """The strategy with this id.

    Raises:
        NotFound: there is none.
    """
    strategy = session.get(tables.Strategy, strategy_id)
    if strategy is None:
        raise NotFound("There is no such strategy.", path=("strategy",))
    return strategy


def get_version(session: Session, version_id: int) -> tables.StrategyVersion:
    """The version with this id.

    Raises:
        NotFound: there is none.
    """
    version = session.get(tables.StrategyVersion, version_id)
    if version is None:
        raise NotFound("There is no such strategy version.", path=("version",))
    return version


def listed(session: Session, wanted: StrategyFilter, *, now: datetime) -> Ordered:
    """Strategies, newest first.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    strategy = tables.Strategy
    statement = select_page(strategy)
    market_ids = [market.id for market in markets.all_markets(session)]
    if wanted.market is not None:
        market_ids = [markets.by_code(session, wanted.market, path=("filter", "market")).id]
        statement = statement.where(col(strategy.market_id).in_(market_ids))
    if wanted.status is not None:
        having_it = select_page(col(tables.StrategyVersion.strategy_id)).where(
            _has_status(session, wanted.status, market_ids, now)
        )
        statement = statement.where(col(strategy.id).in_(having_it))
    if wanted.search is not None:
        check_search(wanted.search, "filter", "search")
        statement = statement.where(
            or_(
                col(strategy.name).icontains(wanted.search, autoescape=True),
                col(strategy.description).icontains(wanted.search, autoescape=True),
            )
        )
    return Ordered(statement, by=(col(strategy.id),), descending=True)


def versions_of(
    session: Session, strategy_ids: Collection[int]
) -> dict[int, list[tables.StrategyVersion]]:
    """The versions of each strategy, newest first."""
    version = tables.StrategyVersion
    statement = select(version).where(col(version.strategy_id).in_(strategy_ids))
    rows = session.exec(statement.order_by(col(version.number).desc())).all()
    return _grouped(strategy_ids, [(row.strategy_id, row) for row in rows])


def of_markets(
    session: Session, market_ids: Collection[int]
) -> list[tuple[tables.StrategyVersion, tables.Strategy]]:
    """Every version of every strategy of some markets, newest first."""
    version, strategy = tables.StrategyVersion, tables.Strategy
    statement = (
        select(version, strategy)
        .join(strategy, col(strategy.id) == version.strategy_id)
        .where(col(strategy.market_id).in_(market_ids))
        .order_by(col(version.id).desc())
    )
    return list(session.exec(statement))


def find_version(
    session: Session, market_id: int, name: str, number: int | None = None
) -> tables.StrategyVersion | None:
    """The version of this number of the strategy of this name; the newest without a number."""
    version, strategy = tables.StrategyVersion, tables.Strategy
    statement = (
        select(version)
        .join(strategy, col(strategy.id) == version.strategy_id)
        .where(strategy.market_id == market_id, strategy.name == name)
        .order_by(col(version.number).desc())
    )
    if number is not None:
        statement = statement.where(version.number == number)
    return session.exec(statement).first()


def reviews_of(
    session: Session, version_ids: Collection[int]
) -> dict[int, list[tables.StrategyReview]]:
    """The reviews of each version, oldest first."""
    review = tables.StrategyReview
    statement = select(review).where(col(review.version_id).in_(version_ids))
    rows = session.exec(statement.order_by(col(review.id))).all()
    return _grouped(version_ids, [(row.version_id, row) for row in rows])


def activations_of(
    session: Session, version_ids: Collection[int]
) -> dict[int, list[tables.Activation]]:
    """The activations of each version, the latest start first."""
    activation = tables.Activation
    statement = (
        select(activation)
        .where(col(activation.version_id).in_(version_ids))
        .order_by(col(activation.starts_at).desc(), col(activation.id).desc())
    )
    rows = session.exec(statement).all()
    return _grouped(version_ids, [(row.version_id, row) for row in rows])


def analysis(session: Session, version: tables.StrategyVersion, *, market_id: int) -> Analysis:
    """What can be told of a version from its content, the catalogue and the present stock."""
    return analyse(
        from_document(version.content),
        catalogue=known_names(session, market_id),
        stock=stock_cells(session, market_id),
    )


def changes_since(session: Session, version: tables.StrategyVersion, other_id: int) -> list[Change]:
    """The cells of brand and fuel that another version prices otherwise; that one is ``before``.

    Raises:
        NotFound: there is no such other version.
    """
    other = session.get(tables.StrategyVersion, other_id)
    if other is None:
        raise NotFound("There is no such strategy version.", path=("other",))
    return diff(Matrix(from_document(other.content)), Matrix(from_document(version.content)))


def known_names(session: Session, market_id: int) -> KnownNames:
    """The brands and models of a market's catalogue."""
    entry = tables.CatalogueEntry
    statement = select(entry.brand, entry.model).where(entry.market_id == market_id).distinct()
    return KnownNames(session.exec(statement).all())


def stock_cells(session: Session, market_id: int) -> list[StockCell]:
    """The vehicles for sale by brand and fuel."""
    vehicle = tables.Vehicle
    statement = (
        select(vehicle.brand, vehicle.fuel, func.count(), func.sum(tables.AskingPrice.price))
        .join_from(vehicle, tables.AskingPrice, has_price())
        .where(vehicle.market_id == market_id, not_(is_held()))
        .group_by(vehicle.brand, col(vehicle.fuel))
    )
    return [
        StockCell(brand, Fuel(fuel), vehicles, value)
        for brand, fuel, vehicles, value in session.exec(statement)
    ]


def _standing(version_id: int, ledger: Ledger, at: datetime) -> StrategyStatus:
    """What an approved version is: of its stretches, where they lie seen from an instant."""
    stretches = ledger.of_version(version_id)
    if not stretches:
        return StrategyStatus.APPROVED
    for stretch in stretches:
        if stretch.starts_at <= at and (stretch.ends_at is None or at < stretch.ends_at):
            return StrategyStatus.ACTIVE
    # One that is laid over for a while prices again later.
    return StrategyStatus.SCHEDULED if stretches[-1].starts_at > at else StrategyStatus.RETIRED


def _has_status(
    session: Session, wanted: StrategyStatus, market_ids: Collection[int], now: datetime
) -> ColumnElement[bool]:
    version = tables.StrategyVersion
    if wanted in _STORED_ONLY:
        return col(version.status) == StoredStatus(wanted.value)
    standings = {
        row.version_id: _standing(row.version_id, ledger, now)
        for ledger in activations.ledgers(session, market_ids).values()
        for row in ledger.rows
    }
    if wanted is StrategyStatus.APPROVED:
        elsewhere = [key for key, standing in standings.items() if standing is not wanted]
        return (col(version.status) == StoredStatus.APPROVED) & col(version.id).not_in(elsewhere)
    return col(version.id).in_([key for key, standing in standings.items() if standing is wanted])


_Row = TypeVar("_Row")


def _grouped(keys: Collection[int], rows: Collection[tuple[int, _Row]]) -> dict[int, list[_Row]]:
    groups: defaultdict[int, list[_Row]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return {key: groups[key] for key in keys}
