"""Simulations as they are asked for: checked, written down, and queued as a job."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from domain import jobs, models, tables
from domain.errors import Invalid, NoChampionModel, NotFound, NotSubmittable
from domain.pricing.documents import from_document
from domain.pricing.vectorised import VectorisedPolicy
from domain.stock_filters import to_document
from domain.stock_lists import VehicleFilter, conditions
from domain.tables import JobKind


def request(
    session: Session,
    version_id: int,
    *,
    baseline_id: int | None = None,
    wanted: VehicleFilter | None = None,
    on_sales: bool = False,
    by: str,
    now: datetime,
) -> tables.Simulation:
    """Ask what a version would do to the stock, in whatever state the version is.

    Args:
        baseline_id: the version to compare with; today's asking prices where it is None.
        wanted: which part of the stock; every vehicle for sale where it is None.
        on_sales: back-test it on the vehicles that were sold instead, each on the day of its
            order; what is compared with is then the price that was paid.

    Raises:
        NotFound: no such version, baseline or market in the filter.
        Invalid: baseline or filter belong to another market.
        NotSubmittable: rules of one of the versions clash, so that some vehicles have no price.
        NoChampionModel: the market has no model that estimates.
    """
    version, market = _version(session, version_id, "version")
    baseline = None
    if baseline_id is not None:
        baseline, other = _version(session, baseline_id, "baseline")
        if other.id != market.id:
            raise Invalid(
                f"The baseline belongs to market {other.code}, the version to {market.code}.",
                path=("baseline",),
            )
    wanted = wanted or VehicleFilter()
    _check_filter(session, wanted, market)
    if not models.promoted_ids(session, market.id):
        raise NoChampionModel(market.code, path=("version",))
    job = jobs.enqueue(
        session,
        kind=JobKind.SIMULATION,
        market_id=market.id,
        payload={"version": version.id, "baseline": baseline_id, "filter": to_document(wanted)},
        by=by,
        now=now,
    )
    simulation = tables.Simulation(
        version_id=version.id,
        content=version.content,
        content_hash=version.content_hash,
        baseline_id=baseline_id,
        baseline_content=None if baseline is None else baseline.content,
        job_id=job.id,
        on_sales=on_sales,
        requested_by=by,
        requested_at=now,
    )
    session.add(simulation)
    session.flush()
    return simulation


def _version(
    session: Session, version_id: int, name: str
) -> tuple[tables.StrategyVersion, tables.Market]:
    """A version whose rules decide every vehicle, and its market."""
    version = session.get(tables.StrategyVersion, version_id)
    if version is None:
        raise NotFound("There is no such strategy version.", path=(name,))
    try:
        VectorisedPolicy(from_document(version.content))
    except NotSubmittable as clash:
        raise clash.under(name) from None
    strategy = session.get_one(tables.Strategy, version.strategy_id)
    return version, session.get_one(tables.Market, strategy.market_id)


def _check_filter(session: Session, wanted: VehicleFilter, market: tables.Market) -> None:
    conditions(session, wanted)
    if wanted.market not in (None, market.code):
        raise Invalid(
            f"The version belongs to market {market.code}: leave the market out.",
            path=("filter", "market"),
        )
