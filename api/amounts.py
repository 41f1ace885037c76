"""Money in the GraphQL API: amounts with their currency, and price ranges."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from domain import money


@strawberry.type(description="An amount in one currency. Arithmetic on it is decimal, never float.")
class Money:
    # As text, which is how it is told: a list has an amount for each of its lines.
    amount: str = strawberry.field(
        graphql_type=Decimal,
        description='Exact, with at least the currency\'s minor digits, e.g. "12390.00".',
    )
    currency: str = strawberry.field(description="ISO 4217 code, e.g. EUR.")

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        """The amount as clients see it."""
        return cls(amount=money.Money(amount, currency).text(), currency=currency)


@strawberry.type(
    description="A price range that holds the true market price with probability `coverage`."
)
class PriceInterval:
    low: Money = strawberry.field(description="The lower end.")
    high: Money = strawberry.field(description="The upper end.")
    coverage: float = strawberry.field(description="Probability, e.g. 0.9.")
