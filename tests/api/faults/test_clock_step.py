"""A machine's clock jumps by hours while customers ask: every one is answered, once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from domain import tables
from domain.database import Database
from tests.api.faults.customers import Customers, check_books, until
from tests.api.running import key_of, serving
from tests.api.shop import settings_of
from tests.conftest import needs_postgres

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
