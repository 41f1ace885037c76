"""The catalogue: the vehicle specifications that a market has seen."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.tables.columns import Key, word
from domain.vocabulary import Fuel, Gearbox


class CatalogueEntry(SQLModel, table=True):
    """One specification, and how often and in which years it was seen."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        UniqueConstraint("market_id", "specification", name="catalogue_entry_specification"),
        Index("catalogue_entry_brand_model", "market_id", "brand", "model"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    market_id: int = Field(sa_column=Column(Key, ForeignKey("market.id"), nullable=False))
    # The folded fields in one string: what makes two spellings the same specification.
    specification: str
    # Brand, model and version, folded: what a search looks through.
    words: str = Field(default="", sa_column_kwargs={"server_default": ""})
    brand: str
    model: str
    version: str | None = None
    trim: str | None = None
    engine: str | None = None
    fuel: Fuel = Field(sa_column=Column(word(Fuel), nullable=False))
    gearbox: Gearbox | None = Field(default=None, sa_column=Column(word(Gearbox)))
    doors: int | None = None
    horsepower: int | None = None
    engine_cc: int | None = None
    first_year: int | None = None
    last_year: int | None = None
    # Listings and stock vehicles of this specification; none is left where all were replaced.
    seen: int = Field(default=0)
