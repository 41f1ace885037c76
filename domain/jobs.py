"""Jobs: the durable queue of long work; the row in the database is the truth.

    enqueue -> QUEUED -> take -> RUNNING -> finish -> SUCCEEDED
                 ^                  |
                 +-- hand_back -----+       at a graceful stop; does not count as an attempt
                 +-- fail, retried -+       after a rest, until the attempts are used up
                 +-- take ----------+       by another worker, once the lease has run out

Whoever takes a job holds it under its attempt number, which only ever rises. Everything that is
written on a job's behalf names that number, so a worker that was thought dead and comes back is
told that it has lost its lease, and publishes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, and_, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from domain import audit, tables
from domain.errors import InvalidState, NotFound
from domain.tables import JobKind, JobStatus

MAX_ATTEMPTS = 3
DEFAULT_PRIORITY = 100
FIRST_REST = timedelta(seconds=2)
"""How long a job rests after its first failed attempt; twice as long after each further one."""

LONGEST_REST = FIRST_REST * 2 ** (MAX_ATTEMPTS - 1)


class LostLease(Exception):
    """Somebody else has the job by now, or it has ended: stop, and publish nothing."""


class JobCancelled(Exception):
    """Somebody wants the job to stop."""


def enqueue(
    session: Session,
    *,
    kind: JobKind,
    market_id: int,
    payload: Mapping[str, Any],
    by: str,
    now: datetime,
    priority: int = DEFAULT_PRIORITY,
) -> tables.Job:
    """Ask for long work; of two jobs the one with the lower priority number goes first.

    Args:
        payload: what the work needs to know, as JSON values.
    """
    job = tables.Job(
        kind=kind,
        market_id=market_id,
        payload=dict(payload),
        priority=priority,
        requested_by=by,
        created_at=now,
    )
    session.add(job)
    session.flush()
    return job


def is_any_waiting(session: Session, *, kinds: Collection[JobKind], now: datetime) -> bool:
    """Whether ``take`` would find something; a look that locks nothing."""
    return session.exec(_waiting(kinds, now)).first() is not None


def take(
    session: Session,
    *,
    kinds: Collection[JobKind],
    owner: str,
    now: datetime,
    lease: timedelta,
) -> tables.Job | None:
    """The most urgent job that waits, the oldest of these first, held from now on; None for none.

    A job whose lease has run out waits too: its worker is dead, or as good as dead. Rows that
    another worker is just taking are passed over.

    Args:
        kinds: what the worker knows how to do.
    """
    free = _waiting(kinds, now).with_for_update(skip_locked=True)
    while (job := session.exec(free).one_or_none()) is not None:
        if job.cancel_requested:
            _end(job, JobStatus.CANCELLED, now)
        elif _is_exhausted(job):
            _end(job, JobStatus.FAILED, now)
            job.error = f"Given up after {MAX_ATTEMPTS} attempts: its worker died each time."
        else:
            return _held_by(job, owner, now, lease)
        session.flush()
    return None


def heartbeat(
    session: Session,
    job_id: int,
    attempt: int,
    *,
    now: datetime,
    lease: timedelta,
    progress: float | None = None,
    message: str | None = None,
) -> None:
    """Renew the lease, and tell how far the work is.

    Args:
        progress: share that is done, 0 to 1; it never goes back.

    Raises:
        LostLease: the attempt is over.
        JobCancelled: somebody wants the job to stop.
    """
    job = _held(session, job_id, attempt)
    if job.cancel_requested:
        raise JobCancelled
    job.lease_until = now + lease
    if progress is not None:
        job.progress = max(job.progress, min(max(progress, 0.0), 1.0))
    if message is not None:
        job.message = message


def check(session: Session, job_id: int, attempt: int) -> None:
    """Whether to go on with a part of a job; a look that locks nothing.

    Raises:
        LostLease: the attempt is over.
        JobCancelled: somebody wants the job to stop.
    """
    job = session.get(tables.Job, job_id, populate_existing=True)
    if job is None or (job.attempts, job.status) != (attempt, JobStatus.RUNNING):
        raise LostLease(f"attempt {attempt} of job {job_id} is over")
    if job.cancel_requested:
        raise JobCancelled


def finish(session: Session, job_id: int, attempt: int, *, now: datetime) -> tables.Job:
    """End the job well.

    Call it before publishing its result, in the same unit of work: from here on no other attempt
    can publish.

    Raises:
        LostLease: the attempt is over.
        JobCancelled: somebody wants the job to stop.
    """
    job = _held(session, job_id, attempt)
    if job.cancel_requested:
        raise JobCancelled
    _end(job, JobStatus.SUCCEEDED, now)
    job.progress = 1.0
    session.flush()
    return job


def fail(
    session: Session, job_id: int, attempt: int, *, now: datetime, error: str, retry: bool
) -> tables.Job:
    """End an attempt badly: the job rests and is taken up again, or has FAILED for good.

    Args:
        error: for a person, without anything of the program's inside.
        retry: whether another attempt may go better; after ``MAX_ATTEMPTS`` none does.

    Raises:
        LostLease: the attempt is over.
    """
    job = _held(session, job_id, attempt)
    if job.cancel_requested:
        _end(job, JobStatus.CANCELLED, now)
    elif retry and not _is_exhausted(job):
        _queue_again(job)
        job.not_before = now + FIRST_REST * 2 ** (_attempts_used(job) - 1)
        job.message = f"Attempt {_attempts_used(job)} of {MAX_ATTEMPTS} failed: {error}"
    else:
        _end(job, JobStatus.FAILED, now)
        job.error = error
    session.flush()
    return job


def hand_back(session: Session, job_id: int, attempt: int, *, now: datetime) -> tables.Job:
    """Let another worker have the job at once, because this one stops.

    Raises:
        LostLease: the attempt is over.
    """
    job = _held(session, job_id, attempt)
    if job.cancel_requested:
        _end(job, JobStatus.CANCELLED, now)
    else:
        _queue_again(job)
        job.handed_back += 1
    session.flush()
    return job


def cancel(session: Session, job_id: int, *, by: str, now: datetime) -> tables.Job:
    """Stop a job: one that waits at once, one that runs as soon as its worker sees it.

    Raises:
        NotFound: there is no such job.
        InvalidState: it has ended already.
    """
    job = _locked(session, job_id)
    if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise InvalidState(f"The job has already ended: {job.status}.", path=("job",))
    if job.cancel_requested:
        return job
    job.cancel_requested = True
    if job.status is JobStatus.QUEUED:
        _end(job, JobStatus.CANCELLED, now)
    audit.record(
        session,
        actor=by,
        action="job.cancelled",
        subject=(audit.JOB, job.id),
        detail={"kind": job.kind, "status": job.status},
        now=now,
    )
    return job


def to_stop(session: Session, held: Mapping[int, int], *, now: datetime) -> set[int]:
    """Which of the held jobs have to stop: cancelled, lost, or silent for longer than their lease.

    Args:
        held: attempt by id of job.
    """
    rows = session.exec(select(tables.Job).where(col(tables.Job.id).in_(held)))
    return {
        job.id
        for job in rows
        if job.cancel_requested
        or (job.attempts, job.status) != (held[job.id], JobStatus.RUNNING)
        or (job.lease_until is not None and job.lease_until <= now)
    }


def get(session: Session, job_id: int) -> tables.Job:
    """One job.

    Raises:
        NotFound: there is none of this id.
    """
    job = session.get(tables.Job, job_id)
    if job is None:
        raise NotFound("There is no such job.", path=("job",))
    return job


def newest(session: Session, *, limit: int) -> list[tables.Job]:
    """The jobs that were asked for last, newest first."""
    return list(
        session.exec(select(tables.Job).order_by(col(tables.Job.id).desc()).limit(limit)).all()
    )


def _waiting(kinds: Collection[JobKind], now: datetime) -> SelectOfScalar[tables.Job]:
    """Selects the job to take next."""
    job = tables.Job
    rested = or_(
        col(job.not_before).is_(None),
        col(job.not_before) <= now,
        # The clock was set back meanwhile: nobody meant it to rest for so long.
        col(job.not_before) > now + LONGEST_REST,
    )
    abandoned = col(job.lease_until) <= now
    return (
        select(job)
        .where(
            col(job.kind).in_(kinds),
            or_(
                and_(col(job.status) == JobStatus.QUEUED, rested),
                and_(col(job.status) == JobStatus.RUNNING, abandoned),
            ),
        )
        .order_by(col(job.priority), col(job.id))
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _held_by(job: tables.Job, owner: str, now: datetime, lease: timedelta) -> tables.Job:
    job.status = JobStatus.RUNNING
    job.attempts += 1
    job.lease_owner = owner
    job.lease_until = now + lease
    job.not_before = None
    job.started_at = job.started_at or now
    job.progress = 0.0
    job.message = None
    return job


def _held(session: Session, job_id: int, attempt: int) -> tables.Job:
    """The job, its row locked, if this attempt still holds it."""
    job = session.exec(
        select(tables.Job)
        .where(
            tables.Job.id == job_id,
            tables.Job.attempts == attempt,
            tables.Job.status == JobStatus.RUNNING,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if job is None:
        raise LostLease(f"attempt {attempt} of job {job_id} is over")
    return job


def _locked(session: Session, job_id: int) -> tables.Job:
    job = session.get(tables.Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound("There is no such job.", path=("job",))
    return job


def _queue_again(job: tables.Job) -> None:
    job.status = JobStatus.QUEUED
    job.lease_owner = job.lease_until = None
    job.progress = 0.0
    job.message = None


def _end(job: tables.Job, status: JobStatus, now: datetime) -> None:
    job.status = status
    job.finished_at = now
    job.lease_owner = job.lease_until = None
    job.message = None


def _attempts_used(job: tables.Job) -> int:
    return job.attempts - job.handed_back


def _is_exhausted(job: tables.Job) -> bool:
    return _attempts_used(job) >= MAX_ATTEMPTS
