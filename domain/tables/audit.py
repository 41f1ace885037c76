"""The audit trail: every change of state, each event chained to the one before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key


class AuditEvent(SQLModel, table=True):
    """One event; append-only."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_subject", "subject_kind", "subject_id", "id"),
        Index("audit_event_actor", "actor", "id"),
    )

    # Counted by the writer, not by the database: a gap is a missing row.
    id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    actor: str
    action: str
    subject_kind: str
    subject_id: int = Field(sa_column=Column(Key, nullable=False))
    detail: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    previous_hash: str
    hash: str


class AuditHead(SQLModel, table=True):
    """The end of the chain, in one row: who writes the next event holds it.

    It also tells when the newest events are missing, which the chain alone cannot.
    """

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    last_event: int = Field(sa_column=Column(Key, nullable=False))
    last_hash: str
