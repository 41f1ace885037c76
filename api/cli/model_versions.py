"""`forecourt models`: a market's model versions, listed, promoted, rolled back and removed."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer
from sqlmodel import Session, col, select

from api.cli import columns
from api.cli.common import BY, opened
from api.cli.models import show
from api.relay import key_of
from domain import markets, models, retention, tables
from domain.errors import Invalid, InvalidState
from domain.estimates import PriceModel
from ml import exchange, gate
from ml.loading import load_model, loader
from ml.predictor import Predictor

app = typer.Typer(help="Model versions: list, promote, roll back, export, import, remove.")

Market = Annotated[str, typer.Option(help="Code of the market, e.g. FR.")]
MarketOfNumber = Annotated[
    str | None, typer.Option("--market", help="Code of the market; needed with a number.")
]
Version = Annotated[str, typer.Argument(metavar="MODEL", help="Its number, or its id in the API.")]
WHY_NOT_ONNX = (
    "ONNX would not give the same prices: its converter drops native categories without an error "
    "(11 % off in the median) and rounds to single precision. Use --format joblib or json."
)


class Form(StrEnum):
    """What a version can be exported as."""

    JSON = "json"
    JOBLIB = "joblib"
    ONNX = "onnx"


Reason = Annotated[str, typer.Option(help="Why; kept in the audit trail.")]


@app.callback(invoke_without_command=True)
def show_all(context: typer.Context, market: MarketOfNumber = None) -> None:
    """List the model versions of a market, newest first; or do something with one of them."""
    if context.invoked_subcommand is not None:
        return
    if market is None:
        raise typer.BadParameter("name the market, e.g. --market FR", param_hint="--market")
    with opened() as installation, installation.database.reading() as session:
        row = markets.by_code(session, market)
        champion = models.champion_ids(session, [row.id]).get(row.id)
        version = tables.ModelVersion
        versions = session.exec(
            select(version).where(version.market_id == row.id).order_by(col(version.number).desc())
        ).all()
    columns.show(
        ("NUMBER", "ALGORITHM", "MAPE", "COVERAGE", "ROWS", "CREATED", "BY", ""),
        [
            (
                str(each.number),
                each.algorithm,
                f"{each.metrics['mape']:.2%}",
                f"{each.metrics['coverage']:.1%}",
                str(each.trained_rows),
                columns.minute(each.created_at),
                each.created_by,
                "champion" if each.id == champion else "",
            )
            for each in versions
        ],
    )


@app.command("promote")
def promote(
    model: Version,
    market: MarketOfNumber = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although it is worse than the champion.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why; needed with --force, kept in the audit trail.")
    ] = None,
) -> None:
    """Make a version the champion; running servers answer with it within a second."""
    with opened() as installation:
        database = installation.database
        with database.reading() as session:
            key = named(session, model, market).id
            comparison = gate.compare(
                session, key, model_of=loader(database, installation.settings.artifact_key)
            )
        with database.unit_of_work() as session:
            version = models.promote(
                session,
                key,
                comparison=comparison,
                by=BY,
                now=datetime.now(UTC),
                force=force,
                reason=reason,
            )
            number = version.number
    typer.echo(f"Model {number} is the champion.")


@app.command("roll-back")
def roll_back(market: Market, reason: Reason) -> None:
    """Make the champion before the present one the champion again."""
    with opened() as installation:
        database = installation.database
        with database.reading() as session:
            row = markets.by_code(session, market)
            before = models.champion_before(session, row.id)
            # Refused where it could not answer.
            load_model(session, before.id, artifact_key=installation.settings.artifact_key)
        with database.unit_of_work() as session:
            version = models.roll_back(session, row.id, reason=reason, by=BY, now=datetime.now(UTC))
            number = version.number
    typer.echo(f"Model {number} is the champion again.")


@app.command("prune")
def prune(
    market: Market,
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest versions stay.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell which would be removed.")
    ] = False,
) -> None:
    """Remove old versions; never one that was promoted or that anything was priced with."""
    with opened() as installation, installation.database.unit_of_work() as session:
        row = markets.by_code(session, market)
        if dry_run:
            removed = retention.prunable(session, row.id, keep=keep)
        else:
            removed = retention.prune(session, row.id, keep=keep, by=BY, now=datetime.now(UTC))
        numbers = [each.number for each in removed]
    what = "Would remove" if dry_run else "Removed"
    typer.echo(f"{what} {', '.join(f'model {each}' for each in numbers) or 'nothing'}.")


@app.command("export")
def export(
    model: Version,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    market: MarketOfNumber = None,
    form: Annotated[
        Form, typer.Option("--format", help="json can be imported again; joblib is for notebooks.")
    ] = Form.JSON,
) -> None:
    """Write a version to a file, for data scientists and for other installations."""
    if form is Form.ONNX:
        raise InvalidState(WHY_NOT_ONNX)
    with opened() as installation, installation.database.reading() as session:
        version = named(session, model, market)
        key = installation.settings.artifact_key
        if form is Form.JSON:
            output.write_text(exchange.to_json(session, version, artifact_key=key) + "\n")
        else:
            _dump(load_model(session, version.id, artifact_key=key).estimator, output)
        number = version.number
    typer.echo(f"Wrote model {number} to {output}.")


@app.command("report")
def report(
    model: Version,
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML file to write.")],
    market: MarketOfNumber = None,
    with_learning: Annotated[
        bool,
        typer.Option(
            "--learning-curve/--no-learning-curve",
            help="Train on shares of the listings too; takes as long as the training did.",
        ),
    ] = True,
) -> None:
    """Write a page on a version: errors by group, calibration, importance, learning curve."""
    # Imported here: no other command draws.
    from api.cli.model_report import write

    with opened() as installation, installation.database.reading() as session:
        version = named(session, model, market)
        key = installation.settings.artifact_key
        write(session, version, output, artifact_key=key, with_learning=with_learning)
        number = version.number
    typer.echo(f"Wrote the report of model {number} to {output}.")


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Made by export.")],
    market: Market,
) -> None:
    """Add a version that was exported as JSON, measured on this market's unseen listings."""
    with opened() as installation:
        database, key = installation.database, installation.settings.artifact_key
        with database.reading() as session:
            row = markets.by_code(session, market)
            published = exchange.from_json(session, row.id, _text(file), artifact_key=key)
        with database.unit_of_work() as session:
            version = published.publish(session, by=BY, now=datetime.now(UTC))
    show(version, is_champion=False)


def _dump(estimator: PriceModel, output: Path) -> None:
    # Imported here: both are large, and no other command needs them.
    import joblib

    from ml.portable import PriceEstimator

    joblib.dump(PriceEstimator(cast("Predictor", estimator)), output, compress=3)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(
            f"{file} is no text: only models exported with --format json are imported, because "
            "the other forms can run code."
        ) from None


def named(session: Session, model: str, market: str | None) -> tables.ModelVersion:
    """The version that was typed: a number in a market, or an id of the API.

    Raises:
        Invalid: a number without a market.
        NotFound: there is no such version.
    """
    if not model.isdecimal():
        return models.get(session, key_of(model, "ModelVersion", "model"))
    if market is None:
        raise Invalid("A number is one of a market: name it, e.g. --market FR.", path=("market",))
    return models.numbered(session, market, int(model))
