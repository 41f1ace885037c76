import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from domain import tables
from domain.database import Database
from domain.trainings import PromotionPolicy, TrainingRequest
from ml import gate, runs
from ml.artifact import ArtifactRefused
from ml.loading import loader
from tests.api.shop import made_market, settings_of

FIRST = 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    made_market(folder)
    return folder


class Market:
    """Market FR with a linear champion, and the key that artifacts are signed with."""

    def __init__(self, folder: Path) -> None:
        settings = settings_of(folder)
        self.database = Database(settings.resolved_database_url)
        self.key = settings.artifact_key

    def trained(
        self, algorithm: str, promotion: PromotionPolicy = PromotionPolicy.IF_BETTER
    ) -> tables.ModelVersion:
        request = TrainingRequest(algorithm, {}, promotion=promotion)
        published = runs.run(
            self.database, FIRST, request, artifact_key=self.key, progress=lambda *_: None
        )
        with self.database.unit_of_work() as session:
            return published.publish(session, by="test", now=datetime.now(UTC))

    def champion(self) -> int:
        with self.database.reading() as session:
            newest = select(tables.Promotion).order_by(tables.Promotion.id.desc())
            return session.exec(newest).first().model_id


@pytest.fixture
def market(made: Path, tmp_path: Path) -> Iterator[Market]:
    shutil.copytree(made, tmp_path / "market")
    market = Market(tmp_path / "market")
    yield market
    market.database.close()


def test_a_model_that_is_worse_than_the_champion_stays_a_candidate(market: Market) -> None:
    better = market.trained("ridge")
    worse = market.trained("linear_regression")

    assert worse.metrics["mape"] > better.metrics["mape"]
    assert market.champion() == better.id


def test_both_are_measured_on_listings_that_neither_has_learnt_from(market: Market) -> None:
    candidate = market.trained("ridge")

    with market.database.reading() as session:
        unseen = gate.unseen_listings(session, FIRST)
        everything = session.exec(select(tables.Listing.id)).all()

    assert unseen.rows == candidate.metrics["rows"]
    assert candidate.trained_rows + unseen.rows <= len(everything)


def test_a_champion_whose_artifact_is_refused_is_beaten_by_any_model(market: Market) -> None:
    with market.database.unit_of_work() as session:
        kept = session.exec(select(tables.ModelArtifact)).one()
        kept.content = kept.content[:-8] + bytes(8)
        # Other listings than the champion's, so that the stored figures do not settle it.
        session.delete(session.exec(select(tables.Listing)).first())

    version = market.trained("linear_regression")

    assert market.champion() == version.id


def test_a_candidate_whose_artifact_is_refused_is_not_compared(market: Market) -> None:
    version = market.trained("linear_regression", PromotionPolicy.MANUAL)
    with market.database.unit_of_work() as session:
        kept = session.get(tables.ModelArtifact, version.id)
        kept.signature = "0" * 64
        session.get(tables.ModelVersion, version.id).data_sha256 = "other listings"

    with market.database.reading() as session, pytest.raises(ArtifactRefused):
        gate.compare(session, version.id, model_of=loader(market.database, market.key))
