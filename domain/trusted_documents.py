"""Trusted documents: the operations of one's own front ends, known to the server by their hash.

A registered document is never changed: its hash is its text. A new release of a front end adds its
own beside those of the last, which may be open in somebody's browser for days; whoever is sure
that nobody sends one any more takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlmodel import Session, col, or_, select

from domain import audit, tables
from domain.errors import Faults, NotFound


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one operation, to the letter as clients send it, and the operation's name."""

    name: str
    body: str

    @property
    def hash(self) -> str:
        """Its SHA-256, in lower-case hexadecimal."""
        return sha256(self.body.encode()).hexdigest()


def add(
    session: Session, documents: Iterable[Document], *, by: str, now: datetime
) -> list[tables.TrustedDocument]:
    """Register documents; the rows of those that were not registered before."""
    wanted = {document.hash: document for document in documents}
    known = session.exec(
        select(tables.TrustedDocument.hash).where(col(tables.TrustedDocument.hash).in_(wanted))
    ).all()
    rows = [
        tables.TrustedDocument(
            hash=digest, name=document.name, body=document.body, added_by=by, added_at=now
        )
        for digest, document in wanted.items()
        if digest not in known
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        _record(session, "document.registered", row, by=by, now=now)
    return rows


def remove(
    session: Session, named: Sequence[str], *, by: str, now: datetime
) -> list[tables.TrustedDocument]:
    """Take documents back; the rows that there were.

    Args:
        named: hashes, or names of operations: then all documents of the name.

    Raises:
        Refusals: names each that leads nowhere; nothing is taken back then.
    """
    document = tables.TrustedDocument
    found = session.exec(
        select(document)
        .where(or_(col(document.hash).in_(named), col(document.name).in_(named)))
        .order_by(col(document.hash))
        .with_for_update()
    ).all()
    known = {text for row in found for text in (row.hash, row.name)}
    faults = Faults()
    for text in dict.fromkeys(named):
        if text not in known:
            faults.add(NotFound(f"No document has the hash or the name {text!r}."))
    faults.raise_if_any()
    for row in found:
        session.delete(row)
    session.flush()
    for row in found:
        _record(session, "document.removed", row, by=by, now=now)
    return list(found)


def listed(session: Session) -> list[tables.TrustedDocument]:
    """All of them, by name, the newest of a name first."""
    document = tables.TrustedDocument
    return list(
        session.exec(
            select(document).order_by(
                col(document.name), col(document.added_at).desc(), col(document.hash)
            )
        )
    )


def body_of(session: Session, hash: str) -> str | None:
    """The text registered under a hash; None where there is none."""
    row = session.get(tables.TrustedDocument, hash)
    return None if row is None else row.body


def _record(
    session: Session, action: str, row: tables.TrustedDocument, *, by: str, now: datetime
) -> None:
    audit.record(
        session,
        actor=by,
        action=action,
        subject=("TrustedDocument", row.number),
        detail={"hash": row.hash, "name": row.name},
        now=now,
    )
