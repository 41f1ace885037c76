"""`forecourt jobs`: the long work that was asked for last."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import columns
from api.cli.common import opened
from domain import jobs as queue
from domain import tables


def jobs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
) -> None:
    """List jobs, newest first."""
    with opened() as installation, installation.database.reading() as session:
        rows = queue.newest(session, limit=limit)
        markets = {job.market_id for job in rows}
        codes = {each: session.get_one(tables.Market, each).code for each in markets}
    columns.show(
        ("ID", "MARKET", "KIND", "STATUS", "DONE", "ATTEMPTS", "BY", "ASKED FOR", "NOTE"),
        [
            (
                str(job.id),
                codes[job.market_id],
                job.kind,
                job.status,
                f"{job.progress:.0%}",
                str(job.attempts),
                job.requested_by,
                columns.minute(job.created_at),
                job.error or job.message or "",
            )
            for job in rows
        ],
    )
