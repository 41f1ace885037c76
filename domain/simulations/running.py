"""The run of a simulation: the stock estimated and priced in bulk, and what came of it stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from domain import audit, stock_columns, tables
from domain.pricing.columns import StockColumns, Whole
from domain.pricing.documents import from_document
from domain.pricing.vectorised import VectorisedPolicy
from domain.simulations.results import SimulatedStock, Summary, summary_of
from domain.simulations.storage import to_bytes
from domain.snapshots import ServedModel
from domain.stock_columns import StockRows
from domain.stock_filters import for_sale, in_words
from domain.stock_filters import from_document as filter_of
from domain.stock_lists import conditions

Progress = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and what is being done."""

SHARE_OF_READING = 0.2
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
    """Price the vehicles that a job was asked to look at; nothing is stored yet.

    Args:
        on: the day to which ages and days in stock are counted.
    """
    simulation = session.exec(
        select(tables.Simulation).where(tables.Simulation.job_id == job_id)
    ).one()
    job = session.get_one(tables.Job, job_id)
    progress(0.0, "Reading the stock")
    rows = _rows(session, job, on_sales=simulation.on_sales, on=on)
    known = rows.only(rows.can_be_estimated(on))
    progress(SHARE_OF_READING, "Estimating market prices")
    inputs = known.estimated(model, on=on)
    progress(SHARE_OF_ESTIMATING, "Pricing")
    stock = _priced(simulation, known, inputs)
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
    job = session.get_one(tables.Job, simulation.job_id)
    audit.record(
        session,
        actor=by,
        action="strategy.simulated",
        subject=("StrategyVersion", simulation.version_id),
        detail={
            "simulation": simulation.id,
            "contentHash": simulation.content_hash,
            "vehicles": outcome.summary.vehicles,
            "onSales": simulation.on_sales,
            "narrowedTo": in_words(filter_of(job.payload["filter"])),
        },
        now=now,
    )


def _rows(session: Session, job: tables.Job, *, on_sales: bool, on: date) -> StockRows:
    """The vehicles to look at, and what each is to be compared with."""
    wanted = filter_of(job.payload["filter"])
    mine = col(tables.Vehicle.market_id) == job.market_id
    if on_sales:
        return stock_columns.read_sold(session, [mine, *conditions(session, wanted)], on=on)
    return stock_columns.read(session, [mine, *conditions(session, for_sale(wanted))])


def _priced(simulation: tables.Simulation, rows: StockRows, inputs: StockColumns) -> SimulatedStock:
    """The vehicles that have a price before and after."""
    priced = VectorisedPolicy(from_document(simulation.content)).price(inputs)
    stock = SimulatedStock(
        ids=rows.ids,
        inputs=inputs,
        before_cents=_before(simulation, rows, inputs),
        after_cents=priced.price_cents,
        guarded=priced.guarded,
    )
    # Refused prices are below zero, and nothing is offered for nothing.
    return stock.only((stock.before_cents > 0) & (stock.after_cents > 0))


def _before(simulation: tables.Simulation, rows: StockRows, inputs: StockColumns) -> Whole:
    if simulation.baseline_content is not None:
        policy = VectorisedPolicy(from_document(simulation.baseline_content))
        return policy.price(inputs).price_cents
    return rows.price_cents
