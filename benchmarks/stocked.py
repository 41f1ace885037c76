"""A market with a large stock on a PostgreSQL database of its own: what the stock benchmarks share.

The database is made anew each time, with the demo's listings, model and house rule, and as many
stock vehicles as are asked for, imported from a CSV file.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from api.cli import demo
from api.cli.common import Installation
from api.settings import Settings
from domain import markets, migrations, sample
from domain.database import Database, normalised_url
from domain.files.imports import ImportReport, import_stock
from domain.stock import VehicleRow

DATABASE = f"forecourt_benchmark_{os.getpid()}"
"""Of this run alone."""

IMPORTED = 2_000
OTHERS = """INSERT INTO vehicle (market_id, entry_id, reference, brand, model, version, fuel,
    gearbox, release_year, mileage_km, doors, colour, horsepower, engine_cc, cost, acquired_on)
SELECT market_id, entry_id, reference || '-' || n, brand, model, version, fuel, gearbox,
    release_year, mileage_km + 97 * n, doors, colour, horsepower, engine_cc, cost, acquired_on
FROM vehicle, generate_series(1, :copies) n"""
PRICES = """INSERT INTO asking_price (vehicle_id, market_id, price)
SELECT copied.id, copied.market_id, original.price + 5000 * (copied.id % 37)
FROM vehicle AS copied
JOIN vehicle AS imported ON imported.market_id = copied.market_id
    AND imported.reference = left(copied.reference, 8) AND imported.id <> copied.id
JOIN asking_price AS original ON original.vehicle_id = imported.id"""
"""The reference of an imported vehicle has eight letters."""

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a stretch of work cost: seconds on the clock, and seconds of each side's processor."""

    wall_s: float
    ours_s: float
    server_s: float

    def line(self, what: str, rows: int) -> str:
        """Rows a second, by the clock and by processor time."""
        busiest = max(self.ours_s, self.server_s)
        return (
            f"{what:<12}{rows / self.wall_s:>10,.0f} rows/s   "
            f"processor, us a row: {1e6 * self.ours_s / rows:5.1f} here, "
            f"{1e6 * self.server_s / rows:5.1f} in PostgreSQL; "
            f"the busier of the two alone {rows / busiest:>9,.0f} rows/s"
        )


class Stopwatch:
    """Processor time of this process and of the database's processes that serve it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._began = self._now()

    def spent(self) -> Spent:
        """What was spent since it was made."""
        return Spent(*(now - then for now, then in zip(self._now(), self._began, strict=True)))

    def _now(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self._server_s()

    def _server_s(self) -> float:
        """Of all connections to the benchmark's database, where the server is on this machine."""
        with self._database.reading() as session:
            pids = session.execute(
                text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            ).scalars()
            return sum(processor_s(pid) for pid in pids)


def processor_s(pid: int) -> float:
    """What a process has spent of the processor so far; 0 where it is gone."""
    try:
        ran = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(ran[11]) + int(ran[12])) / CLOCK_TICKS


@contextmanager
def installation(server: str, folder: Path) -> Iterator[Installation]:
    """An ``empty_installation`` with the demo's model and strategy."""
    with empty_installation(server, folder) as made:
        with made.database.reading() as session:
            market = markets.by_code(session, demo.CODE)
        demo.add_listings(made, market)
        demo.train_champion(made, market)
        demo.activate_house_rule(made, market)
        yield made


@contextmanager
def empty_installation(server: str, folder: Path) -> Iterator[Installation]:
    """An installation on a new database of the server, with the demo's market and nothing in it.

    Args:
        server: URL of any database of the server; the benchmark's own is made beside it.
    """
    url = make_url(normalised_url(server))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    mine = url.set(database=DATABASE).render_as_string(hide_password=False)
    settings = Settings(data_dir=folder, database_url=SecretStr(mine))
    database = Database(mine)
    made = Installation(settings, database)
    try:
        migrations.upgrade(database.engine)
        with database.unit_of_work() as session:
            markets.add(
                session,
                code=demo.CODE,
                name=demo.NAME,
                currency=demo.CURRENCY,
                now=datetime.now(UTC),
            )
        yield made
    finally:
        database.close()
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
        engine.dispose()


def write_stock(path: Path, *, today: date, count: int) -> None:
    """A stock file of the sample market's vehicles."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(each.name for each in fields(VehicleRow))
        writer.writerows(astuple(row) for row in sample.stock(today=today, count=count))


def imported(made: Installation, path: Path) -> tuple[ImportReport, Spent]:
    """The stock file, imported, and what that cost."""
    watch = Stopwatch(made.database)
    report = import_stock(made.database, path, market=demo.CODE, now=datetime.now(UTC))
    return report, watch.spent()


def fill(made: Installation, folder: Path, vehicles: int) -> None:
    """A stock, its first vehicles imported and the others, made by the database, like them."""
    file = folder / "stock.csv"
    write_stock(file, today=datetime.now(UTC).date(), count=IMPORTED)
    imported(made, file)
    with made.database.engine.begin() as connection:
        connection.execute(text(OTHERS), {"copies": vehicles // IMPORTED - 1})
        connection.execute(text(PRICES))
    tidy(made)


def tidy(made: Installation) -> None:
    """Let the database know what its tables hold, as it would before long by itself."""
    with made.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        server.execute(text("VACUUM ANALYZE"))
