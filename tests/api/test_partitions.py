"""The large tables in partitions, as docs/scaling.md says: nothing in Forecourt changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain import audit
from domain.audit import Verified
from domain.database import Database
from tests.api.shop import CAR, Shop, open_shop, settings_of
from tests.api.test_repricing import reprice, vehicles
from tests.conftest import needs_postgres

SCRIPT = Path(__file__).parents[2] / "deploy" / "partitions.sql"
LARGE = ("quote", "price_change", "audit_event")
SIZE, AHEAD = 10, 20

pytestmark = needs_postgres


@pytest.fixture
def divided(folder_on_postgres: Path) -> Iterator[Shop]:
    """Market FR on a database whose large tables have partitions of ten rows."""
    with psycopg.connect(settings_of(folder_on_postgres).resolved_database_url) as connection:
        connection.execute(SCRIPT.read_bytes())
        for table in LARGE:
            connection.execute("CALL forecourt_divide(%s, %s)", (table, SIZE))
            connection.execute("CALL forecourt_extend(%s, %s, %s)", (table, SIZE, AHEAD))
    with open_shop(folder_on_postgres) as shop:
        yield shop


def partitions_with_rows(database: Database, table: str) -> int:
    with database.reading() as session:
        counted = session.connection().execute(
            text(f"SELECT count(DISTINCT tableoid) FROM {table}")
        )
        return int(counted.scalar_one())


def test_quotes_prices_and_events_go_on_in_partitions(divided: Shop) -> None:
    quoted = [quote["id"] for _ in range(3) for quote in divided.quote(*[CAR] * 8)["quotes"]]
    reprice(divided)
    divided.work_off_jobs()

    listed = divided.data("{ quotes(first: 200) { totalCount edges { node { id } } } }")["quotes"]
    assert sorted(edge["node"]["id"] for edge in listed["edges"]) == sorted(quoted)
    assert all(len(each["priceHistory"]) >= 1 for each in vehicles(divided).values())
    with divided.database() as database:
        spread = {table: partitions_with_rows(database, table) for table in LARGE}
        with database.reading() as session:
            chain = audit.verify(session)
    assert spread["quote"] == 3
    assert spread["price_change"] > 1
    assert isinstance(chain, Verified)


def test_what_refers_to_a_partitioned_row_is_still_checked(divided: Shop) -> None:
    wrong = """INSERT INTO price_change (vehicle_id, price, changed_at, reason)
               VALUES (999999, 100, now(), 'x')"""

    with (
        divided.database() as database,
        database.reading() as session,
        pytest.raises(IntegrityError, match="price_change_vehicle_id_fkey"),
    ):
        session.connection().execute(text(wrong))
