"""The worker: takes jobs, runs each in a process of its own, and ends those that have to stop.

Several workers on several machines share the queue. Each change of a job's state comes before the
deed: a job is given up first and its process killed then, because what the process might still
publish in between is refused.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from typing import Protocol

import structlog
from sqlmodel import Session

from api.job_run import Attempt, end_group, run_in_this_process
from api.settings import Settings
from domain import jobs, tables
from domain.availability import UNAVAILABLE
from domain.database import Database, current_time
from domain.jobs import JobCancelled, LostLease
from domain.tables import JobKind

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=10)
"""How long a job outlives the last sign of life from its process before another worker takes it."""

STARTING_S = 60.0
"""How long a process may take to start on a busy machine, before its silence counts."""

LEAVING_S = 2.0
"""How long a process may take to leave once its job has ended."""

TICK_S = 0.25
UNAVAILABLE_S = 1.0


class _End(Protocol):
    """How an attempt ends: a function of ``domain.jobs`` with what it still needs filled in."""

    def __call__(
        self, session: Session, job_id: int, attempt: int, *, now: datetime
    ) -> tables.Job: ...


@dataclass(frozen=True, slots=True)
class _Running:
    """An attempt, the process that works on it, and whether its pulse beats already."""

    attempt: Attempt
    process: SpawnProcess
    beats: Event
    since: float

    @property
    def is_starting(self) -> bool:
        return not self.beats.is_set() and time.monotonic() < self.since + STARTING_S


class Worker:
    """Takes jobs until it is told to stop; then it hands back those that it holds."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        handlers: Mapping[JobKind, str],
        *,
        slots: int = 1,
        lease: timedelta = LEASE,
    ) -> None:
        """Nothing is taken before ``run``.

        Args:
            settings: sent to the processes; they open the database that it names.
            handlers: ``module:function`` by kind of job, see ``api.job_run``.
            slots: how many jobs it works on at once; of several, one is never of the others' kind.
            lease: see ``LEASE``.
        """
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._database = database
        self._settings = settings
        self._handlers = handlers
        self._slots = slots
        self._lease = lease
        self._running: list[_Running] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until ``stop`` is called, from another thread or from a signal handler."""
        log.info("worker.started", owner=self.owner)
        try:
            while not self._stopping.wait(TICK_S):
                self._look_after_jobs()
        finally:
            self._hand_everything_back()
            log.info("worker.stopped", owner=self.owner)

    def stop(self) -> None:
        """Ask ``run`` to hand back the jobs and to return."""
        self._stopping.set()

    def _look_after_jobs(self) -> None:
        try:
            self._speak_for_those_that_start()
            self._end_what_has_to_end()
            self._take_what_there_is_room_for()
        except UNAVAILABLE:
            log.warning("worker.database_unavailable", exc_info=True)
            self._stopping.wait(UNAVAILABLE_S)

    def _take_what_there_is_room_for(self) -> None:
        while len(self._running) < self._slots:
            attempt = self._take()
            if attempt is None:
                return
            self._start(attempt)

    def _take(self) -> Attempt | None:
        kinds = self._welcome()
        with self._database.reading() as session:
            # Most of the time there is nothing, and then nobody has to wait for a lock.
            if not jobs.is_any_waiting(session, kinds=kinds, now=current_time(session)):
                return None
        with self._database.unit_of_work() as session:
            job = jobs.take(
                session,
                kinds=kinds,
                owner=self.owner,
                now=current_time(session),
                lease=self._lease,
            )
            return None if job is None else Attempt.at(job, lease=self._lease)

    def _start(self, attempt: Attempt) -> None:
        spawn = multiprocessing.get_context("spawn")
        beats = spawn.Event()
        process = spawn.Process(
            target=run_in_this_process,
            args=(self._handlers[attempt.kind], attempt, self._settings, beats),
            name=f"job-{attempt.job_id}",
        )
        process.start()
        self._running.append(_Running(attempt, process, beats, since=time.monotonic()))
        log.info("job.started", job=attempt.job_id, kind=attempt.kind, attempt=attempt.number)

    def _speak_for_those_that_start(self) -> None:
        for running in self._running:
            if running.is_starting:
                with suppress(LostLease, JobCancelled), self._database.unit_of_work() as session:
                    jobs.heartbeat(
                        session,
                        running.attempt.job_id,
                        running.attempt.number,
                        now=current_time(session),
                        lease=self._lease,
                    )

    def _end_what_has_to_end(self) -> None:
        for running in self._dead():
            self._end(running, _died(running.process.exitcode))
        for running in self._doomed():
            self._end(running, _stopped)

    def _dead(self) -> list[_Running]:
        return [running for running in self._running if not running.process.is_alive()]

    def _doomed(self) -> list[_Running]:
        if not self._running:
            return []
        held = {running.attempt.job_id: running.attempt.number for running in self._running}
        with self._database.reading() as session:
            ids = jobs.to_stop(session, held, now=current_time(session))
        return [running for running in self._running if running.attempt.job_id in ids]

    def _hand_everything_back(self) -> None:
        for running in tuple(self._running):
            try:
                self._end(running, jobs.hand_back)
            except UNAVAILABLE:
                log.warning("job.not_handed_back", job=running.attempt.job_id, exc_info=True)
                _kill(running.process)

    def _end(self, running: _Running, end: _End) -> None:
        """End an attempt, if nobody has before, and its process, if it still lives."""
        attempt = running.attempt
        try:
            with self._database.unit_of_work() as session:
                job = end(session, attempt.job_id, attempt.number, now=current_time(session))
            log.info("job.ended", job=attempt.job_id, attempt=attempt.number, status=job.status)
        except LostLease:
            # The usual case: the process has ended the job itself, well or badly.
            log.info("job.left", job=attempt.job_id, attempt=attempt.number)
            # It may still have its last log lines and its trace to send.
            running.process.join(LEAVING_S)
        _kill(running.process)
        self._running.remove(running)

    def _welcome(self) -> frozenset[JobKind]:
        """The kinds of job to take next.

        The last of several slots is kept from the kind that has all the others: long trainings
        would starve a repricing otherwise, or a queue of repricings a training.
        """
        kinds = frozenset(self._handlers)
        running = {each.attempt.kind for each in self._running}
        is_last = len(self._running) == self._slots - 1 > 0
        return kinds - running if is_last and len(running) == 1 and kinds != running else kinds


def _died(exit_code: int | None) -> _End:
    """How an attempt ends whose process is gone; a negative exit code is a signal's number."""
    how = f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"code {exit_code}"

    def end(session: Session, job_id: int, attempt: int, *, now: datetime) -> tables.Job:
        error = f"The process that worked on it died ({how})."
        return jobs.fail(session, job_id, attempt, now=now, error=error, retry=True)

    return end


def _stopped(session: Session, job_id: int, attempt: int, *, now: datetime) -> tables.Job:
    """How an attempt ends that is cancelled or that gives no sign of life any more."""
    error = "The process that worked on it gave no sign of life."
    return jobs.fail(session, job_id, attempt, now=now, error=error, retry=True)


def _kill(process: SpawnProcess) -> None:
    if process.pid is not None:
        # Also where the process is dead already: what it had started may live.
        end_group(process.pid)
    # Where it was not far enough to have a group of its own.
    process.kill()
    process.join()
    process.close()
