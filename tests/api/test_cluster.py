"""A training whose fits are done by a Dask cluster, here one of threads in this process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from api.job_handlers import HANDLERS
from api.job_run import work_off
from domain import jobs, tables
from domain.database import Database
from domain.tables import JobKind
from domain.trainings import TrainingRequest
from ml.training import FOLDS
from tests.api.shop import settings_of

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

QUICK = TrainingRequest("hist_gradient_boosting", {"iterations": 20, "leaves": 7})


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as cluster:
        yield cluster


def done_by(cluster: Any) -> list[str]:
    """What its workers have brought to an end, by name."""
    log = cluster.scheduler.transition_log
    return [str(key) for key, _, state, *_ in log if state == "memory"]


def trained(folder: Path, **settings: str) -> str:
    """The content of the model that a job trains with these settings, as its hash."""
    chosen = settings_of(folder).model_copy(update=settings)
    database = Database(chosen.resolved_database_url)
    now = datetime.now(UTC)
    with database.unit_of_work() as session:
        job_id = jobs.enqueue(
            session,
            kind=JobKind.TRAINING,
            market_id=session.exec(select(tables.Market)).one().id,
            payload=QUICK.to_document(),
            by="dee",
            now=now,
        ).id
    work_off(database, chosen, HANDLERS)
    with database.reading() as session:
        version, kept = tables.ModelVersion, tables.ModelArtifact
        sha256 = session.exec(
            select(kept.sha256)
            .join(version, col(version.id) == kept.model_id)
            .where(version.job_id == job_id)
        ).one()
    database.close()
    return sha256


def test_a_cluster_fits_the_folds_and_the_model_is_the_same(
    folder_on_sqlite: Path, cluster: Any
) -> None:
    here = trained(folder_on_sqlite)

    there = trained(folder_on_sqlite, dask_scheduler=cluster.scheduler_address)

    done = done_by(cluster)
    assert sum("left_out_log_prices" in name for name in done) == FOLDS
    assert len(done) == FOLDS + 2  # The two sets of trees of the model itself, and nothing smaller.
    assert there == here
