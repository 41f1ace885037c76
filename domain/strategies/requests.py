"""Strategies as clients ask for them: by the market's code, and once however often it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from domain import activations, idempotency, markets, tables
from domain.pricing.content import StrategyContent
from domain.pricing.documents import to_document
from domain.strategies.lifecycle import create
from domain.strategies.reading import get, get_version


def create_once(
    session: Session,
    *,
    market: str,
    name: str,
    description: str | None,
    content: StrategyContent,
    by: str,
    now: datetime,
    idempotency_key: str | None,
) -> tables.Strategy:
    """A new strategy; the same key and input answers the one that was created first.

    Raises:
        NotFound: there is no such market.
        Refusals, Conflict: see ``create``.
        IdempotencyMismatch: the key was used for another strategy.
    """
    row = markets.by_code(session, market)

    def produce() -> dict[str, Any]:
        strategy = create(
            session,
            market=row,
            name=name,
            description=description,
            content=content,
            by=by,
            now=now,
        )
        return {"strategy": strategy.id}

    document, _ = idempotency.once(
        session,
        caller=by,
        operation="createStrategy",
        key=idempotency_key,
        input={
            "market": market,
            "name": name,
            "description": description,
            "content": to_document(content),
        },
        now=now,
        produce=produce,
    )
    return get(session, document["strategy"])


def active_version(session: Session, market: str, *, at: datetime) -> tables.StrategyVersion | None:
    """The version that prices a market's quotes at an instant, challengers apart.

    Raises:
        NotFound: there is no such market.
    """
    row = markets.by_code(session, market)
    active = activations.in_force(session, row.id, at).active
    return None if active is None else session.get(tables.StrategyVersion, active.version_id)


def roll_back(
    session: Session,
    market: str,
    *,
    reason: str,
    expected_version_id: int | None,
    by: str,
    now: datetime,
) -> tables.StrategyVersion:
    """Go back to what was active before in a market; the version that prices from now on.

    Args:
        expected_version_id: the version that the caller saw in force.

    Raises:
        NotFound: there is no such market.
        Refusals, NoActiveStrategy, InvalidState, Conflict: see ``activations.roll_back``.
    """
    row = markets.by_code(session, market)
    restored = activations.roll_back(
        session, row.id, reason=reason, by=by, now=now, expected_version_id=expected_version_id
    )
    return get_version(session, restored.version_id)
