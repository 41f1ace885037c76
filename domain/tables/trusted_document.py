"""Trusted documents: GraphQL operations that an operator has registered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from domain.tables.columns import Instant


class TrustedDocument(SQLModel, table=True):
    """The text of one operation, named by its SHA-256 in lower-case hexadecimal."""

    __tablename__ = "trusted_document"

    hash: str = Field(primary_key=True)
    name: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    added_by: str
    added_at: datetime = Field(sa_column=Column(Instant(), nullable=False))

    @property
    def number(self) -> int:
        """The first 60 bits of the hash: the audit trail knows its subjects by a number."""
        return int(self.hash[:15], 16)
