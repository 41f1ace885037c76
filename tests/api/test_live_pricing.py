"""A server in another process prices with what was activated here, and tells who listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from domain import activations, strategies, tables
from domain.database import Database
from domain.pricing.content import Rule, StrategyContent
from tests import factories
from tests.api import plain_http
from tests.api.faults.customers import until
from tests.api.shop import KEYS, settings_of
from tests.api.test_demo import a_served, served_folder

__all__ = ["served_folder"]  # the fixture, for this module's tests too

pytestmark = pytest.mark.slow

PATIENCE_S = 30.0
"""How soon it is so ``benchmarks/mixed_load.py`` measures; a test does not judge by the clock."""
ACTIVE = '{ market(code: "FR") { activeStrategy { id number strategy { name } } } }'
LISTEN = 'subscription { pricingChanged(market: "FR") { activeStrategy { strategy { name } } } }'


@contextmanager
def a_database(folder: Path) -> Iterator[Database]:
    """The server's database, opened by this process as well."""
    database = Database(settings_of(folder / ".forecourt").resolved_database_url)
    yield database
    database.close()


def key_of(folder: Path) -> str:
    keys: dict[str, str] = json.loads((folder / ".forecourt" / KEYS).read_text())
    return f"Bearer {keys['SALES']}"


def an_approved_version(database: Database) -> int:
    with database.unit_of_work() as session:
        strategy = strategies.create(
            session,
            market=session.exec(select(tables.Market)).one(),
            name="Spring",
            description=None,
            content=StrategyContent((Rule("default"),)),
            by="ana",
            now=datetime.now(UTC),
        )
        version = strategies.versions_of(session, [strategy.id])[strategy.id][0]
        factories.a_succeeded_simulation(session, version)
        strategies.submit(session, version.id, by="ana", now=datetime.now(UTC))
        strategies.approve(session, version.id, by="bob", now=datetime.now(UTC))
        return version.id


def activate(database: Database, version_id: int, **how: Any) -> None:
    with database.unit_of_work() as session:
        activations.activate(session, version_id, by="bob", now=datetime.now(UTC), **how)


def ask(address: str, folder: Path) -> str:
    """The name of the strategy that prices, as the server says."""
    answer = plain_http.post(
        f"{address}/graphql", json={"query": ACTIVE}, headers={"Authorization": key_of(folder)}
    )
    name: str = answer.json()["data"]["market"]["activeStrategy"]["strategy"]["name"]
    return name


@contextmanager
def listening(address: str, folder: Path) -> Iterator[ClientConnection]:
    """A subscription to the market's pricing, its first event yet to be read."""
    url = address.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        payload = {"authorization": key_of(folder)}
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(socket.recv(timeout=5))["type"] == "connection_ack"
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": LISTEN}}
        socket.send(json.dumps(subscribe))
        yield socket


def told(socket: ClientConnection) -> str:
    """The name of the strategy in the next event."""
    event = json.loads(socket.recv(timeout=PATIENCE_S))
    assert event["type"] == "next", event
    market = event["payload"]["data"]["pricingChanged"]
    name: str = market["activeStrategy"]["strategy"]["name"]
    return name


def test_a_server_prices_with_what_another_process_has_activated(served_folder: Path) -> None:
    with a_database(served_folder) as database, a_served(served_folder, "--no-worker") as address:
        version = an_approved_version(database)
        before = ask(address, served_folder)

        activate(database, version)
        until(lambda: ask(address, served_folder) == "Spring", within_s=PATIENCE_S)

    assert before == "House rule"


def test_front_ends_are_told_at_once(served_folder: Path) -> None:
    with a_database(served_folder) as database, a_served(served_folder, "--no-worker") as address:
        version = an_approved_version(database)
        with listening(address, served_folder) as socket:
            at_first = told(socket)

            activate(database, version)
            then = told(socket)

    assert (at_first, then) == ("House rule", "Spring")


def test_what_was_scheduled_prices_from_its_instant_on(served_folder: Path) -> None:
    with a_database(served_folder) as database, a_served(served_folder, "--no-worker") as address:
        version = an_approved_version(database)
        starts_at = datetime.now(UTC) + timedelta(seconds=2)
        activate(database, version, starts_at=starts_at)

        seen: list[tuple[bool, str]] = []
        while (now := datetime.now(UTC)) < starts_at + timedelta(seconds=1):
            name = ask(address, served_folder)
            if (now < starts_at) == (datetime.now(UTC) < starts_at):
                seen.append((now >= starts_at, name))

    assert set(seen) == {(False, "House rule"), (True, "Spring")}
