"""Money: exact decimal amounts in one currency, and the one rounding that prices know."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import UnknownLocaleError
from babel.numbers import get_currency_precision, is_currency

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str

    def text(self) -> str:
        """The amount with at least the currency's minor digits, e.g. ``12390.00``."""
        return plain_text(self.amount, minor_digits=minor_digits(self.currency))


def to_cents(amount: Decimal) -> Decimal:
    """The amount to 0.01, half up: the market price once, and the price at the very end."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def amount(cents: int) -> Decimal:
    """Whole hundredths as an amount."""
    return Decimal(cents).scaleb(-2)


def plain_text(amount: Decimal, *, minor_digits: int = 2) -> str:
    """An exact amount without exponent, its trailing zeros cut down to ``minor_digits``."""
    text = format(amount, "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(minor_digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


@cache
def minor_digits(currency: str) -> int:
    """Digits after the point that the currency's coins have (ISO 4217), e.g. 2 for EUR."""
    return int(get_currency_precision(currency))


def is_currency_code(code: str) -> bool:
    """Whether ISO 4217 knows the code."""
    try:
        return (
            len(code) == 3 and code.isascii() and code.isupper() and bool(is_currency(code, "en"))
        )
    except UnknownLocaleError:  # pragma: no cover - "en" ships with the library
        return False
