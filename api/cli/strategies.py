"""`forecourt strategies`: lists them, and takes them to and from files for review."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from api.cli import columns
from api.cli.common import opened
from api.relay import key_of, to_id
from domain import activations, markets, strategies, tables
from domain.errors import Invalid, NotFound, Refusals
from domain.strategies import files

app = typer.Typer(help="Strategies and their versions: a list, or one of the commands below.")

Market = Annotated[str | None, typer.Option(help="Code of the market, e.g. FR.")]


@app.callback(invoke_without_command=True)
def show_all(context: typer.Context, market: Market = None) -> None:
    """List every version of every strategy, newest first."""
    if context.invoked_subcommand is not None:
        return
    now = datetime.now(UTC)
    with opened() as installation, installation.database.reading() as session:
        rows = [markets.by_code(session, market)] if market else markets.all_markets(session)
        codes = {row.id: row.code for row in rows}
        ledgers = activations.ledgers(session, codes)
        found = strategies.of_markets(session, codes)
    columns.show(
        ("MARKET", "STRATEGY", "VERSION", "STATUS", "AUTHOR", "DRAFTED", "HASH", "ID"),
        [
            (
                codes[of.market_id],
                of.name,
                str(each.number),
                strategies.status(each, ledgers[of.market_id], at=now),
                each.author,
                columns.minute(each.created_at),
                each.content_hash[:12],
                to_id("StrategyVersion", each.id),
            )
            for each, of in found
        ],
    )


@app.command("export")
def export(
    version: Annotated[
        str | None, typer.Argument(help="Id of the version; or name it by the options.")
    ] = None,
    market: Market = None,
    name: Annotated[str | None, typer.Option(help="Name of the strategy.")] = None,
    number: Annotated[
        int | None, typer.Option(min=1, help="Number of the version; the newest if absent.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; the terminal if absent.")
    ] = None,
) -> None:
    """Write a version as a TOML file that can be read, reviewed and imported."""
    if (version is None) == (market is None or name is None):
        raise typer.BadParameter("Give the id of a version, or --market and --name.")
    with opened() as installation, installation.database.reading() as session:
        row = _by_id(session, version) if version else _named(session, market, name, number)
        text = files.to_toml(session, row)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"Wrote {output}.", err=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML.")],
    market: Annotated[str, typer.Option(help="Code of the market, e.g. FR.")],
    by: Annotated[
        str, typer.Option(help="Whose work it is: nobody approves what they have written.")
    ],
) -> None:
    """Draft what a file says, as a new strategy or as a new version of the one of its name."""
    if not by.strip():
        raise typer.BadParameter("--by needs the name of a person.")
    try:
        read = files.from_toml(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not in UTF-8: save it so.") from None
    except Refusals as refused:
        raise Invalid(f"{file}: {_with_places(refused)}") from None
    with opened() as installation, installation.database.unit_of_work() as session:
        imported = files.import_file(session, market, read, by=by.strip(), now=datetime.now(UTC))
    version = imported.version
    told = "Drafted" if imported.is_new else "Nothing is new: the file says the same as"
    typer.echo(
        f"{told} version {version.number} of {read.name}, {version.content_hash}, "
        f"{to_id('StrategyVersion', version.id)}."
    )


def _with_places(refused: Refusals) -> str:
    """What is wrong in a file and where, in one line; positions count from 0, as in the API."""
    return " ".join(f"{'.'.join(each.path)}: {each.message}" for each in refused.refusals)


def _by_id(session: Session, id: str) -> tables.StrategyVersion:
    return strategies.get_version(session, key_of(id, "StrategyVersion", "version"))


def _named(
    session: Session, market: str | None, name: str | None, number: int | None
) -> tables.StrategyVersion:
    row = markets.by_code(session, market or "")
    found = strategies.find_version(session, row.id, name or "", number)
    if found is None:
        raise NotFound(f"Market {row.code} has no such version: see `forecourt strategies`.")
    return found
