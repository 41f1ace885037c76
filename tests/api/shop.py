"""A market that is served in the test's own process, and how to ask it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, delete, event, func, insert, select
from sqlmodel import Session, SQLModel
from starlette.testclient import TestClient

from api.app import create_app
from api.job_handlers import HANDLERS
from api.job_run import work_off
from api.settings import Settings
from domain import (
    access,
    activations,
    listings,
    markets,
    migrations,
    sample,
    simulations,
    stock,
    strategies,
    tables,
)
from domain.database import Database
from domain.pricing.content import StrategyContent
from domain.pricing.house import house_rule
from domain.tables import Role
from domain.trainings import PromotionPolicy, TrainingRequest
from ml import runs

KEYS = "keys.json"
ENVIRONMENT = "settings.env"

# Who asks is remembered for a moment, and revisions are read all the time.
OF_NO_REQUEST = ("FROM api_key", "FROM market ORDER BY market.id")
WATCH = "pricing-watch"
"""The thread that keeps the pricing fresh, asked or not."""

CAR = {
    "brand": "Peugeot",
    "model": "208",
    "releaseYear": 2021,
    "fuel": "essence",
    "mileageKm": 42_000,
}
"""A description that the sample market knows."""

CREATE_QUOTES = """
mutation ($input: CreateQuotesInput!) {
  createQuotes(input: $input) {
    quotes {
      id
      price { amount currency }
      marketPrice { amount }
      interval { low { amount } high { amount } coverage }
      match { score entry { brand model fuel } corrections { field given understood } }
      steps { kind explanation ruleKey factor amount before { amount } after { amount } }
      reviewReasons
      challenger
      createdBy
      replay { identical price { amount } }
    }
    userErrors { code message field }
  }
}
"""


def settings_of(folder: Path) -> Settings:
    """The settings of an installation in a folder, whatever the environment says."""
    return Settings(_env_file=folder / ENVIRONMENT, data_dir=folder)


def settle(folder: Path, **settings: str) -> None:
    """Write down settings of the installation in a folder, in place of the defaults."""
    lines = (f"FORECOURT_{name.upper()}={text}\n" for name, text in settings.items())
    (folder / ENVIRONMENT).write_text("".join(lines))


def made_market(folder: Path) -> None:
    """Make market FR in a folder: small, and with the model that is quickest to train."""
    settings = settings_of(folder)
    database = Database(settings.resolved_database_url)
    migrations.upgrade(database.engine)
    now = datetime.now(UTC)
    with database.unit_of_work() as session:
        market = markets.add(session, code="FR", name="France", currency="EUR", now=now)
        rows = list(sample.listings(today=now.date(), count=3_000))
        listings.add_listings(session, market, rows, today=now.date())
        stock.add_vehicles(
            session,
            market,
            list(sample.stock(today=now.date(), count=30)),
            today=now.date(),
            now=now,
            reason="taken into stock",
        )
    _train(database, settings, market)
    put_in_force(database, settings, house_rule(), name="House rule")
    with database.unit_of_work() as session:
        keys = {
            role.value: access.create(
                session,
                name=role.value.lower(),
                roles={role},
                secret=settings.secret_key_bytes,
                by="test",
                now=now,
            )[1]
            for role in Role
        }
    (folder / KEYS).write_text(json.dumps(keys))
    database.close()


def moved(source_url: str, target_url: str) -> None:
    """Copy every row of one database into another, empty one."""
    source, target = Database(source_url), Database(target_url)
    migrations.upgrade(target.engine)
    with source.reading() as old, target.unit_of_work() as new:
        # Rows that the migrations have made are among those that come.
        for table in reversed(SQLModel.metadata.sorted_tables):
            new.execute(delete(table))
        for table in SQLModel.metadata.sorted_tables:
            if rows := [dict(row._mapping) for row in old.execute(select(table))]:
                new.execute(insert(table), rows)
            if "id" in table.c:
                _count_on(new, table)
    source.close()
    target.close()


def _count_on(session: Session, table: Table) -> None:
    """Let PostgreSQL give the ids that follow those that are there."""
    counter = func.pg_get_serial_sequence(table.name, "id")
    highest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
    session.execute(select(func.setval(counter, highest, False)))


def _train(database: Database, settings: Settings, market: tables.Market) -> None:
    published = runs.run(
        database,
        market.id,
        TrainingRequest("linear_regression", {}, promotion=PromotionPolicy.IF_BETTER),
        artifact_key=settings.artifact_key,
        progress=lambda _share, _stage: None,
    )
    with database.unit_of_work() as session:
        published.publish(session, by="data_science", now=datetime.now(UTC))


def put_in_force(
    database: Database, settings: Settings, content: StrategyContent, *, name: str
) -> None:
    """Take a strategy of market FR through its whole life, until it prices."""
    now = datetime.now(UTC)
    with database.unit_of_work() as session:
        strategy = strategies.create(
            session,
            market=markets.by_code(session, "FR"),
            name=name,
            description=None,
            content=content,
            by="pricing",
            now=now,
        )
        version = strategies.versions_of(session, [strategy.id])[strategy.id][0]
        simulations.request(session, version.id, by="pricing", now=now)
        strategies.submit(session, version.id, by="pricing", now=now)
    work_off(database, settings, HANDLERS)
    with database.unit_of_work() as session:
        strategies.approve(session, version.id, by="approver", now=now)
        activations.activate(session, version.id, by="approver", now=now)


class Shop:
    """A served market and the keys to it."""

    def __init__(self, client: TestClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.keys: dict[str, str] = json.loads((folder / KEYS).read_text())

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database beneath, for what no client can do."""
        database = Database(settings_of(self.folder).resolved_database_url)
        yield database
        database.close()

    def ask(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        role: Role = Role.SALES,
        status: int = 200,
    ) -> dict[str, Any]:
        """The body of the answer, its status checked."""
        answer = self.client.post(
            "/graphql",
            json={"query": document, "variables": variables or {}},
            headers={"Authorization": f"Bearer {self.keys[role.value]}"},
        )
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def data(
        self, document: str, variables: dict[str, Any] | None = None, *, role: Role = Role.SALES
    ) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = self.ask(document, variables, role=role)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def quote(self, *vehicles: dict[str, Any], **input: Any) -> dict[str, Any]:
        """The payload of `createQuotes` for some vehicles of market FR."""
        asked = {"market": "FR", "vehicles": list(vehicles)} | input
        payload: dict[str, Any] = self.data(CREATE_QUOTES, {"input": asked})["createQuotes"]
        return payload

    def statements(self, work: Callable[[], object]) -> int:
        """How many SQL statements some work makes, those that follow no request apart."""
        counted: list[str] = []

        def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if threading.current_thread().name == WATCH:
                return
            is_asked = not any(each in statement for each in OF_NO_REQUEST)
            if statement.startswith("SELECT") and is_asked:
                counted.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            work()
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return len(counted)

    def work_off_jobs(self) -> None:
        """Do the jobs that wait, as a worker would."""
        with self.database() as database:
            work_off(database, settings_of(self.folder), HANDLERS)

    @property
    def now(self) -> datetime:
        """The present of the server."""
        return datetime.now(UTC)

    def put_in_force(self, content: StrategyContent) -> None:
        """Let a strategy of this content price, as of the next request."""
        before = self._strategy()
        with self.database() as database:
            put_in_force(database, settings_of(self.folder), content, name="Another")
        deadline = time.monotonic() + 60
        while self._strategy() == before:
            assert time.monotonic() < deadline, "the server never prices by it"
            time.sleep(0.05)

    def _strategy(self) -> str:
        asked = '{ market(code: "FR") { activeStrategy { id } } }'
        active: str = self.data(asked)["market"]["activeStrategy"]["id"]
        return active

    def quotes_stored(self) -> int:
        """How many quotes there are."""
        count: int = self.data("{ quotes { totalCount } }")["quotes"]["totalCount"]
        return count


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Serve the market of a folder."""
    with TestClient(create_app(settings_of(folder))) as client:
        yield Shop(client, folder)
