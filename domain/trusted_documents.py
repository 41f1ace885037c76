"""Trusted documents: the operations of one's own front ends, known to the server by their hash.

A registered document is never changed or taken back: its hash is its text, and a front end that was
built with it may be open in somebody's browser for days.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlmodel import Session, col, select

from domain import tables


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
    return rows


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
