"""Retention: which model versions may go, so that a database does not keep every training."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_
from sqlmodel import Session, SQLModel, col, delete, select

from domain import audit, models, tables
from domain.errors import Invalid


def prunable(session: Session, market_id: int, *, keep: int) -> list[tables.ModelVersion]:
    """The versions of a market that nothing refers to, the newest ``keep`` of all apart.

    Whatever was ever promoted stays, the champion among it, as the ledger names it; and so does
    what a quote, a simulation or any other row was priced with.

    Raises:
        Invalid: ``keep`` is below zero.
    """
    if keep < 0:
        raise Invalid(f"keep is {keep}: give how many of the newest versions stay.", path=("keep",))
    version = tables.ModelVersion
    of_market = select(version.id).where(version.market_id == market_id)
    older = session.exec(of_market.order_by(col(version.number).desc()).offset(keep)).all()
    return list(
        session.exec(
            select(version)
            .where(col(version.id).in_(older), ~_is_referred_to())
            .order_by(col(version.number))
        )
    )


def prune(
    session: Session, market_id: int, *, keep: int, by: str, now: datetime
) -> list[tables.ModelVersion]:
    """Remove them with their artifacts, each with a trace in the audit trail."""
    models.lock_market(session, market_id)
    removed = prunable(session, market_id, keep=keep)
    ids = [each.id for each in removed]
    kept = tables.ModelArtifact
    session.exec(delete(kept).where(col(kept.model_id).in_(ids)))
    for version in removed:
        session.delete(version)
    session.flush()
    for version in removed:
        audit.record(
            session,
            actor=by,
            action="model.removed",
            subject=("ModelVersion", version.id),
            detail={"number": version.number, "algorithm": version.algorithm},
            now=now,
        )
    return removed


def _is_referred_to() -> ColumnElement[bool]:
    """Whether any row of any table but the artifact's names the version."""
    version, artifact = (
        SQLModel.metadata.tables[table.__tablename__]
        for table in (tables.ModelVersion, tables.ModelArtifact)
    )
    references = (
        key.parent
        for table in SQLModel.metadata.tables.values()
        if table is not artifact
        for key in table.foreign_keys
        if key.column is version.c.id
    )
    return or_(*(exists().where(column == version.c.id) for column in references))
