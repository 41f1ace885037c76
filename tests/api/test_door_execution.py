import asyncio
import inspect
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import parse
from graphql.execution import Executor

from api.door.execution import PLAIN, PlainFirst, mark_plain_fields


@strawberry.enum
class Fuel(Enum):
    PETROL = "petrol"


@strawberry.type
class Money:
    amount: str
    currency: str


@strawberry.type
class Car:
    name: str
    doors: int | None = 5
    fuel: Fuel = Fuel.PETROL
    price: Money
    cost: Money | None = None
    tags: list[str] | None = None

    @strawberry.field
    async def owner(self) -> str | None:
        await asyncio.sleep(0)
        return f"owner of {self.name}"

    @strawberry.field
    def shouted(self) -> str:
        return self.name.upper()


class Other:
    """Looks like an amount of money, and is of another class."""

    amount = "3.00"
    currency = "EUR"


class Broken:
    """Money that cannot tell its amount."""

    currency = "EUR"

    @property
    def amount(self) -> str:
        raise ValueError("lost")


DOCUMENT = """{ cars {
  __typename doors owner name again: name fuel shouted price { currency amount } tags
  cost { amount ... on Money { currency } } } }"""
EUROS = Money(amount="1.00", currency="EUR")


async def later(value: Any) -> Any:
    return value


def cars(**facts: Any) -> list[Car]:
    return [Car(**{"name": "Clio", "price": EUROS, **facts}), Car(name="208", price=EUROS)]


def answer(executor: type[Executor[Any]], found: list[Car]) -> tuple[Any, list[Any]]:
    """Data, as text, so that the order of the fields counts, and errors."""

    @strawberry.type
    class Query:
        @strawberry.field
        def cars(self) -> list[Car | None]:
            return list(found)

    schema = strawberry.Schema(Query)._schema
    mark_plain_fields(schema)
    built = executor.build(schema, parse(DOCUMENT))
    assert not isinstance(built, list)

    async def run() -> Any:
        result = built.execute_operation()
        return await result if inspect.isawaitable(result) else result

    result = asyncio.run(run())
    return str(result.data), [each.formatted for each in result.errors or ()]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"cost": EUROS, "doors": None, "tags": ["red", "new"]},
        {"name": None},  # null where there must be a text: the car is null
        {"price": None},  # and where there must be an object
        {"doors": "many"},  # not what its type can tell
        {"fuel": "coal"},
        {"name": ValueError("no name")},  # an error in place of a value
        {"price": ValueError("no price")},
        {"cost": Money(amount=None, currency="EUR")},  # type: ignore[arg-type] # null below it
        {"price": Money(amount=None, currency="EUR")},  # type: ignore[arg-type]
        {"price": Other()},  # of another class, with the same attributes
        {"cost": Broken()},
        {"tags": ["red", None]},
    ],
)
def test_whatever_is_read_is_answered_as_graphql_core_does(facts: dict[str, Any]) -> None:
    assert answer(PlainFirst, cars(**facts)) == answer(Executor, cars(**facts))


def test_an_attribute_may_have_to_be_waited_for() -> None:
    told = answer(PlainFirst, cars(doors=later(3), price=later(EUROS)))

    assert told == answer(Executor, cars(doors=later(3), price=later(EUROS)))
    assert "'doors': 3" in told[0]


def test_only_attributes_are_plain() -> None:
    @strawberry.type
    class Query:
        car: Car

    schema = strawberry.Schema(Query)._schema
    mark_plain_fields(schema)

    car: Any = schema.type_map["Car"]
    plain = {name for name, field in car.fields.items() if PLAIN in field.extensions}
    assert plain == {"name", "doors", "fuel", "price", "cost"}
