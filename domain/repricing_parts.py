"""The parts of a large repricing: stretches of the stock, each with a mark of how far it is.

Parts are done side by side, in any process that reaches the database. Each chunk commits its prices
together with its part's mark, so a part that was killed is taken up where it stood. A part carries
the number of the attempt that may write to it; that is what keeps a process away that was thought
dead and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, not_, update
from sqlmodel import Session, col, select

from domain import stock_filters, tables
from domain.jobs import LostLease
from domain.offers import has_price
from domain.stock_lists import conditions, is_held


@dataclass(frozen=True, slots=True)
class Counts:
    """What a repricing has done so far, over all of its parts, in vehicles."""

    repriced: int
    unchanged: int
    failed: int

    @property
    def done(self) -> int:
        """Vehicles that were looked at."""
        return self.repriced + self.unchanged + self.failed


def vehicles(
    session: Session, market_id: int, repricing: tables.Repricing
) -> list[ColumnElement[bool]]:
    """Which vehicles a repricing is about: those of its filter that nobody holds.

    As ``stock_lists.conditions``.
    """
    wanted = stock_filters.from_document(repricing.filter)
    mine = col(tables.Vehicle.market_id) == market_id
    return [mine, not_(is_held()), *conditions(session, wanted)]


def left(mark: tables.Repricing | tables.RepricingPart) -> list[ColumnElement[bool]]:
    """Which of them are not done yet."""
    key = col(tables.Vehicle.id)
    if isinstance(mark, tables.RepricingPart):
        return [key > mark.done_until, key <= mark.ends_at]
    return [key > mark.done_until]


def count(session: Session, market_id: int, repricing: tables.Repricing) -> int:
    """How many vehicles a repricing is about."""
    statement = select(func.count()).join_from(tables.Vehicle, tables.AskingPrice, has_price())
    return session.exec(statement.where(*vehicles(session, market_id, repricing))).one()


def divide(session: Session, job: tables.Job, *, size: int) -> list[int]:
    """Divide what is left of a repricing, or take over the parts of the attempt before.

    It waits for a chunk of that attempt that is under way, and lets it write no other.

    Args:
        size: vehicles of a part.

    Returns:
        The numbers of the parts; none where there are no more vehicles than one part has.
    """
    part = tables.RepricingPart
    there = session.exec(
        select(part.number).where(part.job_id == job.id).order_by(col(part.number))
    )
    if numbers := list(there):
        session.execute(update(part).where(col(part.job_id) == job.id).values(attempt=job.attempts))
        return numbers
    repricing = session.get_one(tables.Repricing, job.id)
    ends = _ends(session, job.market_id, repricing, size=size)
    if len(ends) < 2:
        return []
    begins = [repricing.done_until, *ends[:-1]]
    session.add_all(
        part(job_id=job.id, number=number, attempt=job.attempts, done_until=begin, ends_at=end)
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True))
    )
    session.flush()
    return list(range(len(ends)))


def hold(session: Session, job_id: int, number: int, *, attempt: int) -> tables.RepricingPart:
    """A part's row, locked.

    Raises:
        LostLease: another attempt has it by now.
    """
    part = session.get_one(
        tables.RepricingPart, (job_id, number), with_for_update=True, populate_existing=True
    )
    if part.attempt != attempt:
        raise LostLease(f"attempt {attempt} of job {job_id} is over")
    return part


def counts(session: Session, job_id: int) -> Counts:
    """What all parts of a repricing have done."""
    part = tables.RepricingPart
    sums = [
        func.coalesce(func.sum(each), 0) for each in (part.repriced, part.unchanged, part.failed)
    ]
    return Counts(*map(int, session.execute(select(*sums).where(part.job_id == job_id)).one()))


def account(session: Session, job_id: int) -> None:
    """Write down in the repricing what its parts have done, once all of them are."""
    done = counts(session, job_id)
    repricing = session.get_one(tables.Repricing, job_id, populate_existing=True)
    # Before it was divided it may have done some of it already.
    repricing.repriced += done.repriced
    repricing.unchanged += done.unchanged
    repricing.failed += done.failed


def _ends(session: Session, market_id: int, repricing: tables.Repricing, *, size: int) -> list[int]:
    """The last id of each part, in order; each has ``size`` vehicles, the last what is left."""
    key = col(tables.Vehicle.id)
    place = (func.row_number().over(order_by=key) - 1).label("place")
    numbered = (
        select(key.label("key"), place)
        .join_from(tables.Vehicle, tables.AskingPrice, has_price())
        .where(*vehicles(session, market_id, repricing), *left(repricing))
        .subquery()
    )
    part = numbered.c.place // size
    ends = select(func.max(numbered.c.key)).group_by(part).order_by(func.max(numbered.c.key))
    return [int(end) for (end,) in session.execute(ends)]
