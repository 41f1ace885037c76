"""The migrations lead to the very tables that the program declares, and back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

import domain.tables  # noqa: F401 - fills the metadata
from domain import migrations
from domain.database import Database
from tests.conftest import a_schema, needs_postgres
from tests.factories import a_vehicle


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])])
def bare(request: pytest.FixtureRequest, tmp_path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/bare.db")
        yield database
        database.close()
        return
    with a_schema() as url:
        database = Database(url)
        yield database
        database.close()


def structure(engine: Engine) -> dict[str, Any]:
    """Everything that the database tells about its tables, in an order of its own."""
    inspector = inspect(engine)
    return {
        name: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)
            },
            "primary key": inspector.get_pk_constraint(name),
            "checks": {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(name)},
            "unique": {
                c["name"]: c["column_names"] for c in inspector.get_unique_constraints(name)
            },
            "references": {
                c["name"]: (c["constrained_columns"], c["referred_table"], c["referred_columns"])
                for c in inspector.get_foreign_keys(name)
            },
            "indexes": {c["name"]: c["column_names"] for c in inspector.get_indexes(name)},
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def test_a_new_database_has_no_revision(bare: Database) -> None:
    assert migrations.current(bare.engine) is None
    assert not migrations.is_current(bare.engine)


def test_upgrading_leads_to_the_newest_revision(bare: Database) -> None:
    migrations.upgrade(bare.engine)

    assert migrations.current(bare.engine) == migrations.head()
    assert migrations.is_current(bare.engine)


def test_upgrading_twice_changes_nothing(bare: Database) -> None:
    migrations.upgrade(bare.engine)
    before = structure(bare.engine)

    migrations.upgrade(bare.engine)

    assert structure(bare.engine) == before


def test_no_step_is_missing(bare: Database) -> None:
    migrations.upgrade(bare.engine)

    migrations.check(bare.engine)


def test_the_steps_make_what_the_tables_declare(bare: Database) -> None:
    SQLModel.metadata.create_all(bare.engine)
    declared = structure(bare.engine)
    SQLModel.metadata.drop_all(bare.engine)

    migrations.upgrade(bare.engine)

    assert structure(bare.engine) == declared


def test_every_step_can_be_taken_back(bare: Database) -> None:
    migrations.upgrade(bare.engine)

    migrations.downgrade(bare.engine, to="base")

    assert structure(bare.engine) == {}
    assert migrations.current(bare.engine) is None


def test_vehicles_keep_their_prices_on_the_way_up_and_back(bare: Database) -> None:
    migrations.upgrade(bare.engine)
    with bare.unit_of_work() as session:
        cheap, dear = (a_vehicle(session, price=Decimal(price)) for price in ("9000.01", "21000"))
        stored = {cheap.id: 900_001, dear.id: 2_100_000}

    migrations.downgrade(bare.engine, to="20261122_repricing_parts")

    assert prices(bare.engine, "SELECT id, price FROM vehicle") == stored

    migrations.upgrade(bare.engine)

    assert prices(bare.engine, "SELECT vehicle_id, price FROM asking_price") == stored


def prices(engine: Engine, query: str) -> dict[int, int]:
    """In hundredths, by vehicle."""
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(query))}


def test_a_step_that_fails_leaves_nothing(bare: Database) -> None:
    with bare.engine.begin() as connection:
        connection.execute(text("CREATE TABLE quote (id INTEGER)"))

    with pytest.raises(Exception, match="quote"):
        migrations.upgrade(bare.engine)

    assert inspect(bare.engine).get_table_names() == ["quote"]


def test_migrating_keeps_references_checked_afterwards(bare: Database) -> None:
    migrations.upgrade(bare.engine)

    with bare.engine.connect() as connection, pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute(
            text(
                "INSERT INTO strategy (market_id, name, created_by, created_at)"
                " VALUES (99, 'x', 'ana', '2026-03-02')"
            )
        )
