"""PostgreSQL is restarted under load: requests fail cleanly, and none after it is back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from domain.database import Database
from ml.serving import Serving
from tests.api import plain_http
from tests.api.faults.customers import Customers, check_books, until
from tests.api.faults.servers import Postgres, needs_postgres_programs
from tests.api.running import key_of, serving
from tests.api.shop import settings_of
from tests.api.versions import promoted, published_again

pytestmark = [pytest.mark.slow, needs_postgres_programs]

AWAY_S = 3.0
MODEL = '{ market(code: "FR") { championModel { number } } }'


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_requests_fail_with_a_code_and_go_on_where_they_stood(
    postgres: Postgres, on_own_postgres: Path, mode: str
) -> None:
    with serving(on_own_postgres, "--workers", "2", "--no-worker") as server:
        customers = Customers([server.address], key_of(on_own_postgres))
        with customers.asking():
            until(lambda: customers.answered() >= 10)
            postgres.stop(mode)
            assert lives(server.address, for_s=AWAY_S)
            postgres.start()
            back_at = time.monotonic()
            until(lambda: customers.answered(since=back_at) >= 20)
        second = published_again(on_own_postgres)
        promoted(on_own_postgres, second)
        until(lambda: champion(server.address, on_own_postgres) == 2)

    refused = customers.failures()
    assert {(each.status, each.codes) for each in refused} == {(503, ("UNAVAILABLE",))}
    assert all(int(each.retry_after or 0) > 0 for each in refused)
    database = Database(settings_of(on_own_postgres).resolved_database_url)
    check_books(database, customers)
    database.close()


def test_a_process_that_starts_meanwhile_serves_as_soon_as_it_is_back(
    postgres: Postgres, on_own_postgres: Path
) -> None:
    settings = settings_of(on_own_postgres)
    database = Database(settings.resolved_database_url)
    serving = Serving(
        database,
        artifact_key=settings.artifact_key,
        poll_s=60,
        clock=lambda: datetime.now(UTC),
    )
    postgres.stop()

    with ThreadPoolExecutor() as pool, capture_logs() as logs:
        started = pool.submit(serving.start)
        until(lambda: "pricing.refresh_failed" in [each["event"] for each in logs])
        postgres.start()
        started.result(timeout=60)

    assert serving.pricing()["FR"].at(datetime.now(UTC)).champion_model().id == 1
    serving.stop()
    database.close()


def lives(address: str, *, for_s: float) -> bool:
    """Whether the server said all the while that it lives: its event loop waits for nothing."""
    until_ = time.monotonic() + for_s
    answers = []
    while time.monotonic() < until_:
        answers.append(plain_http.get(f"{address}/health/live", timeout=30).status_code)
        time.sleep(0.05)
    return set(answers) == {200}


def champion(address: str, folder: Path) -> int:
    answer = plain_http.post(
        f"{address}/graphql", json={"query": MODEL}, headers={"Authorization": key_of(folder)}
    )
    number: int = answer.json()["data"]["market"]["championModel"]["number"]
    return number
