"""Access: keys of people and systems, and the answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key


class Role(StrEnum):
    """What a key allows."""

    SALES = "SALES"
    PRICING = "PRICING"
    APPROVER = "APPROVER"
    DATA_SCIENCE = "DATA_SCIENCE"
    ADMIN = "ADMIN"


class ApiKey(SQLModel, table=True):
    """A key of one person or system. Only a keyed hash of it is stored."""

    __tablename__ = "api_key"

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    # The person or system it belongs to: four eyes counts people, not keys.
    name: str = Field(index=True)
    prefix: str = Field(unique=True)
    digest: str
    roles: list[str] = Field(sa_column=Column(Document, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(Instant()))


class IdempotentResult(SQLModel, table=True):
    """What the first request with an idempotency key led to."""

    __tablename__ = "idempotent_result"
    __table_args__ = (UniqueConstraint("caller", "operation", "key", name="idempotent_result_key"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    caller: str
    operation: str
    key: str
    input_hash: str
    result: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False, index=True))
