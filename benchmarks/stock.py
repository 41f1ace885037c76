"""Rows a second of a stock's import and of its repricing, on PostgreSQL.

    python -m benchmarks.stock --server postgresql://... [--vehicles 200000]

Makes a database of its own on the server, and drops it in the end. Beside the rows a second by the
clock stands what each side spent of the processor, which holds on a busy machine too: two cores
work on an import or a repricing, one here and one in PostgreSQL. Memory is this process's peak
before and after the repricing.
"""

from __future__ import annotations

import argparse
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from api.cli import demo
from api.cli.common import Installation
from api.job_handlers import HANDLERS
from api.job_run import work_off
from benchmarks.stocked import Stopwatch, imported, installation, write_stock
from domain import repricing, tables
from domain.stock_lists import VehicleFilter
from domain.tables import JobKind
from ml.serving import Serving


def main() -> None:
    """Print a line for each kind of work."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any database of the server")
    parser.add_argument("--vehicles", type=int, default=200_000)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, installation(asked.server, Path(folder)) as made:
        file = Path(folder) / "stock.csv"
        write_stock(file, today=datetime.now(UTC).date(), count=asked.vehicles)
        report, spent = imported(made, file)
        print(spent.line("import", report.read))
        reprice(made, "reprice", now=datetime.now(UTC))
        # Ages count to another year, so every price is another one.
        reprice(made, "once more", now=datetime.now(UTC) + timedelta(days=365))


def reprice(made: Installation, name: str, *, now: datetime) -> None:
    """Price the whole stock as a job does, and print what that cost."""
    serving = Serving(
        made.database, artifact_key=made.settings.artifact_key, poll_s=60, clock=lambda: now
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
    before, watch = peak_mib(), Stopwatch(made.database)
    work_off(made.database, made.settings, {JobKind.REPRICING: HANDLERS[JobKind.REPRICING]})
    spent = watch.spent()
    with made.database.reading() as session:
        done = session.get_one(tables.Repricing, job.id)
        rows = done.repriced + done.unchanged + done.failed
    print(spent.line(name, rows))
    print(
        f"{'':<12}{done.repriced} repriced, {done.unchanged} unchanged, {done.failed} failed; "
        f"peak memory {before:.0f} MiB before, {peak_mib():.0f} MiB after"
    )


def peak_mib() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
