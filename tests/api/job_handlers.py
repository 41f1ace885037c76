"""What the processes of the worker's tests do: importable, as every handler has to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from api.job_run import JobRun
from api.settings import Settings
from api.worker import Worker
from domain import tables
from domain.database import Database
from domain.errors import Invalid
from domain.tables import JobKind


def publish_at_once(run: JobRun, settings: Settings) -> None:
    """Finish with one market, named after the attempt."""
    run.finish(lambda session, now: publish(session, now, run))


def wait_for_go(run: JobRun, settings: Settings) -> None:
    """Tell which process this is, and finish once there is a file ``go``."""
    (settings.data_dir / f"pid-{run.attempt.number}").write_text(str(os.getpid()))
    while not (settings.data_dir / "go").exists():
        _pause()
    publish_at_once(run, settings)


def tell_and_wait_for_go(run: JobRun, settings: Settings) -> None:
    run.progress(0.5, "Half way")
    wait_for_go(run, settings)


def wait_with_a_child(run: JobRun, settings: Settings) -> None:
    """As ``wait_for_go``, after starting a process of its own."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (settings.data_dir / "pid-of-child").write_text(str(child.pid))
    wait_for_go(run, settings)


def _pause() -> None:
    # time.sleep fails in a process whose clock libfaketime has taken over.
    threading.Event().wait(0.02)


def refuse(run: JobRun, settings: Settings) -> None:
    raise Invalid("There are only 3 listings: import more.")


def break_once(run: JobRun, settings: Settings) -> None:
    if run.attempt.number == 1:
        raise ZeroDivisionError("a secret of the program")
    publish_at_once(run, settings)


def publish_and_break(run: JobRun, settings: Settings) -> None:
    """Break in the very transaction that publishes, the first time."""

    def publish_half(session: Session, now: datetime) -> None:
        publish(session, now, run)
        session.flush()
        if run.attempt.number == 1:
            os.abort()

    run.finish(publish_half)


def publish(session: Session, now: datetime, run: JobRun) -> None:
    market = tables.Market(
        code=f"M{run.attempt.number}", name="Published", currency="EUR", created_at=now
    )
    session.add(market)


def work(settings: Settings, handler: str, lease_s: float) -> None:
    """A worker in a process of its own, to be killed."""
    database = Database(settings.resolved_database_url)
    Worker(database, settings, {JobKind.TRAINING: handler}, lease=timedelta(seconds=lease_s)).run()


def read_pid(path: Path) -> int | None:
    """The process that a handler told of, once it has."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def wait_for_own_go(run: JobRun, settings: Settings) -> None:
    """Finish once this very job is let go."""
    while not _go(settings, run.job_id).exists():
        _pause()
    run.finish()


def let_go(settings: Settings, *job_ids: int) -> None:
    for job_id in job_ids:
        _go(settings, job_id).touch()


def _go(settings: Settings, job_id: int) -> Path:
    return settings.data_dir / f"go-{job_id}"


def die(run: JobRun, settings: Settings) -> None:
    """A job that no process survives."""
    os.kill(os.getpid(), signal.SIGKILL)
