from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import Session, func, select

from domain import jobs, tables
from domain.database import Database
from domain.errors import InvalidState, NotFound
from domain.jobs import JobCancelled, LostLease
from domain.tables import JobKind, JobStatus
from tests.conftest import NOON
from tests.factories import a_job, a_market

LEASE = timedelta(seconds=10)
LATER = NOON + timedelta(seconds=5)
AFTER_THE_LEASE = NOON + timedelta(seconds=10)


def take(session: Session, *, now=NOON, owner="worker 1") -> tables.Job | None:
    return jobs.take(session, kinds=JobKind, owner=owner, now=now, lease=LEASE)


def a_taken_job(session: Session, **facts: object) -> tables.Job:
    a_job(session, **facts)
    job = take(session)
    assert job is not None
    return job


def test_what_is_enqueued_waits(session: Session) -> None:
    job = jobs.enqueue(
        session,
        kind=JobKind.TRAINING,
        market_id=a_market(session).id,
        payload={"algorithm": "linear_regression"},
        by="dee",
        now=NOON,
    )

    assert (job.status, job.requested_by, job.created_at) == (JobStatus.QUEUED, "dee", NOON)


def test_a_taken_job_runs_under_a_lease(session: Session) -> None:
    job = a_taken_job(session)

    assert (job.status, job.attempts, job.lease_owner) == (JobStatus.RUNNING, 1, "worker 1")
    assert (job.started_at, job.lease_until) == (NOON, AFTER_THE_LEASE)


def test_an_empty_queue_gives_nothing(session: Session) -> None:
    assert take(session) is None


def test_a_worker_is_given_only_what_it_knows_how_to_do(session: Session) -> None:
    a_job(session, kind=JobKind.TRAINING)

    assert jobs.take(session, kinds=[], owner="worker 1", now=NOON, lease=LEASE) is None


def test_whether_anything_waits_can_be_seen_without_taking_it(session: Session) -> None:
    before = jobs.is_any_waiting(session, kinds=JobKind, now=NOON)
    job = a_job(session)
    after = jobs.is_any_waiting(session, kinds=JobKind, now=NOON)

    assert (before, after, job.status) == (False, True, JobStatus.QUEUED)


def test_the_most_urgent_goes_first_and_of_these_the_oldest(session: Session) -> None:
    ids = [a_job(session, priority=priority).id for priority in (100, 10, 100, 10)]

    order = [take(session).id for _ in ids]

    assert order == [ids[1], ids[3], ids[0], ids[2]]


def test_nobody_takes_what_another_holds(session: Session) -> None:
    a_taken_job(session)

    assert take(session, now=LATER, owner="worker 2") is None


def test_a_job_whose_lease_has_run_out_is_taken_up_again(session: Session) -> None:
    job = a_taken_job(session)

    again = take(session, now=AFTER_THE_LEASE, owner="worker 2")

    assert (again.id, again.attempts, again.lease_owner) == (job.id, 2, "worker 2")
    assert again.started_at == NOON


def test_workers_at_the_same_time_take_each_job_once(database: Database) -> None:
    with database.unit_of_work() as session:
        expected = [a_job(session).id for _ in range(12)]
    together = threading.Barrier(6)

    def work(owner: int) -> list[int]:
        together.wait()
        taken = []
        while True:
            with database.unit_of_work() as session:
                job = take(session, owner=f"worker {owner}")
                if job is None:
                    return taken
                taken.append(job.id)

    with ThreadPoolExecutor(6) as threads:
        taken = [job_id for each in threads.map(work, range(6)) for job_id in each]

    assert sorted(taken) == expected


def test_a_heartbeat_renews_the_lease_and_tells_how_far_the_work_is(session: Session) -> None:
    job = a_taken_job(session)

    jobs.heartbeat(session, job.id, 1, now=LATER, lease=LEASE, progress=0.4, message="Fitting")

    assert (job.lease_until, job.progress, job.message) == (LATER + LEASE, 0.4, "Fitting")


