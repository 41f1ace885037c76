"""What a client sees while the database is away, busy or full: a code and when to ask again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url, text
from sqlmodel import Session, select

from domain import tables
from domain.database import Database
from domain.tables import Role
from tests.api.shop import CAR, CREATE_QUOTES, Shop, open_shop, settings_of, settle
from tests.conftest import needs_postgres

QUOTE = {"input": {"market": "FR", "vehicles": [CAR], "idempotencyKey": "once"}}
PROMOTE = """
mutation { promoteModel(input: { model: "TW9kZWxWZXJzaW9uOjE", force: true, reason: "x" }) {
  userErrors { code } } }
"""


@pytest.fixture
def impatient(folder_on_postgres: Path) -> Iterator[Shop]:
    """Market FR on PostgreSQL, served by a process that soon gives up waiting."""
    url = settings_of(folder_on_postgres).resolved_database_url
    settle(folder_on_postgres, database_url=url, database_lock_timeout_s="0.3")
    with open_shop(folder_on_postgres) as shop:
        yield shop


def ask(shop: Shop, document: str, variables: dict[str, Any], *, role: Role) -> httpx2.Response:
    return shop.client.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"Authorization": f"Bearer {shop.keys[role.value]}"},
    )


def codes(answer: httpx2.Response) -> list[str]:
    return [each["extensions"]["code"] for each in answer.json()["errors"]]


def hold_the_quotes(session: Session) -> None:
    session.connection().execute(text("LOCK TABLE quote IN ACCESS EXCLUSIVE MODE"))


@needs_postgres
def test_a_blocked_statement_ends_with_a_code_and_when_to_ask_again(impatient: Shop) -> None:
    with impatient.database() as database, database.unit_of_work() as session:
        hold_the_quotes(session)
        blocked = ask(impatient, CREATE_QUOTES, QUOTE, role=Role.SALES)
    then = impatient.data(CREATE_QUOTES, QUOTE)

    assert blocked.status_code == 503
    assert blocked.headers["Retry-After"] == "1"
    assert codes(blocked) == ["UNAVAILABLE"]
    assert "data" not in blocked.json()
    assert then["createQuotes"]["userErrors"] == []
    assert impatient.quotes_stored() == 1


@needs_postgres
def test_a_promotion_does_not_wait_for_ever_for_another(impatient: Shop) -> None:
    with impatient.database() as database, database.unit_of_work() as session:
        session.exec(select(tables.Market).with_for_update()).one()
        blocked = ask(impatient, PROMOTE, {}, role=Role.DATA_SCIENCE)

    assert (blocked.status_code, codes(blocked)) == (503, ["UNAVAILABLE"])


@needs_postgres
def test_what_could_be_answered_is_answered(impatient: Shop) -> None:
    half = '{ market(code: "FR") { code } quotes { totalCount } }'
    with impatient.database() as database, database.unit_of_work() as session:
        hold_the_quotes(session)
        answer = ask(impatient, half, {}, role=Role.SALES)

    assert codes(answer) == ["UNAVAILABLE"]
    assert answer.json()["errors"][0]["extensions"]["retryAfter"] == 1


@needs_postgres
def test_connections_that_the_server_has_closed_are_replaced_unseen(impatient: Shop) -> None:
    before = impatient.quotes_stored()
    with impatient.database() as database:
        cut(database)

        after = ask(impatient, CREATE_QUOTES, QUOTE, role=Role.SALES)

    assert (before, after.status_code) == (0, 200)
    assert impatient.quotes_stored() == 1


def cut(database: Database) -> None:
    """End every other connection to the database, as an administrator may."""
    name = make_url(str(database.engine.url)).database
    with database.unit_of_work() as session:
        session.connection().execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = :name AND pid <> pg_backend_pid()"
            ),
            {"name": name},
        )
