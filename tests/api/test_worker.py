from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import select

from api.settings import Settings
from api.worker import Worker
from domain import jobs, tables
from domain.database import Database, current_time
from domain.tables import JobKind, JobStatus
from tests.api import job_handlers
from tests.api.job_handlers import read_pid
from tests.factories import a_job

LEASE_S = 3.0
PATIENCE_S = 90.0

Answer = TypeVar("Answer")

pytestmark = pytest.mark.slow

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what the worker does by itself: the queue has its own tests on both databases."""


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path, database_url=database.engine.url.render_as_string(hide_password=False)
    )


@pytest.fixture
def job_id(database: Database) -> int:
    """A job that waits, and its market."""
    with database.unit_of_work() as session:
        return a_job(session, created_at=current_time(session)).id


@contextmanager
def working(
    database: Database,
    settings: Settings,
    handler: Callable[..., None],
    *,
    kinds: Sequence[JobKind] = (JobKind.TRAINING,),
    slots: int = 1,
) -> Iterator[Worker]:
    """A worker in a thread, stopped in the end."""
    name = f"{handler.__module__}:{handler.__name__}"
    worker = Worker(
        database,
        settings,
        dict.fromkeys(kinds, name),
        slots=slots,
        lease=timedelta(seconds=LEASE_S),
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


def eventually(look: Callable[[], Answer | None], *, within_s: float = PATIENCE_S) -> Answer:
    """What ``look`` finds, as soon as it finds anything."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not seen within {within_s} s")


def state(database: Database, job_id: int) -> tables.Job:
    with database.reading() as session:
        return jobs.get(session, job_id)


def ended(database: Database, job_id: int) -> tables.Job:
    def look() -> tables.Job | None:
        job = state(database, job_id)
        return None if job.finished_at is None else job

    return eventually(look)


def published(database: Database) -> list[str]:
    """What attempts have published; the market that the job is about is not among it."""
    with database.reading() as session:
        codes = select(tables.Market.code).where(tables.Market.name == "Published")
        return list(session.exec(codes).all())


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_of_attempt(settings: Settings, number: int) -> int:
    return eventually(lambda: read_pid(settings.data_dir / f"pid-{number}"))


def go(settings: Settings) -> None:
    (settings.data_dir / "go").touch()


def test_a_job_publishes_its_result_and_ends(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.publish_at_once):
        job = ended(database, job_id)

    assert (job.status, job.attempts, job.progress) == (JobStatus.SUCCEEDED, 1, 1.0)
    assert published(database) == ["M1"]


@on_sqlite
def test_what_a_job_refuses_is_told_and_not_tried_again(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.refuse):
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error == "There are only 3 listings: import more."


@on_sqlite
def test_a_job_that_breaks_is_tried_again_and_tells_no_secrets(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.break_once):
        resting = eventually(lambda: state(database, job_id).message)
        job = ended(database, job_id)

    assert "Attempt 1 of 3 failed" in resting
    assert "secret" not in resting
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 2)
    assert published(database) == ["M2"]


@on_sqlite
def test_a_process_killed_while_it_works_is_replaced(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.wait_for_go):
        os.kill(pid_of_attempt(settings, 1), signal.SIGKILL)
        pid_of_attempt(settings, 2)
        go(settings)
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 2)
    assert published(database) == ["M2"]


def test_a_process_that_dies_while_it_publishes_publishes_nothing(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.publish_and_break):
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 2)
    assert published(database) == ["M2"]


@on_sqlite
def test_a_process_that_hangs_is_replaced_once_its_lease_has_run_out(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.wait_for_go):
        frozen = pid_of_attempt(settings, 1)
        os.kill(frozen, signal.SIGSTOP)
        pid_of_attempt(settings, 2)
        go(settings)
        job = ended(database, job_id)

    assert not is_alive(frozen)
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 2)
    assert published(database) == ["M2"]


