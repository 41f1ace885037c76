"""`forecourt market`: the countries in which the seller prices vehicles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from api.cli.common import opened
from domain import markets

app = typer.Typer(help="Markets and their settings.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="Short code in upper case, e.g. FR.")]


@app.command("add")
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="Name for people, e.g. France.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code of its prices, e.g. EUR.")],
) -> None:
    """Add a market."""
    with opened() as installation, installation.database.unit_of_work() as session:
        market = markets.add(
            session, code=code, name=name, currency=currency, now=datetime.now(UTC)
        )
        added = f"Added market {market.code}, {market.name}, prices in {market.currency}."
    typer.echo(added)


@app.command("list")
def show_all() -> None:
    """List every market: code, currency, name."""
    with opened() as installation, installation.database.reading() as session:
        for market in markets.all_markets(session):
            typer.echo(f"{market.code:<16} {market.currency} {market.name}")


@app.command("settings")
def settings(
    code: Code,
    changes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="Settings to change; NAME= goes back to the default."
        ),
    ] = None,
) -> None:
    """Show what a market takes for impossible and when its quotes are odd; change some of it."""
    wanted = dict(_change(each) for each in changes or ())
    with opened() as installation, installation.database.unit_of_work() as session:
        in_force = markets.change_settings(markets.by_code(session, code), wanted)
    for name, value in in_force:
        typer.echo(f"{name}={value}")


def _change(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE.")
    return name.strip(), value.strip() or None
