"""What a repricing job does; called in a process of its own, see ``api.job_run``."""

from __future__ import annotations

from api.job_run import JobRun
from api.settings import Settings
from domain import jobs, repricing, tables
from domain.database import current_time
from ml.loading import load_model


def reprice(run: JobRun, settings: Settings) -> None:
    """Price the stock anew, chunk by chunk; an earlier attempt's chunks are not done again."""
    with run.database.reading() as session:
        wanted = session.get_one(tables.Repricing, run.job_id)
        model = load_model(session, wanted.model_id, artifact_key=settings.artifact_key)
        pricing = repricing.Run(session, jobs.get(session, run.job_id), model)
    share: float | None = 0.0
    while share is not None:
        run.progress(share, "Pricing the stock")
        with run.database.unit_of_work() as session:
            # In the chunk's own unit of work: an attempt that has lost its lease writes no prices.
            now = current_time(session)
            jobs.heartbeat(
                session,
                run.job_id,
                run.attempt.number,
                now=now,
                lease=run.attempt.lease,
                progress=share,
            )
            share = pricing.next_chunk(session, now=now)
    run.finish()
