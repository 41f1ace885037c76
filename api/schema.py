"""The schema: every concept's queries, mutations and subscriptions, joined."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig

from api import (
    activations,
    audit,
    jobs,
    listings,
    markets,
    models,
    orders,
    quotes,
    simulations,
    strategies,
    vehicles,
)
from api.access import AccessQueries
from api.audit import AuditQueries
from api.jobs import JobMutations, JobSubscriptions, RepricingRun, SimulationRun, TrainingRun
from api.listings import ListingMutations
from api.markets import MarketQueries, MarketSubscriptions
from api.models import ModelMutations, ModelQueries
from api.predictions import PredictionMutations
from api.quotes import QuoteMutations, QuoteQueries
from api.relay import NodeLoader, node_queries
from api.repricing import RepricingMutations
from api.sales import SalesQueries
from api.scalars import SCALARS
from api.simulations import SimulationMutations
from api.stock import StockQueries
from api.strategies import StrategyQueries
from api.strategy_drafts import StrategyDraftMutations
from api.strategy_lifecycle import ActivationMutations, StrategyReviewMutations
from api.vehicles import VehicleQueries

NODES: dict[str, NodeLoader] = {
    "Market": markets.load_markets,
    "CatalogueEntry": vehicles.load_entries,
    "Vehicle": vehicles.load_vehicles,
    "Listing": listings.load_listings,
    "Strategy": strategies.load_strategies,
    "StrategyVersion": strategies.load_versions,
    "Activation": activations.load_activations,
    "ModelVersion": models.load_models,
    "TrainingRun": jobs.load_jobs,
    "SimulationRun": jobs.load_jobs,
    "RepricingRun": jobs.load_jobs,
    "Simulation": simulations.load_simulations,
    "Quote": quotes.load_quotes,
    "AuditEvent": audit.load_events,
    "Client": orders.load_clients,
    "Order": orders.load_orders,
    "Payment": orders.load_payments,
}


@strawberry.type(description="What can be asked; nothing here changes anything.")
class Query(
    node_queries(NODES),  # type: ignore[misc]
    AccessQueries,
    MarketQueries,
    VehicleQueries,
    StockQueries,
    StrategyQueries,
    ModelQueries,
    QuoteQueries,
    AuditQueries,
    SalesQueries,
):
    pass


@strawberry.type(description="What can be changed; each field answers its result or `userErrors`.")
class Mutation(
    PredictionMutations,
    QuoteMutations,
    ModelMutations,
    JobMutations,
    StrategyDraftMutations,
    StrategyReviewMutations,
    ActivationMutations,
    SimulationMutations,
    RepricingMutations,
    ListingMutations,
):
    pass


@strawberry.type(description="What is told as it happens: first the state, then each change.")
class Subscription(JobSubscriptions, MarketSubscriptions):
    pass


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[TrainingRun, SimulationRun, RepricingRun],
    config=StrawberryConfig(scalar_map=dict(SCALARS)),
)
