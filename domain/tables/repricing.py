"""Repricings: what a job prices the stock with, and how far it has come."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Column, ForeignKey
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Key


class Repricing(SQLModel, table=True):
    """One run over the stock; model, strategies and day are those of its request."""

    __tablename__ = "repricing"

    job_id: int = Field(
        sa_column=Column(Key, ForeignKey("job.id"), primary_key=True, autoincrement=False)
    )
    # ``domain.stock_filters``: which part of the stock.
    filter: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    model_id: int = Field(sa_column=Column(Key, ForeignKey("model_version.id"), nullable=False))
    strategy_version_id: int = Field(
        sa_column=Column(Key, ForeignKey("strategy_version.id"), nullable=False)
    )
    # The activation of the challenger that prices its share, where there was one.
    challenger_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("activation.id"))
    )
    estimation_date: date
    # Everything up to this vehicle is done, and nothing behind it.
    done_until: int = Field(default=0, sa_column=Column(Key, nullable=False))
    repriced: int = 0
    unchanged: int = 0
    failed: int = 0


class RepricingPart(SQLModel, table=True):
    """One stretch of a large repricing: done in any process, beside the others."""

    __tablename__ = "repricing_part"

    job_id: int = Field(
        sa_column=Column(Key, ForeignKey("repricing.job_id"), primary_key=True, autoincrement=False)
    )
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    # The job's attempt that may write: one that was thought dead and comes back may not.
    attempt: int
    # The ids of its vehicles lie behind ``done_until``, up to and with ``ends_at``.
    done_until: int = Field(sa_column=Column(Key, nullable=False))
    ends_at: int = Field(sa_column=Column(Key, nullable=False))
    repriced: int = 0
    unchanged: int = 0
    failed: int = 0
