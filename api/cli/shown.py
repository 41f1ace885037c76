"""`forecourt schema` and `forecourt settings`: what is served, and what is in force."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import columns
from api.cli.common import load_settings


def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As a page to read, with costs and error codes.")
    ] = False,
) -> None:
    """Print the served schema in GraphQL's definition language."""
    from api import reference
    from api.schema import schema as served

    typer.echo(reference.page(served._schema) if markdown else served.as_str())


def settings() -> None:
    """Print the settings in force, secrets masked."""
    columns.show(("SETTING", "VALUE"), list(load_settings().in_force().items()))
