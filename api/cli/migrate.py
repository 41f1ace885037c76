"""`forecourt migrate`: the database to the newest revision."""

from __future__ import annotations

import typer

from api.cli.common import opened
from domain import migrations


def migrate() -> None:
    """Bring the database to the newest revision; run again it changes nothing."""
    with opened(migrated=False) as installation:
        engine = installation.database.engine
        was_current = migrations.is_current(engine)
        migrations.upgrade(engine)
    typer.echo(f"The database {'was already' if was_current else 'is now'} at {migrations.head()}.")