def test_progress_stays_between_0_and_1_and_never_goes_back(session: Session) -> None:
    job = a_taken_job(session)

    told = []
    for progress in (-1.0, 0.5, 0.3, 7.0):
        jobs.heartbeat(session, job.id, 1, now=LATER, lease=LEASE, progress=progress)
        told.append(job.progress)

    assert told == [0.0, 0.5, 0.5, 1.0]


def test_a_finished_job_has_succeeded(session: Session) -> None:
    job = a_taken_job(session)

    jobs.finish(session, job.id, 1, now=LATER)

    assert (job.status, job.progress, job.finished_at) == (JobStatus.SUCCEEDED, 1.0, LATER)
    assert take(session, now=AFTER_THE_LEASE) is None


@pytest.mark.parametrize(
    "do",
    [
        lambda session, job: jobs.heartbeat(session, job, 1, now=NOON, lease=LEASE),
        lambda session, job: jobs.finish(session, job, 1, now=NOON),
        lambda session, job: jobs.fail(session, job, 1, now=NOON, error="no", retry=True),
        lambda session, job: jobs.hand_back(session, job, 1, now=NOON),
    ],
    ids=["heartbeat", "finish", "fail", "hand back"],
)
def test_a_worker_that_was_thought_dead_changes_nothing(session: Session, do) -> None:
    job = a_taken_job(session)
    take(session, now=AFTER_THE_LEASE, owner="worker 2")

    with pytest.raises(LostLease):
        do(session, job.id)

    assert (job.status, job.attempts, job.lease_owner) == (JobStatus.RUNNING, 2, "worker 2")


def test_of_two_workers_that_think_they_hold_it_one_publishes(database: Database) -> None:
    with database.unit_of_work() as session:
        job_id = a_taken_job(session).id
    together = threading.Barrier(2)

    def publish(code: str) -> bool:
        together.wait()
        try:
            with database.unit_of_work() as session:
                jobs.finish(session, job_id, 1, now=LATER)
                a_market(session, code)
        except LostLease:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        published = list(threads.map(publish, ("DE", "IT")))

    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(tables.Market)).one() == 2
    assert sorted(published) == [False, True]


def test_a_failed_attempt_rests_before_the_next(session: Session) -> None:
    job = a_taken_job(session)

    jobs.fail(session, job.id, 1, now=NOON, error="The disk is full.", retry=True)

    assert take(session, now=NOON + timedelta(seconds=1.9)) is None
    assert take(session, now=NOON + timedelta(seconds=2)).attempts == 2


def test_a_clock_that_is_set_back_lets_no_job_rest_for_hours(session: Session) -> None:
    job = a_taken_job(session)

    jobs.fail(session, job.id, 1, now=NOON, error="The disk is full.", retry=True)

    assert take(session, now=NOON - timedelta(hours=2)).attempts == 2


def test_a_job_that_fails_every_time_ends_failed_with_the_reason(session: Session) -> None:
    job = a_taken_job(session)
    now = NOON
    for attempt in (1, 2, 3):
        jobs.fail(session, job.id, attempt, now=now, error="The disk is full.", retry=True)
        now += timedelta(minutes=1)
        take(session, now=now)

    assert (job.status, job.attempts, job.error) == (JobStatus.FAILED, 3, "The disk is full.")


def test_a_job_that_kills_every_worker_ends_failed(session: Session) -> None:
    job = a_taken_job(session)

    taken = [take(session, now=NOON + attempt * LEASE) for attempt in (1, 2, 3)]

    assert [each is None for each in taken] == [False, False, True]
    assert (job.status, job.attempts) == (JobStatus.FAILED, 3)
    assert "3 attempts" in job.error


def test_what_cannot_go_better_is_not_tried_again(session: Session) -> None:
    job = a_taken_job(session)

    jobs.fail(session, job.id, 1, now=LATER, error="Only 3 listings.", retry=False)

    assert (job.status, job.error) == (JobStatus.FAILED, "Only 3 listings.")