def test_a_killed_worker_takes_its_processes_along_and_another_finishes_the_job(
    database: Database, settings: Settings, job_id: int
) -> None:
    handler = f"{job_handlers.__name__}:wait_for_go"
    doomed = multiprocessing.get_context("spawn").Process(
        target=job_handlers.work, args=(settings, handler, LEASE_S)
    )
    doomed.start()
    first = pid_of_attempt(settings, 1)

    doomed.kill()
    doomed.join()
    eventually(lambda: not is_alive(first))
    with working(database, settings, job_handlers.wait_for_go):
        pid_of_attempt(settings, 2)
        go(settings)
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 2)
    assert published(database) == ["M2"]


@on_sqlite
def test_cancelling_ends_the_process_and_all_that_it_started(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.wait_with_a_child):
        pids = [pid_of_attempt(settings, 1), eventually(lambda: grandchild(settings))]
        with database.unit_of_work() as session:
            jobs.cancel(session, job_id, by="dee", now=current_time(session))
        eventually(lambda: not any(is_alive(pid) for pid in pids))
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.CANCELLED, 1)
    assert published(database) == []


def grandchild(settings: Settings) -> int | None:
    return read_pid(settings.data_dir / "pid-of-child")


@on_sqlite
def test_a_worker_that_stops_hands_its_job_back(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.wait_for_go):
        pid = pid_of_attempt(settings, 1)

    job = state(database, job_id)
    assert not is_alive(pid)
    assert (job.status, job.attempts, job.handed_back) == (JobStatus.QUEUED, 1, 1)
    assert job.lease_owner is None


@on_sqlite
def test_a_long_job_keeps_its_lease(database: Database, settings: Settings, job_id: int) -> None:
    with working(database, settings, job_handlers.wait_for_go):
        pid_of_attempt(settings, 1)
        time.sleep(1.5 * LEASE_S)
        still = state(database, job_id)
        go(settings)
        job = ended(database, job_id)

    assert (still.status, still.attempts) == (JobStatus.RUNNING, 1)
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 1)


@on_sqlite
def test_a_job_tells_how_far_it_is(database: Database, settings: Settings, job_id: int) -> None:
    with working(database, settings, job_handlers.tell_and_wait_for_go):
        job = eventually(lambda: told(database, job_id))
        go(settings)
        ended(database, job_id)

    assert (job.progress, job.message) == (0.5, "Half way")


def told(database: Database, job_id: int) -> tables.Job | None:
    job = state(database, job_id)
    return job if job.message else None


@on_sqlite
@pytest.mark.parametrize(
    ("many", "other"),
    [(JobKind.TRAINING, JobKind.REPRICING), (JobKind.REPRICING, JobKind.TRAINING)],
)
def test_many_jobs_of_one_kind_leave_room_for_another(
    database: Database, settings: Settings, many: JobKind, other: JobKind
) -> None:
    with database.unit_of_work() as session:
        now = current_time(session)
        first, second = (a_job(session, kind=many, created_at=now).id for _ in range(2))
        late = a_job(session, kind=other, created_at=now).id

    both = (many, other)
    with working(database, settings, job_handlers.wait_for_own_go, kinds=both, slots=2):
        taken = eventually(lambda: running_jobs(database, at_least=2))
        job_handlers.let_go(settings, late)
        overtaken = ended(database, late)
        still = [state(database, each).status for each in (first, second)]
        job_handlers.let_go(settings, first, second)
        ended(database, second)

    assert taken == {first, late}
    assert overtaken.status is JobStatus.SUCCEEDED
    assert still == [JobStatus.RUNNING, JobStatus.QUEUED]


def running_jobs(database: Database, *, at_least: int) -> set[int] | None:
    with database.reading() as session:
        found = session.exec(
            select(tables.Job.id).where(tables.Job.status == JobStatus.RUNNING)
        ).all()
    return set(found) if len(found) >= at_least else None


@on_sqlite
def test_a_job_that_kills_its_process_each_time_fails_with_the_reason(
    database: Database, settings: Settings, job_id: int
) -> None:
    with working(database, settings, job_handlers.die):
        job = ended(database, job_id)

    assert (job.status, job.attempts) == (JobStatus.FAILED, 3)
    assert job.error == "The process that worked on it died (signal 9)."
    assert published(database) == []
