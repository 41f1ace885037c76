"""`forecourt price`: a file of described vehicles, priced in bulk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api import file_pricing, telemetry
from api.cli.common import interrupted_by_sigterm, opened
from api.cli.imports import File, Market, Rejects, progress
from domain.files import writers
from domain.files.pricing import PricingReport, price_file
from domain.quotes import check_ready
from ml.pinned import pinned
from ml.serving import Serving


def _output(path: Path) -> Path:
    if not writers.is_writable(path):
        raise typer.BadParameter(f"{path.name} ends in none of {', '.join(writers.SUFFIXES)}")
    return path


Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", callback=_output, help="File to write: .csv, .csv.gz or .parquet."
    ),
]


def price(file: File, market: Market, output: Output, rejects: Rejects = None) -> None:
    """Price a file of described vehicles with champion and strategy in force.

    Each row keeps its columns and gets the catalogue entry it was taken for, the market price with
    its interval, the rule that decided, the price, and the reasons to look at it. The file appears
    when all is done. Of a large file most is priced by FORECOURT_JOB_PROCESSES processes, or by
    the cluster of FORECOURT_DASK_SCHEDULER.
    """
    now = datetime.now(UTC)
    with opened() as installation, interrupted_by_sigterm():
        # What a server tells of its pricing is no news here.
        telemetry.set_up_logs(installation.settings.model_copy(update={"log_level": "WARNING"}))
        serving = Serving(
            installation.database,
            artifact_key=installation.settings.artifact_key,
            poll_s=installation.settings.revision_poll_s,
            clock=lambda: now,
        )
        pricing = serving.snapshot(market, at=now)
        check_ready(pricing)
        revision = serving.pricing()[market].catalogue_revision
        with progress(file) as watch:
            report = price_file(
                installation.database,
                file,
                output,
                pricing=pricing,
                on=now.date(),
                rejects=rejects,
                divided=file_pricing.divided(
                    installation.settings,
                    pinned(pricing, catalogue_revision=revision),
                    on=now.date(),
                ),
                watch=watch,
            )
    show(report, file, output, rejects)


def show(report: PricingReport, file: Path, output: Path, rejects: Path | None) -> None:
    """Print the report of a file that has been priced."""
    speed = f"{report.seconds:.1f} s, {report.rows_per_second:.0f} rows/s"
    lines = [
        f"{file.name}: {report.read} rows read ({speed})",
        f"  priced     {report.priced:>9}  in {output}",
        f"  rejected   {report.rejected:>9}",
        *(f"    {count:>9}  {reason}" for reason, count in report.reasons.most_common()),
    ]
    if report.ignored:
        lines.append(f"  columns kept and not read: {', '.join(map(repr, report.ignored))}")
    if rejects is not None:
        lines.append(f"  rejected rows are in {rejects}")
    for line in lines:
        typer.echo(line)
