"""What every test may ask for: a migrated database of its own, on each engine that is served."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, delete, make_url, text
from sqlmodel import Session, SQLModel

import domain.tables  # noqa: F401 - fills the metadata
from domain import migrations
from domain.database import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The present of the tests."""

# Whoever runs the tests may have an installation of their own: its settings are not the tests'.
for name in [each for each in os.environ if each.startswith("FORECOURT_")]:
    if not name.startswith("FORECOURT_TEST_"):
        del os.environ[name]

# Tests that run side by side have a core each: threads that wait for one another at every split of
# a tree stand still when each has half a core. scikit-learn reads this when it is loaded.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no fault of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

POSTGRES_URL = os.environ.get("FORECOURT_TEST_POSTGRES_URL")

needs_postgres = pytest.mark.skipif(
    POSTGRES_URL is None, reason="FORECOURT_TEST_POSTGRES_URL names no PostgreSQL database"
)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database.engine)
    database.close()
    return path


@pytest.fixture
def embedded(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database on SQLite only: for what does not depend on the engine."""
    path = tmp_path / "forecourt.db"
    shutil.copy(migrated_file, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@contextmanager
def a_schema() -> Iterator[str]:
    """The URL of an empty PostgreSQL schema that nobody else uses; dropped in the end."""
    assert POSTGRES_URL is not None
    schema = f"forecourt_test_{secrets.token_hex(6)}"
    url = make_url(POSTGRES_URL).update_query_dict({"options": f"-csearch_path={schema}"})
    server = Database(POSTGRES_URL, pool_size=1)
    with server.engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        with server.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        server.close()


@contextmanager
def a_database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database that nobody else uses; dropped in the end."""
    with Databases() as databases:
        yield databases.made()


class Databases:
    """PostgreSQL databases that nobody else uses; dropped together in the end.

    Before each drop the server writes down whatever any database has not written yet, which takes
    seconds. Those that are dropped at once wait for it once.
    """

    AT_ONCE = 16

    def __init__(self) -> None:
        self._made: list[str] = []

    def made(self, *, copied_from: str = "template1") -> str:
        """The URL of a new one.

        Args:
            copied_from: name of the database that it begins as; nobody may be connected to it.
        """
        assert POSTGRES_URL is not None
        name = f"forecourt_test_{secrets.token_hex(6)}"
        _outside(f"CREATE DATABASE {name} TEMPLATE {copied_from}")
        self._made.append(name)
        return make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        drops = [f"DROP DATABASE {name} WITH (FORCE)" for name in self._made]
        with ThreadPoolExecutor(self.AT_ONCE) as threads:
            list(threads.map(_outside, drops))


def _outside(statement: str) -> None:
    """Run a statement that no transaction can hold."""
    assert POSTGRES_URL is not None
    server = Database(POSTGRES_URL, pool_size=1)
    try:
        with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(statement))
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """The URL of a migrated schema of this test process alone."""
    with a_schema() as url:
        database = Database(url, pool_size=1)
        migrations.upgrade(database.engine)
        database.close()
        yield url


@pytest.fixture
def served(postgres_schema: str) -> Iterator[Database]:
    """An empty database on PostgreSQL only; mark the test with ``needs_postgres``."""
    database = Database(postgres_schema)
    yield database
    with database.engine.begin() as connection:
        _empty(connection)
    database.close()


def _empty(connection: Connection) -> None:
    """Take all rows away, and number anew from 1.

    To truncate a table makes new files for all that refer to it, which takes a hundred times as
    long as to delete a few rows. Large ones leave nothing behind for the plans of later queries.
    """
    tables = SQLModel.metadata.sorted_tables
    sizes: dict[str, int] = dict(map(tuple, connection.execute(text(SIZES))))
    if max(sizes.values()) > LARGE_BYTES:
        names = ", ".join(f'"{table.name}"' for table in tables)
        connection.execute(text(f"TRUNCATE {names} CASCADE"))
    for table in reversed(tables):
        if sizes[table.name]:
            connection.execute(delete(table))
    connection.execute(text(COUNT_FROM_1))


LARGE_BYTES = 200_000
SIZES = """SELECT relname, pg_relation_size(oid) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"""
COUNT_FROM_1 = """SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"""


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])],
)
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database, on each engine in turn."""
    chosen = "embedded" if request.param == "sqlite" else "served"
    database: Database = request.getfixturevalue(chosen)
    return database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One unit of work, on each engine in turn; a test that fails leaves nothing behind."""
    with database.unit_of_work() as session:
        yield session


@pytest.fixture
def embedded_session(embedded: Database) -> Iterator[Session]:
    """One unit of work on SQLite only: quick, for what does not depend on the engine."""
    with embedded.unit_of_work() as session:
        yield session
