"""The scalars of the contract: exact decimals, dates, instants, and JSON for plug-ins.

Each refuses in the type system what the business could only misread: a wrong value is a GraphQL
validation error and never reaches a resolver.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode
from graphql.utilities import value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

JSON = NewType("JSON", object)
"""Any JSON value; its shape belongs to a plug-in."""

MAX_DIGITS = 30
MAX_JSON_DEPTH = 32
MAX_INTEGER = 2**63 - 1

DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def decimal_from(value: object) -> Decimal:
    """A number given as text, or as an integer; a JSON float has lost its digits already."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**MAX_DIGITS else ""
    if not isinstance(value, str):
        raise GraphQLError('Write a decimal as a string, e.g. "1.25".')
    if len(value) > MAX_DIGITS + 2 or not DECIMAL.fullmatch(value):
        raise GraphQLError(f'Not a decimal number of at most {MAX_DIGITS} digits, e.g. "1.25".')
    if sum(character.isdigit() for character in value) > MAX_DIGITS:
        raise GraphQLError(f"A decimal number has at most {MAX_DIGITS} digits.")
    return Decimal(value)


def decimal_text(value: Decimal | str) -> str:
    """The number as it is kept, without exponent; text is plain already."""
    if isinstance(value, str):
        return value
    if not value.is_finite():
        raise ValueError(f"{value} is not an exact decimal number")
    return format(value, "f")


def date_from(value: object) -> date:
    """A calendar day written ``2026-11-22``, and no other form of ISO 8601."""
    if not isinstance(value, str) or not DATE.fullmatch(value):
        raise GraphQLError('Write a date like "2026-11-22".')
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("There is no such day.") from None


def instant_from(value: object) -> datetime:
    """An instant in UTC; text without an offset names no instant."""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise GraphQLError('Write an instant with its offset, like "2026-11-22T09:30:00+00:00".')
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("There is no such instant.") from None


def instant_text(value: datetime) -> str:
    """ISO 8601 in UTC, e.g. ``2026-11-22T09:30:00+00:00``."""
    if value.tzinfo is None:
        raise ValueError(f"{value} is an instant without an offset")
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()


def json_from(value: object) -> JSON:
    """A JSON value that every database and every client can hold.

    Raises:
        GraphQLError: nested deeper than ``MAX_JSON_DEPTH``, a number that is not finite or wider
            than 64 bits, or text with the null character, which PostgreSQL cannot store.
    """
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > MAX_JSON_DEPTH:
            raise GraphQLError(f"JSON is nested deeper than {MAX_JSON_DEPTH} levels.")
        if isinstance(each, dict):
            waiting.extend((part, depth + 1) for item in each.items() for part in item)
        elif isinstance(each, list):
            waiting.extend((item, depth + 1) for item in each)
        else:
            _check_json_leaf(each)
    return JSON(value)


def _check_json_leaf(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise GraphQLError("JSON knows no infinite numbers.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise GraphQLError("JSON integers have at most 64 bits here.")
    if isinstance(value, str) and "\0" in value:
        raise GraphQLError("JSON text cannot hold the null character here.")


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> JSON:
    try:
        value = value_from_ast_untyped(node, variables)
    except (ValueError, OverflowError, RecursionError):
        raise GraphQLError("Not a JSON value that can be kept.") from None
    return json_from(value)


def _literal(parse: Callable[[object], Any], *, integers: bool = False) -> Callable[..., Any]:
    """A parser of literals in a document, from the parser of values in its variables."""
    accepted = (StringValueNode, IntValueNode) if integers else (StringValueNode,)

    def parse_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        if isinstance(node, accepted):
            return parse(node.value)
        return parse(None)

    return parse_literal


SCALARS: Mapping[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='Exact decimal number as a string, e.g. "1.25". Never a binary float.',
        serialize=decimal_text,
        parse_value=decimal_from,
        parse_literal=_literal(decimal_from, integers=True),
    ),
    date: strawberry.scalar(
        name="Date",
        description="ISO 8601 calendar date, e.g. 2026-11-22.",
        serialize=date.isoformat,
        parse_value=date_from,
        parse_literal=_literal(date_from),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 instant with offset, e.g. 2026-11-22T09:30:00+00:00.",
        serialize=instant_text,
        parse_value=instant_from,
        parse_literal=_literal(instant_from),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description=(
            "A JSON value. Used only where the shape belongs to a plug-in, e.g. hyperparameters."
        ),
        serialize=lambda value: value,
        parse_value=json_from,
        parse_literal=_json_literal,
    ),
}
"""For ``StrawberryConfig(scalar_map=...)``."""
