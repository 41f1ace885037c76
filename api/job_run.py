"""One attempt at a job, in a process of its own: what a handler gets, and what ends it.

A handler is a function ``(run: JobRun, settings: Settings) -> None``, named as ``module:function``
so that a fresh process can import it. It works, tells how far it is, and ends with ``run.finish``.

Beside it beats a pulse that renews the lease. The pulse ends the process, and all that it started,
when the worker that started it is gone, or when the job is no longer this attempt's.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from typing import Any

import structlog
from sqlmodel import Session

from api import telemetry
from api.settings import Settings
from api.telemetry import traces
from domain import jobs, tables
from domain.availability import UNAVAILABLE
from domain.database import Database, current_time
from domain.errors import Refusal, Refusals
from domain.jobs import JobCancelled, LostLease
from domain.spans import span
from domain.tables import JobKind

log = structlog.get_logger(__name__)

Publish = Callable[[Session, datetime], None]
Handler = Callable[["JobRun", Settings], None]

ORPHAN_CHECK_S = 0.5

LONGEST_WITHOUT_PULSE = timedelta(minutes=30)
"""Of a job that is done without a worker, and so without anything that renews its lease."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a process has to know of the job that it works on; can be sent to another process."""

    job_id: int
    number: int
    kind: JobKind
    market_id: int
    payload: Mapping[str, Any]
    requested_by: str
    lease: timedelta

    @classmethod
    def at(cls, job: tables.Job, *, lease: timedelta) -> Attempt:
        """The attempt that has just begun."""
        return cls(
            job_id=job.id,
            number=job.attempts,
            kind=job.kind,
            market_id=job.market_id,
            payload=job.payload,
            requested_by=job.requested_by,
            lease=lease,
        )


class JobRun:
    """What a handler gets: the job, the database, and how to tell and to publish."""

    def __init__(self, database: Database, attempt: Attempt) -> None:
        self.database = database
        self.attempt = attempt
        self.is_finished = False
        self._progress: float | None = None
        self._message: str | None = None

    @property
    def job_id(self) -> int:
        """The job's id, e.g. for what it publishes."""
        return self.attempt.job_id

    @property
    def market_id(self) -> int:
        """The market that the job is about."""
        return self.attempt.market_id

    @property
    def payload(self) -> Mapping[str, Any]:
        """What was asked for, as it was enqueued."""
        return self.attempt.payload

    @property
    def requested_by(self) -> str:
        """Who asked for it."""
        return self.attempt.requested_by

    def progress(self, share: float, message: str | None = None) -> None:
        """Tell how far the work is; costs nothing, the next heartbeat carries it.

        Args:
            share: done so far, 0 to 1.
            message: what is being done now, for a person; kept from before where absent.
        """
        self._progress = share
        if message is not None:
            self._message = message

    def heartbeat(self) -> None:
        """Renew the lease and write down how far the work is.

        Raises:
            LostLease: the attempt is over.
            JobCancelled: somebody wants the job to stop.
        """
        with self.database.unit_of_work() as session:
            jobs.heartbeat(
                session,
                self.job_id,
                self.attempt.number,
                now=current_time(session),
                lease=self.attempt.lease,
                progress=self._progress,
                message=self._message,
            )

    def finish(self, publish: Publish | None = None) -> None:
        """Publish the result and end the job, both or neither, and once whatever dies.

        Args:
            publish: adds the result to the session; its work should take seconds, not minutes.

        Raises:
            LostLease: the attempt is over, and nothing is published.
            JobCancelled: somebody wants the job to stop, and nothing is published.
        """
        with self.database.unit_of_work() as session:
            now = current_time(session)
            jobs.finish(session, self.job_id, self.attempt.number, now=now)
            if publish is not None:
                publish(session, now)
        self.is_finished = True

    def fail(self, error: str, *, retry: bool) -> None:
        """End the attempt badly, unless it is over already."""
        try:
            with self.database.unit_of_work() as session:
                jobs.fail(
                    session,
                    self.job_id,
                    self.attempt.number,
                    now=current_time(session),
                    error=error,
                    retry=retry,
                )
        except LostLease:
            return


def run_in_this_process(
    handler_name: str, attempt: Attempt, settings: Settings, beats: Event
) -> None:
    """The main function of an attempt's process.

    Args:
        beats: set as soon as the pulse beats; until then the worker renews the lease.
    """
    # A group of its own: what the handler starts ends with it, and Ctrl-C on a terminal goes to
    # the worker alone, which then hands the job back.
    os.setpgrp()
    telemetry.set_up_logs(settings)
    structlog.contextvars.bind_contextvars(job=attempt.job_id, attempt=attempt.number)
    database = Database(settings.resolved_database_url, pool_size=3, patience=settings.job_patience)
    run = JobRun(database, attempt)
    pulse = threading.Thread(target=_beat, args=(run,), name="pulse", daemon=True)
    pulse.start()
    beats.set()
    with (
        traces.sent(),
        span(f"job {attempt.kind}", job=attempt.job_id, attempt=attempt.number),
    ):
        attempt_once(handler_named(handler_name), run, settings)


def attempt_once(handler: Handler, run: JobRun, settings: Settings) -> None:
    """Call the handler, and end the attempt as it ends."""
    try:
        handler(run, settings)
        if not run.is_finished:
            run.finish()
    except (LostLease, JobCancelled) as over:
        log.info("job.stopped", reason=type(over).__name__)
    except (Refusal, Refusals) as refused:
        log.info("job.refused", reason=str(refused))
        run.fail(str(refused), retry=False)
    except Exception:
        log.exception("job.failed")
        run.fail("It failed unexpectedly: the worker's log says why.", retry=True)


def work_off(database: Database, settings: Settings, handlers: Mapping[JobKind, str]) -> None:
    """Do the jobs that wait in this very process, one after the other, without a worker.

    Args:
        handlers: the kinds to take, each with the name of its handler.
    """
    while True:
        with database.unit_of_work() as session:
            job = jobs.take(
                session,
                kinds=handlers,
                owner=f"process {os.getpid()}",
                now=current_time(session),
                lease=LONGEST_WITHOUT_PULSE,
            )
        if job is None:
            return
        run = JobRun(database, Attempt.at(job, lease=LONGEST_WITHOUT_PULSE))
        attempt_once(handler_named(handlers[job.kind]), run, settings)


def handler_named(name: str) -> Handler:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def end_group(pid: int) -> None:
    """Kill a process and all that it started, whatever it is doing."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _beat(run: JobRun) -> None:
    """Renew the lease four times in its length, until the process ends."""
    worker = multiprocessing.parent_process()
    checks_a_beat = max(1, round(run.attempt.lease.total_seconds() / 4 / ORPHAN_CHECK_S))
    waiting = threading.Event()
    while True:
        for _ in range(checks_a_beat):
            waiting.wait(ORPHAN_CHECK_S)
            if worker is not None and os.getppid() != worker.pid:
                end_group(os.getpid())
        try:
            run.heartbeat()
        except (LostLease, JobCancelled):
            if not run.is_finished:
                end_group(os.getpid())
        except UNAVAILABLE:
            # The lease outlasts a short absence of the database.
            log.warning("job.heartbeat_failed", job=run.job_id, exc_info=True)
