"""Simulations, read: by job, by the content that they priced, by what they found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Table
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, func, select

from domain import tables
from domain.errors import Invalid
from domain.pricing.documents import from_document
from domain.pricing.engine import PricingPolicy
from domain.pricing.steps import PriceStep
from domain.simulations.results import (
    GroupRow,
    SimulatedStock,
    SimulationGroup,
    Summary,
    amount,
    groups_of,
    largest_moves,
)
from domain.simulations.storage import from_bytes

_RESULT: Table = SQLModel.metadata.tables[tables.SimulationResult.__tablename__]

DEFAULT_MOVERS = 20
MAX_MOVERS = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a simulation that has succeeded, without its vehicles."""

    model_id: int
    estimation_date: date
    summary: Summary


@dataclass(frozen=True, slots=True)
class Mover:
    """A vehicle whose price would move, and how its new price comes about."""

    vehicle_id: int
    before: Decimal
    after: Decimal
    change: float
    steps: tuple[PriceStep, ...]


def newest_succeeded(session: Session, version: tables.StrategyVersion) -> tables.Simulation | None:
    """The newest simulation of the version's very content that has succeeded."""
    return newest_succeeded_of(session, [version.id]).get(version.id)


def newest_succeeded_of(
    session: Session, version_ids: Collection[int]
) -> dict[int, tables.Simulation]:
    """For each version that has one, the newest simulation of its content that has succeeded."""
    simulation, version = tables.Simulation, tables.StrategyVersion
    newest = (
        select(func.max(simulation.id))
        .join(tables.SimulationResult, col(tables.SimulationResult.simulation_id) == simulation.id)
        .join(version, col(version.id) == simulation.version_id)
        .where(
            col(version.id).in_(version_ids),
            # A back-test says nothing of the stock.
            col(simulation.on_sales).is_(False),
            col(simulation.content_hash) == version.content_hash,
        )
        .group_by(col(simulation.version_id))
    )
    rows = session.exec(select(simulation).where(col(simulation.id).in_(newest)))
    return {row.version_id: row for row in rows}


def of_jobs(session: Session, job_ids: Collection[int]) -> dict[int, tables.Simulation]:
    """The simulation that each job runs."""
    simulation = tables.Simulation
    rows = session.exec(select(simulation).where(col(simulation.job_id).in_(job_ids)))
    return {row.job_id: row for row in rows}


def facts_of(session: Session, simulation_ids: Collection[int]) -> dict[int, Facts]:
    """What was found, of those simulations that have succeeded."""
    result = _RESULT.c
    statement = select_columns(
        result.simulation_id, result.model_id, result.estimation_date, result.summary
    ).where(result.simulation_id.in_(simulation_ids))
    return {
        key: Facts(model_id, on, Summary(**summary))
        for key, model_id, on, summary in session.execute(statement)
    }


def groups(session: Session, simulation_id: int, by: SimulationGroup) -> list[GroupRow]:
    """What was found by group; nothing until the run has succeeded."""
    stock = _stock(session, simulation_id)
    return [] if stock is None else groups_of(stock, by)


def movers(session: Session, simulation: tables.Simulation, first: int | None) -> list[Mover]:
    """The vehicles whose price would move most; nothing until the run has succeeded.

    Raises:
        Invalid: ``first`` is negative or above ``MAX_MOVERS``.
    """
    first = DEFAULT_MOVERS if first is None else first
    if not 0 <= first <= MAX_MOVERS:
        raise Invalid(f"first is {first}: ask for 0 to {MAX_MOVERS}.", path=("first",))
    stock = _stock(session, simulation.id)
    if stock is None:
        return []
    policy = PricingPolicy(from_document(simulation.content))
    return [_mover(stock, policy, row) for row in largest_moves(stock, first)]


def _stock(session: Session, simulation_id: int) -> SimulatedStock | None:
    content: Any = session.exec(
        select(tables.SimulationResult.vehicles).where(
            tables.SimulationResult.simulation_id == simulation_id
        )
    ).first()
    return None if content is None else from_bytes(content)


def _mover(stock: SimulatedStock, policy: PricingPolicy, row: int) -> Mover:
    vehicle, market_price = stock.vehicle(row)
    priced = policy.price(market_price, vehicle)
    return Mover(
        vehicle_id=int(stock.ids[row]),
        before=amount(int(stock.before_cents[row])),
        after=priced.price,
        change=float(stock.change[row]),
        steps=priced.steps,
    )
