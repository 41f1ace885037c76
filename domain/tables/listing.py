"""Listings: past offers and sales seen on the market, from which models learn."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.tables.columns import Amount, Key, word
from domain.vocabulary import Fuel, Gearbox


class Listing(SQLModel, table=True):
    """One offer; the same source and reference sent again replaces it."""

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("market_id", "source", "reference", name="listing_reference"),
        Index("listing_entry", "entry_id"),
        Index("listing_model", "market_id", "brand", "model"),
        Index("listing_observed", "market_id", "observed_on"),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("mileage_km >= 0", name="mileage_not_negative"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    entry_id: int = Field(sa_column=Column(Key, ForeignKey("catalogue_entry.id"), nullable=False))
    source: str
    reference: str
    brand: str
    model: str
    version: str | None = None
    fuel: Fuel = Field(sa_column=Column(word(Fuel), nullable=False))
    gearbox: Gearbox | None = Field(default=None, sa_column=Column(word(Gearbox)))
    release_year: int
    mileage_km: int
    horsepower: int | None = None
    engine_cc: int | None = None
    doors: int | None = None
    price: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    observed_on: date
