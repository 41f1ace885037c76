"""`forecourt backup` and `forecourt restore`: of an embedded installation; else what does it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL, make_url

from api.cli.common import load_settings
from api.settings import SECRET_FILE, Settings
from domain import backups, migrations
from domain.backups import Manifest, Place
from domain.errors import InvalidState


def backup(
    file: Annotated[Path, typer.Argument(help="Where to; compressed where it ends in .gz.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Back up database and secret into one file, also while the server runs."""
    settings = load_settings()
    if settings.is_server:
        raise InvalidState(_by_standard_tools(settings, file))
    place = _place(settings)
    manifest = backups.back_up(place, file, now=datetime.now(UTC), force=force)
    typer.echo(f"Backed up {manifest.database_bytes / 2**20:.1f} MiB to {file}, checked.")
    typer.echo(
        "The secret is in it: keep the file as you would keep a password."
        if manifest.has_secret
        else "The secret is NOT in it: keep FORECOURT_SECRET_KEY as well, or no key and no model "
        "will work."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="What `forecourt backup` has written.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the database that is there; it is kept.")
    ] = False,
) -> None:
    """Put a backup in place, all of it or nothing; stop server and workers before."""
    settings = load_settings()
    if settings.is_server:
        raise InvalidState(_by_standard_tools(settings, file))
    manifest, before = backups.restore(file, _place(settings), force=force)
    _tell(manifest, before)


def _tell(manifest: Manifest, before: Path | None) -> None:
    typer.echo(f"Restored the database of {manifest.made_at[:19].replace('T', ' ')} UTC.")
    if before is not None:
        typer.echo(f"What was there before is in {before}: remove it once all is well.")
    if manifest.revision != migrations.head():
        typer.echo("It is of an older version: run `forecourt migrate`.")
    typer.echo("Then `forecourt doctor` says whether all is well.")


def _place(settings: Settings) -> Place:
    database = make_url(settings.resolved_database_url).database or ""
    secret = None if settings.secret_key is not None else settings.data_dir / SECRET_FILE
    has_secret = secret is None or secret.exists()
    return Place(
        database=Path(database),
        secret=secret,
        secret_check=settings.secret_check if has_secret else "",
    )


def _by_standard_tools(settings: Settings, file: Path) -> str:
    """What backs up and restores a PostgreSQL database, to the letter but for the password."""
    url = make_url(settings.resolved_database_url)
    # Neither SQLAlchemy's driver nor our own options mean anything to these tools.
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    database, dump = shlex.quote(plain.render_as_string()), shlex.quote(str(file))
    secret = (
        "FORECOURT_SECRET_KEY"
        if settings.secret_key is not None
        else str(settings.data_dir / SECRET_FILE)
    )
    return (
        "PostgreSQL has its own tools (password: PGPASSWORD or ~/.pgpass):\n"
        f"  pg_dump --format=custom --no-owner --file {dump} {database}\n"
        f"  pg_restore --no-owner --exit-on-error --single-transaction --dbname {database} {dump}\n"
        f"The second wants an empty database (createdb). Keep {secret} as well."
    )
