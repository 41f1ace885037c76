"""How the queue of jobs stands, for those who look after an installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, case, col, func, select

from domain import tables
from domain.tables import JobKind, JobStatus
from domain.tables.columns import Instant

NOT_SERVED_AFTER = timedelta(seconds=60)
"""A worker looks several times a second; what still waits then is waited for in vain, unless all
workers are busy."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The jobs of one kind in one state.

    Attributes:
        oldest: how long the oldest of them has been in it; of ended ones nothing is told.
    """

    kind: JobKind
    status: JobStatus
    jobs: int
    oldest: timedelta | None


def queues(session: Session, *, now: datetime) -> list[Queue]:
    """The number of jobs of each kind in each state, and how long the oldest has been there."""
    job = tables.Job
    since = case((col(job.status) == JobStatus.RUNNING, job.started_at), else_=job.created_at)
    rows = session.exec(
        select(job.kind, job.status, func.count(), func.min(since, type_=Instant())).group_by(
            col(job.kind), col(job.status)
        )
    )
    found = []
    for kind, status, count, oldest in rows:
        has_ended = status not in (JobStatus.QUEUED, JobStatus.RUNNING)
        age = None if has_ended else now - oldest
        found.append(Queue(JobKind(kind), JobStatus(status), count, age))
    return found


def is_served(session: Session, *, now: datetime) -> bool:
    """Whether somebody takes jobs: none that could be taken has waited for long, or some run.

    A queue in which nothing waits says nothing about its workers, and is well served.
    """
    job = tables.Job
    running = select(job.id).where(job.status == JobStatus.RUNNING, col(job.lease_until) > now)
    if session.exec(running.limit(1)).first() is not None:
        return True
    late = now - NOT_SERVED_AFTER
    waiting = select(job.id).where(
        job.status == JobStatus.QUEUED,
        job.created_at < late,
        (col(job.not_before).is_(None)) | (col(job.not_before) < late),
    )
    abandoned = select(job.id).where(job.status == JobStatus.RUNNING, col(job.lease_until) < late)
    return all(session.exec(each.limit(1)).first() is None for each in (waiting, abandoned))
