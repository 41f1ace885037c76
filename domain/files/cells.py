"""What a cell of a file says: text, a whole number, an amount, a day.

A cell of a CSV file is text; one of a Parquet file has a type. Both are read strictly: "12,500",
"5 doors" or "01/02/2020" could mean two things, so they mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeGuard

Parse = Callable[[Any], Any]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,18})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOO_GREAT = 10**18


class Unreadable(ValueError):
    """A cell that does not say what its column holds; says what would."""


def is_empty(cell: object) -> bool:
    """Whether a cell, trimmed where it is text, says nothing; NaN is how tables write that."""
    return cell is None or cell == "" or cell != cell


def text(cell: Any) -> str:
    """A text, or a whole number that names something, e.g. the model 208."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    raise Unreadable(f"{cell!r} is no text")


def whole(cell: Any) -> int:
    """A whole number; ``5.0`` is one, as tables with empty cells write it."""
    if isinstance(cell, str):
        if cell.isascii() and cell.isdigit() and len(cell) < 19:
            return int(cell)
        if _WHOLE.fullmatch(cell):
            return int(cell.partition(".")[0])
    elif _is_number(cell) and cell == int(cell):
        return int(cell)
    raise Unreadable(f"{cell!r} is no whole number, as in 40000")


def amount(cell: Any) -> Decimal:
    """An exact decimal number."""
    if isinstance(cell, str) and _DECIMAL.fullmatch(cell):
        return Decimal(cell)
    if _is_number(cell):
        return Decimal(str(cell))
    raise Unreadable(f"{cell!r} is no number, as in 12390.00")


def day(cell: Any) -> date:
    """A calendar day."""
    if isinstance(cell, str):
        return _day(cell)
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    raise Unreadable(f"{cell!r} is no day, as in 2026-11-22")


def _is_number(cell: object) -> TypeGuard[int | float | Decimal]:
    return (
        isinstance(cell, int | float | Decimal)
        and not isinstance(cell, bool)
        and -_TOO_GREAT < cell < _TOO_GREAT
    )


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Unreadable(f"{text!r} is no day, as in 2026-11-22")
