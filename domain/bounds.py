"""Bounds of what clients look for, as the database can hold them against its columns."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from sqlalchemy import ColumnElement

from domain.errors import Invalid
from domain.money import CENT

MAX_SEARCH_LENGTH = 200

_GREATEST = Decimal(10) ** 15
"""More than anything costs, and as whole hundredths still within 64 bits."""


def at_least(amounts: Any, bound: Decimal) -> ColumnElement[bool]:
    """Amounts of ``bound`` or more; a bound between two hundredths is moved up to the next."""
    condition: ColumnElement[bool] = amounts >= _hundredths(bound, ROUND_CEILING)
    return condition


def at_most(amounts: Any, bound: Decimal) -> ColumnElement[bool]:
    """Amounts of ``bound`` or less; a bound between two hundredths is moved down to the next."""
    condition: ColumnElement[bool] = amounts <= _hundredths(bound, ROUND_FLOOR)
    return condition


def _hundredths(bound: Decimal, rounding: str) -> Decimal:
    return max(-_GREATEST, min(bound, _GREATEST)).quantize(CENT, rounding=rounding)


def check_search(text: str, *path: str) -> str:
    """The text to look for: what nobody would type takes a database minutes, or is beyond it.

    Raises:
        Invalid: it is too long; at ``path``.
    """
    if len(text) > MAX_SEARCH_LENGTH:
        raise Invalid(f"Search for at most {MAX_SEARCH_LENGTH} characters.", path=path)
    return text
