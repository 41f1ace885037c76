import csv
import gc
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from domain import catalogue, markets, tables
from domain.database import Database
from domain.errors import Invalid, NotFound
from domain.files import imports
from domain.files.imports import ImportReport, import_listings, import_stock
from domain.files.profiles import UK_USED_CARS
from domain.listings import ListingRow
from domain.stock import VehicleRow
from tests.conftest import NOON, needs_postgres
from tests.domain.test_listings import CLIO
from tests.domain.test_stock import CLIO as CLIO_IN_STOCK

UK_FILE = Path(__file__).parents[3] / "shared" / "data" / "uk_used_cars.csv.gz"
needs_uk_file = pytest.mark.skipif(not UK_FILE.exists(), reason=f"{UK_FILE} is not there")

COLUMNS = [each.name for each in fields(ListingRow)]


def with_market(database: Database, code: str = "FR", currency: str = "EUR") -> Database:
    with database.unit_of_work() as session:
        markets.add(session, code=code, name=code, currency=currency, now=NOON)
    return database


def a_csv(path: Path, rows: Iterable[Sequence[Any]], header: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def listings_in(database: Database, file: Path, **facts: Any) -> ImportReport:
    return import_listings(database, file, market="FR", now=NOON, **facts)


def stored(database: Database, market: str = "FR") -> dict[str, list[tuple[str, ...]]]:
    """All that an import of listings writes, without the ids."""
    found: dict[str, list[tuple[str, ...]]] = {}
    with database.reading() as session:
        market_id = markets.by_code(session, market).id
        for table in (tables.Listing, tables.CatalogueEntry):
            names = [each for each in table.model_fields if not each.endswith("id")]
            rows = session.exec(select(table).where(table.market_id == market_id)).all()
            found[table.__name__] = sorted(
                tuple(str(getattr(row, name)) for name in names) for row in rows
            )
    return found


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (report.read, report.added, report.replaced, report.unchanged, report.rejected)


def test_each_row_of_a_file_is_added_or_rejected_with_its_reason(
    database: Database, tmp_path: Path
) -> None:
    rows = [
        astuple(CLIO),
        astuple(replace(CLIO, reference="C2", release_year=2060)),
        astuple(replace(CLIO, reference="C3", fuel="plutonium")),
        astuple(CLIO),
        ("ragged",),
    ]

    report = listings_in(with_market(database), a_csv(tmp_path / "f.csv", rows))

    assert counts(report) == (5, 1, 0, 1, 3)
    assert report.reasons == {
        "impossible release_year": 1,
        "unknown fuel": 1,
        "malformed row": 1,
    }


def test_rejected_rows_can_be_mended_and_imported_by_themselves(
    embedded: Database, tmp_path: Path
) -> None:
    with_market(embedded)
    rejects = tmp_path / "rejects.csv"
    rows = [astuple(CLIO), astuple(replace(CLIO, reference="C2", release_year=2060))]
    listings_in(embedded, a_csv(tmp_path / "f.csv", rows), rejects=rejects)

    text = rejects.read_text()
    rejects.write_text(text.replace("manuelle,2060", "manuelle,2006"))
    report = listings_in(embedded, rejects)

    assert "release_year 2060 is impossible" in text
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.ignored == ("rejected_row", "rejected_because")


def test_the_file_to_import_is_never_overwritten_with_its_rejects(
    embedded: Database, tmp_path: Path
) -> None:
    file = a_csv(tmp_path / "f.csv", [astuple(CLIO)])
    before = file.read_bytes()

    with pytest.raises(Invalid, match="file to read"):
        listings_in(with_market(embedded), file, rejects=file)

    assert file.read_bytes() == before


def test_a_parquet_file_imports_as_its_csv_twin_does(embedded: Database, tmp_path: Path) -> None:
    with_market(embedded)
    rows = [
        CLIO,
        replace(CLIO, reference="C2", doors=None),
        replace(CLIO, reference="C3", price=Decimal(0)),
    ]
    columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    pq.write_table(pa.table(columns), tmp_path / "f.parquet")

    report = listings_in(embedded, tmp_path / "f.parquet")
    again = listings_in(embedded, a_csv(tmp_path / "f.csv", map(astuple, rows)))

    assert counts(report) == (3, 2, 0, 0, 1)
    assert counts(again) == (3, 0, 0, 2, 1)


def test_stock_is_imported_with_its_price_history(database: Database, tmp_path: Path) -> None:
    header = [each.name for each in fields(VehicleRow)]
    rows = [astuple(CLIO_IN_STOCK), astuple(replace(CLIO_IN_STOCK, reference="S2", mileage_km=-1))]
    file = a_csv(tmp_path / "stock.csv", rows, header)

    report = import_stock(with_market(database), file, market="FR", now=NOON)

    assert counts(report) == (2, 1, 0, 0, 1)
    with database.reading() as session:
        assert session.exec(select(tables.PriceChange.reason)).all() == ["import of stock.csv"]


@needs_postgres
def test_a_server_knows_how_much_was_imported(served: Database, tmp_path: Path) -> None:
    cars = [astuple(replace(CLIO_IN_STOCK, reference=f"S{number}")) for number in range(40)]
    file = a_csv(tmp_path / "stock.csv", cars, [each.name for each in fields(VehicleRow)])

    import_stock(with_market(served), file, market="FR", now=NOON)

    asked = text("SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)")
    with served.reading() as session:
        for name in ("vehicle", "asking_price", "price_change"):
            assert session.execute(asked, {"name": name}).scalar_one() == 40


def test_a_file_into_a_market_that_there_is_not_is_refused(
    embedded: Database, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="XX"):
        import_listings(embedded, a_csv(tmp_path / "f.csv", []), market="XX", now=NOON)


def test_pounds_are_not_taken_for_euros(embedded: Database, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="GBP"):
        listings_in(with_market(embedded), tmp_path / "any.csv", profile=UK_USED_CARS)


def test_what_was_read_before_a_file_breaks_off_is_stored_and_completed_later(
    embedded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 10)
    rows = [astuple(replace(CLIO, reference=f"C{number}")) for number in range(300)]
    file = a_csv(tmp_path / "f.csv", rows)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3] + b"\xff")
    with pytest.raises(Invalid, match="UTF-8"):
        listings_in(with_market(embedded), file)

    file.write_bytes(whole)
    report = listings_in(embedded, file)

    assert 0 < report.unchanged < 200
    assert report.added + report.unchanged == 300


