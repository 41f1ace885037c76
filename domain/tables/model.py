"""Model versions, their artifacts, and the ledger of promotions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key


class ModelVersion(SQLModel, table=True):
    """A trained estimator, immutable: what it was trained with and on, and how good it is."""

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("market_id", "number", name="model_version_number"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    number: int
    algorithm: str
    hyperparameters: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    # Fitted parameters in plain form, where the algorithm has them.
    parameters: dict[str, Any] | None = Field(default=None, sa_column=Column(Document))
    metrics: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    # A histogram of each feature in training; versions of before drift was measured have none.
    features: dict[str, Any] | None = Field(default=None, sa_column=Column(Document))
    coverage: float
    trained_rows: int
    rejected_rows: int
    # Sold vehicles among all rows that were read.
    sold_rows: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    trained_from: date | None = None
    trained_to: date | None = None
    data_sha256: str
    job_id: int | None = Field(default=None, sa_column=Column(Key, ForeignKey("job.id")))
    created_by: str
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))


class ModelArtifact(SQLModel, table=True):
    """The bytes a model version is rebuilt from: data that cannot run code, signed.

    Apart from ``ModelVersion``, so that lists of versions do not read megabytes.
    """

    __tablename__ = "model_artifact"

    model_id: int = Field(
        sa_column=Column(Key, ForeignKey("model_version.id"), primary_key=True, autoincrement=False)
    )
    format: str
    size_bytes: int
    sha256: str
    signature: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Promotion(SQLModel, table=True):
    """One row of the promotion ledger: the newest of a market names its champion."""

    __tablename__ = "promotion"
    __table_args__ = (Index("promotion_market", "market_id", "id"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    model_id: int = Field(sa_column=Column(Key, ForeignKey("model_version.id"), nullable=False))
    promoted_by: str
    promoted_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    forced: bool = Field(default=False)
    reason: str | None = None
