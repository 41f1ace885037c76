"""Work that nobody waits for any more: it is ended, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
import strawberry
from sqlmodel import Session, func, select
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.types import Info
from websockets.sync.client import connect

from api.app import assemble
from api.context import Application, Context
from api.door import Arrival, Door, Limits, Observer, Refused
from domain import markets, tables
from domain.access import Actor
from domain.tables import Role
from tests.api.garage import a_live_server
from tests.api.shop import Shop, settings_of
from tests.conftest import NOON


@dataclass
class Work:
    """What happens in the thread, as the test sees and steers it."""

    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def add_market(self, session: Session) -> None:
        """Write, wait for the test, write again."""
        try:
            markets.add(session, code="XX", name="Nowhere", currency="EUR", now=NOON)
            session.flush()
            self.begun.set()
            self.may_end.wait(timeout=30)
            session.exec(select(tables.Market)).all()
        finally:
            self.ended.set()


class Refusals(Observer):
    """Remembers the codes of what was refused."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def refused(self, refusal: Refused) -> None:
        self.codes += [error["extensions"]["code"] for error in refusal.errors]


@dataclass
class Server:
    url: str
    work: Work
    refusals: Refusals
    application: Application

    def markets(self) -> int:
        with self.application.database.reading() as session:
            return session.exec(select(func.count()).select_from(tables.Market)).one()

    def post(self, query: str, *, accept: str = "application/json") -> socket.socket:
        """Send a request and leave the connection open."""
        body = json.dumps({"query": query}).encode()
        address = urlsplit(self.url)
        connection = socket.create_connection((address.hostname, address.port))
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Accept: %s\r\nContent-Length: %d\r\n\r\n%s" % (accept.encode(), len(body), body)
        )
        return connection


def read(connection: socket.socket) -> tuple[int, Any]:
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come")


@pytest.fixture
def serve(shop: Shop) -> Callable[..., Any]:
    """A server whose only mutation writes to the shop's database, in a thread that waits."""

    @contextmanager
    def served(limits: Limits | None = None) -> Iterator[Server]:
        work, refusals = Work(), Refusals()
        application = assemble(settings_of(shop.folder))

        @strawberry.type
        class Query:
            @strawberry.field
            def hello(self) -> str:
                return "hello"

        @strawberry.type
        class Mutation:
            @strawberry.mutation
            async def add(self, info: Info[Context, None]) -> bool:
                await info.context.run(work.add_market)
                return True

        @strawberry.type
        class Subscription:
            @strawberry.subscription
            async def adding(self, info: Info[Context, None]) -> AsyncGenerator[bool]:
                await info.context.run(work.add_market)
                yield True

        async def authenticate(_authorization: str | None, _address: str) -> Actor:
            return Actor("ana", frozenset({Role.ADMIN}))

        def context_of(arrival: Arrival) -> Context:
            return Context(
                application, arrival.actor, arrival.request_id, arrival.points, arrival.stop
            )

        door = Door(
            strawberry.Schema(Query, Mutation, Subscription),
            context_factory=context_of,
            authenticate=authenticate,
            limits=limits,
            observer=refusals,
        )
        routes = [Route("/graphql", door), WebSocketRoute("/graphql", door)]
        with a_live_server(Starlette(routes=routes)) as url:
            yield Server(url, work, refusals, application)
            wait_until(lambda: application.threads.borrowed_tokens == 0)
        application.database.close()

    return served


def test_a_request_whose_client_hangs_up_is_given_up(serve: Any) -> None:
    with serve() as server:
        before = server.markets()
        connection = server.post("mutation { add }")
        server.work.begun.wait(timeout=30)
        connection.close()
        wait_until(lambda: server.refusals.codes == ["CLIENT_GONE"])
        server.work.may_end.set()
        server.work.ended.wait(timeout=30)

        assert server.markets() == before


def test_a_request_that_takes_too_long_keeps_nothing(serve: Any) -> None:
    with serve(Limits(request_seconds=0.2)) as server:
        before = server.markets()
        with server.post("mutation { add }") as connection:
            status, answer = read(connection)
        server.work.may_end.set()
        server.work.ended.wait(timeout=30)

        assert status == 503
        assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert server.markets() == before


@pytest.mark.parametrize("query", ["mutation { add }", "subscription { adding }"])
def test_an_event_stream_whose_client_hangs_up_is_given_up(serve: Any, query: str) -> None:
    with serve() as server:
        before = server.markets()
        connection = server.post(query, accept="text/event-stream")
        server.work.begun.wait(timeout=30)
        connection.close()
        time.sleep(0.3)
        server.work.may_end.set()
        server.work.ended.wait(timeout=30)

        assert server.markets() == before


@pytest.mark.parametrize("how", ["complete", "close"])
@pytest.mark.parametrize("query", ["mutation { add }", "subscription { adding }"])
def test_an_operation_of_a_socket_that_ends_is_given_up(serve: Any, query: str, how: str) -> None:
    with serve() as server:
        before = server.markets()
        address = server.url.replace("http", "ws")
        with connect(address, subprotocols=["graphql-transport-ws"]) as websocket:  # type: ignore[list-item]
            websocket.send('{"type": "connection_init"}')
            websocket.recv()
            payload = {"query": query}
            websocket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            server.work.begun.wait(timeout=30)
            if how == "complete":
                websocket.send('{"type": "complete", "id": "1"}')
                websocket.send('{"type": "ping"}')
                assert websocket.recv() == '{"type":"pong"}'
        time.sleep(0.3)
        server.work.may_end.set()
        server.work.ended.wait(timeout=30)

        assert server.markets() == before


def test_a_client_that_waits_gets_its_answer(serve: Any) -> None:
    with serve() as server:
        before = server.markets()
        with server.post("mutation { add }") as connection:
            server.work.begun.wait(timeout=30)
            server.work.may_end.set()
            status, answer = read(connection)

        assert (status, answer["data"]) == (200, {"add": True})
        assert server.markets() == before + 1
        assert server.refusals.codes == []


def test_who_is_given_up_keeps_its_place_among_the_threads_until_it_has_ended(shop: Shop) -> None:
    """Or there would soon be more threads than connections."""
    application, work = assemble(settings_of(shop.folder)), Work()
    context = Context(application, Actor("ana", frozenset()), "1", points=None)  # type: ignore[arg-type]

    async def give_up() -> tuple[int, int]:
        task = asyncio.create_task(context.run(work.add_market))
        while not work.begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        held = application.threads.borrowed_tokens
        context.stop.now()
        work.may_end.set()
        while application.threads.borrowed_tokens:
            await asyncio.sleep(0.01)
        return held, application.threads.borrowed_tokens

    assert asyncio.run(give_up()) == (1, 0)
    application.database.close()


def test_two_faults_at_once_leave_no_complaint_of_the_loop_behind(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = 'vehicles(filter: {market: "XX"}) { totalCount }'
    for _ in range(20):
        answer = shop.ask(f"{{ a: {nowhere} b: {nowhere} c: {nowhere} }}")
        assert answer["data"] is None
    gc.collect()

    assert [each.message for each in caplog.records if each.name == "asyncio"] == []
