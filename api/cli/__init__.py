"""The command `forecourt`: one group of commands a file; refusals become one line and a status."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from sqlalchemy.exc import OperationalError
from typer.exceptions import TyperException

from api.cli import (
    audit,
    backups,
    demo,
    doctor,
    documents,
    imports,
    jobs,
    keys,
    markets,
    migrate,
    model_versions,
    models,
    prices,
    server,
    shown,
    strategies,
)
from domain.errors import Refusal, Refusals

app = typer.Typer(
    name="forecourt",
    help="The pricing backend of a used-vehicle seller, as a GraphQL API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(server.serve)
app.command()(server.worker)
app.command()(migrate.migrate)
app.command()(doctor.doctor)
app.command()(backups.backup)
app.command()(backups.restore)
app.add_typer(markets.app, name="market")
app.add_typer(keys.app, name="key")
app.add_typer(imports.app, name="import")
app.command()(models.train)
app.command()(prices.price)
app.add_typer(model_versions.app, name="models")
app.add_typer(strategies.app, name="strategies")
app.command()(jobs.jobs)
app.add_typer(audit.app, name="audit")
app.add_typer(documents.app, name="documents")
app.command("schema")(shown.schema)
app.command("settings")(shown.settings)

FAILED = 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""


def main() -> None:
    """Run the command; exit status 0 done, 1 failed, 2 wrong usage."""
    try:
        # Typer itself would draw a box of several lines around what it refuses.
        status = app(prog_name="forecourt", standalone_mode=False)
    except TyperException as wrong:
        _fail(_usage(wrong), wrong.exit_code)
    except (Refusal, Refusals) as refused:
        _fail(str(refused))
    except OperationalError as unavailable:
        _fail(f"The database does not answer: {unavailable.orig}".splitlines()[0])
    if status == INTERRUPTED:
        _fail("Interrupted; run the same command again to go on.")
    sys.exit(status)


def _usage(wrong: TyperException) -> str:
    """What is wrong with the command line, in one line, and where help is."""
    message = " ".join(wrong.format_message().split()).removesuffix(".")
    if not message:
        return ""  # No command was named, and the help is printed already.
    # Typer has pydantic read values, which says by which of its ways it came to know.
    message = message.replace("Value error, ", "")
    command = getattr(getattr(wrong, "ctx", None), "command_path", "forecourt")
    return f"{message}. See `{command} --help`."


def _fail(message: str, status: int = FAILED) -> NoReturn:
    if message:
        typer.echo(f"forecourt: {message}", err=True)
    sys.exit(status)
