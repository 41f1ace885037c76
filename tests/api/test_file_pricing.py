"""A large file, priced by several processes or by a cluster: the same bytes as from one process."""

from __future__ import annotations

import csv
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from api import executors
from api.settings import Settings
from domain import listings, markets, sample
from domain.database import Database
from domain.errors import Conflict
from domain.files.pricing import PART_ROWS, WORTHWHILE_ROWS
from ml.pinned import pinned, rebuilt
from ml.serving import Serving
from tests.api.faults.clusters import a_cluster
from tests.api.faults.customers import until
from tests.api.faults.processes import is_running, kill, needs_linux, spawned
from tests.api.running import Running, running
from tests.api.shop import settings_of
from tests.api.test_price_command import CARS, HEADER, HOPELESS
from tests.conftest import needs_postgres

ROWS = WORTHWHILE_ROWS + 2 * PART_ROWS + 7


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Rows of which most follow each other in no order, and some cannot be priced."""
    path = tmp_path / "cars.csv"
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(HEADER)
        chance = Random(7)
        for number in range(ROWS):
            _, *facts = chance.choice([*CARS, *HOPELESS])
            writer.writerow([f"L{number}", *facts])
    return path


def price(folder: Path, file: Path, name: str, **settings: str) -> tuple[bytes, bytes]:
    """What the command writes: prices and rejects."""
    output, rejects = file.with_name(f"{name}.csv"), file.with_name(f"{name}-rejects.csv")
    with running(folder, *command(file, output), "--rejects", str(rejects), **settings) as priced:
        assert priced.process.wait(timeout=500) == 0, priced.lines()
    return output.read_bytes(), rejects.read_bytes()


def command(file: Path, output: Path) -> list[str]:
    return ["price", str(file), "--market", "FR", "-o", str(output)]


@pytest.mark.slow
def test_two_processes_write_what_one_does(folder_on_sqlite: Path, file: Path) -> None:
    alone = price(folder_on_sqlite, file, "alone", job_processes="1")
    divided = price(folder_on_sqlite, file, "divided", job_processes="2")

    assert divided == alone
    assert alone[0].count(b"\n") + alone[1].count(b"\n") == ROWS + 2


@pytest.mark.slow
@needs_postgres
def test_a_cluster_writes_what_one_process_does(folder_on_postgres: Path, file: Path) -> None:
    alone = price(folder_on_postgres, file, "alone", job_processes="1")
    with a_cluster(folder_on_postgres) as cluster:
        divided = price(folder_on_postgres, file, "divided", dask_scheduler=cluster.address)

    assert divided == alone


def one_is_killed(priced: Running) -> None:
    kill(spawned(priced.process.pid)[:1])


def told_to_stop(priced: Running) -> None:
    priced.process.send_signal(signal.SIGTERM)


@pytest.mark.slow
@needs_linux
@pytest.mark.parametrize(
    ("end", "words"), [(one_is_killed, "ended from outside"), (told_to_stop, "Interrupted")]
)
def test_what_is_not_finished_leaves_one_line_and_no_file(
    folder_on_sqlite: Path, file: Path, end: Callable[[Running], None], words: str
) -> None:
    output = file.with_name("out.csv")
    with running(folder_on_sqlite, *command(file, output), job_processes="2") as priced:
        until(lambda: len(spawned(priced.process.pid)) == 2, within_s=180)
        started = spawned(priced.process.pid)
        end(priced)
        status = priced.process.wait(timeout=60)

    assert status == 1
    (line,) = [each for each in priced.lines() if "%" not in each]
    assert words in line
    assert [each.name for each in file.parent.glob("*out.csv*")] == []
    until(lambda: not any(is_running(each) for each in started))


def test_a_stream_of_tasks_is_not_read_far_ahead(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, job_processes=2)
    taken = []

    def tasks() -> object:
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as executor:
        done = executors.in_order(executor, lambda number, _: -number, tasks(), settings)
        first = [next(done) for _ in range(10)]

    assert first == [(number, -number) for number in range(10)]
    assert len(taken) < 20


def test_pricing_is_rebuilt_as_it_was_pinned_or_not_at_all(folder_on_sqlite: Path) -> None:
    settings = settings_of(folder_on_sqlite)
    database = Database(settings.resolved_database_url)
    now = datetime.now(UTC)
    serving = Serving(database, artifact_key=settings.artifact_key, poll_s=60, clock=lambda: now)
    pricing = serving.snapshot("FR", at=now)
    revision = serving.pricing()["FR"].catalogue_revision
    wanted = pinned(pricing, catalogue_revision=revision)

    with database.reading() as session:
        again = rebuilt(session, wanted, artifact_key=settings.artifact_key)
    with database.unit_of_work() as session:
        market = markets.by_code(session, "FR")
        rows = list(sample.listings(today=now.date(), seed=99, count=500))
        listings.add_listings(session, market, rows, today=now.date())
    with (
        database.reading() as session,
        pytest.raises(Conflict, match="has changed the catalogue"),
    ):
        rebuilt(session, wanted, artifact_key=settings.artifact_key)
    database.close()

    assert pinned(again, catalogue_revision=revision) == wanted
