"""Rows by id, many in one statement: nothing below a list asks the database once a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from sqlmodel import Session, SQLModel, select
from strawberry.dataloader import DataLoader

from domain import (
    activations,
    audit,
    comparables,
    models,
    offers,
    predictions,
    price_history,
    repricing,
    sales_lists,
    simulations,
    strategies,
    tables,
)
from domain.ledger import Ledger
from domain.vehicles import VehicleFacts
from ml.health import Health, health_of

if TYPE_CHECKING:
    from api.context import Context

Row = TypeVar("Row", bound=SQLModel)
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class MarketPriceWanted:
    """A vehicle of a market whose price the champion is asked for."""

    market_id: int
    facts: VehicleFacts


class Loaders:
    """The loaders of one operation; each is made when it is first needed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @cached_property
    def market(self) -> DataLoader[int, tables.Market | None]:
        return self._rows(tables.Market)

    @cached_property
    def offer(self) -> DataLoader[int, offers.Offer | None]:
        return self._by_key(offers.by_id)

    @cached_property
    def catalogue_entry(self) -> DataLoader[int, tables.CatalogueEntry | None]:
        return self._rows(tables.CatalogueEntry)

    @cached_property
    def listing(self) -> DataLoader[int, tables.Listing | None]:
        return self._rows(tables.Listing)

    @cached_property
    def model(self) -> DataLoader[int, tables.ModelVersion | None]:
        return self._rows(tables.ModelVersion)

    @cached_property
    def strategy(self) -> DataLoader[int, tables.Strategy | None]:
        return self._rows(tables.Strategy)

    @cached_property
    def strategy_version(self) -> DataLoader[int, tables.StrategyVersion | None]:
        return self._rows(tables.StrategyVersion)

    @cached_property
    def activation(self) -> DataLoader[int, tables.Activation | None]:
        return self._rows(tables.Activation)

    @cached_property
    def quote(self) -> DataLoader[int, tables.Quote | None]:
        return self._rows(tables.Quote)

    @cached_property
    def job(self) -> DataLoader[int, tables.Job | None]:
        return self._rows(tables.Job)

    @cached_property
    def artifact_facts(self) -> DataLoader[int, tuple[str, int, str] | None]:
        return self._by_key(models.artifact_facts)

    @cached_property
    def champion_id(self) -> DataLoader[int, int | None]:
        return self._by_key(models.champion_ids)

    @cached_property
    def model_health(self) -> DataLoader[int, Health | None]:
        model_of = self._context.application.serving.model
        return self._by_key(partial(health_of, model_of=model_of))

    @cached_property
    def model_of_job(self) -> DataLoader[int, tables.ModelVersion | None]:
        return self._by_key(models.of_jobs)

    @cached_property
    def simulation(self) -> DataLoader[int, tables.Simulation | None]:
        return self._rows(tables.Simulation)

    @cached_property
    def simulation_of_job(self) -> DataLoader[int, tables.Simulation | None]:
        return self._by_key(simulations.of_jobs)

    @cached_property
    def simulation_of_version(self) -> DataLoader[int, tables.Simulation | None]:
        return self._by_key(simulations.newest_succeeded_of)

    @cached_property
    def simulation_facts(self) -> DataLoader[int, simulations.Facts | None]:
        return self._by_key(simulations.facts_of)

    @cached_property
    def ledger(self) -> DataLoader[int, Ledger | None]:
        return self._by_key(activations.ledgers)

    @cached_property
    def versions(self) -> DataLoader[int, list[tables.StrategyVersion] | None]:
        return self._by_key(strategies.versions_of)

    @cached_property
    def reviews(self) -> DataLoader[int, list[tables.StrategyReview] | None]:
        return self._by_key(strategies.reviews_of)

    @cached_property
    def audit_event(self) -> DataLoader[int, tables.AuditEvent | None]:
        return self._rows(tables.AuditEvent)

    @cached_property
    def version_history(self) -> DataLoader[int, list[tables.AuditEvent] | None]:
        def of_versions(session: Session, keys: list[int]) -> dict[int, list[tables.AuditEvent]]:
            return audit.of_subjects(session, "StrategyVersion", keys)

        return self._by_key(of_versions)

    @cached_property
    def comparables(self) -> DataLoader[comparables.Wanted, list[tables.Listing] | None]:
        return self._by_key(comparables.most_similar)

    @cached_property
    def price_changes(
        self,
    ) -> DataLoader[price_history.Wanted, list[price_history.Change] | None]:
        return self._by_key(price_history.newest_changes)

    @cached_property
    def lowest_prior_price(self) -> DataLoader[int, Decimal | None]:
        return self._by_key(price_history.lowest_prior_prices)

    @cached_property
    def market_price(self) -> DataLoader[MarketPriceWanted, Decimal | None]:
        return DataLoader(load_fn=self._market_prices)

    @cached_property
    def client(self) -> DataLoader[int, tables.Client | None]:
        return self._rows(tables.Client)

    @cached_property
    def order(self) -> DataLoader[int, sales_lists.OrderRow | None]:
        return self._by_key(sales_lists.orders_by_id)

    @cached_property
    def payment(self) -> DataLoader[int, sales_lists.PaymentRow | None]:
        return self._by_key(sales_lists.payments_by_id)

    @cached_property
    def payments_of_order(self) -> DataLoader[int, list[tables.Payment] | None]:
        return self._by_key(sales_lists.payments_of)

    @cached_property
    def orders_of_client(
        self,
    ) -> DataLoader[sales_lists.OrdersWanted, list[sales_lists.OrderRow] | None]:
        return self._by_key(sales_lists.orders_of_clients)

    @cached_property
    def repricing(self) -> DataLoader[int, tables.Repricing | None]:
        return self._by_key(repricing.of_jobs)

    async def _market_prices(self, wanted: list[MarketPriceWanted]) -> list[Decimal | None]:
        """The champions' market prices: one call of each market's model for all its vehicles."""
        found: dict[MarketPriceWanted, Decimal] = {}
        for market_id in dict.fromkeys(each.market_id for each in wanted):
            market = await self.market.load(market_id)
            assert market is not None, "a foreign key leads to a row"  # noqa: S101
            prices = await self._context.compute(
                predictions.market_prices,
                await self._context.pricing(market.code),
                [each.facts for each in wanted if each.market_id == market_id],
                on=self._context.today,
            )
            found |= {MarketPriceWanted(market_id, facts): price for facts, price in prices.items()}
        return [found.get(each) for each in wanted]

    def _rows(self, table: type[Row]) -> DataLoader[int, Row | None]:
        """Rows of one table by primary key; None where there is none."""

        def by_id(session: Session, keys: Sequence[int]) -> dict[int, Row]:
            key = table.__table__.c.id  # type: ignore[attr-defined]
            return {row.id: row for row in session.exec(select(table).where(key.in_(keys)))}  # type: ignore[attr-defined]

        return self._by_key(by_id)

    def _by_key(
        self, query: Callable[[Session, list[Key]], Mapping[Key, Value]]
    ) -> DataLoader[Key, Value | None]:
        """A loader over a query that answers many keys at once with a mapping."""

        async def load(keys: list[Key]) -> list[Value | None]:
            found = await self._context.read(query, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)
