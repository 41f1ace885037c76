"""Why a database does not do what it is asked, where the fault lies with neither side's program.

It is away (restarted, unreachable), busy (somebody holds a lock for too long, every connection is
taken) or full. All of it may pass by itself, so whoever asked is told when to ask again. What is no
such thing is a bug, and stays one.
"""

from __future__ import annotations

import sqlite3
from enum import Enum
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What is raised where the database cannot be reached, or not in time; it may be back soon."""


class Absence(Enum):
    """Why the database cannot serve, in words, and after how many seconds to ask again."""

    AWAY = ("The database is away for the moment.", 2)
    BUSY = ("The database is busy: somebody holds what this needs.", 1)
    FULL = ("The database has no room left.", 30)

    def __init__(self, message: str, retry_after_s: int) -> None:
        self.message = message
        self.retry_after_s = retry_after_s


# By PostgreSQL's class of error, else by the error itself: Appendix A of its manual.
_OF_CLASS: Final = {
    "08": Absence.AWAY,  # connection exceptions
    "40": Absence.BUSY,  # deadlocks and serialisation failures
    "53": Absence.BUSY,  # insufficient resources: memory, connections
    "55": Absence.BUSY,  # lock_timeout
    "57": Absence.AWAY,  # shutting down, starting up
    "58": Absence.AWAY,  # its machine's own faults
}
_OF_STATE: Final = {
    "25006": Absence.AWAY,  # read-only: a standby that is not promoted yet
    "25P03": Absence.BUSY,  # idle_in_transaction_session_timeout
    "53100": Absence.FULL,
    "57014": Absence.BUSY,  # statement_timeout
}

_OF_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: Absence.BUSY,
    sqlite3.SQLITE_LOCKED: Absence.BUSY,
    sqlite3.SQLITE_NOMEM: Absence.BUSY,
    sqlite3.SQLITE_FULL: Absence.FULL,
    sqlite3.SQLITE_IOERR: Absence.FULL,  # what a quota or a limit on the file's size comes out as
    sqlite3.SQLITE_CANTOPEN: Absence.AWAY,
    sqlite3.SQLITE_READONLY: Absence.AWAY,
}


def absence(fault: BaseException) -> Absence | None:
    """Why the database failed; None where it is the program that is at fault."""
    if isinstance(fault, PoolTimeout):
        return Absence.BUSY
    if not isinstance(fault, DBAPIError):
        return None
    original = fault.orig
    if isinstance(original, sqlite3.Error):
        # The low byte is the primary code. Without any it is the driver's: used wrongly.
        code = getattr(original, "sqlite_errorcode", None)
        return None if code is None else _OF_SQLITE.get(code & 0xFF)
    state = getattr(original, "sqlstate", None)
    if state is None:
        # The server said nothing: the connection broke, or there was none to be had.
        return Absence.AWAY if isinstance(fault, (OperationalError, InterfaceError)) else None
    return _OF_STATE.get(state) or _OF_CLASS.get(state[:2])
