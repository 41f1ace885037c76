"""Two machines of two processes on one database: what is decided holds in all four."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain import access
from domain.database import Database
from tests.api import plain_http
from tests.api.faults.servers import Redis, needs_redis_program
from tests.api.running import Running, key_of, serving
from tests.api.shop import settings_of
from tests.api.test_hot_swap import process_behind
from tests.api.test_live_pricing import activate, an_approved_version
from tests.api.versions import promoted, published_again
from tests.conftest import needs_postgres

pytestmark = [pytest.mark.slow, needs_postgres, needs_redis_program]

PROCESSES = 2
POINTS = 1_000
IN_FORCE = """{ market(code: "FR") {
  championModel { number } activeStrategy { strategy { name } } } }"""
COSTLY = "{ vehicles(first: 200) { edges { node { id } } } }"

Connection = httpx.Client


@pytest.fixture
def servers(redis: Redis, folder_on_postgres: Path) -> Iterator[list[Running]]:
    settings = {"redis_url": redis.url, "points_per_minute": str(POINTS)}
    words = ("--workers", str(PROCESSES), "--no-worker")
    with (
        serving(folder_on_postgres, *words, **settings) as one,
        serving(folder_on_postgres, *words, **settings) as other,
    ):
        yield [one, other]


@pytest.fixture
def connections(servers: list[Running]) -> Iterator[list[Connection]]:
    """One kept connection to each process of each server."""
    with ExitStack() as opened:
        found: dict[int, Connection] = {}
        for _ in range(50):
            for server in servers:
                client = opened.enter_context(
                    plain_http.Client(base_url=server.address, timeout=30)
                )
                found.setdefault(process_behind(client.get("/health/live")), client)
            if len(found) == PROCESSES * len(servers):
                break
        assert len(found) == PROCESSES * len(servers), "one process takes every connection"
        yield list(found.values())


def ask(connection: Connection, key: str, document: str = IN_FORCE) -> httpx.Response:
    return connection.post("/graphql", json={"query": document}, headers={"Authorization": key})


def in_force(connections: list[Connection], key: str) -> set[tuple[int, str]]:
    """Champion and strategy, as every process tells them."""
    told: list[dict[str, Any]] = [ask(each, key).json()["data"]["market"] for each in connections]
    return {
        (each["championModel"]["number"], each["activeStrategy"]["strategy"]["name"])
        for each in told
    }


def soon(condition: Callable[[], object]) -> None:
    """Wait for something to be so, asking seldom enough for the key's points to last.

    How soon it is ``benchmarks/mixed_load.py`` measures; a test does not judge by the clock.
    """
    for _ in range(60):
        if condition():
            return
        time.sleep(0.5)
    raise AssertionError("not so after half a minute")


def refuse(connections: list[Connection], key: str) -> bool:
    return {ask(each, key).status_code for each in connections} == {401}


def test_promotion_activation_and_revocation_hold_in_every_process(
    folder_on_postgres: Path, connections: list[Connection]
) -> None:
    folder, key = folder_on_postgres, key_of(folder_on_postgres)
    database = Database(settings_of(folder).resolved_database_url)
    second, spring = published_again(folder), an_approved_version(database)
    assert in_force(connections, key) == {(1, "House rule")}

    promoted(folder, second)
    soon(lambda: in_force(connections, key) == {(2, "House rule")})

    activate(database, spring)
    soon(lambda: in_force(connections, key) == {(2, "Spring")})

    with database.unit_of_work() as session:
        access.revoke(session, "sales", by="test", now=datetime.now(UTC))
    database.close()
    soon(lambda: refuse(connections, key))


def test_points_spent_in_one_process_are_missing_in_every_other(
    folder_on_postgres: Path, connections: list[Connection]
) -> None:
    key = key_of(folder_on_postgres)
    first = connections[0]
    while ask(first, key, COSTLY).status_code == 200:
        pass

    elsewhere = [ask(each, key, COSTLY) for each in connections]

    assert {each.status_code for each in elsewhere} == {429}
    assert all(int(each.headers["Retry-After"]) > 0 for each in elsewhere)
