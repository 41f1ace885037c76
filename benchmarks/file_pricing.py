"""Rows a second of `forecourt price`: in one process, in several, on a Dask cluster.

    python -m benchmarks.file_pricing --server postgresql://... [--rows 200000] [--ways 1 2 dask]

Makes a database of its own on the server, and drops it in the end. The file is of made
descriptions, as the sample market's listings spell them. Each way, so many processes or a cluster,
is the command as it is typed, in a process of its own, its start included. Beside the rows a second
stand what Python spent of the processor, helpers of the command included, and the most memory that
one process had. Every way has to write the same bytes; their digest is printed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import resource
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from api.cli import demo
from benchmarks.repricing import a_cluster
from benchmarks.stocked import installation
from domain import sample

COLUMNS = (
    "brand", "model", "version", "fuel", "gearbox", "release_year", "mileage_km", "horsepower",
    "engine_cc", "doors",
)  # fmt: skip
DASK = "dask"
SEED = 77
"""Not that of the listings which the model has learnt from."""


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any database of the server")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--ways", nargs="+", default=["1", "2", DASK])
    asked = parser.parse_args()
    with TemporaryDirectory() as name, installation(asked.server, Path(name)) as made:
        folder = Path(name)
        file = folder / "cars.csv"
        write_descriptions(file, asked.rows)
        settings = {
            "FORECOURT_DATA_DIR": name,
            "FORECOURT_DATABASE_URL": made.settings.resolved_database_url,
            "FORECOURT_SECRET_KEY": made.settings.secret.decode(),
        }
        written = set()
        for way in asked.ways:
            with a_cluster(made.settings) if way == DASK else nullcontext() as address:
                chosen = (
                    {"FORECOURT_DASK_SCHEDULER": address}
                    if address
                    else {"FORECOURT_JOB_PROCESSES": way}
                )
                written.add(priced(way, file, settings | chosen))
        assert len(written) == 1, "two ways have written different prices"


def write_descriptions(path: Path, count: int) -> None:
    """A file of made descriptions."""
    today = datetime.now(UTC).date()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in sample.listings(today=today, seed=SEED, count=count):
            writer.writerow([getattr(row, each) for each in COLUMNS])


def priced(way: str, file: Path, settings: dict[str, str]) -> str:
    """Price the file, print what that cost, and give the digest of what was written."""
    output = file.with_name("priced.csv")
    command = ["price", str(file), "--market", demo.CODE, "-o", str(output)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *command],
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    python_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    rows = int(done.stdout.partition(": ")[2].partition(" ")[0])
    print(
        f"{way:<14}{rows / wall_s:>8,.0f} rows/s   {wall_s:6.1f} s   "
        f"Python's processors {python_s:6.1f} s (not the cluster's)   "
        f"largest process so far {after.ru_maxrss / 1024:,.0f} MiB   {digest[:12]}",
        flush=True,
    )
    return digest


if __name__ == "__main__":
    main()
