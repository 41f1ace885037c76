"""The audit trail: who changed the state of what, in a chain that shows what was tampered with.

Each event carries the SHA-256 of itself and of the event before. A changed, missing or inserted
row breaks the chain there; the head, a row that names the newest event, tells when the end is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from domain import tables
from domain.database import insert_into
from domain.pages import Ordered

GENESIS = "0" * 64
"""What the first event carries as the hash of the one before."""

JOB = "Job"
"""The kind of a subject that is long work, whatever the work is."""

_HEAD = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """The whole chain holds."""

    events: int


@dataclass(frozen=True, slots=True)
class FirstBadRow:
    """The chain holds up to this event, which is changed, missing or out of place."""

    id: int
    fault: str


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: tuple[str, int],
    detail: Mapping[str, Any],
    now: datetime,
) -> tables.AuditEvent:
    """Append one event, in the transaction that makes the change.

    From here to the commit nobody else can append, so call it last: whoever waits for a row that
    this transaction still wants would otherwise wait for ever.

    Args:
        action: the concept and what befell it, e.g. ``model.promoted``.
        subject: what was changed, by its GraphQL type, e.g. ``("ModelVersion", 7)``.
        detail: JSON values only.
    """
    head = _locked_head(session)
    kind, key = subject
    event = tables.AuditEvent(
        id=head.last_event + 1,
        at=now.astimezone(UTC),
        actor=actor,
        action=action,
        subject_kind=kind,
        subject_id=key,
        detail=dict(detail),
        previous_hash=head.last_hash,
        hash="",
    )
    event.hash = _hash(event)
    head.last_event, head.last_hash = event.id, event.hash
    session.add_all((event, head))
    session.flush()
    return event


def verify(session: Session) -> Verified | FirstBadRow:
    """Walk the chain from its first event to its head, without holding it in memory."""
    chain = select(tables.AuditEvent).order_by(col(tables.AuditEvent.id))
    streamed = chain.execution_options(yield_per=1000, populate_existing=True)
    previous_id, previous_hash = 0, GENESIS
    with closing(session.exec(streamed)) as events:
        for event in events:
            if event.id != previous_id + 1:
                return FirstBadRow(previous_id + 1, "missing")
            if event.previous_hash != previous_hash:
                return FirstBadRow(event.id, "not chained to the event before")
            if event.hash != _hash(event):
                return FirstBadRow(event.id, "changed")
            previous_id, previous_hash = event.id, event.hash
    return _verify_head(session, previous_id, previous_hash)


def listed(*, subject: tuple[str, int] | None = None, actor: str | None = None) -> Ordered:
    """Events, newest first: all of them, or those of one subject, one actor or both."""
    event = tables.AuditEvent
    statement = select(event)
    if subject is not None:
        kind, key = subject
        statement = statement.where(event.subject_kind == kind, event.subject_id == key)
    if actor is not None:
        statement = statement.where(event.actor == actor)
    return Ordered(statement, by=(col(event.id),), descending=True)


def of_subjects(
    session: Session, kind: str, keys: Collection[int]
) -> dict[int, list[tables.AuditEvent]]:
    """What befell each subject of one kind, oldest first."""
    event = tables.AuditEvent
    statement = select(event).where(event.subject_kind == kind, col(event.subject_id).in_(keys))
    found: dict[int, list[tables.AuditEvent]] = {key: [] for key in keys}
    for row in session.exec(statement.order_by(col(event.id))):
        found[row.subject_id].append(row)
    return found


def _verify_head(session: Session, last_event: int, last_hash: str) -> Verified | FirstBadRow:
    head = session.get(tables.AuditHead, _HEAD, populate_existing=True)
    if (last_event, last_hash) == (0, GENESIS) and head is None:
        return Verified(0)
    if head is None or head.last_event < last_event:
        return FirstBadRow(last_event, "newer than the head of the chain")
    if head.last_event > last_event:
        return FirstBadRow(last_event + 1, "missing")
    if head.last_hash != last_hash:
        return FirstBadRow(last_event, "not the event that the head names")
    return Verified(last_event)


def _locked_head(session: Session) -> tables.AuditHead:
    """The end of the chain, held until the transaction ends; SQLite's write lock does as much."""
    held = select(tables.AuditHead).with_for_update().execution_options(populate_existing=True)
    head = session.exec(held).one_or_none()
    if head is None:
        first = {"id": _HEAD, "last_event": 0, "last_hash": GENESIS}
        session.execute(
            insert_into(session, tables.AuditHead).values(first).on_conflict_do_nothing()
        )
        head = session.exec(held).one()
    return head


def _hash(event: tables.AuditEvent) -> str:
    """SHA-256 over the event before and all fields of this one, as canonical JSON."""
    fields = [
        event.previous_hash,
        event.id,
        event.at.isoformat(timespec="microseconds"),
        event.actor,
        event.action,
        event.subject_kind,
        event.subject_id,
        _exact(event.detail),
    ]
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _exact(value: Any) -> Any:
    """The value with whole floats as integers: PostgreSQL gives 1e22 back as one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(each) for each in value]
    return value
