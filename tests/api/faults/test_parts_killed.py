"""kill -9 of whoever prices a part of the stock: every vehicle is priced, and none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from api.job_handlers import HANDLERS
from api.job_run import work_off
from domain import audit, jobs, repricing, repricing_parts, sample, stock, tables
from domain.audit import Verified
from domain.database import Database
from domain.stock_lists import VehicleFilter
from domain.tables import JobKind, JobStatus
from domain.trainings import TrainingRequest
from ml.serving import Serving
from tests.api.faults.clusters import a_cluster
from tests.api.faults.customers import until
from tests.api.faults.processes import children, kill, needs_linux
from tests.api.running import running
from tests.api.shop import settings_of
from tests.conftest import needs_postgres

pytestmark = [pytest.mark.slow, needs_linux, needs_postgres]

VEHICLES = 3_000
IN_PARTS = {"job_processes": "2", "part_vehicles": "60"}


@pytest.fixture
def database(folder_on_postgres: Path) -> Iterator[Database]:
    """The market's, with a stock that takes a while to price."""
    database = Database(settings_of(folder_on_postgres).resolved_database_url)
    now = datetime.now(UTC)
    with database.unit_of_work() as session:
        market = session.exec(select(tables.Market)).one()
        stock.add_vehicles(
            session,
            market,
            list(sample.stock(today=now.date(), count=VEHICLES)),
            today=now.date(),
            now=now,
            reason="taken into stock",
        )
    yield database
    database.close()


@pytest.fixture
def job_id(folder_on_postgres: Path, database: Database) -> int:
    """A repricing of all of it that was asked for."""
    now = datetime.now(UTC)
    settings = settings_of(folder_on_postgres)
    serving = Serving(database, artifact_key=settings.artifact_key, poll_s=60, clock=lambda: now)
    with database.unit_of_work() as session:
        pricing = serving.snapshot("FR", at=now)
        job = repricing.request_once(
            session, pricing, VehicleFilter(), by="paul", now=now, idempotency_key=None
        )
        return job.id


def is_half_way(database: Database, job_id: int) -> bool:
    with database.reading() as session:
        return 0 < repricing_parts.counts(session, job_id).done < VEHICLES / 2


def check_every_vehicle_is_priced_once(database: Database, job_id: int) -> None:
    def has_ended() -> bool:
        with database.reading() as session:
            return session.get_one(tables.Job, job_id).finished_at is not None

    until(has_ended, within_s=180)
    with database.reading() as session:
        job = session.get_one(tables.Job, job_id)
        done = session.get_one(tables.Repricing, job_id)
        stocked = session.exec(select(func.count()).select_from(tables.Vehicle)).one()
        changed = session.exec(
            select(tables.PriceChange.vehicle_id).where(
                col(tables.PriceChange.reason) == f"repricing, job {job_id}"
            )
        ).all()
        chain = audit.verify(session)
    assert job.status is JobStatus.SUCCEEDED, job.error
    assert done.repriced + done.unchanged + done.failed == stocked
    assert set(Counter(changed).values()) == {1}
    assert len(changed) == done.repriced
    assert isinstance(chain, Verified)


@pytest.mark.parametrize("victim", ["a part's process", "the job's process"])
def test_a_local_process_is_killed(
    folder_on_postgres: Path, database: Database, job_id: int, victim: str
) -> None:
    with running(folder_on_postgres, "worker", **IN_PARTS) as worker:
        until(lambda: is_half_way(database, job_id))
        working = [each for each in children(worker.process.pid) if len(children(each)) > 1]
        pool = [each for job in working for each in children(job)]
        kill(pool[-1:] if victim == "a part's process" else working)
        check_every_vehicle_is_priced_once(database, job_id)


def test_a_worker_of_the_cluster_is_killed(
    folder_on_postgres: Path, database: Database, job_id: int
) -> None:
    with (
        a_cluster(folder_on_postgres) as cluster,
        running(folder_on_postgres, "worker", **IN_PARTS, dask_scheduler=cluster.address),
    ):
        until(lambda: is_half_way(database, job_id))
        cluster.workers[0].kill()
        check_every_vehicle_is_priced_once(database, job_id)


TRAIN = TrainingRequest("hist_gradient_boosting", {"iterations": 200})


def a_training(database: Database) -> int:
    with database.unit_of_work() as session:
        market = session.exec(select(tables.Market)).one()
        job = jobs.enqueue(
            session,
            kind=JobKind.TRAINING,
            market_id=market.id,
            payload=TRAIN.to_document(),
            by="dee",
            now=datetime.now(UTC),
        )
        return job.id


def test_a_worker_of_the_cluster_is_killed_while_a_model_is_trained(
    folder_on_postgres: Path, database: Database
) -> None:
    first = a_training(database)
    work_off(database, settings_of(folder_on_postgres), HANDLERS)

    second = a_training(database)
    with (
        a_cluster(folder_on_postgres) as cluster,
        running(folder_on_postgres, "worker", dask_scheduler=cluster.address),
    ):
        until(lambda: is_being_fitted(database, second), within_s=120)
        cluster.workers[0].kill()
        until(lambda: models_of(database, second), within_s=180)

    assert models_of(database, second) == models_of(database, first)


def is_being_fitted(database: Database, job_id: int) -> bool:
    with database.reading() as session:
        return "Learning" in (session.get_one(tables.Job, job_id).message or "")


def models_of(database: Database, job_id: int) -> list[str]:
    """What the job has published, by content: training is deterministic, wherever it is done."""
    version, artifact = tables.ModelVersion, tables.ModelArtifact
    with database.reading() as session:
        rows = session.exec(
            select(artifact.sha256)
            .join(version, col(version.id) == artifact.model_id)
            .where(version.job_id == job_id)
        )
        return list(rows)
