"""Markets: the countries in which the seller prices vehicles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key


class Market(SQLModel, table=True):
    """One country, its currency, and what is particular to pricing there."""

    __tablename__ = "market"
    __table_args__ = (
        CheckConstraint("length(code) BETWEEN 1 AND 16", name="code_length"),
        CheckConstraint("length(currency) = 3", name="currency_length"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    code: str = Field(unique=True)
    name: str
    currency: str
    settings: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(Document, nullable=False)
    )
    # Rises by one in the transaction that promotes a model or activates a strategy, so that every
    # process sees that its pricing snapshot is out of date.
    revision: int = Field(default=0)
    # The same for what matching knows.
    catalogue_revision: int = Field(default=0)
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
