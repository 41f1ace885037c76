"""Markets: the countries in which the seller prices vehicles, and what is particular to each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from domain import tables
from domain.errors import Conflict, Faults, Invalid, NotFound, Path, Refusals
from domain.money import is_currency_code

_CODE = re.compile(r"[A-Z0-9]{1,16}")
NAME_MAX_LENGTH = 100


class MarketSettings(BaseModel):
    """What counts as impossible in a market, and when one of its quotes needs a second look.

    Only what differs from these defaults is stored, in ``tables.Market.settings``. Amounts are in
    the market's currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    earliest_release_year: int = Field(
        default=1950, ge=1886, le=2100, description="No vehicle is older."
    )
    max_mileage_km: int = Field(default=2_000_000, ge=1, le=10_000_000)
    min_price: Decimal = Field(default=Decimal(100), gt=0, decimal_places=2)
    max_price: Decimal = Field(default=Decimal(10_000_000), le=10**12, decimal_places=2)
    min_engine_cc: int = Field(default=50, ge=1, description="Below it, also 0, is no engine.")
    max_engine_cc: int = Field(default=10_000, le=100_000)
    min_horsepower: int = Field(default=1, ge=1)
    max_horsepower: int = Field(default=2_500, le=100_000)
    min_doors: int = Field(default=1, ge=0)
    max_doors: int = Field(default=9, le=20)
    quote_validity_days: int = Field(default=14, ge=1, le=365)
    low_match_score: float = Field(
        default=0.85, ge=0, le=1, description="A quote whose match scores less is to be reviewed."
    )
    wide_interval_share: Decimal = Field(
        default=Decimal("0.60"),
        gt=0,
        description="So is one whose interval is wider than this share of its market price.",
    )
    train_on_sales: bool = Field(
        default=False,
        description="Whether models also learn from what the seller's own vehicles were sold for.",
    )

    @model_validator(mode="after")
    def _minima_lie_below_maxima(self) -> Self:
        for what in ("price", "engine_cc", "horsepower", "doors"):
            if getattr(self, f"min_{what}") >= getattr(self, f"max_{what}"):
                raise ValueError(f"min_{what} has to be below max_{what}")
        return self


def add(session: Session, *, code: str, name: str, currency: str, now: datetime) -> tables.Market:
    """A new market, its settings the defaults.

    Raises:
        Refusals: the code, the name or the currency cannot be right.
        Conflict: the code is taken.
    """
    faults = Faults()
    if not _CODE.fullmatch(code):
        faults.invalid(
            f"The code {code!r} is not 1 to 16 upper-case letters and digits, as in FR.", "code"
        )
    name = name.strip()
    if not 0 < len(name) <= NAME_MAX_LENGTH or not name.isprintable():
        faults.invalid(f"A market's name has 1 to {NAME_MAX_LENGTH} letters.", "name")
    if not is_currency_code(currency):
        faults.invalid(
            f"{currency!r} is no ISO 4217 currency code: write it as in EUR.", "currency"
        )
    faults.raise_if_any()
    market = tables.Market(code=code, name=name, currency=currency, created_at=now)
    try:
        with session.begin_nested():
            session.add(market)
    except IntegrityError:
        raise Conflict(f"There is a market {code} already.", path=("code",)) from None
    return market


def find(session: Session, code: str) -> tables.Market | None:
    """The market with this code, where there is one."""
    if not _CODE.fullmatch(code):
        return None  # Not asked: PostgreSQL takes no text with a NUL character.
    return session.exec(select(tables.Market).where(tables.Market.code == code)).first()


def by_code(session: Session, code: str, *, path: Path = ("market",)) -> tables.Market:
    """The market with this code.

    Raises:
        NotFound: there is none; names the codes that there are.
    """
    market = find(session, code)
    if market is None:
        known = ", ".join(sorted(session.exec(select(tables.Market.code)).all()))
        advice = f"there are {known}." if known else "add the first one."
        raise NotFound(f"There is no market {code!r}: {advice}", path=path)
    return market


def only_one(session: Session, wanted: str | None) -> int | None:
    """The id of the market, where there is but one and a list asks for no other.

    Every index that a list is read by begins with the market. To say which one it is costs a glance
    and changes nothing, and it spares reading and sorting the whole table.
    """
    if wanted is not None:
        return None
    ids = session.exec(select(tables.Market.id).limit(2)).all()
    return ids[0] if len(ids) == 1 else None


def all_markets(session: Session) -> list[tables.Market]:
    """Every market, by code."""
    return list(session.exec(select(tables.Market).order_by(tables.Market.code)).all())


def settings_of(market: tables.Market) -> MarketSettings:
    """The settings in force in a market: the defaults and what was changed of them."""
    return MarketSettings.model_validate(market.settings)


def change_settings(market: tables.Market, changes: Mapping[str, Any]) -> MarketSettings:
    """Change some settings of a market; a change to None goes back to the default.

    Raises:
        Refusals: a setting that does not exist, or a value that it cannot have.
    """
    wanted = {**market.settings, **changes}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    try:
        settings = MarketSettings.model_validate(wanted)
    except ValidationError as wrong:
        raise Refusals([_refusal(dict(fault)) for fault in wrong.errors()]) from None
    market.settings = settings.model_dump(mode="json", exclude_defaults=True)
    return settings


def _refusal(fault: Mapping[str, Any]) -> Invalid:
    path = tuple(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = ", ".join(MarketSettings.model_fields)
        return Invalid(f"There is no setting {path[0]!r}: there are {known}.", path=path)
    return Invalid(f"{'.'.join(path) or 'settings'}: {fault['msg']}.", path=path)
