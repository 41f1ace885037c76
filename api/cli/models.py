"""`forecourt train`: a model version of a market, trained while one waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.cli import columns
from api.cli.common import BY, opened
from domain import markets, models, tables
from domain.errors import Invalid
from domain.trainings import DEFAULT_COVERAGE, PromotionPolicy, TrainingRequest
from ml import runs

DEFAULT_ALGORITHM = "hist_gradient_boosting"

Market = Annotated[str, typer.Option(help="Code of the market, e.g. FR.")]


def train(
    market: Market,
    algorithm: Annotated[
        str, typer.Option(help="Name of the algorithm; see the query `algorithms`.")
    ] = DEFAULT_ALGORITHM,
    hyperparameters: Annotated[
        str, typer.Option(help="As JSON, e.g. '{\"iterations\": 500}'.")
    ] = "{}",
    observed_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out what was seen before.")
    ] = None,
    observed_to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out what was seen later.")
    ] = None,
    coverage: Annotated[float, typer.Option(help="Of the prediction interval.")] = DEFAULT_COVERAGE,
    promote: Annotated[
        bool, typer.Option("--promote", help="Promote it if it is as good as the champion.")
    ] = False,
) -> None:
    """Train a model version of a market and print how good it is on listings it never saw."""
    request = TrainingRequest(
        algorithm=algorithm,
        hyperparameters=_parsed(hyperparameters),
        observed_from=_day(observed_from),
        observed_to=_day(observed_to),
        coverage=coverage,
        promotion=PromotionPolicy.IF_BETTER if promote else PromotionPolicy.MANUAL,
    )
    runs.check(request)
    with opened() as installation:
        database = installation.database
        with database.reading() as session:
            row = markets.by_code(session, market)
        with progress() as tell:
            published = runs.run(
                database,
                row.id,
                request,
                artifact_key=installation.settings.artifact_key,
                progress=tell,
            )
        with database.unit_of_work() as session:
            version = published.publish(session, by=BY, now=datetime.now(UTC))
            champion = models.champion_ids(session, [row.id]).get(row.id)
    show(version, is_champion=champion == version.id)


def show(version: tables.ModelVersion, *, is_champion: bool) -> None:
    """Print a version's metrics on unseen listings."""
    metrics = version.metrics
    typer.echo(
        f"Model {version.number} ({version.algorithm}), trained on {version.trained_rows} "
        f"listings{', now the champion' if is_champion else ''}."
    )
    columns.show(
        ("ON UNSEEN LISTINGS", ""),
        [
            ("rows", str(metrics["rows"])),
            ("mean absolute error", f"{metrics['mae']:.0f}"),
            ("mean absolute percentage error", f"{metrics['mape']:.2%}"),
            ("median absolute percentage error", f"{metrics['median_ape']:.2%}"),
            ("within 10 %", f"{metrics['within10']:.1%}"),
            ("R2", f"{metrics['r2']:.4f}"),
            (f"coverage of the {version.coverage:.0%} interval", f"{metrics['coverage']:.1%}"),
            ("mean width of the interval", f"{metrics['relative_width']:.1%} of the price"),
        ],
    )


@contextmanager
def progress() -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal, a line a stage elsewhere; both on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    layout = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*layout, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, stage: bar.update(task, completed=share, description=stage)


def _lines() -> Callable[[float, str], None]:
    told: set[str] = set()

    def tell(share: float, stage: str) -> None:
        if stage not in told:
            told.add(stage)
            typer.echo(f"{share:4.0%} {stage}", err=True)

    return tell


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _parsed(text: str) -> dict[str, object]:
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Invalid(f"--hyperparameters is no JSON object: {text}")
    return parsed
