"""What whoever routes requests is told: ready or not, why, and without waiting."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import select

from domain import tables
from domain.database import Database, current_time
from domain.tables import JobStatus
from tests.api.shop import Shop, open_shop, settings_of
from tests.conftest import needs_postgres
from tests.factories import a_job

MIGRATE = "The database is not at the newest revision: run `forecourt migrate`."
UNSERVED = "Jobs wait and nobody takes them: start `forecourt worker`."


def ready(shop: Shop, query: str = "") -> tuple[int, dict[str, Any]]:
    answer = shop.client.get(f"/health/ready{query}")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def eventually_not(shop: Shop, first: tuple[int, dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """The next answer that differs: what the database says is looked up once a second."""
    deadline = time.monotonic() + 30
    while (told := ready(shop)) == first:
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    return told


def test_a_sound_process_is_ready(shop: Shop) -> None:
    assert ready(shop) == (200, {"status": "ready", "reasons": [], "warnings": []})


def test_a_database_of_another_version_is_told_with_what_mends_it(shop: Shop) -> None:
    first = ready(shop)
    with shop.database() as database, database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '20200101_older'"))

    status, told = eventually_not(shop, first)

    assert (status, told["reasons"]) == (503, [MIGRATE])


def test_jobs_that_nobody_takes_degrade_and_put_out_of_service_only_who_asks(shop: Shop) -> None:
    with shop.database() as database, database.unit_of_work() as session:
        market = session.exec(select(tables.Market)).one()
        ago = current_time(session) - timedelta(minutes=5)
        a_job(session, market, status=JobStatus.QUEUED, created_at=ago)

    told = {"status": "degraded", "reasons": [], "warnings": [UNSERVED]}
    assert ready(shop) == (200, told)
    assert ready(shop, "?strict") == (503, told)


def test_a_process_that_has_no_model_for_any_market_is_not_ready(folder_on_sqlite: Path) -> None:
    url = settings_of(folder_on_sqlite).resolved_database_url
    with closing(Database(url, pool_size=1)) as database, database.engine.begin() as connection:
        connection.execute(text("UPDATE model_artifact SET signature = 'forged'"))

    with open_shop(folder_on_sqlite) as shop:
        status, told = ready(shop)

    assert status == 503
    assert told["reasons"] == ["No model of FR answers: its champion was refused, see the log."]


@needs_postgres
def test_a_database_that_hangs_is_told_within_a_moment(folder_on_postgres: Path) -> None:
    with open_shop(folder_on_postgres) as shop, shop.database() as database:
        first = ready(shop)
        with database.engine.begin() as connection:
            connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
            told = eventually_not(shop, first)
            live = shop.client.get("/health/live").status_code
        recovered = eventually_not(shop, told)

    assert told[0] == 503
    assert told[1]["reasons"] == ["The database does not answer."]
    assert live == 200
    assert recovered == first
