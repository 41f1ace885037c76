import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from api.scalars import JSON, SCALARS


@strawberry.type
class Query:
    @strawberry.field
    def decimal(self, value: Decimal) -> Decimal:
        return value

    @strawberry.field
    def date(self, value: date) -> date:
        return value

    @strawberry.field
    def instant(self, value: datetime) -> datetime:
        return value

    @strawberry.field
    def json(self, value: JSON) -> JSON:
        return value


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
TYPES = {"decimal": "Decimal", "date": "Date", "instant": "DateTime", "json": "JSON"}


def by_variable(field: str, value: Any) -> Any:
    return SCHEMA.execute_sync(
        f"query Q($value: {TYPES[field]}!) {{ {field}(value: $value) }}", {"value": value}
    )


def by_literal(field: str, literal: str) -> Any:
    return SCHEMA.execute_sync(f"{{ {field}(value: {literal}) }}")


@pytest.mark.parametrize("ask", [by_variable, lambda field, v: by_literal(field, json.dumps(v))])
@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("decimal", "1.25", "1.25"),
        ("decimal", "-0.10", "-0.10"),
        ("decimal", "12390.00", "12390.00"),
        ("decimal", "0.000000000000000000000000000001"[:31], "0.00000000000000000000000000000"),
        ("decimal", 12390, "12390"),
        ("date", "2024-02-29", "2024-02-29"),
        ("instant", "2026-11-22T09:30:00+00:00", "2026-11-22T09:30:00+00:00"),
        ("instant", "2026-11-22T09:30:00Z", "2026-11-22T09:30:00+00:00"),
        ("instant", "2026-11-22T10:30+01:00", "2026-11-22T09:30:00+00:00"),
        ("instant", "2026-11-22T09:30:00.5Z", "2026-11-22T09:30:00.500000+00:00"),
    ],
)
def test_a_value_comes_back_in_the_form_of_the_contract(
    ask: Any, field: str, given: Any, told: str
) -> None:
    result = ask(field, given)

    assert result.errors is None
    assert result.data == {field: told}


WRONG = [
    ("decimal", "1e3"),
    ("decimal", "1e400"),
    ("decimal", "NaN"),
    ("decimal", "Infinity"),
    ("decimal", "+1"),
    ("decimal", " 1"),
    ("decimal", "1_000"),
    ("decimal", "1,5"),
    ("decimal", ".5"),
    ("decimal", "1."),
    ("decimal", ""),
    ("decimal", "١٢"),  # Arabic-Indic digits
    ("decimal", "1" * 31),
    ("decimal", "1\n"),
    ("decimal", 10**30),
    ("decimal", 1.25),  # a float has lost its digits already
    ("decimal", True),
    ("decimal", ["1"]),
    ("date", "2026-02-29"),
    ("date", "2026-11-22T00:00:00Z"),
    ("date", "20261122"),
    ("date", "2026-W47-7"),
    ("date", "0000-01-01"),
    ("date", 20261122),
    ("instant", "2026-11-22T09:30:00"),  # no offset names no instant
    ("instant", "2026-11-22"),
    ("instant", "2026-11-22 09:30:00Z"),
    ("instant", "2026-11-22T24:00:00Z"),
    ("instant", "2026-11-22T09:30:00+25:00"),
    ("instant", "0001-01-01T00:00:00+14:00"),
    ("instant", 1),
]


@pytest.mark.parametrize("ask", [by_variable, lambda field, v: by_literal(field, json.dumps(v))])
@pytest.mark.parametrize(("field", "given"), WRONG)
def test_a_wrong_value_is_told_to_the_caller_before_anything_runs(
    ask: Any, field: str, given: Any
) -> None:
    result = ask(field, given)

    assert result.data is None
    assert result.errors
    assert result.errors[0].path is None


@pytest.mark.parametrize(
    "value",
    [{"depth": 3, "rate": 0.5, "names": ["a", None, True]}, [], "text", 0, 2**63 - 1],
)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert by_variable("json", value).data == {"json": value}


def test_json_may_be_written_in_the_document() -> None:
    assert by_literal("json", '{depth: 3, names: ["a", null]}').data == {
        "json": {"depth": 3, "names": ["a", None]}
    }


@pytest.mark.parametrize(
    "value",
    [
        json.loads("[" * 40 + "]" * 40),
        {"n": 2**63},
        {"n": float("inf")},
        {"n": float("nan")},
        ["null character \0"],
        {"\0": 1},
    ],
)
def test_json_that_not_every_database_can_keep_is_refused(value: Any) -> None:
    assert by_variable("json", value).errors[0].path is None


@pytest.mark.parametrize("literal", ["1e400", "9" * 5_000, "[" * 100 + "]" * 100])
def test_json_literals_are_held_to_the_same(literal: str) -> None:
    assert by_literal("json", literal).errors[0].path is None


def test_an_instant_is_told_in_utc() -> None:
    paris = timezone(timedelta(hours=1))

    serialize = SCALARS[datetime].serialize

    assert serialize is not None
    assert serialize(datetime(2026, 11, 22, 10, 30, tzinfo=paris)) == "2026-11-22T09:30:00+00:00"


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Decimal, Decimal("NaN")), (datetime, datetime(2026, 11, 22))],
)
def test_what_the_contract_cannot_say_is_not_sent(kind: type, value: Any) -> None:
    serialize = SCALARS[kind].serialize

    assert serialize is not None
    with pytest.raises(ValueError, match=r"is not|without"):
        serialize(value)