def test_a_job_handed_back_is_free_at_once_and_has_used_no_attempt(session: Session) -> None:
    job = a_taken_job(session)

    for attempt in range(1, 6):
        jobs.hand_back(session, job.id, attempt, now=LATER)
        assert take(session, now=LATER).attempts == attempt + 1

    assert job.status is JobStatus.RUNNING


def test_a_waiting_job_is_cancelled_at_once(session: Session) -> None:
    job = a_job(session)

    jobs.cancel(session, job.id, by="dee", now=LATER)

    assert (job.status, job.finished_at) == (JobStatus.CANCELLED, LATER)
    assert take(session) is None


def test_a_running_job_stops_at_its_next_heartbeat(session: Session) -> None:
    job = a_taken_job(session)

    jobs.cancel(session, job.id, by="dee", now=LATER)

    with pytest.raises(JobCancelled):
        jobs.heartbeat(session, job.id, 1, now=LATER, lease=LEASE)


@pytest.mark.parametrize(
    "befall",
    [
        lambda session, job: jobs.cancel(session, job, by="dee", now=NOON),
        lambda session, job: take(session, now=AFTER_THE_LEASE, owner="worker 2"),
        lambda session, job: jobs.finish(session, job, 1, now=NOON),
    ],
    ids=["cancelled", "taken by another", "ended"],
)
def test_a_worker_learns_which_of_its_jobs_have_to_stop(session: Session, befall) -> None:
    job, other = a_taken_job(session), a_taken_job(session)
    befall(session, job.id)
    session.flush()

    assert jobs.to_stop(session, {job.id: 1, other.id: 1}, now=LATER) == {job.id}


def test_a_job_that_is_silent_for_longer_than_its_lease_has_to_stop(session: Session) -> None:
    job = a_taken_job(session)
    session.flush()

    assert jobs.to_stop(session, {job.id: 1}, now=LATER) == set()
    assert jobs.to_stop(session, {job.id: 1}, now=AFTER_THE_LEASE) == {job.id}


def test_a_cancelled_job_publishes_nothing(session: Session) -> None:
    job = a_taken_job(session)
    jobs.cancel(session, job.id, by="dee", now=LATER)

    with pytest.raises(JobCancelled):
        jobs.finish(session, job.id, 1, now=LATER)

    assert job.status is JobStatus.RUNNING


@pytest.mark.parametrize(
    "stop",
    [
        lambda session, job: jobs.fail(session, job, 1, now=LATER, error="no", retry=True),
        lambda session, job: jobs.hand_back(session, job, 1, now=LATER),
        lambda session, job: take(session, now=AFTER_THE_LEASE),  # its worker died
    ],
    ids=["failed", "handed back", "abandoned"],
)
def test_a_job_to_be_cancelled_is_not_taken_up_again(session: Session, stop) -> None:
    job = a_taken_job(session)
    jobs.cancel(session, job.id, by="dee", now=NOON)

    stop(session, job.id)

    assert job.status is JobStatus.CANCELLED


def test_a_job_that_has_ended_cannot_be_cancelled(session: Session) -> None:
    job = a_taken_job(session)
    jobs.finish(session, job.id, 1, now=LATER)

    with pytest.raises(InvalidState, match="SUCCEEDED"):
        jobs.cancel(session, job.id, by="dee", now=LATER)


def test_cancelling_twice_is_one_event(session: Session) -> None:
    job = a_taken_job(session)

    for _ in range(2):
        jobs.cancel(session, job.id, by="dee", now=LATER)

    events = session.exec(select(tables.AuditEvent)).all()
    assert [(event.actor, event.action) for event in events] == [("dee", "job.cancelled")]


def test_a_job_from_nowhere_is_not_found(session: Session) -> None:
    for look_up in (
        lambda: jobs.get(session, 404),
        lambda: jobs.cancel(session, 404, by="dee", now=NOON),
    ):
        with pytest.raises(NotFound):
            look_up()


def test_the_newest_jobs_are_listed_first(session: Session) -> None:
    ids = [a_job(session).id for _ in range(3)]

    assert [job.id for job in jobs.newest(session, limit=2)] == [ids[2], ids[1]]
