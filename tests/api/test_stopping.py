"""Processes that are told to end: they finish what they began, and give back the rest."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import select
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from domain import jobs, tables, trainings
from domain.database import Database
from domain.tables import JobStatus
from domain.trainings import TrainingRequest
from tests.api import plain_http
from tests.api.running import Running, key_of, running, serving
from tests.api.shop import CAR, CREATE_QUOTES, settings_of
from tests.conftest import needs_postgres

pytestmark = pytest.mark.slow

LISTEN = 'subscription { pricingChanged(market: "FR") { code } }'
GOING_AWAY = 1001


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])])
def folder(request: pytest.FixtureRequest) -> Path:
    """A data directory with market FR, on each database in turn."""
    chosen = "folder_on_sqlite" if request.param == "sqlite" else "folder_on_postgres"
    folder: Path = request.getfixturevalue(chosen)
    return folder


@pytest.fixture
def stored(folder: Path) -> Iterator[Database]:
    database = Database(settings_of(folder).resolved_database_url, pool_size=2)
    yield database
    database.close()


def test_a_server_that_stops_says_goodbye_and_finishes_what_it_began(
    folder: Path, stored: Database
) -> None:
    vehicles = [CAR] * 500
    answers: list[httpx.Response] = []
    streamed: list[str] = []
    headers = {"Authorization": key_of(folder)}

    with serving(folder, "--no-worker") as server:
        socket = connect(
            server.address.replace("http", "ws") + "/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
        )
        with socket as client:
            payload = {"authorization": headers["Authorization"]}
            client.send(json.dumps({"type": "connection_init", "payload": payload}))
            subscribe = {"id": "1", "type": "subscribe", "payload": {"query": LISTEN}}
            client.send(json.dumps(subscribe))
            assert json.loads(client.recv(timeout=10))["type"] == "connection_ack"
            assert json.loads(client.recv(timeout=10))["type"] == "next"

            def quote() -> None:
                body = {
                    "query": CREATE_QUOTES,
                    "variables": {"input": {"market": "FR", "vehicles": vehicles}},
                }
                answers.append(
                    plain_http.post(
                        f"{server.address}/graphql", json=body, headers=headers, timeout=60
                    )
                )

            def listen() -> None:
                with plain_http.stream(
                    "POST",
                    f"{server.address}/graphql",
                    json={"query": LISTEN},
                    headers={**headers, "Accept": "text/event-stream"},
                    timeout=60,
                ) as stream:
                    streamed.extend(stream.iter_lines())

            threads = [threading.Thread(target=each) for each in (listen, quote)]
            threads[0].start()
            while not streamed:
                time.sleep(0.01)
            threads[1].start()
            while not server_is_busy(server.figures()):
                pass
            status = server.stop()
            for thread in threads:
                thread.join()
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=10)

    assert status == 0
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == GOING_AWAY
    assert len(answers[0].json()["data"]["createQuotes"]["quotes"]) == len(vehicles)
    assert streamed[0] == "event: next"
    assert "event: complete" not in streamed
    with stored.reading() as session:
        assert len(session.exec(select(tables.Quote.id)).all()) == len(vehicles)


def server_is_busy(told: dict[str, float]) -> bool:
    """Whether the event stream and the batch of quotes have both arrived; we are the third."""
    return told["forecourt_http_requests_in_progress"] >= 3


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_job_of_whoever_stops_waits_for_the_next_worker_at_once(
    folder: Path, stored: Database, command: str
) -> None:
    # Not over before the server has come up.
    long = {"iterations": 5000, "learning_rate": 0.001, "leaves": 1000}
    with stored.unit_of_work() as session:
        job = trainings.enqueue_once(
            session,
            "FR",
            TrainingRequest("hist_gradient_boosting", long),
            by="test",
            now=datetime.now(UTC),
            idempotency_key=None,
        )

    start = running(folder, "worker") if command == "worker" else serving(folder)
    with start as process:
        begun = process.says("job.started")
        status = process.stop()

    assert (status, begun["job"]) == (0, job.id)
    with stored.reading() as session:
        left = jobs.get(session, job.id)
    assert (left.status, left.handed_back, left.lease_owner) == (JobStatus.QUEUED, 1, None)


def test_a_worker_that_dies_beside_a_server_is_replaced(folder_on_sqlite: Path) -> None:
    with serving(folder_on_sqlite) as server:
        first = server.says("worker.started")["owner"]
        os.kill(int(first.split(":")[1]), signal.SIGKILL)
        server.says("worker.died")
        while not [owner for owner in owners(server) if owner != first]:
            assert server.process.poll() is None
        status = server.stop()

    assert status == 0


def owners(server: Running) -> list[str]:
    said = (json.loads(line) for line in server.lines())
    return [line["owner"] for line in said if line["event"] == "worker.started"]


def test_a_server_that_stops_answers_on_until_its_balancer_has_seen_it(
    folder_on_sqlite: Path,
) -> None:
    ask = {
        "json": {"query": "{ viewer { name } }"},
        "headers": {"Authorization": key_of(folder_on_sqlite)},
    }
    with serving(folder_on_sqlite, "--no-worker", drain_s="3") as server:
        server.process.send_signal(signal.SIGTERM)
        server.says("stopping")
        ready = plain_http.get(f"{server.address}/health/ready", timeout=10)
        answer = plain_http.post(f"{server.address}/graphql", **ask, timeout=10)
        status = server.process.wait(timeout=60)

    assert (ready.status_code, ready.json()["reasons"]) == (503, ["The process is stopping."])
    assert answer.status_code == 200
    assert status == 0
