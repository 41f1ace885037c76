"""`forecourt audit`: whether the audit trail is whole."""

from __future__ import annotations

import typer

from api.cli.common import opened
from domain import audit

app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@app.callback()
def trail() -> None:
    """The audit trail."""


@app.command()
def verify() -> None:
    """Check the chain from its first event to its last; fails at the first bad row."""
    with opened() as installation, installation.database.reading() as session:
        found = audit.verify(session)
    if isinstance(found, audit.FirstBadRow):
        typer.echo(
            f"forecourt: audit event {found.id} is {found.fault}: restore the table audit_event "
            "from a backup and look for who wrote to it.",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"The audit chain is whole (events: {found.events}).")
