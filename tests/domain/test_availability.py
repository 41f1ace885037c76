"""What the databases really do when they cannot, and what is made of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, select

from domain import tables
from domain.availability import UNAVAILABLE, Absence, absence
from domain.database import Database, Patience
from tests.conftest import needs_postgres
from tests.factories import a_market


@contextmanager
def opened(url: str, *, pool_size: int = 2, **patience: float) -> Iterator[Database]:
    database = Database(url, pool_size=pool_size, patience=Patience(**patience))  # type: ignore[arg-type]
    try:
        yield database
    finally:
        database.close()


@contextmanager
def holding_the_market(database: Database) -> Iterator[None]:
    """Somebody else's unit of work that holds market FR, and does not end."""
    with database.unit_of_work() as session:
        a_market(session)
    with database.unit_of_work() as session:
        hold(session, "FR")
        yield


def hold(session: Session, code: str) -> None:
    session.exec(select(tables.Market).where(tables.Market.code == code).with_for_update()).one()


@needs_postgres
def test_the_wait_for_a_lock_ends(served: Database, postgres_schema: str) -> None:
    with (
        holding_the_market(served),
        opened(postgres_schema, lock_s=0.2) as database,
        pytest.raises(UNAVAILABLE) as blocked,
        database.unit_of_work() as session,
    ):
        hold(session, "FR")

    assert absence(blocked.value) is Absence.BUSY


@needs_postgres
def test_a_statement_ends_that_takes_too_long(postgres_schema: str) -> None:
    with (
        opened(postgres_schema, statement_s=0.2) as database,
        pytest.raises(UNAVAILABLE) as late,
        database.reading() as session,
    ):
        session.connection().execute(text("SELECT pg_sleep(30)"))

    assert absence(late.value) is Absence.BUSY


@needs_postgres
def test_a_transaction_in_which_nothing_happens_gives_its_locks_back(
    served: Database, postgres_schema: str
) -> None:
    with (
        opened(postgres_schema, idle_s=0.2) as database,
        pytest.raises(UNAVAILABLE) as idle,
        holding_the_market(database),
        served.unit_of_work() as session,
    ):
        hold(session, "FR")

    assert absence(idle.value) in (Absence.BUSY, Absence.AWAY)


@needs_postgres
def test_timeouts_that_the_url_sets_itself_hold(postgres_schema: str) -> None:
    url = make_url(postgres_schema)
    own = f"{url.query['options']} -clock_timeout=7000"
    mine = url.update_query_dict({"options": own}).render_as_string(hide_password=False)

    with opened(mine, lock_s=1, statement_s=2) as database, database.reading() as session:
        shown = [
            session.connection().execute(text(f"SHOW {name}")).scalar_one()
            for name in ("lock_timeout", "statement_timeout", "application_name")
        ]

    assert shown == ["7s", "2s", "forecourt"]


def test_a_server_that_is_not_there_is_away() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody@127.0.0.1:{free.getsockname()[1]}/nothing"

        with (
            opened(url) as database,
            pytest.raises(UNAVAILABLE) as away,
            database.reading() as session,
        ):
            session.connection()

    assert absence(away.value) is Absence.AWAY


def test_waiting_for_one_of_the_connections_ends(embedded: Database) -> None:
    url = embedded.engine.url.render_as_string()

    with opened(url, pool_size=1, connection_s=0.1) as database, database.reading() as session:
        session.connection()
        with pytest.raises(PoolTimeout) as taken, database.reading() as another:
            another.connection()

    assert absence(taken.value) is Absence.BUSY


def test_a_writer_that_waits_too_long_on_sqlite_is_told_that_it_is_busy(
    embedded: Database,
) -> None:
    url = embedded.engine.url.render_as_string()

    with opened(url) as database, embedded.unit_of_work() as holder:
        holder.connection()
        with pytest.raises(UNAVAILABLE) as locked, database.reading() as session:
            session.connection().exec_driver_sql("PRAGMA busy_timeout=100")
            a_market(session)

    assert absence(locked.value) is Absence.BUSY


def test_a_full_file_is_full(embedded: Database) -> None:
    with pytest.raises(UNAVAILABLE) as full, embedded.unit_of_work() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=1")
        for number in range(100):
            a_market(session, code=f"M{number}", name="M" * 4_000)

    assert absence(full.value) is Absence.FULL


def test_a_file_that_cannot_be_opened_is_away(tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path}/nowhere/forecourt.db") as database,
        pytest.raises(UNAVAILABLE) as away,
        database.reading() as session,
    ):
        session.connection()

    assert absence(away.value) is Absence.AWAY


def test_a_statement_that_is_wrong_is_a_fault_of_ours(database: Database) -> None:
    with pytest.raises(DBAPIError) as wrong, database.reading() as session:
        session.connection().execute(text("SELECT nothing FROM nowhere"))

    assert absence(wrong.value) is None


@needs_postgres
def test_two_that_hold_what_the_other_needs_are_told_that_it_is_busy(served: Database) -> None:
    with served.unit_of_work() as session:
        for code in ("AA", "BB"):
            a_market(session, code=code)
    both_hold = threading.Barrier(2)
    refused: list[BaseException] = []

    def take(first: str, then: str) -> None:
        try:
            with served.unit_of_work() as session:
                hold(session, first)
                both_hold.wait(timeout=10)
                hold(session, then)
        except UNAVAILABLE as fault:
            refused.append(fault)

    threads = [threading.Thread(target=take, args=pair) for pair in (("AA", "BB"), ("BB", "AA"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [absence(each) for each in refused] == [Absence.BUSY]
