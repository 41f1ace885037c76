"""The run of a simulation: the stock estimated and priced in bulk, and what came of it stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from sqlmodel import Session, col, select

from domain import audit, quotes, tables
from domain.pricing.columns import StockColumns, Whole, columns_of, in_cents
from domain.pricing.documents import from_document
from domain.pricing.vectorised import VectorisedPolicy
from domain.simulations.results import SimulatedStock, Summary, summary_of
from domain.simulations.storage import to_bytes
from domain.snapshots import ServedModel
from domain.stock import days_in_stock, facts_of
from domain.stock_filters import from_document as filter_of
from domain.stock_lists import conditions
from domain.vehicles import VehicleFacts

Progress = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and what is being done."""

ESTIMATED_AT_ONCE = 5_000
SHARE_OF_ESTIMATING = 0.9


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found and ``publish`` stores."""

    simulation_id: int
    model_id: int
    estimation_date: date
    summary: Summary
    stock: SimulatedStock


def simulate(
    session: Session, job_id: int, model: ServedModel, *, on: date, progress: Progress
) -> Outcome:
    """Price the stock that a job was asked to look at; nothing is stored yet.

    Args:
        on: the day to which ages and days in stock are counted.
    """
    simulation = session.exec(
        select(tables.Simulation).where(tables.Simulation.job_id == job_id)
    ).one()
    job = session.get_one(tables.Job, job_id)
    progress(0.0, "Reading the stock")
    wanted = filter_of(job.payload["filter"])
    statement = select(tables.Vehicle).where(
        tables.Vehicle.market_id == job.market_id, *conditions(session, wanted)
    )
    rows = session.exec(statement.order_by(col(tables.Vehicle.id))).all()
    # What is newer than any car can be has no age to be estimated by.
    vehicles = [row for row in rows if row.release_year <= on.year + 1]
    facts = [facts_of(row) for row in vehicles]
    market_prices = _estimated(facts, model, on=on, progress=progress)
    progress(SHARE_OF_ESTIMATING, "Pricing")
    inputs = columns_of(
        [
            quotes.priced_vehicle(
                each, on=on, cost=row.cost, days_in_stock=days_in_stock(row.acquired_on, on)
            )
            for row, each in zip(vehicles, facts, strict=True)
        ],
        market_prices,
    )
    stock = _priced(simulation, vehicles, inputs)
    return Outcome(
        simulation_id=simulation.id,
        model_id=model.id,
        estimation_date=on,
        summary=summary_of(stock, unpriced=len(rows) - len(stock)),
        stock=stock,
    )


def publish(session: Session, outcome: Outcome, *, by: str, now: datetime) -> None:
    """Store what a run found, and note it in the history of the version."""
    session.add(
        tables.SimulationResult(
            simulation_id=outcome.simulation_id,
            model_id=outcome.model_id,
            estimation_date=outcome.estimation_date,
            summary=asdict(outcome.summary),
            vehicles=to_bytes(outcome.stock),
        )
    )
    session.flush()
    simulation = session.get_one(tables.Simulation, outcome.simulation_id)
    audit.record(
        session,
        actor=by,
        action="strategy.simulated",
        subject=("StrategyVersion", simulation.version_id),
        detail={
            "simulation": simulation.id,
            "contentHash": simulation.content_hash,
            "vehicles": outcome.summary.vehicles,
        },
        now=now,
    )


def _estimated(
    facts: Sequence[VehicleFacts], model: ServedModel, *, on: date, progress: Progress
) -> list[Decimal]:
    prices: list[Decimal] = []
    for start in range(0, len(facts), ESTIMATED_AT_ONCE):
        progress(SHARE_OF_ESTIMATING * start / len(facts), "Estimating market prices")
        part = facts[start : start + ESTIMATED_AT_ONCE]
        prices += (each.market_price for each in model.estimator.estimate(part, on=on))
    return prices


def _priced(
    simulation: tables.Simulation, vehicles: Sequence[tables.Vehicle], inputs: StockColumns
) -> SimulatedStock:
    """The vehicles that have a price before and after."""
    priced = VectorisedPolicy(from_document(simulation.content)).price(inputs)
    stock = SimulatedStock(
        ids=np.fromiter((row.id for row in vehicles), dtype=np.int64),
        inputs=inputs,
        before_cents=_before(simulation, vehicles, inputs),
        after_cents=priced.price_cents,
        guarded=priced.guarded,
    )
    # Refused prices are below zero; and to a price of nothing there is no relation.
    return stock.only((stock.before_cents > 0) & (stock.after_cents >= 0))


def _before(
    simulation: tables.Simulation, vehicles: Sequence[tables.Vehicle], inputs: StockColumns
) -> Whole:
    if simulation.baseline_content is not None:
        policy = VectorisedPolicy(from_document(simulation.baseline_content))
        return policy.price(inputs).price_cents
    return np.fromiter((in_cents(row.price) for row in vehicles), dtype=np.int64)
