"""Model versions: published once, promoted through a ledger, read for serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import func
from sqlmodel import Session, col, select

from domain import audit, markets, tables
from domain.errors import Conflict, Invalid, InvalidState, NotFound, PromotionGate
from domain.pages import Ordered


class Trained(Protocol):
    """What a training run leaves behind; see ``ml.training``."""

    algorithm: str
    hyperparameters: dict[str, Any]
    parameters: dict[str, Any] | None
    metrics: dict[str, Any]
    features: dict[str, Any]
    coverage: float
    trained_rows: int
    rejected_rows: int
    trained_from: date | None
    trained_to: date | None
    data_sha256: str
    artifact_format: str
    artifact: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate and champion on the same rows that neither was trained on.

    Attributes:
        champion_id: the champion it was compared with; None where there was none.
    """

    champion_id: int | None
    candidate_mape: float
    champion_mape: float | None

    @property
    def is_at_least_as_good(self) -> bool:
        """Whether the gate lets the candidate pass."""
        return self.champion_mape is None or self.candidate_mape <= self.champion_mape


def publish(
    session: Session,
    market_id: int,
    trained: Trained,
    *,
    sha256: str,
    signature: str,
    by: str,
    now: datetime,
    job_id: int | None = None,
    action: str = "model.trained",
    sold_rows: int = 0,
) -> tables.ModelVersion:
    """Store a trained estimator as the market's next version.

    Args:
        action: what the audit trail calls it.
        sold_rows: sold vehicles among the rows that it was trained and measured on.
    """
    lock_market(session, market_id)
    number = session.exec(
        select(func.coalesce(func.max(tables.ModelVersion.number), 0) + 1).where(
            tables.ModelVersion.market_id == market_id
        )
    ).one()
    version = tables.ModelVersion(
        market_id=market_id,
        number=number,
        algorithm=trained.algorithm,
        hyperparameters=trained.hyperparameters,
        parameters=trained.parameters,
        metrics=trained.metrics,
        features=trained.features,
        coverage=trained.coverage,
        trained_rows=trained.trained_rows,
        rejected_rows=trained.rejected_rows,
        sold_rows=sold_rows,
        trained_from=trained.trained_from,
        trained_to=trained.trained_to,
        data_sha256=trained.data_sha256,
        job_id=job_id,
        created_by=by,
        created_at=now,
    )
    session.add(version)
    session.flush()
    session.add(
        tables.ModelArtifact(
            model_id=version.id,
            format=trained.artifact_format,
            size_bytes=len(trained.artifact),
            sha256=sha256,
            signature=signature,
            content=trained.artifact,
        )
    )
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("ModelVersion", version.id),
        detail={"number": number, "algorithm": version.algorithm, "artifact_sha256": sha256},
        now=now,
    )
    return version


def promote(
    session: Session,
    model_id: int,
    *,
    comparison: Comparison,
    by: str,
    now: datetime,
    force: bool = False,
    reason: str | None = None,
) -> tables.ModelVersion:
    """Make a version the champion of its market, for every process within a second.

    Raises:
        NotFound: no such version.
        Invalid: forced without a reason.
        Conflict: the champion changed since the comparison.
        PromotionGate: worse than the champion, and not forced.
    """
    version = get(session, model_id)
    if force and not (reason and reason.strip()):
        raise Invalid("A forced promotion needs a reason: say why.", path=("reason",))
    market = lock_market(session, version.market_id)
    present = champion_ids(session, [market.id]).get(market.id)
    if present != comparison.champion_id:
        raise Conflict("Another model was promoted meanwhile: compare again.", path=("model",))
    if present == version.id:
        # Its artifact may have been mended: processes that refused it look again.
        market.revision += 1
        return version
    if not comparison.is_at_least_as_good and not force:
        raise PromotionGate(
            f"Its mean absolute percentage error is {comparison.candidate_mape:.2%} against "
            f"{comparison.champion_mape:.2%} of the champion on the same unseen rows: improve it, "
            "or force the promotion with a reason.",
            path=("model",),
        )
    _make_champion(
        session,
        market,
        version,
        action="model.promoted",
        detail={
            "candidate_mape": comparison.candidate_mape,
            "champion_mape": comparison.champion_mape,
            "forced": force,
        },
        replaces=present,
        by=by,
        now=now,
        forced=force,
        reason=reason,
    )
    return version


