"""Strategies, their versions and reviews, and the ledger of activations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key, word


class StoredStatus(StrEnum):
    """What is stored of a version's status; the rest follows from the ledger and the clock."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class Verdict(StrEnum):
    """What a reviewer said."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class Strategy(SQLModel, table=True):
    """A line of commercial policy in one market."""

    __tablename__ = "strategy"
    __table_args__ = (UniqueConstraint("market_id", "name", name="strategy_name"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    name: str
    description: str | None = None
    created_by: str
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))


class StrategyVersion(SQLModel, table=True):
    """One state of a strategy's content; frozen once it is no draft any more."""

    __tablename__ = "strategy_version"
    __table_args__ = (UniqueConstraint("strategy_id", "number", name="strategy_version_number"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    strategy_id: int = Field(sa_column=Column(Key, ForeignKey("strategy.id"), nullable=False))
    number: int
    status: StoredStatus = Field(
        default=StoredStatus.DRAFT, sa_column=Column(word(StoredStatus), nullable=False)
    )
    # The canonical form of ``domain.pricing.content.StrategyContent``; its hash is reviewed.
    content: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    content_hash: str
    author: str
    # Everybody who edited the draft, the author first: none of them may approve it.
    editors: list[str] = Field(sa_column=Column(Document, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))


class StrategyReview(SQLModel, table=True):
    """One verdict of a second person on the content that the hash names."""

    __tablename__ = "strategy_review"
    __table_args__ = (Index("strategy_review_version", "version_id", "id"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    version_id: int = Field(
        sa_column=Column(Key, ForeignKey("strategy_version.id"), nullable=False)
    )
    reviewer: str
    verdict: Verdict = Field(sa_column=Column(word(Verdict), nullable=False))
    comment: str | None = None
    content_hash: str
    # The newest one of that content that the reviewer could see.
    simulation_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("simulation.id"))
    )
    at: datetime = Field(sa_column=Column(Instant(), nullable=False))


class Activation(SQLModel, table=True):
    """One row of the activation ledger; never edited, never backdated."""

    __tablename__ = "activation"
    __table_args__ = (
        Index("activation_market", "market_id", "starts_at"),
        Index("activation_version", "version_id"),
        CheckConstraint("share > 0 AND share <= 1", name="share"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    version_id: int = Field(
        sa_column=Column(Key, ForeignKey("strategy_version.id"), nullable=False)
    )
    starts_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    # As asked for when it was recorded; a later full activation may end it earlier.
    ends_at: datetime | None = Field(default=None, sa_column=Column(Instant()))
    share: float = Field(default=1.0)
    activated_by: str
    recorded_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    reason: str | None = None
