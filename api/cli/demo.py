"""`forecourt demo`: a market to play with, made once, kept afterwards."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func
from sqlmodel import Session, col, select

from api.cli.common import Installation, opened
from api.cli.models import DEFAULT_ALGORITHM, show
from api.cli.server import Host, Port, require_free, serve
from api.job_handlers import HANDLERS
from api.job_run import work_off
from domain import (
    access,
    activations,
    listings,
    markets,
    migrations,
    models,
    sales,
    sample,
    simulations,
    stock,
    strategies,
    tables,
)
from domain.pricing.house import house_rule
from domain.tables import JobKind, Role, StoredStatus
from domain.trainings import PromotionPolicy, TrainingRequest
from ml import runs

CODE, NAME, CURRENCY = "FR", "France", "EUR"
LISTINGS = 20_000
HOUSE_RULE = "House rule"
ROWS_AT_ONCE = 1_000
KEYS_FILE = "demo-keys.json"
"""In the data directory, readable by its owner alone: a demo's keys are shown at each start."""


def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve at the end.")] = True,
) -> None:
    """Make a sample market with model, strategy and keys, and serve it.

    Run again it keeps what is there.
    """
    if serving:
        require_free(host, port)
    with opened(migrated=False) as installation:
        migrations.upgrade(installation.database.engine)
        fill(installation)
        keys = kept_keys(installation)
    typer.echo("\nKeys (Authorization: Bearer KEY), one a role:")
    for role, key in keys.items():
        typer.echo(f"  {role:13} {key}")
    if serving:
        typer.echo(f"\nGraphiQL: http://{host}:{port}/graphql   (stop with Ctrl-C)\n")
        serve(host=host, port=port)


def fill(installation: Installation) -> None:
    """Make whatever of the sample market is not there yet."""
    database = installation.database
    with database.unit_of_work() as session:
        market = markets.find(session, CODE) or markets.add(
            session, code=CODE, name=NAME, currency=CURRENCY, now=datetime.now(UTC)
        )
    add_listings(installation, market)
    add_stock(installation, market)
    add_sales(installation, market)
    train_champion(installation, market)
    activate_house_rule(installation, market)


def add_listings(installation: Installation, market: tables.Market) -> None:
    """The sample's listings; where an earlier run was interrupted, all of them again."""
    with installation.database.reading() as session:
        if _count(session, tables.Listing, market) >= LISTINGS:
            return
    today = datetime.now(UTC).date()
    made = sample.listings(today=today, count=LISTINGS)
    with _step("listings"):
        while rows := list(islice(made, ROWS_AT_ONCE)):
            with installation.database.unit_of_work() as session:
                listings.add_listings(session, market, rows, today=today)


def add_stock(installation: Installation, market: tables.Market) -> None:
    """The sample's stock."""
    now = datetime.now(UTC)
    with installation.database.unit_of_work() as session:
        if _count(session, tables.Vehicle, market):
            return
        with _step("stock"):
            rows = list(sample.stock(today=now.date()))
            stock.add_vehicles(
                session, market, rows, today=now.date(), now=now, reason="taken into stock"
            )


def add_sales(installation: Installation, market: tables.Market) -> None:
    """The sample's sales of its stock; references that a kept, older stock lacks are left out."""
    today = datetime.now(UTC).date()
    with installation.database.unit_of_work() as session:
        if _count(session, tables.Order, market):
            return
        with _step("sales"):
            rows = list(sample.sales(sample.stock(today=today), today=today))
            sales.add_sales(session, market, rows, today=today)


def train_champion(installation: Installation, market: tables.Market) -> None:
    """A model of the sample's listings, promoted."""
    database = installation.database
    with database.reading() as session:
        if models.champion_ids(session, [market.id]):
            return
    request = TrainingRequest(DEFAULT_ALGORITHM, {}, promotion=PromotionPolicy.IF_BETTER)
    with _step("model"):
        published = runs.run(
            database,
            market.id,
            request,
            artifact_key=installation.settings.artifact_key,
            progress=lambda _share, _stage: None,
        )
        with database.unit_of_work() as session:
            version = published.publish(session, by=_name(Role.DATA_SCIENCE), now=datetime.now(UTC))
    show(version, is_champion=True)


def activate_house_rule(installation: Installation, market: tables.Market) -> None:
    """The house rule, written by one person, simulated, and approved and activated by another."""
    with installation.database.reading() as session:
        if activations.in_force(session, market.id, datetime.now(UTC)).active:
            return
        version = _waiting_house_rule(session, market)
    with _step("strategy"):
        version = version or submit_house_rule(installation, market)
        work_off(
            installation.database,
            installation.settings,
            {JobKind.SIMULATION: HANDLERS[JobKind.SIMULATION]},
        )
        reviewer, now = _name(Role.APPROVER), datetime.now(UTC)
        with installation.database.unit_of_work() as session:
            strategies.approve(session, version.id, by=reviewer, now=now)
            activations.activate(session, version.id, by=reviewer, now=now)


def _waiting_house_rule(session: Session, market: tables.Market) -> tables.StrategyVersion | None:
    """The version that an interrupted run has left behind."""
    version, strategy = tables.StrategyVersion, tables.Strategy
    statement = (
        select(version)
        .join(strategy, col(strategy.id) == version.strategy_id)
        .where(
            strategy.market_id == market.id,
            strategy.name == HOUSE_RULE,
            version.status == StoredStatus.SUBMITTED,
        )
    )
    return session.exec(statement).first()


def submit_house_rule(installation: Installation, market: tables.Market) -> tables.StrategyVersion:
    """The house rule, waiting for a verdict, and a simulation of it that waits for a worker."""
    author, now = _name(Role.PRICING), datetime.now(UTC)
    with installation.database.unit_of_work() as session:
        strategy = strategies.create(
            session,
            market=market,
            name=HOUSE_RULE,
            description="By brand and fuel, as the trade has always done it.",
            content=house_rule(),
            by=author,
            now=now,
        )
        version = strategies.versions_of(session, [strategy.id])[strategy.id][0]
        simulations.request(session, version.id, by=author, now=now)
        return strategies.submit(session, version.id, by=author, now=now)


def kept_keys(installation: Installation) -> Mapping[str, str]:
    """A key for each role, made the first time."""
    kept = installation.settings.data_dir / KEYS_FILE
    if kept.exists():
        keys: dict[str, str] = json.loads(kept.read_text())
        return keys
    with installation.database.unit_of_work() as session:
        keys = {
            role.value: access.create(
                session,
                name=_name(role),
                roles={role},
                secret=installation.settings.secret_key_bytes,
                by="forecourt demo",
                now=datetime.now(UTC),
            )[1]
            for role in Role
        }
    _write_private(kept, json.dumps(keys, indent=2))
    return keys


def _name(role: Role) -> str:
    return f"demo-{role.value.lower().replace('_', '-')}"


def _count(
    session: Session,
    table: type[tables.Listing] | type[tables.Vehicle] | type[tables.Order],
    market: tables.Market,
) -> int:
    counted = select(func.count()).select_from(table).where(col(table.market_id) == market.id)
    return session.exec(counted).one()


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


@contextmanager
def _step(what: str) -> Iterator[None]:
    started = time.monotonic()
    typer.echo(f"Making the sample's {what} ...", err=True)
    yield
    typer.echo(f"  done in {time.monotonic() - started:.1f} s", err=True)
