"""What each kind of job does; called in a process of its own, see ``api.job_run``."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from api.job_run import JobRun
from api.settings import Settings
from domain.tables import JobKind
from domain.trainings import TrainingRequest
from ml import runs


def train(run: JobRun, settings: Settings) -> None:
    """Train a model version, publish it, and promote it where that was asked for."""
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


HANDLERS = {JobKind.TRAINING: f"{__name__}:{train.__name__}"}
