"""Repricing: the stock, or a part of it, priced anew by champion and strategy in force.

What prices is fixed when it is asked for, and each chunk commits its prices together with how far
it has come. So a run that was killed is taken up where it stood, and ends as if it had not been.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, insert, update
from sqlmodel import Session, SQLModel, col, select

from domain import activations, catalogue, idempotency, jobs, quotes, stock_filters, tables
from domain.errors import Invalid
from domain.pricing.columns import columns_of
from domain.pricing.documents import from_document
from domain.pricing.vectorised import VectorisedPolicy
from domain.quotes import check_ready, reference_key
from domain.snapshots import PricingSnapshot, ServedModel
from domain.stock import days_in_stock, facts_of
from domain.stock_lists import VehicleFilter, conditions
from domain.tables import JobKind

_VEHICLE: Table = SQLModel.metadata.tables[tables.Vehicle.__tablename__]
_PRICE_CHANGE: Table = SQLModel.metadata.tables[tables.PriceChange.__tablename__]

CHUNK_VEHICLES = 2_000


@dataclass(frozen=True, slots=True)
class _NewPrice:
    vehicle: tables.Vehicle
    price: Decimal
    version_id: int


def request_once(
    session: Session,
    pricing: PricingSnapshot,
    wanted: VehicleFilter,
    *,
    by: str,
    now: datetime,
    idempotency_key: str | None,
) -> tables.Job:
    """Queue a repricing; the same key and filter answers the job that was queued first.

    Raises:
        Refusals: the market has no champion, or no strategy in force.
        NotFound, Invalid: the filter names no market, or another one.
        IdempotencyMismatch: the key was used for another repricing.
    """
    check_ready(pricing)
    conditions(session, wanted)
    if wanted.market not in (None, pricing.market_code):
        raise Invalid(
            f"The repricing is of market {pricing.market_code}: leave the market out.",
            path=("filter", "market"),
        )
    document = stock_filters.to_document(wanted)

    def produce() -> dict[str, Any]:
        return {"job": _request(session, pricing, document, by=by, now=now).id}

    answer, _ = idempotency.once(
        session,
        caller=by,
        operation="repriceStock",
        key=idempotency_key,
        input={"market": pricing.market_code, "filter": document},
        now=now,
        produce=produce,
    )
    return jobs.get(session, answer["job"])


def _request(
    session: Session, pricing: PricingSnapshot, wanted: dict[str, Any], *, by: str, now: datetime
) -> tables.Job:
    job = jobs.enqueue(
        session, kind=JobKind.REPRICING, market_id=pricing.market_id, payload={}, by=by, now=now
    )
    challenger = pricing.challenger
    session.add(
        tables.Repricing(
            job_id=job.id,
            filter=wanted,
            model_id=pricing.champion_model().id,
            strategy_version_id=pricing.active_strategy().version_id,
            challenger_id=None if challenger is None else challenger.activation_id,
            estimation_date=now.date(),
        )
    )
    session.flush()
    return job


def of_jobs(session: Session, job_ids: Collection[int]) -> dict[int, tables.Repricing]:
    """The repricing that each job runs."""
    rows = session.exec(select(tables.Repricing).where(col(tables.Repricing.job_id).in_(job_ids)))
    return {row.job_id: row for row in rows}


class Run:
    """A repricing that a worker has taken up.

    Args:
        model: the model version that the repricing names, rebuilt.
        chunk: vehicles that are priced and committed together.
    """

    def __init__(
        self,
        session: Session,
        job: tables.Job,
        model: ServedModel,
        *,
        chunk: int = CHUNK_VEHICLES,
    ) -> None:
        self._chunk = chunk
        repricing = session.get_one(tables.Repricing, job.id)
        self._job_id, self._market_id, self._model = job.id, job.market_id, model
        self._on = repricing.estimation_date
        self._active = repricing.strategy_version_id
        self._challenger = (
            session.get(tables.Activation, repricing.challenger_id)
            if repricing.challenger_id is not None
            else None
        )
        versions = [self._active] + ([self._challenger.version_id] if self._challenger else [])
        self._policies = {
            key: VectorisedPolicy(
                from_document(session.get_one(tables.StrategyVersion, key).content)
            )
            for key in versions
        }
        self._vehicles = session.exec(
            select(func.count())
            .select_from(tables.Vehicle)
            .where(*self._conditions(session, repricing))
        ).one()

    def next_chunk(self, session: Session, *, now: datetime) -> float | None:
        """Price the next vehicles and write down how far that is.

        Returns:
            The share that is done; None once nothing is left.
        """
        # An import that changes prices meanwhile waits for the chunk, or the chunk for it.
        catalogue.lock(session, self._market_id)
        repricing = session.get_one(tables.Repricing, self._job_id, populate_existing=True)
        statement = (
            select(tables.Vehicle)
            .where(*self._conditions(session, repricing), tables.Vehicle.id > repricing.done_until)
            .order_by(col(tables.Vehicle.id))
            .limit(self._chunk)
        )
        vehicles = session.exec(statement).all()
        if not vehicles:
            return None
        prices = self._priced(vehicles)
        changed = [each for each in prices if each.price != each.vehicle.price]
        self._write(session, changed, now=now)
        repricing.repriced += len(changed)
        repricing.unchanged += len(prices) - len(changed)
        repricing.failed += len(vehicles) - len(prices)
        repricing.done_until = vehicles[-1].id
        done = repricing.repriced + repricing.unchanged + repricing.failed
        return min(done / max(self._vehicles, 1), 1.0)

    def _conditions(
        self, session: Session, repricing: tables.Repricing
    ) -> list[ColumnElement[bool]]:
        wanted = stock_filters.from_document(repricing.filter)
        mine = col(tables.Vehicle.market_id) == self._market_id
        return [mine, *conditions(session, wanted)]

    def _priced(self, vehicles: Sequence[tables.Vehicle]) -> list[_NewPrice]:
        """The vehicles that can be priced, each by its arm; the estimator is called once."""
        # What is newer than any car can be has no age to be estimated by.
        known = [each for each in vehicles if each.release_year <= self._on.year + 1]
        facts = [facts_of(each) for each in known]
        estimates = self._model.estimator.estimate(facts, on=self._on)
        by_arm: dict[int, list[int]] = {key: [] for key in self._policies}
        for place, vehicle in enumerate(known):
            by_arm[self._arm(vehicle.reference)].append(place)
        found: list[_NewPrice] = []
        for version_id, places in by_arm.items():
            inputs = columns_of(
                [
                    quotes.priced_vehicle(
                        facts[place],
                        on=self._on,
                        cost=known[place].cost,
                        days_in_stock=days_in_stock(known[place].acquired_on, self._on),
                    )
                    for place in places
                ],
                [estimates[place].market_price for place in places],
            )
            cents = self._policies[version_id].price(inputs).price_cents
            found += (
                _NewPrice(known[place], Decimal(int(price)).scaleb(-2), version_id)
                for place, price in zip(places, cents, strict=True)
                # Refused prices are below zero, and nothing is offered for nothing.
                if price > 0
            )
        return found

    def _arm(self, reference: str) -> int:
        challenger = self._challenger
        if challenger is None:
            return self._active
        key = reference_key(reference)
        is_challenged = activations.arm(challenger.id, key, challenger.share)
        return challenger.version_id if is_challenged else self._active

    def _write(self, session: Session, changed: Sequence[_NewPrice], *, now: datetime) -> None:
        if not changed:
            return
        connection = session.connection()
        connection.execute(
            update(_VEHICLE)
            .where(_VEHICLE.c.id == bindparam("vehicle"))
            .values(price=bindparam("new_price", type_=_VEHICLE.c.price.type)),
            [{"vehicle": each.vehicle.id, "new_price": each.price} for each in changed],
        )
        connection.execute(
            insert(_PRICE_CHANGE),
            [
                {
                    "vehicle_id": each.vehicle.id,
                    "price": each.price,
                    "changed_at": now,
                    "reason": f"repricing, job {self._job_id}",
                    "strategy_version_id": each.version_id,
                }
                for each in changed
            ],
        )
