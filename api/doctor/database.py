"""The database of an installation: there, new enough, migrated, whole, and on time."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from api.doctor.findings import Finding, fail, ok, warn
from api.settings import Settings
from domain import migrations
from domain.database import Database

OLDEST_POSTGRES = 130_000
"""PostgreSQL 13, the oldest that is still maintained when this is written."""
OLDEST_SQLITE = (3, 37, 0)

MUCH_SKEW_S, TOO_MUCH_SKEW_S = 1.0, 60.0

Ask = Callable[[str], str]
Found = tuple[list[Finding], Database | None]


@contextmanager
def opened(settings: Settings) -> Iterator[Found]:
    """What was found, and the database, where its contents can be read."""
    url = settings.resolved_database_url
    shown = make_url(url).render_as_string(hide_password=True)
    file = Path(make_url(url).database or "") if url.startswith("sqlite") else None
    if file is not None and not file.exists():
        # To open it would make it.
        yield [fail("database", f"{file} is not there", "run `forecourt migrate`")], None
        return
    database = Database(url, pool_size=2, patience=settings.request_patience)
    try:
        yield _examined(settings, database, shown, file)
    finally:
        database.close()


def _examined(settings: Settings, database: Database, shown: str, file: Path | None) -> Found:
    found: list[Finding] = []
    try:
        with database.engine.connect() as connection:
            if file is not None:
                found += _sqlite(connection, file)
            else:
                found += _postgres(connection, shown, settings.database_pool_size)
        current, head = migrations.current(database.engine), migrations.head()
    except (SQLAlchemyError, sqlite3.Error) as fault:
        why = str(getattr(fault, "orig", fault)).partition("\n")[0]
        found.append(
            fail("database", f"{shown}: {why}", "start it, or mend FORECOURT_DATABASE_URL")
        )
        return found, None
    if current != head:
        found.append(
            fail("migrations", f"at {current or 'none'}, not {head}", "run `forecourt migrate`")
        )
        return found, None
    found.append(ok("migrations", f"at the newest, {head}"))
    return found, database


def _sqlite(connection: Connection, file: Path) -> Iterator[Finding]:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield fail("database", f"SQLite {version} is too old", "use a newer Python")
    else:
        yield ok("database", f"SQLite {version}, {file}, {file.stat().st_size / 2**20:.0f} MiB")
    mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    if mode == "wal":
        yield ok("journal", "WAL")
    else:
        yield fail("journal", f"{mode}, not WAL", "keep the file on a disk of this machine")
    if stat.S_IMODE(file.stat().st_mode) & stat.S_IWOTH:
        yield warn("database file", f"everybody may write to {file}", f"chmod o-w {file}")
    faults = _faults(connection)
    if faults == ["ok"]:
        yield ok("integrity", "every page and every reference holds")
    else:
        yield fail(
            "integrity",
            "; ".join(str(each) for each in faults if each != "ok"),
            "stop the server, keep a copy of the file, and `forecourt restore` the last backup",
        )


def _faults(connection: Connection) -> list[str]:
    """What SQLite itself finds wrong; ``ok`` where that is nothing."""
    try:
        dangling = connection.execute(text("PRAGMA foreign_key_check")).fetchmany(3)
        pages = connection.execute(text("PRAGMA quick_check(3)")).scalars()
        return [*pages, *(f"dangling reference in {row[0]}" for row in dangling)]
    except DatabaseError as fault:
        return [str(fault.orig)]


def _postgres(connection: Connection, shown: str, pool_size: int) -> Iterator[Finding]:
    def ask(statement: str) -> str:
        return str(connection.execute(text(statement)).scalar_one())

    version = ask("SHOW server_version")
    if int(ask("SHOW server_version_num")) < OLDEST_POSTGRES:
        yield fail("database", f"PostgreSQL {version} is too old", "use 13 or newer")
    else:
        yield ok("database", f"PostgreSQL {version}, {shown}")
    encoding = ask("SHOW server_encoding")
    if encoding != "UTF8":
        yield fail("encoding", f"{encoding}, not UTF8", "create the database with ENCODING 'UTF8'")
    yield ok("time zone", f"{ask('SHOW TimeZone')}; instants are kept in UTC whatever it is")
    yield _room(ask, pool_size)
    yield _clock(connection)


def _room(ask: Ask, pool_size: int) -> Finding:
    limit = int(ask("SHOW max_connections")) - int(ask("SHOW superuser_reserved_connections"))
    used = int(ask("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))
    says = f"{limit} at most, {used} in use; each serving process takes up to {pool_size}"
    if limit - used < pool_size:
        return fail(
            "connections",
            says,
            "raise max_connections, or lower FORECOURT_DATABASE_POOL_SIZE",
        )
    if limit < 2 * pool_size:
        return warn("connections", f"{says}: room for one", "raise max_connections for a second")
    return ok("connections", says)


def _clock(connection: Connection) -> Finding:
    before = time.time()
    there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    here = (before + time.time()) / 2
    skew = there.astimezone(UTC).timestamp() - here
    says = f"the database's is {abs(skew):.3f} s {'ahead' if skew > 0 else 'behind'}"
    remedy = "set the clocks of both machines by NTP"
    if abs(skew) > TOO_MUCH_SKEW_S:
        return fail("clock", says, remedy)
    return warn("clock", says, remedy) if abs(skew) > MUCH_SKEW_S else ok("clock", says)
