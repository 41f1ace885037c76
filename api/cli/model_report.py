"""The page that `forecourt models report` writes."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlmodel import Session

from domain import models, tables
from domain.errors import InvalidState
from ml import artifact
from ml.dataset import read_listings
from ml.report import examine


def write(
    session: Session,
    version: tables.ModelVersion,
    output: Path,
    *,
    artifact_key: bytes,
    with_learning: bool,
) -> None:
    """Measure a version on the listings of its window, and write what was found.

    Raises:
        InvalidState: there is nothing to draw with, or no listing to measure on.
        ArtifactRefused: its artifact is not what was published.
    """
    try:
        from ml.report_page import Subject, page
    except ModuleNotFoundError as missing:
        raise InvalidState(
            f"Reports are drawn with {missing.name}, which is not installed: "
            "pip install 'forecourt[report]'."
        ) from missing
    kept = models.artifact(session, version.id)
    predictor = artifact.load(kept.content, signature=kept.signature, key=artifact_key)
    market = session.get_one(tables.Market, version.market_id)
    data = read_listings(
        session,
        version.market_id,
        observed_from=version.trained_from,
        observed_to=version.trained_to,
    )
    if not data.rows:
        raise InvalidState(f"Market {market.code} has no listings of its time: import them again.")
    found = examine(
        predictor,
        data,
        data_sha256=version.data_sha256,
        hyperparameters=version.hyperparameters,
        with_learning=with_learning,
        progress=typer.echo,
    )
    subject = Subject(
        title=f"{market.name}, model {version.number}",
        algorithm=version.algorithm,
        currency=market.currency,
        coverage=version.coverage,
        trained_rows=version.trained_rows,
        trained_from=version.trained_from,
        trained_to=version.trained_to,
        hyperparameters=version.hyperparameters,
    )
    output.write_text(page(subject, found), encoding="utf-8")
