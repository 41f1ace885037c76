"""Parts of a repricing: done in any order, by whoever has them, to the same prices."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import repricing, repricing_parts, tables
from domain.database import Database
from domain.jobs import LostLease
from domain.snapshots import ServedModel
from tests.conftest import NOON
from tests.domain.test_repricing import (
    a_snapshot,
    a_stock,
    history,
    outcome,
    prices,
    request,
    run,
)


def taken(session: Session, job: tables.Job) -> tables.Job:
    """The job's next attempt."""
    job.attempts += 1
    session.add(job)
    session.flush()
    return job


def run_part(session: Session, job: tables.Job, model: ServedModel, number: int) -> int:
    """How many chunks of two vehicles it took."""
    pricing = repricing.Run(session, job, model, chunk=2, part=number)
    chunks = 0
    while pricing.next_chunk(session, now=NOON + timedelta(hours=1)) is not None:
        chunks += 1
    return chunks


def test_parts_hold_every_vehicle_once_in_stretches_of_the_same_size(session: Session) -> None:
    a_stock(session)
    job = taken(session, request(session, a_snapshot(session)))

    numbers = repricing_parts.divide(session, job, size=4)

    rows = session.exec(select(tables.RepricingPart)).all()
    stretches = sorted((row.done_until, row.ends_at) for row in rows)
    assert numbers == [0, 1, 2]
    assert [end - begin for begin, end in stretches] == [4, 4, 3]
    assert [begin for begin, _ in stretches[1:]] == [end for _, end in stretches[:-1]]


def test_a_small_repricing_is_not_divided(session: Session) -> None:
    a_stock(session)
    job = taken(session, request(session, a_snapshot(session)))

    assert repricing_parts.divide(session, job, size=11) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_parts_in_any_order_come_to_what_one_run_does(
    session: Session, order: tuple[int, ...]
) -> None:
    a_stock(session)
    pricing = a_snapshot(session, challenged=True)
    model = pricing.champion_model()
    divided = taken(session, request(session, pricing))
    repricing_parts.divide(session, divided, size=4)

    chunks = [run_part(session, divided, model, number) for number in order]
    repricing_parts.account(session, divided.id)
    session.flush()
    by_parts, changes = prices(session), len(history(session))

    again = taken(session, request(session, pricing))
    run(session, again, model)
    assert sorted(chunks) == [2, 2, 2]
    assert prices(session) == by_parts
    assert outcome(session, again) == (0, 11, 0)
    assert outcome(session, divided) == (changes, 11 - changes, 0)


def test_what_has_begun_in_one_go_is_divided_from_where_it_stands(session: Session) -> None:
    a_stock(session)
    pricing = a_snapshot(session)
    model = pricing.champion_model()
    job = taken(session, request(session, pricing))
    run(session, job, model, chunks=1)

    numbers = repricing_parts.divide(session, job, size=4)
    for number in numbers:
        run_part(session, job, model, number)
    repricing_parts.account(session, job.id)
    session.flush()

    assert len(numbers) == 2
    assert outcome(session, job) == (10, 1, 0)
    assert len(history(session)) == 10


def test_an_attempt_that_was_given_up_writes_to_no_part(database: Database) -> None:
    with database.unit_of_work() as session:
        a_stock(session)
        pricing = a_snapshot(session)
        model = pricing.champion_model()
        job = taken(session, request(session, pricing))
        repricing_parts.divide(session, job, size=4)
        late = repricing.Run(session, job, model, chunk=2, part=0)
        late.next_chunk(session, now=NOON)
    with database.unit_of_work() as session:
        numbers = repricing_parts.divide(session, taken(session, job), size=4)

    with pytest.raises(LostLease), database.unit_of_work() as session:
        late.next_chunk(session, now=NOON)
    with database.unit_of_work() as session:
        for number in numbers:
            run_part(session, job, model, number)
        repricing_parts.account(session, job.id)

    with database.reading() as session:
        assert outcome(session, job) == (10, 1, 0)
        assert len(history(session)) == 10
