"""More versions of the shop's model, without the time that a training takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from domain import models, tables
from domain.database import Database
from domain.models import Comparison
from tests.api.shop import settings_of

FIRST = 1
"""The model with which the market was made."""


@contextmanager
def unit_of_work(folder: Path) -> Iterator[Session]:
    """One unit of work on the market of a folder, as another process would make it."""
    database = Database(settings_of(folder).resolved_database_url)
    with database.unit_of_work() as session:
        yield session
    database.close()


def published_again(folder: Path) -> int:
    """Publish the market's first model as another version; returns its id."""
    with unit_of_work(folder) as session:
        first = session.get_one(tables.ModelVersion, FIRST)
        artifact = session.get_one(tables.ModelArtifact, FIRST)
        number = len(models.promoted_ids(session, first.market_id)) + 1
        facts = first.model_dump(exclude={"id"}) | {"number": number}
        version = tables.ModelVersion(**facts)
        session.add(version)
        session.flush()
        copied = artifact.model_dump(exclude={"model_id"})
        session.add(tables.ModelArtifact(model_id=version.id, **copied))
        return version.id


def promoted(folder: Path, model_id: int) -> None:
    """Make a version the champion."""
    with unit_of_work(folder) as session:
        market_id = session.get_one(tables.ModelVersion, model_id).market_id
        present = models.champion_ids(session, [market_id])[market_id]
        comparison = Comparison(present, 0.1, None)
        models.promote(session, model_id, comparison=comparison, by="dee", now=datetime.now(UTC))


def a_second_champion(folder: Path) -> int:
    """Another version, promoted."""
    model_id = published_again(folder)
    promoted(folder, model_id)
    return model_id


def tampered(folder: Path, model_id: int) -> bytes:
    """Change an artifact in the database; returns what it was."""
    with unit_of_work(folder) as session:
        kept = session.get_one(tables.ModelArtifact, model_id)
        before = kept.content
        kept.content = before[:-20] + bytes(20)
    return before


def repaired(folder: Path, model_id: int, content: bytes) -> None:
    """Put back what an artifact was."""
    with unit_of_work(folder) as session:
        session.get_one(tables.ModelArtifact, model_id).content = content
