"""Activations: putting an approved version in force, now, later, for a while, or for a share.

Rows are only ever added. What they mean together is ``domain.ledger``'s to say.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from domain import audit, tables
from domain.errors import Conflict, Faults, InvalidState, NoActiveStrategy, NotFound
from domain.ledger import Ledger, Stretch
from domain.pricing.analysis import analyse
from domain.pricing.documents import content_hash, from_document

REASON_MAX_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class InForce:
    """What prices a market's quotes at one moment; None is nothing."""

    active: tables.Activation | None
    challenger: tables.Activation | None


def activate(
    session: Session,
    version_id: int,
    *,
    by: str,
    now: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    share: float = 1.0,
    reason: str | None = None,
) -> tables.Activation:
    """Put a version in force from now or later on, until ``ends_at`` or the next one.

    Args:
        share: of the market's vehicles, in (0, 1]; below 1 it runs as a challenger.

    Raises:
        NotFound: no such version.
        InvalidState: it is not approved, its content is not what was approved, it is in force
            already, or a challenger would run beside another one or beside nothing.
        Refusals: an ``Invalid`` for each of ``startsAt``, ``endsAt``, ``share`` and ``reason``
            that cannot be right.
    """
    version, strategy = _version(session, version_id)
    market = _locked_market(session, strategy.market_id)
    ledger = ledger_of(session, market.id)
    now = _ledger_time(ledger, now)
    _check_input(now, starts_at, ends_at, share, reason)
    check_runnable(version)
    starts_at = starts_at or now
    _check_place(ledger, version.id, starts_at, ends_at, share)
    return _record(
        session,
        market,
        version,
        action="strategy.activated",
        by=by,
        now=now,
        starts_at=starts_at,
        ends_at=ends_at,
        share=share,
        reason=reason,
    )


def roll_back(
    session: Session,
    market_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
    expected_version_id: int | None = None,
) -> tables.Activation:
    """Go back, at once, to what was active before the present activation.

    Where that was laid over another one for a while, both are recorded anew.

    Args:
        expected_version_id: the version that the caller saw in force and wants to be rid of.

    Raises:
        Refusals: no reason is given.
        NoActiveStrategy: nothing is in force.
        InvalidState: nothing was in force before.
        Conflict: another version is in force than was expected, or came while this call waited.
    """
    faults = Faults()
    _check_reason(faults, reason, required=True)
    faults.raise_if_any()
    seen = in_force(session, market_id, now).active
    market = _locked_market(session, market_id)
    ledger = ledger_of(session, market.id)
    now = _ledger_time(ledger, now)
    present = _present(ledger, market, now)
    if present is not seen or expected_version_id not in (None, present.version_id):
        raise Conflict("Somebody else has just changed what is in force: look at it again.")
    layers = ledger.beneath(present, now)
    if not layers:
        raise InvalidState("Nothing was in force before: there is nothing to go back to.")
    return _restore(session, market, layers, by=by, now=now, reason=reason)


def in_force(session: Session, market_id: int, at: datetime) -> InForce:
    """What prices a market's quotes at an instant."""
    stretch = ledger_of(session, market_id).at(at)
    if stretch is None:
        return InForce(None, None)
    return InForce(stretch.active, stretch.challenger)


def timeline(session: Session, market_id: int) -> list[Stretch]:
    """Every stretch of a market's time, past and to come, oldest first."""
    return ledger_of(session, market_id).stretches


def ledger_of(session: Session, market_id: int) -> Ledger:
    """The ledger of one market."""
    return ledgers(session, [market_id])[market_id]


def ledgers(session: Session, market_ids: Collection[int]) -> dict[int, Ledger]:
    """The ledger of each market."""
    rows: defaultdict[int, list[tables.Activation]] = defaultdict(list)
    statement = select(tables.Activation).where(col(tables.Activation.market_id).in_(market_ids))
    for row in session.exec(statement):
        rows[row.market_id].append(row)
    return {market_id: Ledger(rows[market_id]) for market_id in market_ids}


