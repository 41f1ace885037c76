"""Model versions rebuilt from the database, without training."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlmodel import Session

from domain import models, tables
from domain.database import Database
from domain.errors import NoChampionModel
from domain.snapshots import ServedModel
from ml import artifact
from ml.artifact import ArtifactRefused

log = structlog.get_logger(__name__)

ModelOf = Callable[[int], ServedModel]
"""A model version, rebuilt, by its id."""


def loader(database: Database, artifact_key: bytes) -> ModelOf:
    """How to rebuild model versions; ``ml.serving`` keeps those that it has rebuilt."""

    def model_of(model_id: int) -> ServedModel:
        with database.reading() as session:
            return load_model(session, model_id, artifact_key=artifact_key)

    return model_of


def load_model(session: Session, model_id: int, *, artifact_key: bytes) -> ServedModel:
    """A model version, rebuilt from what is stored.

    Raises:
        NotFound: there is none of this id.
        ArtifactRefused: its artifact is not what was published.
    """
    version = models.get(session, model_id)
    kept = models.artifact(session, model_id)
    estimator = artifact.load(kept.content, signature=kept.signature, key=artifact_key)
    return ServedModel(model_id, version.market_id, estimator)


def champion(database: Database, market_id: int, artifact_key: bytes) -> ServedModel:
    """The market's newest promoted version whose artifact is sound, for work outside of requests.

    Raises:
        NoChampionModel: there is none.
    """
    with database.reading() as session:
        for model_id in models.promoted_ids(session, market_id):
            try:
                return load_model(session, model_id, artifact_key=artifact_key)
            except ArtifactRefused as refused:
                log.error("model.artifact_refused", model=model_id, reason=str(refused))
        raise NoChampionModel(session.get_one(tables.Market, market_id).code)
