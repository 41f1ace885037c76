"""Access: keys of people and systems, who they belong to, and what they allow."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from domain import audit, tables
from domain.errors import Faults, NotFound
from domain.tables import Role

MAX_NAME_LENGTH = 100

_PREFIX_BYTES = 6
_RANDOM_BYTES = 24
_SHAPE = re.compile(f"fc_([0-9a-f]{{{2 * _PREFIX_BYTES}}})_[0-9a-f]{{{2 * _RANDOM_BYTES}}}")
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the person or system that a key belongs to, and what the key allows."""

    name: str
    roles: frozenset[Role]


def allows(actor: Actor, any_of: Collection[Role]) -> bool:
    """Whether the actor may do what needs one of these roles: the one place that decides.

    ADMIN may do everything, and nothing needed is allowed to everybody.
    """
    return not any_of or Role.ADMIN in actor.roles or not actor.roles.isdisjoint(any_of)


def create(
    session: Session,
    *,
    name: str,
    roles: Collection[Role],
    secret: bytes,
    by: str,
    now: datetime,
) -> tuple[tables.ApiKey, str]:
    """A new key of a person or system, which may have several; four eyes counts the name.

    Args:
        secret: what keys are hashed with; without it a stolen database tells nothing to try.

    Returns:
        The row, and the key itself with 192 random bits: it is stored nowhere.

    Raises:
        Refusals: a name or roles that cannot be right.
    """
    name = name.strip()
    _check(name, roles)
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key_text = f"fc_{prefix}_{secrets.token_hex(_RANDOM_BYTES)}"
    key = tables.ApiKey(
        name=name,
        prefix=prefix,
        digest=_digest(key_text, secret),
        roles=sorted(roles),
        created_at=now,
    )
    session.add(key)
    session.flush()
    _record(session, "key.created", key, by=by, now=now)
    return key, key_text


def authenticate(session: Session, key_text: str, *, secret: bytes) -> Actor | None:
    """Who the key belongs to; None for one that is malformed, unknown, wrong or revoked.

    The time it takes tells nothing about how much of a key was right.
    """
    shape = _SHAPE.fullmatch(key_text)
    if shape is None:
        return None
    key = session.exec(select(tables.ApiKey).where(tables.ApiKey.prefix == shape[1])).one_or_none()
    stored = _NO_DIGEST if key is None else key.digest
    is_right = hmac.compare_digest(stored, _digest(key_text, secret))
    if key is None or not is_right or key.revoked_at is not None:
        return None
    return Actor(key.name, frozenset(Role(role) for role in key.roles))


def revoke(session: Session, name: str, *, by: str, now: datetime) -> int:
    """Revoke every key of a person or system; how many there were.

    Raises:
        NotFound: nobody of that name has a key in force.
    """
    in_force = session.exec(
        select(tables.ApiKey)
        .where(tables.ApiKey.name == name.strip(), col(tables.ApiKey.revoked_at).is_(None))
        .order_by(col(tables.ApiKey.id))
        .with_for_update()
    ).all()
    if not in_force:
        raise NotFound(f"There is no key in force of {name!r}: see `forecourt key list`.")
    for key in in_force:
        key.revoked_at = now
        _record(session, "key.revoked", key, by=by, now=now)
    return len(in_force)


def keys(session: Session) -> list[tables.ApiKey]:
    """All keys, revoked ones too, oldest first."""
    return list(session.exec(select(tables.ApiKey).order_by(col(tables.ApiKey.id))))


def _check(name: str, roles: Collection[Role]) -> None:
    faults = Faults()
    if not name:
        faults.invalid("A key needs the name of the person or system it belongs to.", "name")
    elif len(name) > MAX_NAME_LENGTH or not name.isprintable():
        faults.invalid(
            f"A name has at most {MAX_NAME_LENGTH} characters and no control characters.", "name"
        )
    if not roles:
        faults.invalid(f"A key needs a role at least: {', '.join(Role)}.", "roles")
    faults.raise_if_any()


def _digest(key_text: str, secret: bytes) -> str:
    return hmac.digest(secret, key_text.encode(), hashlib.sha256).hex()


def _record(session: Session, action: str, key: tables.ApiKey, *, by: str, now: datetime) -> None:
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("ApiKey", key.id),
        detail={"name": key.name, "prefix": key.prefix, "roles": key.roles},
        now=now,
    )
