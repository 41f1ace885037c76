"""What a repricing job does; called in a process of its own, see ``api.job_run``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api import executors
from api.job_run import JobRun
from api.settings import Settings
from domain import jobs, repricing, repricing_parts, tables
from domain.database import Database, current_time
from ml.loading import load_model


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a repricing, as it is sent to whoever does it."""

    job_id: int
    attempt: int
    number: int


def reprice(run: JobRun, settings: Settings) -> None:
    """Price the stock anew; what an earlier attempt has priced is not priced again."""
    parts = _divided(run, settings)
    if parts:
        _by_parts(run, settings, parts)
    else:
        _in_one_go(run, settings)


def price_part(part: Part, settings: Settings | None = None) -> None:
    """Price one part, chunk by chunk, in whatever process this is.

    Args:
        settings: those of this machine where absent, as on a cluster.

    Raises:
        LostLease: another attempt has the part, or the job is over.
        JobCancelled: somebody wants the job to stop.
        ArtifactRefused: the model is not what was published, or the signing key is another.
    """
    settings = settings or Settings()
    with _opened(settings) as database:
        with database.reading() as session:
            jobs.check(session, part.job_id, part.attempt)
            pricing = _run_of(session, part.job_id, settings, part=part.number)
        share: float | None = 0.0
        while share is not None:
            with database.unit_of_work() as session:
                jobs.check(session, part.job_id, part.attempt)
                share = pricing.next_chunk(session, now=current_time(session))


def _divided(run: JobRun, settings: Settings) -> list[Part]:
    """The parts of a repricing that is large enough; SQLite has one writer, however many work."""
    if run.database.engine.dialect.name == "sqlite" or not executors.has_several(settings):
        return []
    with run.database.unit_of_work() as session:
        _hold(session, run)
        numbers = repricing_parts.divide(
            session, jobs.get(session, run.job_id), size=settings.part_vehicles
        )
    return [Part(run.job_id, run.attempt.number, number) for number in numbers]


def _by_parts(run: JobRun, settings: Settings, parts: list[Part]) -> None:
    with run.database.reading() as session:
        wanted = session.get_one(tables.Repricing, run.job_id)
        vehicles = repricing_parts.count(session, run.market_id, wanted)

    def tell() -> None:
        with run.database.reading() as session:
            done = repricing_parts.counts(session, run.job_id).done
        run.progress(min(done / max(vehicles, 1), 1.0), f"Pricing the stock in {len(parts)} parts")

    with executors.opened(settings) as executor:
        executors.do_all(executor, price_part, parts, settings, told=tell)

    def account(session: Session, _now: datetime) -> None:
        repricing_parts.account(session, run.job_id)

    run.finish(account)


def _in_one_go(run: JobRun, settings: Settings) -> None:
    with run.database.reading() as session:
        pricing = _run_of(session, run.job_id, settings)
    share: float | None = 0.0
    while share is not None:
        run.progress(share, "Pricing the stock")
        with run.database.unit_of_work() as session:
            # In the chunk's own unit of work: an attempt that has lost its lease writes no prices.
            now = _hold(session, run, progress=share)
            share = pricing.next_chunk(session, now=now)
    run.finish()


def _hold(session: Session, run: JobRun, *, progress: float | None = None) -> datetime:
    """Renew the lease in this unit of work, or end with it: what time it is."""
    now = current_time(session)
    jobs.heartbeat(
        session,
        run.job_id,
        run.attempt.number,
        now=now,
        lease=run.attempt.lease,
        progress=progress,
    )
    return now


def _run_of(
    session: Session, job_id: int, settings: Settings, *, part: int | None = None
) -> repricing.Run:
    wanted = session.get_one(tables.Repricing, job_id)
    model = load_model(session, wanted.model_id, artifact_key=settings.artifact_key)
    return repricing.Run(session, jobs.get(session, job_id), model, part=part)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.resolved_database_url, pool_size=1, patience=settings.job_patience)
    try:
        yield database
    finally:
        database.close()
