"""Trainings: what is asked for, queued as a job that a worker takes up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from domain import idempotency, jobs, markets, tables
from domain.errors import Faults
from domain.tables import JobKind

DEFAULT_COVERAGE = 0.9


class PromotionPolicy(StrEnum):
    """What happens to a model when its training has succeeded."""

    MANUAL = "MANUAL"
    IF_BETTER = "IF_BETTER"


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What to train, and on what; a day that is None does not limit the listings."""

    algorithm: str
    hyperparameters: Mapping[str, Any]
    observed_from: date | None = None
    observed_to: date | None = None
    coverage: float = DEFAULT_COVERAGE
    promotion: PromotionPolicy = PromotionPolicy.MANUAL

    def to_document(self) -> dict[str, Any]:
        """The request as a job keeps it."""
        return {
            "algorithm": self.algorithm,
            "hyperparameters": dict(self.hyperparameters),
            "observed_from": self.observed_from and self.observed_from.isoformat(),
            "observed_to": self.observed_to and self.observed_to.isoformat(),
            "coverage": self.coverage,
            "promotion": self.promotion.value,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TrainingRequest:
        """The request that ``to_document`` wrote."""

        def day(name: str) -> date | None:
            return date.fromisoformat(document[name]) if document[name] else None

        return cls(
            algorithm=document["algorithm"],
            hyperparameters=document["hyperparameters"],
            observed_from=day("observed_from"),
            observed_to=day("observed_to"),
            coverage=document["coverage"],
            promotion=PromotionPolicy(document["promotion"]),
        )


def check(request: TrainingRequest) -> None:
    """Refuse what no algorithm could be trained with.

    Raises:
        Refusals: a coverage or a stretch of days that cannot be.
    """
    faults = Faults()
    if not 0.5 <= request.coverage <= 0.99:
        faults.invalid(
            f"coverage is {request.coverage}: give a number from 0.5 to 0.99.", "coverage"
        )
    if not isinstance(request.hyperparameters, Mapping):
        faults.invalid(
            "hyperparameters is no JSON object: give names and values.", "hyperparameters"
        )
    first, last = request.observed_from, request.observed_to
    if first and last and first > last:
        faults.invalid("observedTo lies before observedFrom: swap them.", "observedTo")
    faults.raise_if_any()


def enqueue_once(
    session: Session,
    market: str,
    request: TrainingRequest,
    *,
    by: str,
    now: datetime,
    idempotency_key: str | None,
) -> tables.Job:
    """Queue a training; the same key and request answers the job that was queued first.

    Raises:
        NotFound: there is no such market.
        Refusals: see ``check``.
        IdempotencyMismatch: the key was used for another training.
    """
    check(request)
    row = markets.by_code(session, market)

    def produce() -> dict[str, Any]:
        job = jobs.enqueue(
            session,
            kind=JobKind.TRAINING,
            market_id=row.id,
            payload=request.to_document(),
            by=by,
            now=now,
        )
        session.flush()
        return {"job": job.id}

    document, _ = idempotency.once(
        session,
        caller=by,
        operation="train",
        key=idempotency_key,
        input={"market": market, **request.to_document()},
        now=now,
        produce=produce,
    )
    return jobs.get(session, document["job"])
