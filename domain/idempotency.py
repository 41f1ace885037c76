"""Idempotency: a request that is sent again answers the first result instead of a second one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from domain import tables
from domain.database import insert_into
from domain.errors import IdempotencyMismatch, Invalid

KEPT_FOR = timedelta(hours=24)
MAX_KEY_LENGTH = 200

_PRUNED_AT_ONCE = 100


def once(
    session: Session,
    *,
    caller: str,
    operation: str,
    key: str | None,
    input: Any,
    now: datetime,
    produce: Callable[[], dict[str, Any]],
) -> tuple[dict[str, Any], bool]:
    """The result of the first request with this key, or what ``produce`` makes for it now.

    Of two requests at once the second waits here until the first commits. What is refused is not
    kept: the unit of work that fails takes the key with it.

    Args:
        key: the caller's own, opaque; None where the caller does not care.
        input: all that the caller gave, as JSON values, before any default was filled in.
        produce: makes the change and returns the result as JSON values.

    Returns:
        The result, and whether it is that of an earlier request.

    Raises:
        Invalid: an empty, overlong or unprintable key, at ``idempotencyKey``.
        IdempotencyMismatch: the caller has used the key with another input.
    """
    if key is None:
        return produce(), False
    _check(key)
    prune(session, now=now)
    input_hash = _hash(input)
    if not _take(session, caller, operation, key, input_hash, now):
        return _first_result(session, caller, operation, key, input_hash), True
    result = produce()
    _row(session, caller, operation, key).result = result
    session.flush()
    return result, False


def find(
    session: Session,
    *,
    caller: str,
    operation: str,
    key: str | None,
    input: Callable[[], Any],
) -> dict[str, Any] | None:
    """The result of the first request with this key, where it has been kept; it only reads.

    Args:
        input: makes what the caller gave, as for ``once``; called only where it is needed.

    Raises:
        Invalid, IdempotencyMismatch: as ``once``.
    """
    if key is None:
        return None
    _check(key)
    if session.exec(_kept(caller, operation, key)).one_or_none() is None:
        return None
    return _first_result(session, caller, operation, key, _hash(input()))


def prune(session: Session, *, now: datetime) -> None:
    """Forget some of the results that are old enough.

    A few at a time, and none that another transaction is busy with, so that nobody waits.
    """
    old = (
        select(tables.IdempotentResult.id)
        .where(tables.IdempotentResult.created_at < now - KEPT_FOR)
        .order_by(col(tables.IdempotentResult.created_at))
        .limit(_PRUNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(tables.IdempotentResult).where(col(tables.IdempotentResult.id).in_(old)),
        execution_options={"synchronize_session": False},
    )


def _take(
    session: Session, caller: str, operation: str, key: str, input_hash: str, now: datetime
) -> bool:
    """Whether the key is ours from here on; waits for another transaction that is taking it."""
    row = insert_into(session, tables.IdempotentResult).values(
        caller=caller,
        operation=operation,
        key=key,
        input_hash=input_hash,
        result={},
        created_at=now,
    )
    taken = row.on_conflict_do_nothing().returning(col(tables.IdempotentResult.id))
    return session.execute(taken).one_or_none() is not None


def _first_result(
    session: Session, caller: str, operation: str, key: str, input_hash: str
) -> dict[str, Any]:
    first = _row(session, caller, operation, key)
    if first.input_hash != input_hash:
        raise IdempotencyMismatch(
            "This idempotency key was used before with another input: take a new key.",
            path=("idempotencyKey",),
        )
    return first.result


def _row(session: Session, caller: str, operation: str, key: str) -> tables.IdempotentResult:
    return session.exec(_kept(caller, operation, key)).one()


def _kept(caller: str, operation: str, key: str) -> SelectOfScalar[tables.IdempotentResult]:
    return select(tables.IdempotentResult).where(
        tables.IdempotentResult.caller == caller,
        tables.IdempotentResult.operation == operation,
        tables.IdempotentResult.key == key,
    )


def _check(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Invalid(
            f"An idempotency key has 1 to {MAX_KEY_LENGTH} printable characters.",
            path=("idempotencyKey",),
        )


def _hash(input: Any) -> str:
    canonical = json.dumps(input, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
