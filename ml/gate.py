"""The gate before a promotion: candidate and champion on the same listings, unseen by both."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from domain import models
from domain.models import Comparison
from domain.snapshots import ServedModel
from ml.artifact import ArtifactRefused
from ml.dataset import Part, TrainingData, read_listings, without_repeats
from ml.evaluation import evaluate
from ml.loading import ModelOf
from ml.predictor import Predictor

log = structlog.get_logger(__name__)


def compare(session: Session, candidate_id: int, *, model_of: ModelOf) -> Comparison:
    """A published version against the present champion of its market.

    Raises:
        NotFound: there is no such version.
        ArtifactRefused: the version cannot be rebuilt, so it could not answer as a champion.
    """
    candidate = models.get(session, candidate_id)
    rebuilt = model_of(candidate_id)
    champion_id = models.champion_ids(session, [candidate.market_id]).get(candidate.market_id)
    if champion_id is None or champion_id == candidate_id:
        return Comparison(champion_id, candidate.metrics["mape"], None)
    champion = models.get(session, champion_id)
    if champion.data_sha256 == candidate.data_sha256:
        # The same listings have the same unseen part: both were measured on it already.
        return Comparison(champion_id, candidate.metrics["mape"], champion.metrics["mape"])
    unseen = unseen_listings(session, candidate.market_id)
    mape = _mape(rebuilt, unseen)
    return Comparison(champion_id, mape, _champion_mape(champion_id, unseen, model_of))


def compare_unpublished(
    session: Session, candidate: Predictor, market_id: int, *, model_of: ModelOf
) -> Comparison:
    """A model that has just been trained against the present champion of a market."""
    unseen = unseen_listings(session, market_id)
    mape = evaluate(candidate, unseen)["mape"]
    champion_id = models.champion_ids(session, [market_id]).get(market_id)
    if champion_id is None:
        return Comparison(None, mape, None)
    return Comparison(champion_id, mape, _champion_mape(champion_id, unseen, model_of))


def unseen_listings(session: Session, market_id: int) -> TrainingData:
    """The listings of a market that no model ever learns from, re-listed cars counted once."""
    return without_repeats(read_listings(session, market_id)).part(Part.TEST)


def _champion_mape(champion_id: int, unseen: TrainingData, model_of: ModelOf) -> float | None:
    """None for a champion whose artifact is refused: it answers nowhere, so anything is better."""
    try:
        return _mape(model_of(champion_id), unseen)
    except ArtifactRefused:
        log.warning("gate.champion_refused", model=champion_id, exc_info=True)
        return None


def _mape(served: ServedModel, unseen: TrainingData) -> float:
    if not isinstance(served.estimator, Predictor):
        raise TypeError("only a rebuilt predictor can be measured")
    return float(evaluate(served.estimator, unseen)["mape"])
