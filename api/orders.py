"""Clients, orders and payments in the GraphQL API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from api.amounts import Money
from api.context import Context, Info
from api.cost import cost
from api.enums import describe
from api.errors import check_role
from api.quotes import Quote
from api.relay import Node, made, to_id
from api.vehicles import Vehicle
from domain import sales_lists, tables
from domain.pages import DEFAULT_SIZE, MAX_SIZE
from domain.tables import OrderStatus, PaymentType, Role

READERS_OF_ADDRESSES = (Role.SALES,)

PAYMENTS_ASSUMED = 4
"""Of one order, when a document is priced before it runs."""

describe(
    OrderStatus,
    "Where an order stands. All but a cancelled one are live and hold their vehicle.",
    {
        OrderStatus.PENDING: "Asked for, not accepted yet.",
        OrderStatus.ACCEPTED: "Accepted by the seller.",
        OrderStatus.PAID: "Accepted and paid.",
        OrderStatus.CANCELLED: "Called off; its vehicle is free again.",
    },
)
describe(
    PaymentType,
    "How something was paid.",
    {
        PaymentType.CASH: "In cash.",
        PaymentType.CARD: "By card.",
        PaymentType.CHEQUE: "By cheque.",
        PaymentType.TRANSFER: "By bank transfer.",
        PaymentType.FINANCING: "By a lender.",
    },
)


@strawberry.type(description="One payment towards an order.")
class Payment(Node):
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    type: PaymentType = strawberry.field(description="How it was paid.")
    amount: Money = strawberry.field(description="How much.")
    paid_on: date = strawberry.field(description="The day it was paid.")

    @classmethod
    def from_row(cls, row: tables.Payment, currency: str) -> Payment:
        """What clients see of a payment."""
        return cls(
            id=to_id("Payment", row.id),
            type=row.type,
            amount=Money.of(row.amount, currency),
            paid_on=row.paid_on,
        )


@strawberry.type(description="One client's order of one vehicle.")
class Order(Node):
    row: strawberry.Private[tables.Order]
    currency: strawberry.Private[str]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    reference: str = strawberry.field(description="Order number, unique in the market.")
    status: OrderStatus = strawberry.field(description="Where it stands.")
    ordered_on: date = strawberry.field(description="The day it was made.")

    @strawberry.field(description="Who ordered.")
    async def client(self, info: Info) -> Client:
        row = await info.context.loaders.client.load(self.row.client_id)
        assert row is not None, "a foreign key leads to a row"  # noqa: S101
        return Client.from_row(row)

    @strawberry.field(description="What was ordered.")
    async def vehicle(self, info: Info) -> Vehicle:
        return await Vehicle.load(info.context, self.row.vehicle_id)

    @strawberry.field(
        description="The newest quote for the vehicle that was valid on the day of the order; null "
        "where there was none."
    )
    async def quote(self, info: Info) -> Quote | None:
        key = self.row.quote_id
        row = None if key is None else await info.context.loaders.quote.load(key)
        return None if row is None else Quote.from_row(row, self.currency)

    @strawberry.field(description="What the client is to pay in all.")
    def total_price(self) -> Money:
        return Money.of(self.row.total_price, self.currency)

    @strawberry.field(
        description="What was paid so far, earliest first.", metadata=cost(size=PAYMENTS_ASSUMED)
    )
    async def payments(self, info: Info) -> list[Payment]:
        rows = await info.context.loaders.payments_of_order.load(self.row.id)
        return [Payment.from_row(row, self.currency) for row in rows or ()]

    @strawberry.field(description="What is still to be paid; negative where too much was.")
    async def balance(self, info: Info) -> Money:
        rows = await info.context.loaders.payments_of_order.load(self.row.id)
        paid = sum((row.amount for row in rows or ()), Decimal(0))
        return Money.of(self.row.total_price - paid, self.currency)

    @classmethod
    def from_row(cls, row: tables.Order, currency: str) -> Order:
        """What clients see of an order."""
        return cls(
            row=row,
            currency=currency,
            id=to_id("Order", row.id),
            reference=row.reference,
            status=row.status,
            ordered_on=row.ordered_on,
        )


@strawberry.type(description="Somebody who buys.")
class Client(Node):
    row: strawberry.Private[tables.Client]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")

    @strawberry.field(description="In lower case. Roles: SALES or ADMIN; FORBIDDEN for others.")
    def email(self, info: Info) -> str:
        check_role(info, READERS_OF_ADDRESSES)
        return self.row.email

    @strawberry.field(description="What they ordered, newest first.", metadata=cost(count="first"))
    async def orders(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description=f"How many, at most {MAX_SIZE}.")
        ] = DEFAULT_SIZE,
    ) -> list[Order]:
        first = DEFAULT_SIZE if first is None else first
        sales_lists.check_first(first)
        asked = sales_lists.OrdersWanted(self.row.id, first)
        rows = await info.context.loaders.orders_of_client.load(asked)
        return [Order.from_row(*row) for row in rows or ()]

    @classmethod
    def from_row(cls, row: tables.Client) -> Client:
        """What callers see of a client."""
        return cls(row=row, id=to_id("Client", row.id))


async def load_clients(context: Context, keys: list[int]) -> list[Client | None]:
    """Clients by key, for ``node``."""
    return made(await context.loaders.client.load_many(keys), Client.from_row)


async def load_orders(context: Context, keys: list[int]) -> list[Order | None]:
    """Orders by key, for ``node``."""
    rows = await context.loaders.order.load_many(keys)
    return made(rows, lambda row: Order.from_row(*row))


async def load_payments(context: Context, keys: list[int]) -> list[Payment | None]:
    """Payments by key, for ``node``."""
    rows = await context.loaders.payment.load_many(keys)
    return made(rows, lambda row: Payment.from_row(*row))
