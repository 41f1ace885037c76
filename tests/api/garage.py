"""A small schema with everything that the door treats differently, and ways to knock at it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from api.cost import SIZED_BY_PARENT, cost
from api.door import Arrival, Door, Limits
from api.errors import UserError, mutation, query, subscription
from api.relay import Node, node_queries, to_id
from api.scalars import JSON, SCALARS
from domain.errors import Invalid, NotFound, Refusals
from domain.tables import Role

KEY = "sales-key"
CARS = 20


@dataclass(frozen=True)
class Actor:
    name: str
    roles: frozenset[Role]


@dataclass
class Context:
    arrival: Arrival

    @property
    def actor(self) -> Actor:
        return self.arrival.actor


@strawberry.type
class Car(Node):
    number: int
    wheels: list[Wheel]

    @strawberry.field(metadata=cost(weight=7))
    def valuation(self) -> Decimal:
        return Decimal("12390.00")

    @strawberry.field
    def twin(self) -> Car:
        return a_car(self.number)

    @strawberry.field(metadata=cost(count="first", weight=5))
    def comparables(self, first: int = 4) -> list[Car]:
        return [a_car(number) for number in range(first)]

    @strawberry.field
    def rivals(self, first: int = 5) -> list[Car]:
        return [a_car(number) for number in range(first)]


@strawberry.type
class Wheel:
    position: str


def a_car(number: int) -> Car:
    wheels = [Wheel(position=position) for position in ("front", "rear")]
    return Car(id=to_id("Car", number), number=number, wheels=wheels)


async def load_cars(context: Any, keys: Sequence[int]) -> list[Car | None]:
    return [a_car(key) if key <= CARS else None for key in keys]


@strawberry.type
class CarEdge:
    node: Car


@strawberry.type
class CarConnection:
    edges: list[CarEdge] = strawberry.field(metadata=cost(size=SIZED_BY_PARENT))


@strawberry.type
class Query(node_queries({"Car": load_cars})):  # type: ignore[misc]
    @query()
    async def hello(self, info: Info) -> str:
        """Greets."""
        return f"hello {info.context.actor.name}"

    @query()
    async def context_number(self, info: Info) -> str:
        """Tells contexts apart."""
        return info.context.arrival.request_id

    @query()
    async def cars(
        self, info: Info, first: int | None = None, last: int | None = None
    ) -> CarConnection:
        """A connection."""
        return CarConnection(edges=[CarEdge(node=a_car(1))])

    @query(Role.APPROVER)
    async def secret(self, info: Info) -> str | None:
        """For approvers."""
        return "secret"

    @query()
    async def missing(self, info: Info) -> str | None:
        """Refuses."""
        raise Refusals([NotFound("No such car."), Invalid("No such year.", path=("year",))])

    @query()
    async def broken(self, info: Info) -> str | None:
        """Fails."""
        raise RuntimeError("SELECT secret FROM keys")

    @query()
    async def unwritable(self, info: Info) -> JSON | None:
        """Answers what JSON cannot say."""
        return JSON(2**70)

    @query()
    async def slow(self, info: Info) -> str | None:
        """Never ends."""
        await asyncio.sleep(3600)

    @query()
    async def echo(
        self,
        info: Info,
        json: JSON | None = None,
        amount: Decimal | None = None,
        words: list[str] | None = None,
    ) -> JSON | None:
        """Says it again."""
        return json


@strawberry.input
class PaintInput:
    cars: list[str]


@strawberry.type
class PaintPayload:
    cars: list[Car | None] = strawberry.field(
        default_factory=list, metadata=cost(size=SIZED_BY_PARENT)
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class Mutation:
    @mutation(Role.SALES, metadata=cost(count="input.cars"))
    async def paint(self, info: Info, input: PaintInput) -> PaintPayload:
        """Paints cars, except the one called bad."""
        if "bad" in input.cars:
            raise Invalid("This one is rusty.", path=("cars", input.cars.index("bad")))
        return PaintPayload(cars=[a_car(1) for _ in input.cars])

    @mutation()
    async def crash(self, info: Info) -> PaintPayload | None:
        """Fails."""
        raise RuntimeError("SELECT secret FROM keys")

    @mutation(Role.APPROVER)
    async def scrap(self, info: Info) -> PaintPayload:
        """For approvers."""
        return PaintPayload()


@strawberry.type
class Subscription:
    @subscription()
    async def count(self, info: Info, to: int = 3) -> AsyncGenerator[int]:
        """Counts from 1."""
        for number in range(1, to + 1):
            yield number

    @subscription()
    async def ticks(self, info: Info) -> AsyncGenerator[str]:
        """Never ends; tells whose context each event had."""
        while True:
            yield "tick"
            await asyncio.sleep(0.02)

    @subscription()
    async def silence(self, info: Info) -> AsyncGenerator[int]:
        """Says nothing."""
        await asyncio.sleep(3600)
        yield 0

    @subscription()
    async def lost(self, info: Info) -> AsyncGenerator[int]:
        """Refuses."""
        raise NotFound("No such job.", path=("job",))
        yield 0

    @subscription(Role.APPROVER)
    async def secrets(self, info: Info) -> AsyncGenerator[int]:
        """For approvers."""
        yield 1


SCHEMA = strawberry.Schema(
    Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS)
)


class Keys:
    """Keys that can be revoked."""

    def __init__(self) -> None:
        self.good = {f"Bearer {KEY}"}

    async def authenticate(self, authorization: str | None, address: str) -> Actor | None:
        known = authorization in self.good
        return Actor("ana", frozenset({Role.SALES})) if known else None


def an_app(limits: Limits | None = None, *, keys: Keys | None = None, **options: Any) -> Starlette:
    door = Door(
        SCHEMA,
        context_factory=Context,
        authenticate=(keys or Keys()).authenticate,
        limits=limits or Limits(),
        **options,
    )
    return Starlette(
        routes=[
            Route("/graphql", door),
            WebSocketRoute("/graphql", door),
            Mount("/static", StaticFiles(packages=[("api", "static")])),
        ]
    )


def a_client(limits: Limits | None = None, *, key: str | None = KEY, **options: Any) -> TestClient:
    client = TestClient(an_app(limits, **options))
    if key:
        client.headers["Authorization"] = f"Bearer {key}"
    return client


@contextmanager
def a_live_server(app: Starlette) -> Iterator[str]:
    """The app behind a real server on a free port; gives the address of its GraphQL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
        finally:
            server.should_exit = True
            thread.join()
