"""What every command needs: settings, a migrated database, and one place for refusals."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from api.settings import Settings
from domain import backups
from domain.database import Database
from domain.errors import InvalidState

BY = "command line"
"""Who acts, in the audit trail, where somebody has the machine itself."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings in force and the database that they name."""

    settings: Settings
    database: Database


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        SystemExit: with status 2, where a variable holds what it cannot.
    """
    try:
        return Settings()
    except ValidationError as wrong:
        for fault in wrong.errors():
            name = "_".join(("FORECOURT", *map(str, fault["loc"]))).upper()
            print(f"forecourt: {name}: {fault['msg']}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


@contextmanager
def opened(*, migrated: bool = True) -> Iterator[Installation]:
    """The installation, its database open.

    Args:
        migrated: whether the command needs every table as it should be.

    Raises:
        InvalidState: the database is not migrated; says the command that mends it.
    """
    settings = load_settings()
    # It holds clients' addresses, and perhaps the secret.
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    backups.require_finished(settings.data_dir)
    database = Database(
        settings.resolved_database_url,
        pool_size=settings.database_pool_size,
        patience=settings.job_patience,
    )
    try:
        if migrated:
            require_migrated(database)
        yield Installation(settings, database)
    finally:
        database.close()


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it has begun to write is taken away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def require_migrated(database: Database) -> None:
    """Raise InvalidState unless the database is at the newest revision."""
    from domain import migrations

    if not migrations.is_current(database.engine):
        raise InvalidState("The database is not at the newest revision: run `forecourt migrate`.")
