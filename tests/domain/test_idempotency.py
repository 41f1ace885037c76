from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, func, select

from domain import idempotency, tables
from domain.database import Database
from domain.errors import IdempotencyMismatch, Invalid
from tests import factories
from tests.conftest import NOON


class Counting:
    """Makes a result that tells how many were made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> dict[str, Any]:
        self.made += 1
        return {"number": self.made}


def ask(session: Session, produce: Any, **facts: Any) -> tuple[dict[str, Any], bool]:
    valid: dict[str, Any] = {
        "caller": "ana",
        "operation": "createQuotes",
        "key": "k-1",
        "input": {"market": "FR", "vehicles": [1, 2]},
        "now": NOON,
    }
    return idempotency.once(session, **valid | facts, produce=produce)


def test_the_same_key_and_input_answer_the_first_result(session: Session) -> None:
    produce = Counting()

    first, again = ask(session, produce), ask(session, produce)

    assert first == ({"number": 1}, False)
    assert again == ({"number": 1}, True)


def test_the_order_of_an_inputs_fields_means_nothing(embedded_session: Session) -> None:
    produce = Counting()

    ask(embedded_session, produce, input={"a": 1, "b": 2})
    ask(embedded_session, produce, input={"b": 2, "a": 1})

    assert produce.made == 1


def test_another_input_is_refused(session: Session) -> None:
    ask(session, Counting())

    with pytest.raises(IdempotencyMismatch) as refused:
        ask(session, Counting(), input={"market": "FR", "vehicles": [2, 1]})

    assert refused.value.path == ("idempotencyKey",)


@pytest.mark.parametrize(
    "other",
    [
        {"caller": "bob"},  # everybody has keys of their own
        {"operation": "createOrder"},
        {"key": "k-2"},
        {"key": None},  # the caller does not care
    ],
)
def test_what_is_not_the_same_request_gets_its_own_result(
    embedded_session: Session, other: dict[str, Any]
) -> None:
    produce = Counting()
    ask(embedded_session, produce)

    assert ask(embedded_session, produce, **other) == ({"number": 2}, False)


def test_what_fails_does_not_use_up_the_key(database: Database) -> None:
    def fail() -> dict[str, Any]:
        raise Invalid("no", path=())

    with pytest.raises(Invalid), database.unit_of_work() as session:
        ask(session, fail)

    with database.unit_of_work() as session:
        assert ask(session, Counting()) == ({"number": 1}, False)


def test_a_result_is_kept_for_a_day_and_then_forgotten(session: Session) -> None:
    produce = Counting()
    ask(session, produce)

    within = ask(session, produce, now=NOON + timedelta(hours=24))
    after = ask(session, produce, now=NOON + timedelta(hours=24, microseconds=1))

    assert (within[1], after[1]) == (True, False)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "\ud800"])
def test_a_key_that_cannot_be_kept_is_refused(embedded_session: Session, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(embedded_session, Counting(), key=key)

    assert refused.value.path == ("idempotencyKey",)


def test_requests_at_the_same_time_make_one_result(database: Database) -> None:
    together = threading.Barrier(6)

    def send(_: int) -> tuple[dict[str, Any], bool]:
        together.wait()
        with database.unit_of_work() as session:

            def produce() -> dict[str, Any]:
                time.sleep(0.05)
                return {"market": factories.a_market(session, f"M{time.monotonic_ns()}"[:16]).id}

            return ask(session, produce)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(6)))

    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(tables.Market)).one() == 1
    assert len({str(result) for result, _ in answers}) == 1
    assert sorted(repeated for _, repeated in answers) == [False] + 5 * [True]
