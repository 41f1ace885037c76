"""Quotes: prices given to somebody; append-only, with all that is needed to price them again."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from domain.tables.columns import Amount, Document, Instant, Key, word
from domain.vocabulary import Fuel


class Quote(SQLModel, table=True):
    """One price, its inputs and its steps."""

    __tablename__ = "quote"
    __table_args__ = (
        Index("quote_market", "market_id", "id"),
        Index("quote_created", "market_id", "created_at"),
        Index("quote_brand", "market_id", "brand", "id"),
        Index("quote_model_version", "model_id", "id"),
        Index("quote_strategy_version", "strategy_version_id", "id"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    # As it was given, the caller's own words.
    description: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    # What it was taken for: score, corrections and the catalogue entry of that moment.
    match: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    # What was estimated: ``domain.vehicles.VehicleFacts``.
    facts: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    brand: str
    fuel: Fuel = Field(sa_column=Column(word(Fuel), nullable=False))
    vehicle_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("vehicle.id"), index=True)
    )
    cost: Decimal | None = Field(default=None, sa_column=Column(Amount()))
    days_in_stock: int | None = None
    estimation_date: date
    market_price: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    low: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    high: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    coverage: float
    price: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    steps: list[dict[str, Any]] = Field(sa_column=Column(Document, nullable=False))
    review_reasons: list[str] = Field(sa_column=Column(Document, nullable=False))
    model_id: int = Field(sa_column=Column(Key, ForeignKey("model_version.id"), nullable=False))
    strategy_version_id: int = Field(
        sa_column=Column(Key, ForeignKey("strategy_version.id"), nullable=False)
    )
    activation_id: int = Field(sa_column=Column(Key, ForeignKey("activation.id"), nullable=False))
    challenger: bool = Field(default=False)
    created_by: str
    created_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    valid_until: datetime = Field(sa_column=Column(Instant(), nullable=False))
