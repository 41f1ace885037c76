"""What each kind of job does; called in a process of its own, see ``api.job_run``."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from api import executors
from api.job_run import JobRun
from api.settings import Settings
from domain import simulations
from domain.database import current_time
from domain.tables import JobKind
from domain.trainings import TrainingRequest
from ml import runs
from ml.loading import champion


def train(run: JobRun, settings: Settings) -> None:
    """Train a model version, publish it, and promote it where that was asked for."""
    with executors.fits(settings):
        published = runs.run(
            run.database,
            run.market_id,
            TrainingRequest.from_document(run.payload),
            artifact_key=settings.artifact_key,
            progress=run.progress,
        )

    def publish(session: Session, now: datetime) -> None:
        published.publish(session, by=run.requested_by, now=now, job_id=run.job_id)

    run.finish(publish)


def simulate(run: JobRun, settings: Settings) -> None:
    """Price the stock with a strategy version, and keep what it would do."""
    model = champion(run.database, run.market_id, settings.artifact_key)
    with run.database.reading() as session:
        outcome = simulations.simulate(
            session,
            run.job_id,
            model,
            on=current_time(session).date(),
            progress=run.progress,
        )

    def publish(session: Session, now: datetime) -> None:
        simulations.publish(session, outcome, by=run.requested_by, now=now)

    run.finish(publish)


HANDLERS = {
    JobKind.TRAINING: f"{__name__}:{train.__name__}",
    JobKind.SIMULATION: f"{__name__}:{simulate.__name__}",
    JobKind.REPRICING: "api.repricing_job:reprice",
}
