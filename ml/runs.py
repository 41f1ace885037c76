"""A training from listings to a published version, for the worker and for the command line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from domain import markets, models, tables, trainings
from domain.database import Database
from domain.models import Comparison
from domain.trainings import PromotionPolicy, TrainingRequest
from ml import algorithms, artifact, dataset, gate
from ml.loading import loader
from ml.sold import read_sales, together
from ml.training import Progress, TrainedModel, train

SHARE_OF_TRAINING = 0.95
"""Of the whole run; the rest is the comparison with the champion."""


def check(request: TrainingRequest) -> None:
    """Refuse a training that could only fail.

    Raises:
        Invalid, Refusals: an unknown algorithm, hyperparameters it does not take, a coverage or
            days that cannot be.
    """
    trainings.check(request)
    algorithms.validate_hyperparameters(request.algorithm, request.hyperparameters)


@dataclass(frozen=True)
class Published:
    """What a finished training puts into the database.

    Attributes:
        comparison: with the champion; None where nobody asked for a promotion.
        action: what the audit trail calls it.
        sold_rows: sold vehicles among the rows that were read.
    """

    market_id: int
    trained: TrainedModel
    signature: str
    comparison: Comparison | None
    action: str = "model.trained"
    sold_rows: int = 0

    def publish(
        self, session: Session, *, by: str, now: datetime, job_id: int | None = None
    ) -> tables.ModelVersion:
        """Store the version and promote it where that was asked for and it is good enough."""
        version = models.publish(
            session,
            self.market_id,
            self.trained,
            sha256=hashlib.sha256(self.trained.artifact).hexdigest(),
            signature=self.signature,
            by=by,
            now=now,
            job_id=job_id,
            action=self.action,
            sold_rows=self.sold_rows,
        )
        if self.comparison is not None and self.comparison.is_at_least_as_good:
            models.promote(session, version.id, comparison=self.comparison, by=by, now=now)
        return version


def run(
    database: Database,
    market_id: int,
    request: TrainingRequest,
    *,
    artifact_key: bytes,
    progress: Progress,
) -> Published:
    """Read, train, measure and compare; nothing is stored yet.

    Raises:
        Refusal, Refusals: see ``ml.training.train``.
    """
    progress(0.0, "Reading the listings")
    with database.reading() as session:
        data = dataset.read_listings(
            session,
            market_id,
            observed_from=request.observed_from,
            observed_to=request.observed_to,
        )
        sold = _sold(session, market_id, request)
        if sold is not None:
            data = together(data, sold)
    trained = train(
        data,
        algorithm=request.algorithm,
        hyperparameters=request.hyperparameters,
        coverage=request.coverage,
        progress=lambda share, stage: progress(SHARE_OF_TRAINING * share, stage),
    )
    signature = artifact.sign(trained.artifact, artifact_key)
    comparison = None
    if request.promotion is PromotionPolicy.IF_BETTER:
        progress(SHARE_OF_TRAINING, "Comparing with the champion")
        predictor = artifact.load(trained.artifact, signature=signature, key=artifact_key)
        with database.reading() as session:
            comparison = gate.compare_unpublished(
                session, predictor, market_id, model_of=loader(database, artifact_key)
            )
    progress(1.0, "Publishing")
    return Published(
        market_id, trained, signature, comparison, sold_rows=0 if sold is None else sold.rows
    )


def _sold(
    session: Session, market_id: int, request: TrainingRequest
) -> dataset.TrainingData | None:
    """What was sold, where the market's models are to learn from it."""
    settings = markets.settings_of(session.get_one(tables.Market, market_id))
    if not settings.train_on_sales:
        return None
    return read_sales(
        session,
        market_id,
        observed_from=request.observed_from,
        observed_to=request.observed_to,
    )
