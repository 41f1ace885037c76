"""Simulations: what a strategy version would do to the stock, as it was found at one moment."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, false
from sqlmodel import Field, SQLModel

from domain.tables.columns import Document, Instant, Key


class Simulation(SQLModel, table=True):
    """What was asked for: one content, against today's prices or another content."""

    __tablename__ = "simulation"
    __table_args__ = (Index("simulation_version", "version_id", "content_hash", "id"),)

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    version_id: int = Field(
        sa_column=Column(Key, ForeignKey("strategy_version.id"), nullable=False)
    )
    # A draft may be edited afterwards, so what was simulated is kept here.
    content: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    content_hash: str
    baseline_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("strategy_version.id"))
    )
    baseline_content: dict[str, Any] | None = Field(default=None, sa_column=Column(Document))
    # Whether it is a back-test: of what was sold, against what was paid.
    on_sales: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    job_id: int = Field(sa_column=Column(Key, ForeignKey("job.id"), nullable=False, unique=True))
    requested_by: str
    requested_at: datetime = Field(sa_column=Column(Instant(), nullable=False))


class SimulationResult(SQLModel, table=True):
    """What came out; written once, when the run has succeeded.

    Apart from ``Simulation``, so that lists of simulations do not read megabytes.
    """

    __tablename__ = "simulation_result"

    simulation_id: int = Field(
        sa_column=Column(Key, ForeignKey("simulation.id"), primary_key=True, autoincrement=False)
    )
    model_id: int = Field(sa_column=Column(Key, ForeignKey("model_version.id"), nullable=False))
    estimation_date: date
    # ``domain.simulations.results.Summary``.
    summary: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    # One row a vehicle, inputs and prices: ``domain.simulations.storage``.
    vehicles: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
