"""Stock: the vehicles that the seller offers, their prices, and every change of these."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from domain.tables.columns import Amount, Instant, Key, word
from domain.vocabulary import Fuel, Gearbox


class Vehicle(SQLModel, table=True):
    """A vehicle of the seller's own stock."""

    __tablename__ = "vehicle"
    __table_args__ = (
        UniqueConstraint("market_id", "reference", name="vehicle_reference"),
        # What its asking price refers to.
        UniqueConstraint("market_id", "id", name="vehicle_of_market"),
        Index("vehicle_entry", "entry_id"),
        Index("vehicle_brand_model", "market_id", "brand", "model"),
        # One for each order of a list but that by price.
        Index("vehicle_mileage", "market_id", "mileage_km", "id"),
        Index("vehicle_release_year", "market_id", "release_year", "id"),
        Index("vehicle_acquired", "market_id", "acquired_on", "id"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        CheckConstraint("mileage_km >= 0", name="mileage_not_negative"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    entry_id: int = Field(sa_column=Column(Key, ForeignKey("catalogue_entry.id"), nullable=False))
    reference: str
    brand: str
    model: str
    version: str | None = None
    fuel: Fuel = Field(sa_column=Column(word(Fuel), nullable=False))
    gearbox: Gearbox | None = Field(default=None, sa_column=Column(word(Gearbox)))
    release_year: int
    mileage_km: int
    doors: int | None = None
    colour: str | None = None
    horsepower: int | None = None
    engine_cc: int | None = None
    cost: Decimal | None = Field(default=None, sa_column=Column(Amount()))
    acquired_on: date


class AskingPrice(SQLModel, table=True):
    """What a stock vehicle is offered for today; every vehicle has one.

    Apart from the vehicle, because a database writes a changed row anew into each of the row's
    indexes, and a repricing changes nothing but prices.
    """

    __tablename__ = "asking_price"
    __table_args__ = (
        ForeignKeyConstraint(
            ["market_id", "vehicle_id"],
            ["vehicle.market_id", "vehicle.id"],
            name="asking_price_vehicle",
        ),
        Index("asking_price_order", "market_id", "price", "vehicle_id"),
        CheckConstraint("price > 0", name="price_positive"),
    )

    vehicle_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    market_id: int = Field(sa_column=Column(Key, nullable=False))
    price: Decimal = Field(sa_column=Column(Amount(), nullable=False))


class PriceChange(SQLModel, table=True):
    """One change of a stock vehicle's price; append-only."""

    __tablename__ = "price_change"
    __table_args__ = (
        Index("price_change_vehicle", "vehicle_id", "id"),
        CheckConstraint("price > 0", name="price_positive"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    vehicle_id: int = Field(sa_column=Column(Key, ForeignKey("vehicle.id"), nullable=False))
    price: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    changed_at: datetime = Field(sa_column=Column(Instant(), nullable=False))
    reason: str
    strategy_version_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("strategy_version.id"))
    )
