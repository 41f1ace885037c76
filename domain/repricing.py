"""Repricing: the stock, or a part of it, priced anew by champion and strategy in force.

What prices is fixed when it is asked for, and each chunk commits its prices together with how far
it has come. So a run that was killed is taken up where it stood, and ends as if it had not been.

A vehicle that a live order holds is sold: its price was agreed, and no repricing touches it.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Table
from sqlmodel import Session, SQLModel, col, select

from domain import (
    activations,
    bulk,
    catalogue,
    idempotency,
    jobs,
    repricing_parts,
    stock_columns,
    stock_filters,
    tables,
)
from domain.errors import Invalid
from domain.pricing.columns import Whole
from domain.pricing.documents import from_document
from domain.pricing.vectorised import VectorisedPolicy
from domain.quotes import check_ready, reference_key
from domain.snapshots import PricingSnapshot, ServedModel
from domain.stock_columns import StockRows
from domain.stock_lists import VehicleFilter, conditions
from domain.tables import JobKind

_ASKING_PRICE: Table = SQLModel.metadata.tables[tables.AskingPrice.__tablename__]
_PRICE_CHANGE: Table = SQLModel.metadata.tables[tables.PriceChange.__tablename__]

CHUNK_VEHICLES = 20_000
"""Committed together."""

PIECE_VEHICLES = 5_000
"""Priced at once; the database writes one piece while the next is priced."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """New prices in hundredths, and the strategy versions that decided them."""

    ids: Whole
    prices: Whole
    versions: Whole


class Run:
    """A repricing that a worker has taken up.

    Args:
        model: the model version that the repricing names, rebuilt.
        chunk: vehicles that are committed together.
        piece: those of them that are priced at once.
        part: the number of the part that is done here, where the repricing is divided.
    """

    def __init__(
        self,
        session: Session,
        job: tables.Job,
        model: ServedModel,
        *,
        chunk: int = CHUNK_VEHICLES,
        piece: int = PIECE_VEHICLES,
        part: int | None = None,
    ) -> None:
        self._chunk, self._piece = chunk, piece
        self._part, self._attempt = part, job.attempts
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
        self._repricing = repricing
        self._vehicles = (
            repricing_parts.count(session, job.market_id, repricing) if part is None else 0
        )

    def next_chunk(self, session: Session, *, now: datetime) -> float | None:
        """Price the next vehicles and write down how far that is.

        Returns:
            The share that is done, of a part 1; None once nothing is left.

        Raises:
            LostLease: another attempt has the part by now.
        """
        # An import that changes prices meanwhile waits for the chunk, or the chunk for it.
        mark = self._lock(session)
        vehicles = repricing_parts.vehicles(session, self._market_id, self._repricing)
        stock = stock_columns.read(
            session, [*vehicles, *repricing_parts.left(mark)], most=self._chunk
        )
        if not len(stock):
            return None
        # One thread: the connection takes one statement at a time, in the order of the pieces.
        with ThreadPoolExecutor(max_workers=1) as database:
            written = []
            for piece in stock.pieces(self._piece):
                change, n_priced = self._priced(piece)
                written.append(database.submit(self._write, session, change, now=now))
                mark.repriced += len(change.ids)
                mark.unchanged += n_priced - len(change.ids)
                mark.failed += len(piece) - n_priced
            for each in written:
                each.result()
        mark.done_until = int(stock.ids[-1])
        done = mark.repriced + mark.unchanged + mark.failed
        return min(done / max(self._vehicles, 1), 1.0)

    def _lock(self, session: Session) -> tables.Repricing | tables.RepricingPart:
        """How far it is, held against everybody else, and the stock against imports."""
        if self._part is None:
            catalogue.lock(session, self._market_id)
            return session.get_one(tables.Repricing, self._job_id, populate_existing=True)
        catalogue.share(session, self._market_id)
        return repricing_parts.hold(session, self._job_id, self._part, attempt=self._attempt)

    def _priced(self, stock: StockRows) -> tuple[_Change, int]:
        """The prices that are other than they were, and of how many vehicles there is a price."""
        priced = stock.only(stock.can_be_estimated(self._on))
        prices, versions = self._prices(priced)
        # Refused prices are below zero, and nothing is offered for nothing.
        is_price = prices > 0
        changed = np.flatnonzero(is_price & (prices != priced.price_cents))
        change = _Change(priced.ids[changed], prices[changed], versions[changed])
        return change, int(is_price.sum())

    def _prices(self, stock: StockRows) -> tuple[Whole, Whole]:
        """The price of each vehicle in hundredths, and the strategy version that decided it."""
        inputs = stock.estimated(self._model, on=self._on)
        prices = self._policies[self._active].price(inputs).price_cents
        versions = np.full(len(stock), self._active, dtype=np.int64)
        challenger = self._challenger
        if challenger is not None:
            is_challenged = [
                activations.arm(challenger.id, reference_key(reference), challenger.share)
                for reference in stock.references
            ]
            theirs = self._policies[challenger.version_id].price(inputs).price_cents
            prices = np.where(is_challenged, theirs, prices)
            versions = np.where(is_challenged, challenger.version_id, versions)
        return prices, versions

    def _write(self, session: Session, change: _Change, *, now: datetime) -> None:
        if not len(change.ids):
            return
        changed, cents = change.ids.tolist(), change.prices.tolist()
        bulk.update_amounts(session, _ASKING_PRICE, "price", changed, cents)
        versions = change.versions.tolist()
        bulk.insert_columns(
            session,
            _PRICE_CHANGE,
            {"vehicle_id": changed, "price": cents, "strategy_version_id": versions},
            shared={"changed_at": now, "reason": f"repricing, job {self._job_id}"},
        )
