"""Vehicles a second of a repricing on PostgreSQL: in one process, in several, on a Dask cluster.

    python -m benchmarks.repricing --server postgresql://... [--vehicles 1000000] [--ways 1 2 dask]

Makes a database of its own on the server, and drops it in the end; most of its vehicles are copies,
which the database makes faster than an import. Each way, so many processes or a cluster, prices the
whole stock for another year, so that every price is a new one. Beside the rows a second by the
clock stand what Python spent of the processor and the most memory that one of its processes had;
PostgreSQL works on the same machine and is not counted in it.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.cli import demo
from api.cli.common import Installation
from api.job_handlers import HANDLERS
from api.job_run import work_off
from api.settings import Settings
from benchmarks.stocked import fill, installation
from domain import jobs, repricing, tables
from domain.stock_lists import VehicleFilter
from domain.tables import JobKind
from ml.serving import Serving

DASK = "dask"
WORKERS = 2
"""Of the Dask cluster."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock and of Python's processors, and its largest process' peak memory."""

    wall_s: float
    python_s: float
    peak_mib: float

    @classmethod
    def so_far(cls) -> Spent:
        """Of this process and of those that it has started and that have ended."""
        mine, theirs = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        python = sum(each.ru_utime + each.ru_stime for each in (mine, theirs))
        return cls(time.perf_counter(), python, max(mine.ru_maxrss, theirs.ru_maxrss) / 1024)


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any database of the server")
    parser.add_argument("--vehicles", type=int, default=1_000_000)
    parser.add_argument("--ways", nargs="+", default=["1", "2", DASK])
    parser.add_argument(
        "--wait", action="store_true", help="for a line on standard input before each way"
    )
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, installation(asked.server, Path(folder)) as made:
        fill(made, Path(folder), asked.vehicles)
        now = datetime.now(UTC)
        for year, way in enumerate(asked.ways):
            if asked.wait:
                print("ready", flush=True)
                sys.stdin.readline()
            then = now + timedelta(days=365 * year)
            if way != DASK:
                settings = changed(made.settings, job_processes=int(way))
                reprice(made, f"{way} process(es)", settings, now=then)
                continue
            with a_cluster(made.settings) as address:
                settings = changed(made.settings, dask_scheduler=address)
                reprice(made, f"Dask, {WORKERS} workers", settings, now=then)
        # What the cluster's processes spent is known once they have ended.
        print(f"{'largest process of all':<24}{Spent.so_far().peak_mib:>10,.0f} MiB")


def changed(settings: Settings, **changes: Any) -> Settings:
    """The settings with others in place of some."""
    return settings.model_copy(update=changes)


def reprice(made: Installation, name: str, settings: Settings, *, now: datetime) -> None:
    """Price the whole stock as a job does, and print what that cost."""
    serving = Serving(
        made.database, artifact_key=settings.artifact_key, poll_s=60, clock=lambda: now
    )
    serving.refresh()
    with made.database.unit_of_work() as session:
        job = repricing.request_once(
            session,
            serving.snapshot(demo.CODE, at=now),
            VehicleFilter(),
            by="benchmark",
            now=now,
            idempotency_key=None,
        )
    before = Spent.so_far()
    work_off(made.database, settings, {JobKind.REPRICING: HANDLERS[JobKind.REPRICING]})
    after = Spent.so_far()
    with made.database.reading() as session:
        ended = jobs.get(session, job.id)
        assert ended.error is None, ended.error
        done = session.get_one(tables.Repricing, job.id)
        rows = done.repriced + done.unchanged + done.failed
    wall_s, python_s = after.wall_s - before.wall_s, after.python_s - before.python_s
    print(
        f"{name:<24}{rows / wall_s:>10,.0f} vehicles/s   {wall_s:6.1f} s   "
        f"Python's processors {python_s:6.1f} s   {done.repriced} repriced   "
        f"largest process so far {after.peak_mib:,.0f} MiB",
        flush=True,
    )


@contextmanager
def a_cluster(settings: Settings) -> Iterator[str]:
    """The address of a cluster of this machine whose workers have the settings from outside."""
    from distributed import LocalCluster

    os.environ["FORECOURT_DATABASE_URL"] = settings.resolved_database_url
    os.environ["FORECOURT_SECRET_KEY"] = settings.secret.decode()
    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


if __name__ == "__main__":
    main()
