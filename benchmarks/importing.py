"""How fast a file of listings is imported, beside what merely reads or merely writes its rows.

    python -m benchmarks.importing [FILE]

FILE is in the layout of the profile uk-used-cars; by default ../shared/data/uk_used_cars.csv.gz.
The peers check nothing, know no catalogue and compare nothing: they are the floor, not the goal.
"""

from __future__ import annotations

import csv
import gzip
import resource
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pyarrow.csv
from sqlmodel import SQLModel

from domain import markets
from domain.database import Database
from domain.files.imports import import_listings
from domain.files.profiles import UK_USED_CARS

UK_FILE = Path(__file__).parents[2] / "shared" / "data" / "uk_used_cars.csv.gz"


def main() -> int:
    """Print rows a second of each contender and its ratio to the first import."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else UK_FILE
    if not file.exists():
        print(f"{file} is not there: name a file.", file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/import.db")
        SQLModel.metadata.create_all(database.engine)
        with database.unit_of_work() as session:
            markets.add(session, code="UK", name="Britain", currency="GBP", now=datetime.now(UTC))
        contenders: dict[str, Callable[[], int]] = {
            "forecourt, first import": lambda: imported(database, file),
            "forecourt, run again (all unchanged)": lambda: imported(database, file),
            "csv module, reading alone": lambda: len(rows_of(file)),
            "pyarrow.csv, reading alone": lambda: read_by_pyarrow(file),
            "sqlite3 executemany of the bare rows": lambda: written_by_sqlite(
                Path(folder) / "bare.db", file
            ),
        }
        speeds = {name: rows_per_second(contender) for name, contender in contenders.items()}
        database.close()
    first = speeds["forecourt, first import"]
    for name, speed in speeds.items():
        print(f"{name:<40} {speed:>12,.0f} rows/s   x {speed / first:.2f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


def rows_per_second(contender: Callable[[], int]) -> float:
    """Rows that a contender says it handled, by the seconds it took."""
    began = perf_counter()
    rows = contender()
    return rows / (perf_counter() - began)


def imported(database: Database, file: Path) -> int:
    """The whole way: parse, check, convert, catalogue, compare, store."""
    report = import_listings(
        database, file, market="UK", now=datetime.now(UTC), profile=UK_USED_CARS
    )
    return report.read


def rows_of(file: Path) -> list[list[str]]:
    """The rows below the header, as text."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as text:
        return list(csv.reader(text))[1:]


def read_by_pyarrow(file: Path) -> int:
    """Columns with guessed types; nothing is done with them."""
    return int(pyarrow.csv.read_csv(file).num_rows)


def written_by_sqlite(path: Path, file: Path) -> int:
    """Text read by the csv module into a table with one unique key, in one transaction."""
    rows = rows_of(file)
    with sqlite3.connect(path) as connection:
        columns = ", ".join(f"c{number}" for number in range(len(rows[0])))
        connection.execute(f"CREATE TABLE bare (id INTEGER PRIMARY KEY, key UNIQUE, {columns})")
        places = ", ".join("?" for _ in rows[0])
        connection.executemany(
            f"INSERT INTO bare (key, {columns}) VALUES (?, {places})",
            [(str(number), *row) for number, row in enumerate(rows)],
        )
    connection.close()
    return len(rows)


if __name__ == "__main__":
    raise SystemExit(main())
