"""How Alembic runs the steps, called by ``domain.migrations`` or by its own command."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

import domain.tables  # noqa: F401 - fills the metadata


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | bool:
    """A column type of our own as the plain type below it: a step must outlive our classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        # SQLite alters a table by making it anew.
        render_as_batch=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_from_the_command() -> None:
    from api.settings import Settings
    from domain import migrations
    from domain.database import Database

    database = Database(Settings().resolved_database_url)
    with migrations.connected(database.engine) as connection:
        run(connection)
    database.close()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    run_from_the_command()
else:
    run(given)
