"""Redis dies: each process counts for itself, and says so, until it is back; nobody is let off."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.api import plain_http
from tests.api.faults.customers import until
from tests.api.faults.servers import Redis, needs_redis_program
from tests.api.running import Running, key_of, serving

pytestmark = [pytest.mark.slow, needs_redis_program]

POINTS = 100
SAID = "limits_counted_locally"
COSTLY, CHEAP = "{ vehicles(first: 30) { edges { node { id } } } }", "{ viewer { name } }"


def ask(server: Running, folder: Path, document: str = COSTLY) -> tuple[int, dict[str, int]]:
    """Spend some points: the status, and what the answer says of them."""
    answer = plain_http.post(
        f"{server.address}/graphql",
        json={"query": document},
        headers={"Authorization": key_of(folder)},
        timeout=30,
    )
    body = answer.json()
    told = body.get("extensions") or body["errors"][0]["extensions"]
    return answer.status_code, told["cost"]


def spend_all(server: Running, folder: Path) -> int:
    """Ask until there are no points left: how many requests were answered."""
    for answered in range(POINTS):
        status, _ = ask(server, folder)
        if status == 429:
            return answered
        assert status == 200
    raise AssertionError("there is no limit")


def times_said(server: Running) -> int:
    return sum(json.loads(line)["event"] == SAID for line in server.lines())


def test_limits_hold_without_redis_and_are_shared_again_when_it_is_back(
    redis: Redis, folder_on_sqlite: Path
) -> None:
    folder = folder_on_sqlite
    limits = {"redis_url": redis.url, "points_per_minute": str(POINTS)}
    with (
        serving(folder, "--no-worker", **limits) as one,
        serving(folder, "--no-worker", **limits) as other,
    ):
        shared = spend_all(one, folder)
        elsewhere, _ = ask(other, folder)

        redis.kill()
        alone = [spend_all(server, folder) for server in (one, other)]
        said = [times_said(server) for server in (one, other)]

        redis.start()
        back = shared_again(one, other, folder)

    assert shared > 0
    assert elsewhere == 429
    assert alone == [shared, shared]
    assert min(said) >= 1
    assert back


def shared_again(one: Running, other: Running, folder: Path) -> bool:
    """Wait until what is spent at one server is missing at the other."""

    def look() -> bool:
        (first, left), (second, there) = (ask(each, folder, CHEAP) for each in (one, other))
        time.sleep(0.5)
        return (first, second) == (200, 200) and there["remaining"] < left["remaining"]

    until(look, within_s=30)
    return True
