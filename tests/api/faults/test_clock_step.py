"""A machine's clock jumps by hours: every customer is answered once, and no job done twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from api.settings import Settings
from domain import tables
from domain.database import Database, current_time
from domain.tables import JobStatus
from tests.api import job_handlers
from tests.api.faults.customers import Customers, check_books, until
from tests.api.running import environment, key_of, serving
from tests.api.shop import settings_of
from tests.api.test_worker import (
    LEASE_S,
    ended,
    eventually,
    go,
    job_id,
    on_sqlite,
    pid_of_attempt,
    published,
    running_jobs,
    settings,
    working,
)
from tests.conftest import needs_postgres
from tests.factories import a_job

__all__ = ["job_id", "settings"]  # the fixtures, for this module's tests too

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
]


def clock_of(file: Path) -> dict[str, str]:
    """The environment of a process whose clock is off by what a file says; it still runs evenly."""
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # It meddles with more than the clock where it is let.
        "FAKETIME_NO_RESET": "1",
    }


def step(file: Path, by: str) -> None:
    """Set a clock, e.g. ``+2h``; at once, so that nobody reads half of it."""
    half = file.with_suffix(".half")
    half.write_text(f"{by}\n")
    half.replace(file)


@pytest.mark.parametrize("by", ["+2h", "-2h"])
@needs_postgres
def test_quotes_go_on_whatever_the_clock_says(
    folder_on_postgres: Path, tmp_path: Path, by: str
) -> None:
    clock = tmp_path / "clock"
    step(clock, "+0")
    folder = folder_on_postgres
    activated_long_ago(folder)
    with serving(folder, "--no-worker", **clock_of(clock)) as server:
        customers = Customers([server.address], key_of(folder))
        with customers.asking(2):
            until(lambda: customers.answered() >= 5)
            step(clock, by)
            time.sleep(1.5)
            stepped_at = time.monotonic()
            until(lambda: customers.answered(since=stepped_at) >= 5)

    assert customers.failures() == []
    database = Database(settings_of(folder).resolved_database_url)
    check_books(database, customers)
    off = offset_of_the_last_quote(database)
    database.close()
    assert abs(off) > 3600, "the clock of the server was not stepped"


def activated_long_ago(folder: Path) -> None:
    """The market was made a moment ago: before that no strategy was in force, rightly."""
    database = Database(settings_of(folder).resolved_database_url)
    with database.unit_of_work() as session:
        for activation in session.exec(select(tables.Activation)):
            activation.starts_at -= timedelta(days=1)
            session.add(activation)
    database.close()


def offset_of_the_last_quote(database: Database) -> float:
    with database.reading() as session:
        newest = select(tables.Quote).order_by(col(tables.Quote.id).desc()).limit(1)
        quoted_at = session.exec(newest).one().created_at
    return (quoted_at - datetime.now(UTC)).total_seconds()


PROGRAM = """
from api.settings import Settings
from tests.api import job_handlers

job_handlers.work(Settings(), {!r}, {})
"""


@contextmanager
def working_by(clock: Path, settings: Settings, handler: Callable[..., None]) -> Iterator[None]:
    """A worker, and what it starts, by a clock that can be stepped."""
    named = f"{handler.__module__}:{handler.__name__}"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(named, LEASE_S)],
        env=environment(
            settings.data_dir,
            database_url=settings.resolved_database_url,
            **clock_of(clock),
        ),
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("by", ["+2h", "-2h"])
@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=needs_postgres)], indirect=True
)
def test_no_lease_is_lost_or_stolen_by_a_worker_whose_clock_jumps(
    database: Database, settings: Settings, tmp_path: Path, by: str
) -> None:
    """One of two workers jumps, while each has a job; neither job is begun again."""
    clock = tmp_path / "clock"
    step(clock, "+0")
    handler = job_handlers.wait_for_own_go
    with database.unit_of_work() as session:
        ids = [a_job(session, created_at=current_time(session)).id for _ in range(2)]

    with working_by(clock, settings, handler):
        eventually(lambda: running_jobs(database, at_least=1))
        with working(database, settings, handler):
            eventually(lambda: running_jobs(database, at_least=2))
            step(clock, by)
            time.sleep(3 * LEASE_S)
            job_handlers.let_go(settings, *ids)
            done = [ended(database, each) for each in ids]

    assert [(job.status, job.attempts) for job in done] == [(JobStatus.SUCCEEDED, 1)] * 2


@pytest.mark.parametrize("by", ["+2h", "-2h"])
@on_sqlite
def test_on_sqlite_a_jump_costs_an_attempt_at_most(
    database: Database, settings: Settings, job_id: int, tmp_path: Path, by: str
) -> None:
    clock = tmp_path / "clock"
    step(clock, "+0")
    with working_by(clock, settings, job_handlers.wait_for_go):
        pid_of_attempt(settings, 1)
        step(clock, by)
        time.sleep(3 * LEASE_S)
        go(settings)
        job = ended(database, job_id)

    assert job.status is JobStatus.SUCCEEDED
    # Forward, its lease seems to have run out: it is begun again, and published once.
    assert job.attempts <= 2
    assert published(database) == [f"M{job.attempts}"]
