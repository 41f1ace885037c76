from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from domain import audit, pages, tables
from domain.database import Database
from tests.conftest import NOON


def an_event(session: Session, **facts: Any) -> tables.AuditEvent:
    valid: dict[str, Any] = {
        "actor": "ana",
        "action": "model.promoted",
        "subject": ("ModelVersion", 7),
        "detail": {"reason": "better"},
        "now": NOON,
    }
    return audit.record(session, **valid | facts)


def tampered(database: Database, statement: str) -> audit.Verified | audit.FirstBadRow:
    """What is found after five honest events and one dishonest statement."""
    with database.unit_of_work() as session:
        for _ in range(5):
            an_event(session)
    with database.unit_of_work() as session:
        session.execute(text(statement))
    with database.reading() as session:
        return audit.verify(session)


def test_events_are_counted_from_one_and_chained(session: Session) -> None:
    first, second = an_event(session), an_event(session)

    assert (first.id, first.previous_hash) == (1, audit.GENESIS)
    assert (second.id, second.previous_hash) == (2, first.hash)


def test_the_hash_covers_every_field(session: Session) -> None:
    an_event(session)
    event = session.exec(select(tables.AuditEvent)).one()
    fields = set(tables.AuditEvent.model_fields) - {"hash"}
    changes = {"id": 9, "subject_id": 9, "at": NOON.replace(minute=1), "detail": {"reason": ""}}

    hashes = {
        audit._hash(event.model_copy(update={name: changes.get(name, "other")})) for name in fields
    }

    assert len(hashes | {event.hash}) == len(fields) + 1


def test_an_empty_chain_holds(database: Database) -> None:
    with database.reading() as session:
        assert audit.verify(session) == audit.Verified(events=0)


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"share": 0.1, "whole": 2.0, "huge": 1e22, "tiny": 1e-7, "minus nothing": -0.0},
        {"text": "Citroën é ☃", "nested": [{"b": None, "a": True}], "empty": []},
    ],
)
def test_what_was_recorded_is_read_back_unchanged(
    database: Database, detail: dict[str, Any]
) -> None:
    with database.unit_of_work() as session:
        an_event(session, detail=detail)

    with database.reading() as session:
        assert audit.verify(session) == audit.Verified(events=1)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_event SET actor = 'bob' WHERE id = 3", (3, "changed")),
        ("UPDATE audit_event SET detail = '{}' WHERE id = 5", (5, "changed")),
        ("DELETE FROM audit_event WHERE id = 1", (1, "missing")),
        ("DELETE FROM audit_event WHERE id = 3", (3, "missing")),
        ("DELETE FROM audit_event WHERE id >= 4", (4, "missing")),
        ("DELETE FROM audit_event", (1, "missing")),
        ("UPDATE audit_event SET id = 6 WHERE id = 5", (5, "missing")),
        ("DELETE FROM audit_head", (5, "newer than the head of the chain")),
        ("UPDATE audit_head SET last_event = 4", (5, "newer than the head of the chain")),
        ("UPDATE audit_head SET last_hash = ''", (5, "not the event that the head names")),
    ],
)
def test_tampering_is_found_where_it_begins(
    database: Database, statement: str, found: tuple[int, str]
) -> None:
    assert tampered(database, statement) == audit.FirstBadRow(*found)


def test_an_event_with_a_hash_of_its_own_making_is_found(database: Database) -> None:
    with database.unit_of_work() as session:
        for _ in range(3):
            an_event(session)
        second = session.get_one(tables.AuditEvent, 2)
        second.actor = "bob"
        second.hash = audit._hash(second)

    with database.reading() as session:
        found = audit.verify(session)

    assert found == audit.FirstBadRow(3, "not chained to the event before")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"subject": ("Job", 1)}, [4, 2]),
        ({"subject": ("Job", 2)}, []),
        ({"actor": "bob"}, [4, 3]),
        ({"subject": ("Job", 1), "actor": "ana"}, [2]),
    ],
)
def test_events_are_listed_newest_first(
    embedded_session: Session, wanted: dict[str, Any], found: list[int]
) -> None:
    for actor, subject in itertools.product(("ana", "bob"), (("Market", 1), ("Job", 1))):
        an_event(embedded_session, actor=actor, subject=subject)

    page = pages.read_page(embedded_session, audit.listed(**wanted), pages.window())

    assert [event.id for event in page.rows] == found


def test_a_unit_of_work_that_fails_takes_its_event_with_it(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work() as session:
        an_event(session)
        raise RuntimeError

    with database.unit_of_work() as session:
        assert an_event(session).id == 1


def test_writers_at_the_same_time_leave_neither_gap_nor_fork(database: Database) -> None:
    def write(number: int) -> None:
        with database.unit_of_work() as session:
            an_event(session, detail={"number": number})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))

    with database.reading() as session:
        assert audit.verify(session) == audit.Verified(events=40)
        ids = session.exec(select(tables.AuditEvent.id).order_by(col(tables.AuditEvent.id))).all()
    assert list(ids) == list(range(1, 41))
