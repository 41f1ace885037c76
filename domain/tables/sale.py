"""Sales: clients, their orders of stock vehicles, and what they paid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from domain.tables.columns import Amount, Key, word

_LIVE = text("status <> 'CANCELLED'")


class OrderStatus(StrEnum):
    """Where an order stands; all but a cancelled one are live and hold their vehicle."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"


class PaymentType(StrEnum):
    """How something was paid."""

    CASH = "CASH"
    CARD = "CARD"
    CHEQUE = "CHEQUE"
    TRANSFER = "TRANSFER"
    FINANCING = "FINANCING"


class Client(SQLModel, table=True):
    """Somebody who buys, in any market; known by the address alone."""

    __tablename__ = "client"
    __table_args__ = (
        UniqueConstraint("email", name="client_email"),
        # For addresses that start with something, whatever the database's language.
        Index("client_email_start", "email", postgresql_ops={"email": "text_pattern_ops"}),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    # In lower case: two spellings of an address are one client.
    email: str


class Order(SQLModel, table=True):
    """One client's order of one vehicle; of the live ones a vehicle has one at most."""

    # "order" is a word of SQL.
    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("market_id", "reference", name="sales_order_reference"),
        Index(
            "sales_order_live",
            "vehicle_id",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
        Index("sales_order_vehicle", "vehicle_id"),
        Index("sales_order_client", "client_id", "id"),
        Index("sales_order_quote", "quote_id"),
        Index("sales_order_ordered", "market_id", "ordered_on", "id"),
        Index("sales_order_total", "market_id", "total_price", "id"),
        CheckConstraint("total_price >= 0", name="total_not_negative"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    reference: str
    client_id: int = Field(sa_column=Column(Key, ForeignKey("client.id"), nullable=False))
    vehicle_id: int = Field(sa_column=Column(Key, ForeignKey("vehicle.id"), nullable=False))
    quote_id: int | None = Field(default=None, sa_column=Column(Key, ForeignKey("quote.id")))
    total_price: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    status: OrderStatus = Field(sa_column=Column(word(OrderStatus), nullable=False))
    ordered_on: date


class Payment(SQLModel, table=True):
    """One payment towards an order."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("order_id", "reference", name="payment_reference"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    order_id: int = Field(sa_column=Column(Key, ForeignKey("sales_order.id"), nullable=False))
    reference: str
    type: PaymentType = Field(sa_column=Column(word(PaymentType), nullable=False))
    amount: Decimal = Field(sa_column=Column(Amount(), nullable=False))
    paid_on: date
