"""The database: one engine a process, one unit of work a request, and the only commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, func, select

from domain.errors import Invalid
from domain.stopping import Stop, heed_stops
from domain.tables.columns import Instant

SQLITE_BUSY_TIMEOUT_MS = 10_000

# A server that is switched off tells nobody: without these a client would wait for it for ever.
_TCP_PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, one thing may take before it is given up; 0 for ever.

    Attributes:
        statement_s: a statement, on PostgreSQL; SQLite runs in this very process.
        lock_s: the wait for what somebody else holds, on PostgreSQL; SQLite has its own.
        idle_s: a transaction in which nothing happens: its program hangs, and holds locks.
        connection_s: the wait for one of the pool's connections.
        recycle_s: the age at which a connection is replaced: some firewalls forget old ones.
    """

    statement_s: float = 0
    lock_s: float = 0
    idle_s: float = 0
    connection_s: float = 30
    recycle_s: int = 1800


class Database:
    """Opens units of work on one database, embedded (SQLite) or a server (PostgreSQL)."""

    def __init__(self, url: str, *, pool_size: int = 20, patience: Patience | None = None) -> None:
        self.engine = make_engine(url, pool_size=pool_size, patience=patience or Patience())
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        # Taking SQLite's write lock at the start: two readers that both want to write would
        # otherwise deadlock, and SQLite then fails one of them without waiting.
        self._writing = self.engine.execution_options(forecourt_immediate=True)

    @contextmanager
    def unit_of_work(self, stop: Stop | None = None) -> Iterator[Session]:
        """A session that writes: all of it is committed at the end, or none.

        Args:
            stop: what may end it from another thread until then.
        """
        with (
            self._writers_turn(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
            stop.heeded(session) if stop else nullcontext(),
        ):
            yield session

    @contextmanager
    def reading(self, stop: Stop | None = None) -> Iterator[Session]:
        """A session that only reads: it takes no write lock, and nothing of it is committed."""
        with (
            Session(self.engine, expire_on_commit=False) as session,
            stop.heeded(session) if stop else nullcontext(),
        ):
            yield session

    def count_anew(self, *tables: type[SQLModel]) -> None:
        """Have a server look at tables that have just grown; its plans for them go by their size.

        It would by itself, minutes later: until then it takes them for as good as empty.
        """
        if self.engine.dialect.name != "postgresql":
            return
        names = ", ".join(str(table.__tablename__) for table in tables)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {names}")

    @contextmanager
    def _writers_turn(self) -> Iterator[None]:
        """One writer at a time in this process, where the database takes no more anyway.

        SQLite has whoever waits sleep longer and longer; here the next one is woken at once. After
        SQLite's own patience it is SQLite that speaks.
        """
        mine = self._turn is not None and self._turn.acquire(timeout=SQLITE_BUSY_TIMEOUT_MS / 1000)
        try:
            yield
        finally:
            if mine and self._turn is not None:
                self._turn.release()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def make_engine(url: str, *, pool_size: int, patience: Patience) -> Engine:
    """An engine with what both databases need to be safe and quick.

    Its faults do not tell the values of a statement: they end up in logs, and may be an address.
    """
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=patience.connection_s,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        heed_stops(engine)
        return engine
    engine = create_engine(
        _impatient(make_url(normalised_url(url)), patience),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_recycle=patience.recycle_s,
        pool_timeout=patience.connection_s,
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", _refuse_nul)
    heed_stops(engine)
    return engine


def normalised_url(url: str) -> str:
    """The URL with the driver named: ``postgresql://`` and ``postgres://`` mean psycopg."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _impatient(url: URL, patience: Patience) -> URL:
    """The URL with the timeouts of each connection; what it says itself holds."""
    timeouts = {
        "statement_timeout": patience.statement_s,
        "lock_timeout": patience.lock_s,
        "idle_in_transaction_session_timeout": patience.idle_s,
    }
    ours = [f"-c{name}={round(1000 * seconds)}" for name, seconds in timeouts.items() if seconds]
    theirs = url.query.get("options", ())
    # Of two of a name the server takes the later.
    options = " ".join([*ours, *([theirs] if isinstance(theirs, str) else theirs)])
    asked = {"application_name": "forecourt", **_TCP_PATIENCE, **url.query}
    return url.set(query={**asked, **({"options": options} if options else {})})


def insert_into(session: Session, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy has only by dialect."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def current_time(session: Session) -> datetime:
    """The database's clock where it is a server: machines that share it share its time."""
    if session.get_bind().dialect.name == "postgresql":
        return session.exec(select(func.clock_timestamp(type_=Instant()))).one()
    return datetime.now(UTC)


def _refuse_nul(context: ExceptionContext) -> None:
    """PostgreSQL keeps no text with a NUL character; whoever sent one may as well hear of it."""
    fault = context.original_exception
    if isinstance(fault, psycopg.DataError) and "NUL" in str(fault):
        raise Invalid("A text holds the character NUL: remove it.") from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    # SQLite's own lower() knows only the letters of English; PostgreSQL's knows them all.
    connection.create_function("lower", 1, _lower, deterministic=True)
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=NORMAL",
        f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite(connection: Any) -> None:
    immediate = connection.get_execution_options().get("forecourt_immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
