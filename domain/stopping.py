"""Work that nobody waits for any more: it ends at its next word with the database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, event
from sqlmodel import Session

CANCEL_S: Final = 2.0
"""How long PostgreSQL may take to hear that a statement is to end."""

_HEEDED: Final = "forecourt_stop"


class Stopped(Exception):
    """The work was given up: whoever asked for it has gone, or has waited long enough."""


class Stop:
    """Tells work in other threads that it is given up."""

    def __init__(self) -> None:
        self._told = False
        # Of each connection: where it notes whom it heeds, and the driver's own. One that is broken
        # tells neither any more.
        self._connections: list[tuple[dict[Any, Any], Any]] = []
        # A connection that goes back to the pool serves somebody else: never interrupted after.
        self._lock = threading.Lock()

    def now(self) -> None:
        """Give the work up: what it asks the database now is broken off, what it asks next refused.

        It does not wait for the work to end.
        """
        self._told = True
        if self._connections:
            # PostgreSQL is told over the network.
            threading.Thread(target=self._break_off, name="stop", daemon=True).start()

    def check(self) -> None:
        """Raise ``Stopped`` once the work is given up."""
        if self._told:
            raise Stopped

    @contextmanager
    def heeded(self, session: Session) -> Iterator[None]:
        """Have a session heed it; at the end is the last moment at which nothing is kept.

        Raises:
            Stopped: the work was given up.
        """
        self.check()
        session.info[_HEEDED] = self
        try:
            yield
            self.check()
        finally:
            with self._lock:
                for notes, _ in self._connections:
                    notes.pop(_HEEDED, None)
                self._connections.clear()

    def begun(self, connection: Connection) -> None:
        """A session that heeds it speaks to the database from now on."""
        with self._lock:
            connection.info[_HEEDED] = self
            self._connections.append((connection.info, connection.connection.driver_connection))
        self.check()

    def _break_off(self) -> None:
        with self._lock:
            for _, driver in self._connections:
                _interrupt(driver)


def _interrupt(driver: Any) -> None:
    if isinstance(driver, sqlite3.Connection):
        driver.interrupt()
    elif isinstance(driver, psycopg.Connection):
        # Where even that fails, the statement's own timeout ends it.
        with suppress(psycopg.Error):
            driver.cancel_safe(timeout=CANCEL_S)


def heed_stops(engine: Any) -> None:
    """Have an engine's statements heed the stop of their session."""
    event.listen(engine, "before_cursor_execute", _before_statement)


@event.listens_for(Session, "after_begin")
def _after_begin(session: Session, _transaction: object, connection: Connection) -> None:
    if (stop := session.info.get(_HEEDED)) is not None:
        stop.begun(connection)


def _before_statement(connection: Connection, *_: object) -> None:
    if (stop := connection.info.get(_HEEDED)) is not None:
        stop.check()
