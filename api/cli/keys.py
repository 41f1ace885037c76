"""`forecourt key`: who may ask, and what for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from api.cli import columns
from api.cli.common import opened
from domain import access
from domain.tables import Role

BY = "command line"
"""Who acts, in the audit trail, where somebody has the machine itself."""

app = typer.Typer(no_args_is_help=True, help="Keys of people and systems.")

Name = Annotated[str, typer.Argument(help="The person or system that the key belongs to.")]


@app.command()
def create(
    name: Name,
    role: Annotated[
        list[Role], typer.Option(help="What the key allows; may be given several times.")
    ],
) -> None:
    """Make a key and print it, once and alone on the last line: only its hash is stored."""
    with opened() as installation, installation.database.unit_of_work() as session:
        key, key_text = access.create(
            session,
            name=name,
            roles=set(role),
            secret=installation.settings.secret_key_bytes,
            by=BY,
            now=datetime.now(UTC),
        )
    typer.echo(f"A key of {key.name} with {', '.join(key.roles)}. Keep it now:", err=True)
    typer.echo(key_text)


@app.command("list")
def list_keys() -> None:
    """List all keys, revoked ones too; the prefix tells them apart."""
    with opened() as installation, installation.database.reading() as session:
        columns.show(
            ("NAME", "ROLES", "PREFIX", "CREATED", "REVOKED"),
            [
                (
                    key.name,
                    ",".join(key.roles),
                    key.prefix,
                    columns.minute(key.created_at),
                    columns.minute(key.revoked_at),
                )
                for key in access.keys(session)
            ],
        )


@app.command()
def revoke(name: Name) -> None:
    """Revoke every key of a person or system, in all processes at once."""
    with opened() as installation, installation.database.unit_of_work() as session:
        revoked = access.revoke(session, name, by=BY, now=datetime.now(UTC))
    typer.echo(f"Revoked {revoked} {'key' if revoked == 1 else 'keys'} of {name}.")
