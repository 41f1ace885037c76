"""Quotes as clients ask for them: once, however often the request is sent, and page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from domain import catalogue, idempotency, markets, tables
from domain.errors import refusal_of
from domain.pages import Ordered
from domain.quotes.creation import Batch, QuotedVehicle, prepare, store
from domain.snapshots import PricingSnapshot
from domain.vocabulary import Fuel

OPERATION = "createQuotes"


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What somebody asks for.

    Attributes:
        estimation_date: as the caller gave it: a repeat after midnight is the same request.
    """

    snapshot: PricingSnapshot
    vehicles: Sequence[QuotedVehicle]
    estimation_date: date | None
    by: str
    now: datetime
    idempotency_key: str | None

    def to_document(self) -> dict[str, Any]:
        """What two requests have to share to be the same one."""
        return {
            "market": self.snapshot.market_code,
            "estimation_date": self.estimation_date and self.estimation_date.isoformat(),
            "vehicles": [_vehicle_document(vehicle) for vehicle in self.vehicles],
        }


def prepare_once(session: Session, request: QuoteRequest) -> Batch:
    """The quotes of a request, not stored yet; those of the first one where it is a repeat.

    Raises:
        Refusal, Refusals: as ``prepare``.
        IdempotencyMismatch: the key was used for other vehicles.
    """
    known = idempotency.find(
        session,
        caller=request.by,
        operation=OPERATION,
        key=request.idempotency_key,
        input=request.to_document,
    )
    if known is not None:
        return _batch(session, known)
    on = request.estimation_date or request.now.date()
    return prepare(
        session, request.snapshot, request.vehicles, on=on, by=request.by, now=request.now
    )


def store_once(session: Session, request: QuoteRequest, batch: Batch) -> Batch:
    """Keep prepared quotes; where a request of the same key was faster, its quotes instead.

    Raises:
        IdempotencyMismatch: the key was used for other vehicles.
    """
    if any(quote is not None and quote.id is not None for quote in batch.quotes):
        return batch

    def produce() -> dict[str, Any]:
        store(session, batch)
        return _batch_document(batch)

    document, is_repeat = idempotency.once(
        session,
        caller=request.by,
        operation=OPERATION,
        key=request.idempotency_key,
        input=request.to_document() if request.idempotency_key is not None else None,
        now=request.now,
        produce=produce,
    )
    return _batch(session, document) if is_repeat else batch


@dataclass(frozen=True, slots=True)
class QuoteFilter:
    """Which quotes; None accepts anything. Instants are half-open."""

    market: str | None = None
    brand: str | None = None
    fuel: Fuel | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    strategy_version_id: int | None = None
    model_id: int | None = None


def listed(session: Session, wanted: QuoteFilter) -> Ordered:
    """Quotes and their currency, newest first.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    quote = tables.Quote
    statement = select(quote, tables.Market.currency).join(
        tables.Market, col(tables.Market.id) == quote.market_id
    )
    if wanted.market is not None:
        market = markets.by_code(session, wanted.market, path=("filter", "market"))
        statement = statement.where(quote.market_id == market.id)
    if wanted.brand is not None:
        statement = statement.where(col(quote.brand).in_(catalogue.brands(session, wanted.brand)))
    if wanted.created_after is not None:
        statement = statement.where(quote.created_at >= wanted.created_after)
    if wanted.created_before is not None:
        statement = statement.where(quote.created_at < wanted.created_before)
    for column, value in (
        (quote.fuel, wanted.fuel),
        (quote.strategy_version_id, wanted.strategy_version_id),
        (quote.model_id, wanted.model_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return Ordered(statement, by=(col(quote.id),), descending=True)


def _vehicle_document(vehicle: QuotedVehicle) -> dict[str, Any]:
    return asdict(vehicle) | {"cost": None if vehicle.cost is None else str(vehicle.cost)}


def _batch_document(batch: Batch) -> dict[str, Any]:
    return {
        "quotes": [quote and quote.id for quote in batch.quotes],
        "refusals": [
            {"code": each.code, "message": each.message, "path": each.path}
            for each in batch.refusals
        ],
    }


def _batch(session: Session, document: Mapping[str, Any]) -> Batch:
    """The batch that was answered first, its quotes read again."""
    ids = [each for each in document["quotes"] if each is not None]
    rows = session.exec(select(tables.Quote).where(col(tables.Quote.id).in_(ids)))
    by_id = {row.id: row for row in rows}
    return Batch(
        [by_id.get(each) for each in document["quotes"]],
        [refusal_of(**each) for each in document["refusals"]],
    )