def roll_back(
    session: Session, market_id: int, *, reason: str, by: str, now: datetime
) -> tables.ModelVersion:
    """Make the champion before the present one the champion again, whatever the gate says.

    Raises:
        Invalid: no reason is given.
        InvalidState: there was no champion before.
    """
    if not reason.strip():
        raise Invalid("A roll-back needs a reason: say why.", path=("reason",))
    market = lock_market(session, market_id)
    version = champion_before(session, market_id)
    _make_champion(
        session,
        market,
        version,
        action="model.rolled_back",
        detail={},
        replaces=champion_ids(session, [market.id])[market.id],
        by=by,
        now=now,
        forced=True,
        reason=reason,
    )
    return version


def champion_before(session: Session, market_id: int) -> tables.ModelVersion:
    """The version that was champion before the present one.

    Raises:
        InvalidState: there was none.
    """
    promoted = promoted_ids(session, market_id)
    if len(promoted) < 2:
        raise InvalidState("There was no champion before the present one: train and promote one.")
    return get(session, promoted[1])


def _make_champion(
    session: Session,
    market: tables.Market,
    version: tables.ModelVersion,
    *,
    action: str,
    detail: dict[str, Any],
    replaces: int | None,
    by: str,
    now: datetime,
    forced: bool,
    reason: str | None,
) -> None:
    """Write the ledger's next row, tell every process, and leave a trace."""
    session.add(
        tables.Promotion(
            market_id=market.id,
            model_id=version.id,
            promoted_by=by,
            promoted_at=now,
            forced=forced,
            reason=reason,
        )
    )
    market.revision += 1
    facts = {"market": market.code, "number": version.number, "replaces": replaces}
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("ModelVersion", version.id),
        detail=facts | detail | {"reason": reason},
        now=now,
    )


def lock_market(session: Session, market_id: int) -> tables.Market:
    """The market's row, locked: its pricing changes in one unit of work at a time."""
    return session.get_one(tables.Market, market_id, with_for_update=True, populate_existing=True)


def get(session: Session, model_id: int) -> tables.ModelVersion:
    """One version.

    Raises:
        NotFound: there is none of this id.
    """
    version = session.get(tables.ModelVersion, model_id)
    if version is None:
        raise NotFound("There is no such model version.", path=("model",))
    return version


def numbered(session: Session, market: str, number: int) -> tables.ModelVersion:
    """The version of a market by its number.

    Raises:
        NotFound: there is no such market, or none of this number in it.
    """
    row = markets.by_code(session, market)
    version = tables.ModelVersion
    found = session.exec(
        select(version).where(version.market_id == row.id, version.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no model {number} in market {market}.", path=("model",))
    return found


def champion_ids(session: Session, market_ids: Sequence[int]) -> dict[int, int]:
    """The champion's id by market, for those that have one: what was promoted last."""
    newest = (
        select(func.max(tables.Promotion.id))
        .where(col(tables.Promotion.market_id).in_(market_ids))
        .group_by(col(tables.Promotion.market_id))
    )
    rows = session.exec(
        select(tables.Promotion.market_id, tables.Promotion.model_id).where(
            col(tables.Promotion.id).in_(newest)
        )
    )
    return dict(rows.all())


def promoted_ids(session: Session, market_id: int) -> list[int]:
    """Every version that was ever champion of a market, the present one first, none twice."""
    rows = session.exec(
        select(tables.Promotion.model_id)
        .where(tables.Promotion.market_id == market_id)
        .order_by(col(tables.Promotion.id).desc())
    )
    return list(dict.fromkeys(rows))


def of_jobs(session: Session, job_ids: Sequence[int]) -> dict[int, tables.ModelVersion]:
    """The version that each training published, for those that have."""
    version = tables.ModelVersion
    rows = session.exec(select(version).where(col(version.job_id).in_(job_ids)))
    return {row.job_id: row for row in rows if row.job_id is not None}


def listed(session: Session, market: str) -> Ordered:
    """The versions of a market, newest first.

    Raises:
        NotFound: there is no such market.
    """
    row = markets.by_code(session, market)
    version = tables.ModelVersion
    return Ordered(
        select(version).where(version.market_id == row.id), by=(col(version.id),), descending=True
    )


def artifact(session: Session, model_id: int) -> tables.ModelArtifact:
    """What a version is rebuilt from.

    Raises:
        NotFound: there is none of this id.
    """
    row = session.get(tables.ModelArtifact, model_id)
    if row is None:
        raise NotFound("There is no artifact of this model version.", path=("model",))
    return row


def artifact_facts(
    session: Session, model_ids: Sequence[int]
) -> Mapping[int, tuple[str, int, str]]:
    """Format, size in bytes and SHA-256 by version, without reading the bytes themselves."""
    kept = tables.ModelArtifact
    rows = session.exec(
        select(kept.model_id, kept.format, kept.size_bytes, kept.sha256).where(
            col(kept.model_id).in_(model_ids)
        )
    )
    return {model_id: (format_, size, sha256) for model_id, format_, size, sha256 in rows}
