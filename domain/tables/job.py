"""Jobs: long work that outlives the request; the row is the truth about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key, word


class JobKind(StrEnum):
    """What a job does."""

    TRAINING = "TRAINING"
    SIMULATION = "SIMULATION"
    REPRICING = "REPRICING"


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Job(SQLModel, table=True):
    """One piece of long work: what was asked for, who holds it, how far it is."""

    __tablename__ = "job"
    __table_args__ = (
        Index("job_queue", "status", "priority", "id"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    kind: JobKind = Field(sa_column=Column(word(JobKind), nullable=False))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    status: JobStatus = Field(
        default=JobStatus.QUEUED, sa_column=Column(word(JobStatus), nullable=False)
    )
    # Lower goes first.
    priority: int = Field(default=100)
    payload: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    progress: float = Field(default=0.0)
    message: str | None = None
    error: str | None = None
    requested_by: str
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(Instant()))
    finished_at: datetime | None = Field(default=None, sa_column=Column(Instant()))
    cancel_requested: bool = Field(default=False)
    # Rises each time a worker takes the job up; what it publishes carries it, so a worker that was
    # thought dead and comes back publishes nothing.
    attempts: int = Field(default=0)
    # Of these, the ones that a stopping worker handed back: no fault of the job's.
    handed_back: int = Field(default=0)
    # After a failed attempt it rests for a while.
    not_before: datetime | None = Field(default=None, sa_column=Column(Instant()))
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=Column(Instant()))
