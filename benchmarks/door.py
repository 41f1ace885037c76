"""What the door costs: requests a second beside plain Strawberry, and the time of a refusal.

    python -m benchmarks.door [--seconds 3]

The same schema behind Forecourt's door and behind Strawberry's own ASGI application as its
documentation starts it, each in one process, asked by the same client in turns, so that the ratio
holds on any machine. Then the document of 900 bytes whose fragments double twenty-one times.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL

from api.door import Arrival, Door, Limits
from api.door.documents import Documents
from api.door.refused import Refused

CONNECTIONS = 16
ROUNDS = 3


@strawberry.type
class Viewer:
    """The smallest answer."""

    name: str


@strawberry.type
class Row:
    """Five fields."""

    id: strawberry.ID
    brand: str
    model: str
    mileage_km: int
    price: str


ROWS = [
    Row(id=strawberry.ID(str(n)), brand="Peugeot", model="208", mileage_km=n, price="1.00")
    for n in range(100)
]


@strawberry.type
class Query:
    """Resolvers that cost nothing, so that what is measured stands before them."""

    @strawberry.field
    def viewer(self) -> Viewer:
        return Viewer(name="ana")

    @strawberry.field
    def rows(self, first: int) -> list[Row]:
        return ROWS[:first]


DOCUMENTS = {
    "{viewer{name}}": "{ viewer { name } }",
    "10 rows": "{ rows(first: 10) { id brand model mileageKm price } }",
    "100 rows": "{ rows(first: 100) { id brand model mileageKm price } }",
}
DOUBLING = (
    "{ rows(first: 1) { ...F0 } }"
    + "".join(f"fragment F{n} on Row {{ id ...F{n + 1} ...F{n + 1} }} " for n in range(21))
    + "fragment F21 on Row { id }"
)


class Caller:
    """Whoever asks; the benchmark is about the door, not about keys."""

    name = "ana"


async def _welcome(_authorization: str | None, _address: str) -> Caller:
    return Caller()


def _context(arrival: Arrival) -> Arrival:
    return arrival


def through_the_door() -> ASGIApp:
    """The schema as Forecourt serves its own."""
    schema = strawberry.Schema(Query)
    limits = Limits(points_per_minute=10**9)
    door = Door(schema, context_factory=_context, authenticate=_welcome, limits=limits)
    return Starlette(routes=[Route("/graphql", door)])


def plain() -> ASGIApp:
    """The schema as Strawberry's documentation serves one."""
    return Starlette(routes=[Route("/graphql", GraphQL(strawberry.Schema(Query)))])


SERVED = {"door": through_the_door, "Strawberry": plain}


def _serve(name: str, listener: socket.socket) -> None:
    config = uvicorn.Config(SERVED[name](), log_level="error", access_log=False, http="httptools")
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def served(name: str) -> Iterator[int]:
    """One process that serves; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(name, listener))
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


def requests_a_second(port: int, document: str, seconds: float) -> float:
    """Answers that several connections get in a stretch of time, each checked."""
    body = json.dumps({"query": document})
    until = time.perf_counter() + seconds
    counted = [0] * CONNECTIONS

    def ask(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < until:
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if b'"errors"' in answer.read() or answer.status != 200:
                raise RuntimeError(f"status {answer.status}")
            counted[place] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / (time.perf_counter() - started)


def refusal_ms() -> float:
    """The median time in which the doubling document is refused, read anew each time."""
    schema = strawberry.Schema(Query)._schema
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        try:
            Documents(schema, Limits()).read(DOUBLING)
        except Refused:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def main() -> None:
    """Print a line for each document."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=3.0)
    seconds = arguments.parse_args().seconds
    with served("door") as door, served("Strawberry") as strawberry_alone:
        print(f"{'requests/s':<16}{'door':>8}{'Strawberry':>12}{'ratio':>8}")
        for name, document in DOCUMENTS.items():
            # In turns, so that what else the machine does falls on both.
            pairs = [
                (
                    requests_a_second(door, document, seconds / ROUNDS),
                    requests_a_second(strawberry_alone, document, seconds / ROUNDS),
                )
                for _ in range(ROUNDS)
            ]
            ours, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
            print(f"{name:<16}{ours:>8.0f}{theirs:>12.0f}{ours / theirs:>8.2f}")
    print(f"\n{len(DOUBLING)} bytes of doubling fragments are refused in {refusal_ms():.1f} ms")


if __name__ == "__main__":
    main()
