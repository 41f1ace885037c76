"""Simulations in the GraphQL API: what a strategy version would do to the stock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.amounts import Money
from api.context import Context, Info
from api.cost import cost
from api.enums import describe
from api.errors import UserError, mutation
from api.jobs import SimulationRun
from api.markets import Market
from api.quotes import PriceStep
from api.relay import Node, key_if, key_of, made, to_id
from api.stock import VehicleFilter
from api.strategies import StrategyVersion
from api.vehicles import Vehicle
from domain import simulations, stock_filters, tables
from domain.pricing.steps import StepKind
from domain.simulations import SimulationGroup
from domain.tables import Role

if TYPE_CHECKING:
    from api.models import ModelVersion

describe(
    SimulationGroup,
    "By what simulated vehicles are gathered.",
    {
        SimulationGroup.BRAND: "Maker.",
        SimulationGroup.FUEL: "What they run on.",
        SimulationGroup.BRAND_FUEL: "Maker, then fuel.",
        SimulationGroup.AGE_BAND: "Age in years, e.g. 3-5.",
        SimulationGroup.PRICE_BAND: "Price before, e.g. 5000-10000, the upper end not included.",
    },
)


@strawberry.type(description="A simulation in one row.")
class SimulationSummary:
    vehicles: int = strawberry.field(
        description="All that were looked at: those for sale, or the part that a filter left."
    )
    unpriced: int = strawberry.field(
        description="Of these, vehicles that could not be priced; they count in nothing below."
    )
    raised: int = strawberry.field(description="Would be offered for more.")
    lowered: int = strawberry.field(description="Would be offered for less.")
    unchanged: int = strawberry.field(description="Would be offered for the same.")
    value_before: Money = strawberry.field(description="Sum of the prices before.")
    value_after: Money = strawberry.field(description="Sum of the prices after.")
    mean_change: float = strawberry.field(description="Relative, 0.02 is +2 %.")
    median_change: float = strawberry.field(description="Half of the vehicles move less.")
    p5_change: float = strawberry.field(description="5 % of the vehicles move less.")
    p95_change: float = strawberry.field(description="95 % of the vehicles move less.")
    guarded: int = strawberry.field(description="How many prices a guard held back.")
    below_cost: int = strawberry.field(
        description="How many would be offered below cost, where the cost is known."
    )

    @classmethod
    def of(cls, summary: simulations.Summary, currency: str) -> SimulationSummary:
        """What clients see of a summary."""
        return cls(
            vehicles=summary.vehicles,
            unpriced=summary.unpriced,
            raised=summary.raised,
            lowered=summary.lowered,
            unchanged=summary.unchanged,
            value_before=_money(summary.value_before_cents, currency),
            value_after=_money(summary.value_after_cents, currency),
            mean_change=summary.mean_change,
            median_change=summary.median_change,
            p5_change=summary.p5_change,
            p95_change=summary.p95_change,
            guarded=summary.guarded,
            below_cost=summary.below_cost,
        )


@strawberry.type(description="The simulated vehicles that have something in common.")
class SimulationGroupRow:
    key: list[str] = strawberry.field(description='What they share, e.g. ["Peugeot", "PETROL"].')
    vehicles: int = strawberry.field(description="How many have a price before and after.")
    changed: int = strawberry.field(description="How many prices would move.")
    value_before: Money = strawberry.field(description="Sum of the prices before.")
    value_after: Money = strawberry.field(description="Sum of the prices after.")
    mean_change: float = strawberry.field(description="Relative, 0.02 is +2 %.")

    @classmethod
    def of(cls, row: simulations.GroupRow, currency: str) -> SimulationGroupRow:
        """What clients see of a group."""
        return cls(
            key=list(row.key),
            vehicles=row.vehicles,
            changed=row.changed,
            value_before=_money(row.value_before_cents, currency),
            value_after=_money(row.value_after_cents, currency),
            mean_change=row.mean_change,
        )


MAX_GROUPS = 1_000


@strawberry.type(description="A vehicle whose price would move.")
class SimulatedVehicle:
    vehicle: Vehicle = strawberry.field(description="The vehicle, as it is today.")
    before: Money = strawberry.field(description="The asking price then, or the baseline's.")
    after: Money = strawberry.field(description="The version's price.")
    change: float = strawberry.field(description="Relative, 0.02 is +2 %.")
    steps: list[PriceStep] = strawberry.field(
        description="From the market price to the version's price.",
        metadata=cost(size=len(StepKind)),
    )


@strawberry.type(
    description="What a version would do to the stock, against the asking prices of today or "
    "another version."
)
class Simulation(Node):
    row: strawberry.Private[tables.Simulation]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    content_hash: str = strawberry.field(description="Of the content that was simulated.")

    @strawberry.field(description="What was simulated; a draft may have been edited since.")
    async def version(self, info: Info) -> StrategyVersion:
        return await StrategyVersion.load(info.context, self.row.version_id)

    @strawberry.field(description="Null: compared with the asking prices of that day.")
    async def baseline(self, info: Info) -> StrategyVersion | None:
        key = self.row.baseline_id
        return None if key is None else await StrategyVersion.load(info.context, key)

    @strawberry.field(description="Whose estimates it used; null until the run has succeeded.")
    async def model(
        self, info: Info
    ) -> Annotated[ModelVersion, strawberry.lazy("api.models")] | None:
        from api.models import ModelVersion

        facts = await info.context.loaders.simulation_facts.load(self.row.id)
        return None if facts is None else await ModelVersion.load(info.context, facts.model_id)

    @strawberry.field(description="The work itself; follow it with `jobProgress`.")
    async def run(self, info: Info) -> SimulationRun:
        return SimulationRun.from_row(await self._job(info.context))

    @strawberry.field(
        description="Whether it is a back-test: of the vehicles that were sold, against the prices "
        "that were paid unless there is a baseline."
    )
    def on_sales(self) -> bool:
        return self.row.on_sales

    @strawberry.field(
        description="Whether it looked at a part of the vehicles for sale only; an approval may "
        "rest on it all the same."
    )
    async def filtered(self, info: Info) -> bool:
        return bool(await self.narrowed_to(info))

    @strawberry.field(
        description="By what the vehicles for sale were narrowed, in words, e.g. 'fuel diesel'; "
        "empty: all of them were looked at."
    )
    async def narrowed_to(self, info: Info) -> list[str]:
        job = await self._job(info.context)
        return stock_filters.in_words(stock_filters.from_document(job.payload["filter"]))

    @strawberry.field(description="Null until the run has succeeded.")
    async def summary(self, info: Info) -> SimulationSummary | None:
        facts = await info.context.loaders.simulation_facts.load(self.row.id)
        if facts is None:
            return None
        return SimulationSummary.of(facts.summary, await self._currency(info.context))

    @strawberry.field(
        description="The vehicles gathered: bands from low to high, the others with most vehicles "
        "first, at most "
        f"{MAX_GROUPS}; empty until the run has succeeded.",
        metadata=cost(weight=10, size=MAX_GROUPS),
    )
    async def groups(
        self,
        info: Info,
        by: Annotated[SimulationGroup, strawberry.argument(description="By what.")],
    ) -> list[SimulationGroupRow]:
        rows = await info.context.read(simulations.groups, self.row.id, by)
        currency = await self._currency(info.context)
        return [SimulationGroupRow.of(row, currency) for row in rows[:MAX_GROUPS]]

    @strawberry.field(
        description="Vehicles whose price moves most; empty until the run has succeeded.",
        metadata=cost(weight=10, count="first"),
    )
    async def movers(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"How many, at most {simulations.MAX_MOVERS}."),
        ] = simulations.DEFAULT_MOVERS,
    ) -> list[SimulatedVehicle]:
        context = info.context
        movers = await context.read(simulations.movers, self.row, first)
        currency = await self._currency(context)
        offers = await context.loaders.offer.load_many([each.vehicle_id for each in movers])
        return [
            SimulatedVehicle(
                vehicle=Vehicle.of(offer),
                before=Money.of(mover.before, currency),
                after=Money.of(mover.after, currency),
                change=mover.change,
                steps=[PriceStep.of(step, currency) for step in mover.steps],
            )
            for mover, offer in zip(movers, offers, strict=True)
            if offer is not None
        ]

    async def _job(self, context: Context) -> tables.Job:
        job = await context.loaders.job.load(self.row.job_id)
        assert job is not None, "a foreign key leads to a row"  # noqa: S101
        return job

    async def _currency(self, context: Context) -> str:
        job = await self._job(context)
        return (await Market.load(context, job.market_id)).currency

    @classmethod
    def from_row(cls, row: tables.Simulation) -> Simulation:
        """What clients see of a simulation."""
        return cls(row=row, id=to_id("Simulation", row.id), content_hash=row.content_hash)


async def load_simulations(context: Context, keys: list[int]) -> list[Simulation | None]:
    """Simulations by key, for ``node``."""
    rows = await context.loaders.simulation.load_many(keys)
    return made(rows, Simulation.from_row)


@strawberry.input(description="What to price the stock with, and what to compare it with.")
class SimulateStrategyInput:
    version: strawberry.ID = strawberry.field(description="A version, whatever its status.")
    baseline: strawberry.ID | None = strawberry.field(
        default=None,
        description="Compare with this version; with today's asking prices if absent.",
    )
    filter: VehicleFilter | None = strawberry.field(
        default=None,
        description="Which part of the vehicles for sale; all of them if absent. Vehicles that a "
        "live order holds are simulated only where `available` is false, and then no others.",
    )
    on_sales: bool = strawberry.field(
        default=False,
        description="Back-test it: on the vehicles that were sold (orders accepted or paid), each "
        "with the age and the days in stock of the day of its order, and compared with the price "
        "that was paid unless a baseline is given. No approval rests on it.",
    )


@strawberry.type(description="The simulation, queued.")
class SimulateStrategyPayload:
    simulation: Simulation | None = strawberry.field(
        default=None, description="Follow its `run` with `jobProgress`."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not queued."
    )


@strawberry.type
class SimulationMutations:
    @mutation(Role.PRICING, metadata=cost(weight=100))
    async def simulate_strategy(
        self,
        info: Info,
        input: Annotated[SimulateStrategyInput, strawberry.argument(description="What.")],
    ) -> SimulateStrategyPayload:
        """Find out, as a job, what a version would do to the stock."""
        context = info.context
        row = await context.run(
            simulations.request,
            key_of(input.version, "StrategyVersion", "version"),
            baseline_id=key_if(input.baseline, "StrategyVersion", "baseline"),
            wanted=input.filter.to_domain() if input.filter else None,
            on_sales=input.on_sales,
            by=context.actor.name,
            now=context.now,
        )
        return SimulateStrategyPayload(simulation=Simulation.from_row(row))


def _money(cents: int, currency: str) -> Money:
    return Money.of(Decimal(cents).scaleb(-2), currency)