def test_memory_does_not_grow_with_the_file(
    embedded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 100)
    with_market(embedded)

    def peak(rows: int) -> int:
        made = (astuple(replace(CLIO, reference=f"{rows}-{number}")) for number in range(rows))
        file = a_csv(tmp_path / "f.csv", made)
        tracemalloc.start()
        listings_in(embedded, file)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # What is loaded and remembered once belongs to no file.

    # Twice leaves room for what waits for the garbage collector; five times the rows do not fit.
    with garbage_collected_often():
        assert peak(5_000) < 2 * peak(1_000)


@contextmanager
def garbage_collected_often() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(200, 5, 5)
    try:
        yield
    finally:
        gc.set_threshold(*before)


rows_of_any_kind = st.lists(
    st.builds(
        lambda reference, model, fuel, year, price: astuple(
            replace(
                CLIO,
                reference=reference,
                model=model,
                fuel=fuel,
                release_year=year,
                price=price,
            )
        ),
        reference=st.sampled_from(["1", "2", "3", ""]),
        model=st.sampled_from(["Clio", "CLIO", "Captur", "-"]),
        fuel=st.sampled_from(["petrol", "essence", "diesel", "coal"]),
        year=st.sampled_from([2019, 2021, 2060, "MMXX"]),
        price=st.sampled_from(["9990", "9990.00", "8990", "-1", "cheap"]),
    ),
    max_size=15,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=rows_of_any_kind, chunk=st.integers(1, 7))
def test_no_row_is_lost_and_a_second_import_changes_nothing(
    embedded: Database, tmp_path: Path, rows: list[tuple[Any, ...]], chunk: int
) -> None:
    file = a_csv(tmp_path / "f.csv", rows)
    with embedded.unit_of_work() as session:
        for table in (tables.Listing, tables.CatalogueEntry, tables.Market):
            session.connection().exec_driver_sql(f"DELETE FROM {table.__tablename__}")
    with_market(embedded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports, "CHUNK_ROWS", chunk)
        first = listings_in(embedded, file)
    after_first = stored(embedded)
    second = listings_in(embedded, file)

    for report in (first, second):
        assert report.read == len(rows)
        assert report.read == sum(counts(report)[1:])
    assert second.added == 0
    assert stored(embedded) == after_first
    assert first.added == len(after_first["Listing"])
    with embedded.reading() as session:
        market = markets.by_code(session, "FR")
        entries = catalogue.entries(session, market.id)
    assert sum(each.seen for each in entries) == first.added


@pytest.mark.slow
@needs_uk_file
def test_the_uk_file_is_imported_as_it_is(embedded: Database, tmp_path: Path) -> None:
    with_market(embedded, "UK", "GBP")
    rejects = tmp_path / "rejects.csv"

    report = import_listings(
        embedded, UK_FILE, market="UK", now=NOON, profile=UK_USED_CARS, rejects=rejects
    )

    assert counts(report) == (99_187, 97_711, 0, 1_475, 1)
    assert report.reasons == {"impossible release_year": 1}
    assert report.not_stated == {"engine_cc": 273}
    assert report.ignored == ()
    assert "Fiesta,2060" in rejects.read_text()
    with embedded.reading() as session:
        entries = catalogue.entries(session, 1)
        oldest = session.exec(select(tables.Listing).where(tables.Listing.release_year == 1970))
        assert len(oldest.all()) == 2
    assert len({(each.brand, each.model) for each in entries}) == 195
    assert sum(each.seen for each in entries) == 97_711


IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from domain.database import Database
from domain.files import imports

imports.CHUNK_ROWS = 200

def watch(report):
    print(report.read, flush=True)

imports.import_listings(
    Database(sys.argv[1]), Path(sys.argv[2]), market="FR", now=datetime(2026, 3, 2, tzinfo=UTC),
    watch=watch,
)
"""


def test_an_import_that_is_killed_and_run_again_ends_as_one_that_was_not(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        astuple(
            replace(
                CLIO,
                reference=f"C{number % 4_900}",  # some come again, with another mileage
                model=("Clio", "CLIO", "Captur", "Twingo")[number % 4],
                release_year=2010 + number % 12,
                mileage_km=number,
            )
        )
        for number in range(5_000)
    ]
    file = a_csv(tmp_path / "f.csv", rows)
    with_market(database)
    url = database.engine.url.render_as_string(hide_password=False)
    killed = subprocess.Popen(
        [sys.executable, "-c", IMPORT, url, str(file)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout is not None
    done = [int(killed.stdout.readline()) for _ in range(5)]
    killed.send_signal(signal.SIGKILL)
    killed.stdout.close()
    assert killed.wait() == -signal.SIGKILL

    left_behind = len(stored(database)["Listing"])

    listings_in(database, file)

    with_market(database, "UK")
    import_listings(database, file, market="UK", now=NOON)
    assert done[-1] <= left_behind < 4_900
    assert stored(database, "FR") == stored(database, "UK")
