"""`forecourt import`: files of listings, stock and sales into a market."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api.cli.common import opened
from domain.files import profiles
from domain.files.imports import ImportReport, import_listings, import_sales, import_stock

app = typer.Typer(
    help="Files into a market. What a file holds already is counted, not stored twice: "
    "an import that was interrupted is simply run again.",
    no_args_is_help=True,
)

SECONDS_BETWEEN_LINES = 5.0


class Report(Protocol):
    """How far the work on a file is."""

    @property
    def share(self) -> float: ...
    @property
    def read(self) -> int: ...


File = Annotated[Path, typer.Argument(help="CSV (UTF-8, also gzipped) or Parquet.")]
Market = Annotated[str, typer.Option(help="Code of the market, e.g. FR.")]
Rejects = Annotated[
    Path | None, typer.Option(help="Write the rows that were not taken, with the reason, here.")
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Layout of the file, where it is not ours. "
        + " ".join(f"{each.name}: {each.summary}" for each in profiles.PROFILES.values()),
    ),
]


@app.command("listings")
def listings(
    file: File, market: Market, profile: ProfileName = None, rejects: Rejects = None
) -> None:
    """Import listings: past offers and sales, what models learn from."""
    layout = None if profile is None else profiles.by_name(profile)
    with opened() as installation, progress(file) as watch:
        report = import_listings(
            installation.database,
            file,
            market=market,
            now=datetime.now(UTC),
            profile=layout,
            rejects=rejects,
            watch=watch,
        )
    show(report, file, rejects)


@app.command("stock")
def stock(file: File, market: Market, rejects: Rejects = None) -> None:
    """Import the seller's stock; a vehicle in stock already is brought up to date."""
    with opened() as installation, progress(file) as watch:
        report = import_stock(
            installation.database,
            file,
            market=market,
            now=datetime.now(UTC),
            rejects=rejects,
            watch=watch,
        )
    show(report, file, rejects)


@app.command("sales")
def sales(file: File, market: Market, rejects: Rejects = None) -> None:
    """Import orders and their payments, a row a payment; vehicles have to be in stock already."""
    with opened() as installation, progress(file) as watch:
        report = import_sales(
            installation.database,
            file,
            market=market,
            now=datetime.now(UTC),
            rejects=rejects,
            watch=watch,
        )
    show(report, file, rejects)


@contextmanager
def progress(file: Path) -> Iterator[Callable[[Report], None]]:
    """What shows how far the work on a file is: a bar on a terminal, a line now and then elsewhere.

    On standard error, so that the report alone is on standard output.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=1.0, rows="0")
        yield lambda report: bar.update(task, completed=report.share, rows=f"{report.read:,}")


def _lines() -> Callable[[Report], None]:
    last = time.monotonic()

    def say(report: Report) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            typer.echo(f"{report.share:4.0%} {report.read} rows", err=True)

    return say


def show(report: ImportReport, file: Path, rejects: Path | None) -> None:
    """Print the report of an import that has ended."""
    speed = f"{report.seconds:.1f} s, {report.rows_per_second:.0f} rows/s"
    lines = [
        f"{file.name}: {report.read} rows read ({speed})",
        f"  added      {report.added:>9}",
        f"  replaced   {report.replaced:>9}",
        f"  unchanged  {report.unchanged:>9}  (stored exactly so already)",
        f"  rejected   {report.rejected:>9}",
        *(f"    {count:>9}  {reason}" for reason, count in report.reasons.most_common()),
    ]
    lines += (
        f'  {column}: {count} cells of the source mean "not stated", taken as empty'
        for column, count in report.not_stated.items()
    )
    if report.ignored:
        lines.append(f"  ignored columns: {', '.join(map(repr, report.ignored))}")
    if rejects is not None:
        lines.append(f"  rejected rows are in {rejects}")
    for line in lines:
        typer.echo(line)