def arm(activation_id: int, vehicle_key: str, share: float) -> bool:
    """Whether a challenger prices this vehicle: the same answer whenever and wherever it is asked.

    Args:
        vehicle_key: the stock reference, else the normalised description.
        share: of all vehicles, those that hash below it.
    """
    digest = hashlib.sha256(f"{activation_id}:{vehicle_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def check_runnable(version: tables.StrategyVersion) -> None:
    """Refuse to put into force what was not approved, or is not what was approved.

    Raises:
        InvalidState: not approved, changed since, or rules that nobody settled.
    """
    if version.status is not tables.StoredStatus.APPROVED:
        raise InvalidState(
            f"Version {version.number} is {version.status.value}: only an approved one can price.",
            path=("version",),
        )
    content = from_document(version.content)
    if content_hash(content) != version.content_hash:
        raise InvalidState(
            f"The content of version {version.number} is not what was approved: draft it anew.",
            path=("version",),
        )
    if not analyse(content).submittable:
        raise InvalidState(
            f"Version {version.number} has rules that clash or never win: draft it anew.",
            path=("version",),
        )


def _version(session: Session, version_id: int) -> tuple[tables.StrategyVersion, tables.Strategy]:
    version = session.get(tables.StrategyVersion, version_id, populate_existing=True)
    if version is None:
        raise NotFound("There is no such strategy version.", path=("version",))
    return version, session.get_one(tables.Strategy, version.strategy_id)


def _locked_market(session: Session, market_id: int) -> tables.Market:
    """The market's row, locked: whoever changes its ledger waits here for whoever came first."""
    market = session.get(tables.Market, market_id, with_for_update=True, populate_existing=True)
    if market is None:
        raise NotFound("There is no such market.", path=("market",))
    return market


def _ledger_time(ledger: Ledger, now: datetime) -> datetime:
    """Now, or the newest row's moment: whoever had to wait for a lock does not go back in time."""
    return max([now, *(row.recorded_at for row in ledger.rows)])


def _check_input(
    now: datetime,
    starts_at: datetime | None,
    ends_at: datetime | None,
    share: float,
    reason: str | None,
) -> None:
    faults = Faults()
    if starts_at is not None and starts_at < now:
        faults.invalid("An activation starts now or later, never in the past.", "startsAt")
    if ends_at is not None and ends_at <= (starts_at or now):
        faults.invalid("An activation ends after it starts.", "endsAt")
    if not 0 < share <= 1:
        faults.invalid("The share is above 0 and at most 1.", "share")
    _check_reason(faults, reason, required=False)
    faults.raise_if_any()


def _check_reason(faults: Faults, reason: str | None, *, required: bool) -> None:
    if required and not (reason or "").strip():
        faults.invalid("Say why, for whoever reads the history.", "reason")
    elif reason is not None and len(reason) > REASON_MAX_LENGTH:
        faults.invalid(f"The reason is longer than {REASON_MAX_LENGTH} characters.", "reason")


def _check_place(
    ledger: Ledger, version_id: int, starts_at: datetime, ends_at: datetime | None, share: float
) -> None:
    """Refuse a challenger beside another or beside nothing, and what would change nothing."""
    at_start = ledger.at(starts_at)
    if share < 1:
        if at_start is None or at_start.active is None:
            raise InvalidState("No version is in force then, beside which a challenger could run.")
        ends = [end for end in (ends_at, ledger.next_full_start_after(starts_at)) if end]
        for stretch in ledger.from_on(starts_at):
            if stretch.challenger and all(stretch.starts_at < end for end in ends):
                raise InvalidState("Another challenger runs then: a market has one at a time.")
        return
    if (
        at_start is not None
        and at_start.active is not None
        and at_start.active.version_id == version_id
        and at_start.active.ends_at is None
        and at_start.challenger is None
    ):
        raise InvalidState("This version is in force then anyway.", path=("version",))


def _present(ledger: Ledger, market: tables.Market, now: datetime) -> tables.Activation:
    stretch = ledger.at(now)
    if stretch is None or stretch.active is None:
        raise NoActiveStrategy(market.code, path=("market",))
    return stretch.active


def _restore(
    session: Session,
    market: tables.Market,
    layers: list[tables.Activation],
    *,
    by: str,
    now: datetime,
    reason: str,
) -> tables.Activation:
    """Record the layers anew, the lowest first; the topmost is then in force."""
    versions = [session.get_one(tables.StrategyVersion, layer.version_id) for layer in layers]
    for version in versions:
        check_runnable(version)
    rows = [
        _record(
            session,
            market,
            version,
            action="strategy.rolled_back",
            by=by,
            now=now,
            starts_at=now,
            ends_at=layer.ends_at,
            reason=reason,
        )
        for layer, version in zip(reversed(layers), reversed(versions), strict=True)
    ]
    return rows[-1]


def _record(
    session: Session,
    market: tables.Market,
    version: tables.StrategyVersion,
    *,
    action: str,
    by: str,
    now: datetime,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str | None,
    share: float = 1.0,
) -> tables.Activation:
    """Add the row, and tell every process by the market's revision that pricing changes."""
    row = tables.Activation(
        market_id=market.id,
        version_id=version.id,
        starts_at=starts_at,
        ends_at=ends_at,
        share=share,
        activated_by=by,
        recorded_at=now,
        reason=reason,
    )
    session.add(row)
    market.revision += 1
    session.flush()
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("StrategyVersion", version.id),
        detail={
            "activation": row.id,
            "startsAt": starts_at.isoformat(),
            "endsAt": None if ends_at is None else ends_at.isoformat(),
            "share": share,
            "reason": reason,
            "contentHash": version.content_hash,
        },
        now=now,
    )
    return row
