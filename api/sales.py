"""Sales in the GraphQL API: which orders and clients, and what they add up to."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated

import strawberry

from api.amounts import Money
from api.context import Info
from api.cost import cost
from api.enums import describe
from api.errors import check_role, query
from api.orders import READERS_OF_ADDRESSES, Client, Order
from api.pagination import (
    After,
    Before,
    Connection,
    Direction,
    First,
    Last,
    at_most,
    connection,
    window_of,
)
from api.vocabulary import Fuel
from domain import sales_lists, sales_reports
from domain.sales_lists import OrderOrderField
from domain.sales_reports import MAX_GROUPS, SalesGroup
from domain.tables import OrderStatus, PaymentType

describe(
    OrderOrderField,
    "What a list of orders is ordered by.",
    {
        OrderOrderField.ORDERED_ON: "The day of the order.",
        OrderOrderField.TOTAL_PRICE: "What the client is to pay in all.",
    },
)
describe(
    SalesGroup,
    "What sales are counted by.",
    {
        SalesGroup.BRAND: 'The vehicle\'s brand: ["Peugeot"].',
        SalesGroup.FUEL: 'What the vehicle runs on: ["PETROL"].',
        SalesGroup.BRAND_FUEL: 'Both: ["Peugeot", "PETROL"].',
        SalesGroup.MONTH: 'The month of the order: ["2026-02"].',
        SalesGroup.STRATEGY_VERSION: "The strategy version that priced the order's quote, its "
        'name and number: ["House rule", "3"]; empty for orders without a quote.',
    },
)


@strawberry.input(
    description="Which orders; absent conditions accept anything, empty lists nothing. Bounds are "
    "included. Brand, fuel, colour and doors are the vehicle's."
)
class OrderFilter:
    market: str | None = strawberry.field(default=None, description="Code of the market.")
    statuses: list[OrderStatus] | None = strawberry.field(
        default=None, description="Where the order stands."
    )
    brands: list[str] | None = strawberry.field(
        default=None, description="Names or aliases; case and accents do not matter."
    )
    fuels: list[Fuel] | None = strawberry.field(default=None, description="What it runs on.")
    colours: list[str] | None = strawberry.field(
        default=None, description="As the stock's files spell them; case does not matter."
    )
    doors: int | None = strawberry.field(default=None, description="Number of doors.")
    min_vehicle_price: Decimal | None = strawberry.field(
        default=None, description="Lowest asking price of the vehicle."
    )
    max_vehicle_price: Decimal | None = strawberry.field(
        default=None, description="Highest asking price of the vehicle."
    )
    min_total_price: Decimal | None = strawberry.field(
        default=None, description="Lowest total of the order."
    )
    max_total_price: Decimal | None = strawberry.field(
        default=None, description="Highest total of the order."
    )
    paid_with_all: list[PaymentType] | None = strawberry.field(
        default=None,
        description="Orders paid with at least one payment of each of these types.",
    )
    min_payments: int | None = strawberry.field(
        default=None, description="Orders with at least this many payments."
    )
    email_starts_with: str | None = strawberry.field(
        default=None,
        description="How the client's address begins; case does not matter. Roles: SALES or "
        "ADMIN; FORBIDDEN for others.",
    )
    ordered_from: date | None = strawberry.field(default=None, description="First day.")
    ordered_to: date | None = strawberry.field(default=None, description="Last day.")

    def to_domain(self, info: Info) -> sales_lists.OrderFilter:
        """The filter, as the business reads it; who may not read addresses cannot ask for one."""
        if self.email_starts_with is not None:
            check_role(info, READERS_OF_ADDRESSES)
        names = (each.name for each in fields(sales_lists.OrderFilter))
        return sales_lists.OrderFilter(**{name: getattr(self, name) for name in names})


@strawberry.input(description="What a list of orders is ordered by, and which way.")
class OrderOrder:
    field: OrderOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(
        default=Direction.ASC, description="Which end comes first."
    )

    def to_domain(self) -> sales_lists.OrderOrder:
        """The order, as the business reads it."""
        return sales_lists.OrderOrder(self.field, self.direction)


@strawberry.input(description="Which clients; absent conditions accept anything.")
class ClientFilter:
    email_starts_with: str | None = strawberry.field(
        default=None,
        description="How the address begins; case does not matter. Roles: SALES or ADMIN; "
        "FORBIDDEN for others.",
    )
    orders: OrderFilter | None = strawberry.field(
        default=None, description="Clients who have at least one order that passes."
    )

    def to_domain(self, info: Info) -> sales_lists.ClientFilter:
        """The filter, as the business reads it; who may not read addresses cannot ask for one."""
        if self.email_starts_with is not None:
            check_role(info, READERS_OF_ADDRESSES)
        return sales_lists.ClientFilter(
            email_starts_with=self.email_starts_with,
            orders=None if self.orders is None else self.orders.to_domain(info),
        )


@strawberry.type(description="Payments of one type.")
class PaymentTypeCount:
    type: PaymentType = strawberry.field(description="How it was paid.")
    payments: int = strawberry.field(description="How many payments.")
    total: Money = strawberry.field(description="What they add up to.")


@strawberry.type(description="The orders of one group.")
class SalesRow:
    key: list[str] = strawberry.field(description="What they have in common, see `SalesGroup`.")
    orders: int = strawberry.field(description="How many.")
    revenue: Money = strawberry.field(description="What their totals add up to.")
    mean_versus_market: float | None = strawberry.field(
        description="Mean of total price over the quote's market price, minus 1: 0.02 is 2 % above "
        "the market. Null where no order has a quote."
    )
    mean_days_to_sell: float | None = strawberry.field(
        description="Mean of the days from acquisition to order."
    )

    @classmethod
    def of(cls, row: sales_reports.SalesRow) -> SalesRow:
        """What clients see of a group."""
        return cls(
            key=list(row.key),
            orders=row.orders,
            revenue=Money.of(row.revenue, row.currency),
            mean_versus_market=row.mean_versus_market,
            mean_days_to_sell=row.mean_days_to_sell,
        )


def _wanted(filter: OrderFilter | None, info: Info) -> sales_lists.OrderFilter:
    return filter.to_domain(info) if filter else sales_lists.OrderFilter()


MarketCode = Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")]
OrdersWanted = Annotated[
    OrderFilter | None, strawberry.argument(description="Which orders; all if absent.")
]


@strawberry.type
class SalesQueries:
    @query()
    async def orders(
        self,
        info: Info,
        filter: OrdersWanted = None,
        order_by: Annotated[
            OrderOrder | None, strawberry.argument(description="Newest first if absent.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Order]:
        """Orders of vehicles, cancelled ones included."""
        wanted = _wanted(filter, info)
        order = order_by.to_domain() if order_by else sales_lists.NEWEST_FIRST
        return await connection(
            info.context.read,
            partial(sales_lists.orders, wanted=wanted, order=order),
            window_of(first, after, last, before),
            lambda row: Order.from_row(row[0], row[1]),
        )

    @query()
    async def clients(
        self,
        info: Info,
        filter: Annotated[
            ClientFilter | None, strawberry.argument(description="Which; all if absent.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Client]:
        """Who buys, in the order in which they were first seen."""
        wanted = filter.to_domain(info) if filter else sales_lists.ClientFilter()
        return await connection(
            info.context.read,
            partial(sales_lists.clients, wanted=wanted),
            window_of(first, after, last, before),
            Client.from_row,
        )

    @query(metadata=cost(size=len(PaymentType), weight=10))
    async def payment_type_counts(
        self, info: Info, market: MarketCode, filter: OrdersWanted = None
    ) -> list[PaymentTypeCount]:
        """How many payments of each type that was used, over the orders that pass the filter."""
        rows = await info.context.read(
            sales_reports.payment_type_counts, market, _wanted(filter, info)
        )
        return [
            PaymentTypeCount(
                type=row.type, payments=row.payments, total=Money.of(row.total, row.currency)
            )
            for row in rows
        ]

    @query(metadata=cost(size=MAX_GROUPS, count="first", weight=10))
    async def sales(
        self,
        info: Info,
        market: MarketCode,
        by: Annotated[SalesGroup, strawberry.argument(description="What to count by.")],
        filter: OrdersWanted = None,
        first: Annotated[int | None, at_most(MAX_GROUPS)] = None,
    ) -> list[SalesRow]:
        """What was sold, by group, in the order of their keys.

        A cancelled order is no sale: it counts only where the filter asks for that status. More
        groups than can be answered are refused, unless only the first ones are asked for.
        """
        rows = await info.context.read(
            sales_reports.sales, market, by, _wanted(filter, info), first=first
        )
        return [SalesRow.of(row) for row in rows]
