import asyncio
import inspect
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import parse
from graphql.execution import Executor

from api.door.execution import PlainFirst
from api.door.plain import PLAIN, mark_plain_fields


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
    offers: list[Money | None] = strawberry.field(default_factory=list)
    told: strawberry.Private[Any] = ()

    @strawberry.field
    async def history(self) -> list[Money]:
        await asyncio.sleep(0)
        return self.told  # type: ignore[no-any-return]

    @strawberry.field
    def best(self) -> Money | None:
        return self.told[0] if self.told else None

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


DOCUMENT = """query ($no: Boolean = false, $yes: Boolean = true) { cars {
  __typename doors owner name again: name fuel shouted price { currency amount } tags
  cost { amount ... on Money { currency } }
  offers { ...Told currency @include(if: $no) } history { ...Told } best { currency ...Told } } }
fragment Told on Money { __typename amount amount @skip(if: $yes) sum: amount }"""
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
        {"tags": "red"},  # text, and no list
        {"tags": ("red", "new")},
        {"offers": [EUROS, None, EUROS], "told": [EUROS, EUROS]},
        {"offers": [EUROS, Other(), Broken()]},
        {"offers": [Money(amount=None, currency="EUR")]},  # type: ignore[arg-type]
        {"offers": None},
        {"told": [EUROS, Broken()]},
        {"told": [None, EUROS]},
        {"told": (EUROS, EUROS)},
        {"told": [Money(amount=None, currency="EUR")]},  # type: ignore[arg-type]
    ],
)
def test_whatever_is_read_is_answered_as_graphql_core_does(facts: dict[str, Any]) -> None:
    assert answer(PlainFirst, cars(**facts)) == answer(Executor, cars(**facts))


def test_an_attribute_may_have_to_be_waited_for() -> None:
    def awaited() -> list[Car]:
        # Each of them can be awaited once.
        return cars(doors=later(3), price=later(EUROS), offers=[later(EUROS), EUROS])

    told = answer(PlainFirst, awaited())

    assert told == answer(Executor, awaited())
    assert "'doors': 3" in told[0]


def test_only_attributes_are_plain() -> None:
    @strawberry.type
    class Query:
        car: Car

    schema = strawberry.Schema(Query)._schema
    mark_plain_fields(schema)

    car: Any = schema.type_map["Car"]
    plain = {name for name, field in car.fields.items() if PLAIN in field.extensions}
    assert plain == {"name", "doors", "fuel", "price", "cost", "tags", "offers"}
