from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, func, select

from domain import markets, tables
from domain.availability import UNAVAILABLE, Absence, absence
from domain.database import Database
from domain.stopping import Stop, Stopped
from tests.conftest import NOON, needs_postgres

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT sum(x) FROM n",
    "postgresql": "SELECT pg_sleep(3600)",
}
ENDED = (Stopped, *UNAVAILABLE)


def add_market(session: Session, code: str = "FR") -> None:
    markets.add(session, code=code, name="France", currency="EUR", now=NOON)
    session.flush()


def markets_in(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(tables.Market)).one()


def in_a_thread(work: Callable[[], None]) -> tuple[threading.Thread, list[BaseException]]:
    """Work in another thread, and what ended it."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, faults


def test_a_statement_under_way_is_broken_off_and_nothing_before_it_is_kept(
    database: Database,
) -> None:
    stop, begun = Stop(), threading.Event()

    def work() -> None:
        with database.unit_of_work(stop) as session:
            add_market(session)
            begun.set()
            session.execute(text(ENDLESS[database.engine.dialect.name]))

    thread, faults = in_a_thread(work)
    begun.wait(timeout=30)
    time.sleep(0.2)  # Until the database is at the statement that never ends.
    stop.now()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert isinstance(faults[0], ENDED)
    assert markets_in(database) == 0


def test_work_between_two_statements_ends_at_the_next_one(database: Database) -> None:
    stop, begun, told = Stop(), threading.Event(), threading.Event()

    def work() -> None:
        with database.unit_of_work(stop) as session:
            add_market(session)
            begun.set()
            told.wait(timeout=30)
            time.sleep(0.1)
            add_market(session, "DE")

    thread, faults = in_a_thread(work)
    begun.wait(timeout=30)
    stop.now()
    told.set()
    thread.join(timeout=30)

    assert isinstance(faults[0], ENDED)
    assert markets_in(database) == 0


def test_what_is_given_up_in_the_end_is_not_committed(database: Database) -> None:
    stop = Stop()

    with pytest.raises(Stopped), database.unit_of_work(stop) as session:
        add_market(session)
        stop.now()

    assert markets_in(database) == 0


def test_what_is_given_up_at_first_does_not_begin(database: Database) -> None:
    stop = Stop()
    stop.now()

    with pytest.raises(Stopped), database.unit_of_work(stop):
        raise AssertionError("it began")
    with pytest.raises(Stopped), database.reading(stop):
        raise AssertionError("it began")


def test_a_connection_that_went_back_serves_others_undisturbed(database: Database) -> None:
    stop = Stop()
    with database.unit_of_work(stop) as session:
        add_market(session)

    stop.now()

    with database.unit_of_work(Stop()) as session:
        add_market(session, "DE")
    assert markets_in(database) == 2


@needs_postgres
def test_a_connection_that_breaks_is_told_as_what_it_is(served: Database) -> None:
    end = text("SELECT pg_terminate_backend(:pid)")

    with pytest.raises(OperationalError) as broken, served.unit_of_work(Stop()) as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with served.unit_of_work() as other:
            other.execute(end, {"pid": pid})
        add_market(session)

    assert absence(broken.value) is Absence.AWAY


def test_work_that_nobody_gives_up_is_kept(database: Database) -> None:
    with database.unit_of_work(Stop()) as session:
        add_market(session)

    assert markets_in(database) == 1
