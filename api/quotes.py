"""Quotes in the GraphQL API: prices given to somebody, with their steps."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.amounts import Money, PriceInterval
from api.context import Context, Info
from api.cost import cost
from api.enums import describe
from api.errors import UserError, mutation, query, user_errors
from api.listings import Listing
from api.markets import Market
from api.pagination import After, Before, Connection, First, Last, connection, window_of
from api.predictions import ESTIMATORS, First5, load_comparables
from api.relay import Node, key_if, made, to_id
from api.vehicles import (
    Vehicle,
    VehicleDescription,
    VehicleDescriptionInput,
    VehicleMatchCandidate,
)
from api.vocabulary import Fuel
from domain import quotes, tables
from domain.errors import Refusals
from domain.pricing.steps import PriceStep as PricedStep
from domain.pricing.steps import StepKind
from domain.pricing.validation import MAX_RULES
from domain.quotes import ReviewReason

if TYPE_CHECKING:
    from api.models import ModelVersion
    from api.strategies import StrategyVersion

describe(
    StepKind,
    "Which part of a strategy changed a price, in the order in which they do.",
    {
        StepKind.RULE: "The rule that decided: times its factor, plus its amount.",
        StepKind.LADDER: "The markdown by days in stock.",
        StepKind.GUARD: "A floor or ceiling that held the price back.",
        StepKind.ROUNDING: "To a price of the strategy's form, or to 0.01.",
    },
    name="PriceStepKind",
)
describe(
    ReviewReason,
    "Why a person should look at a quote before it is sent.",
    {
        ReviewReason.LOW_MATCH_SCORE: "The description had to be corrected a good deal.",
        ReviewReason.WIDE_INTERVAL: "The model is unsure of the market price.",
        ReviewReason.OUTSIDE_TRAINING_DATA: "The vehicle lies outside what the model has seen, "
        "e.g. an unknown model or a mileage beyond its data.",
        ReviewReason.COST_UNKNOWN: "The strategy guards a margin, and the cost is not known.",
        ReviewReason.FLOOR_ABOVE_CEILING: "The guards contradict each other; the floor won.",
        ReviewReason.DEFAULT_RULE: "No rule but the default had anything to say.",
    },
)


@strawberry.type(description="One step from the market price to the price.")
class PriceStep:
    kind: StepKind = strawberry.field(description="Which part of the strategy it is.")
    explanation: str = strawberry.field(
        description="One sentence for a seller, e.g. 'Peugeot petrol: x 1.25'."
    )
    rule_key: str | None = strawberry.field(
        description="The rule that decided; null for the other kinds."
    )
    factor: Decimal | None = strawberry.field(description="What it multiplied by, if it did.")
    amount: Decimal | None = strawberry.field(description="What it added, if it did.")
    before: Money = strawberry.field(description="Exact, not rounded.")
    after: Money = strawberry.field(
        description="Exact, not rounded; only the last step's is what is offered."
    )

    @classmethod
    def of(cls, step: PricedStep, currency: str) -> PriceStep:
        """What clients see of a step."""
        return cls(
            kind=step.kind,
            explanation=step.explanation,
            rule_key=step.rule_key,
            factor=step.factor,
            amount=step.amount,
            before=Money.of(step.before, currency),
            after=Money.of(step.after, currency),
        )


@strawberry.type(description="What one rule of the strategy had to say about a vehicle.")
class RuleVerdict:
    rule_key: str = strawberry.field(description="The rule.")
    hit: bool = strawberry.field(description="Whether all its conditions held.")
    won: bool = strawberry.field(description="Whether it decided.")
    because: str = strawberry.field(
        description="The rule that lies inside it and won, or the first condition that failed."
    )


@strawberry.type(description="What a quote's stored inputs lead to when they are priced again.")
class QuoteReplay:
    price: Money = strawberry.field(description="The price that they lead to.")
    identical: bool = strawberry.field(description="Whether it is the quote's, to the cent.")


@strawberry.type(
    description="A price given to somebody: stored, explained, never changed, and reproducible to "
    "the cent."
)
class Quote(Node):
    row: strawberry.Private[tables.Quote]
    currency: strawberry.Private[str]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    challenger: bool = strawberry.field(description="True when a challenger strategy priced it.")
    estimation_date: date = strawberry.field(description="The day to which ages are counted.")
    created_by: str = strawberry.field(description="Whose key asked for it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    valid_until: datetime = strawberry.field(description="Until when the price holds.")
    review_reasons: list[ReviewReason] = strawberry.field(
        description="Why a person should look before it is sent; empty when nothing is odd."
    )

    @strawberry.field(description="The market in which it was priced.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="The description as it was given.")
    def description(self) -> VehicleDescription:
        return VehicleDescription(**self.row.description)

    @strawberry.field(description="The stock vehicle, where a reference was given.")
    async def vehicle(self, info: Info) -> Vehicle | None:
        key = self.row.vehicle_id
        return None if key is None else await Vehicle.load(info.context, key)

    @strawberry.field(description="What the description was taken for, as it was then.")
    def match(self) -> VehicleMatchCandidate:
        return VehicleMatchCandidate.from_document(self.row.match)

    @strawberry.field(description="The model's estimate, to 0.01.")
    def market_price(self) -> Money:
        return Money.of(self.row.market_price, self.currency)

    @strawberry.field(description="The range that holds the true market price.")
    def interval(self) -> PriceInterval:
        return PriceInterval(
            low=Money.of(self.row.low, self.currency),
            high=Money.of(self.row.high, self.currency),
            coverage=self.row.coverage,
        )

    @strawberry.field(description="What is offered.")
    def price(self) -> Money:
        return Money.of(self.row.price, self.currency)

    @strawberry.field(
        description="From the market price to the price: rule, ladder, guard, rounding, in that "
        "order; a step that changes nothing is left out, the rule is always there.",
        metadata=cost(size=len(StepKind)),
    )
    def steps(self) -> list[PriceStep]:
        return [
            PriceStep.of(PricedStep.from_document(each), self.currency) for each in self.row.steps
        ]

    @strawberry.field(
        description="Each rule of the version: whether it hit, and what beat it or which condition "
        "failed; computed only when asked for.",
        metadata=cost(weight=5, size=MAX_RULES),
    )
    async def rule_verdicts(self, info: Info) -> list[RuleVerdict]:
        serving = info.context.application.serving
        verdicts = await info.context.compute(quotes.verdicts, self.row, serving.policy)
        return [
            RuleVerdict(rule_key=each.rule_key, hit=each.hit, won=each.won, because=each.because)
            for each in verdicts
        ]

    @strawberry.field(description="The model version that estimated it.")
    async def model(self, info: Info) -> Annotated[ModelVersion, strawberry.lazy("api.models")]:
        from api.models import ModelVersion

        return await ModelVersion.load(info.context, self.row.model_id)

    @strawberry.field(description="The strategy version that priced it.")
    async def strategy(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")]:
        from api.strategies import StrategyVersion

        return await StrategyVersion.load(info.context, self.row.strategy_version_id)

    @strawberry.field(
        description="The most similar listings; computed only when asked for.",
        metadata=cost(count="first", weight=5),
    )
    async def comparables(self, info: Info, first: First5 = 5) -> list[Listing]:
        return await load_comparables(
            info.context, self.row.market_id, quotes.stored_facts(self.row), first
        )

    @strawberry.field(
        description="Prices it again from its stored inputs, model and strategy versions; must "
        "equal `price`.",
        metadata=cost(weight=10),
    )
    async def replay(self, info: Info) -> QuoteReplay:
        serving = info.context.application.serving
        replay = await info.context.compute(
            quotes.replay_stored, self.row, serving.model, serving.policy
        )
        return QuoteReplay(price=Money.of(replay.price, self.currency), identical=replay.identical)

    @classmethod
    def from_row(cls, row: tables.Quote, currency: str) -> Quote:
        """What clients see of a quote."""
        return cls(
            row=row,
            currency=currency,
            id=to_id("Quote", row.id),
            challenger=row.challenger,
            estimation_date=row.estimation_date,
            created_by=row.created_by,
            created_at=row.created_at,
            valid_until=row.valid_until,
            review_reasons=[ReviewReason(each) for each in row.review_reasons],
        )


async def load_quotes(context: Context, keys: list[int]) -> list[Quote | None]:
    """Quotes by key, for ``node``."""
    rows = await context.loaders.quote.load_many(keys)
    return [None if row is None else await quote_of(context, row) for row in rows]


async def quote_of(context: Context, row: tables.Quote) -> Quote:
    """A quote with its market's currency."""
    market = await Market.load(context, row.market_id)
    return Quote.from_row(row, market.currency)


@strawberry.input(description="A described vehicle and what the seller knows of it.")
class QuotedVehicleInput(VehicleDescriptionInput):
    reference: str | None = strawberry.field(
        default=None,
        description="Stock number, where it is in stock: cost and days in stock are taken from "
        "there unless given here.",
    )
    cost: Decimal | None = strawberry.field(
        default=None, description="What the seller paid, for the margin guard."
    )
    days_in_stock: int | None = strawberry.field(default=None, description="For the ladder.")

    def to_quoted(self) -> quotes.QuotedVehicle:
        """The vehicle, as the business reads it."""
        return quotes.QuotedVehicle(
            description=self.to_domain(),
            reference=self.reference,
            cost=self.cost,
            days_in_stock=self.days_in_stock,
        )


@strawberry.input(description="Vehicles to give prices for.")
class CreateQuotesInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    vehicles: list[QuotedVehicleInput] = strawberry.field(description="1 to 1000.")
    estimation_date: date | None = strawberry.field(
        default=None,
        description="The day the estimate is for; today if absent. Ages are counted to it.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes a repeat answer the first result again."
    )


@strawberry.type(description="The quotes in the order of the vehicles.")
class CreateQuotesPayload:
    quotes: list[Quote | None] = strawberry.field(
        default_factory=list,
        description="Null at the position of a vehicle that could not be priced.",
        metadata=cost(size="parent"),
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why some or all were not priced.",
        metadata=cost(size="parent"),
    )


@strawberry.input(description="Which quotes; absent conditions accept anything.")
class QuoteFilter:
    market: str | None = strawberry.field(default=None, description="Code of the market.")
    brand: str | None = strawberry.field(
        default=None, description="Catalogue name; case and accents do not matter."
    )
    fuel: Fuel | None = strawberry.field(default=None, description="What the vehicle runs on.")
    created_after: datetime | None = strawberry.field(
        default=None, description="Made at this instant or later."
    )
    created_before: datetime | None = strawberry.field(
        default=None, description="Made before this instant."
    )
    strategy_version: strawberry.ID | None = strawberry.field(
        default=None, description="Priced by this strategy version."
    )
    model_version: strawberry.ID | None = strawberry.field(
        default=None, description="Estimated by this model version."
    )

    def to_domain(self) -> quotes.QuoteFilter:
        """The filter, its ids resolved."""
        return quotes.QuoteFilter(
            market=self.market,
            brand=self.brand,
            fuel=self.fuel,
            created_after=self.created_after,
            created_before=self.created_before,
            strategy_version_id=key_if(
                self.strategy_version, "StrategyVersion", "filter", "strategyVersion"
            ),
            model_id=key_if(self.model_version, "ModelVersion", "filter", "modelVersion"),
        )


@strawberry.type
class QuoteQueries:
    @query()
    async def quotes(
        self,
        info: Info,
        filter: Annotated[
            QuoteFilter | None, strawberry.argument(description="Which; all if absent.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Quote]:
        """Prices given so far, newest first."""
        wanted = filter.to_domain() if filter else quotes.QuoteFilter()
        return await connection(
            info.context.read,
            partial(quotes.listed, wanted=wanted),
            window_of(first, after, last, before),
            lambda row: Quote.from_row(row[0], row[1]),
        )


@strawberry.type
class QuoteMutations:
    @mutation(*ESTIMATORS, metadata=cost(weight=1, count="input.vehicles"))
    async def create_quotes(
        self,
        info: Info,
        input: Annotated[CreateQuotesInput, strawberry.argument(description="What to price.")],
    ) -> CreateQuotesPayload:
        """Price described vehicles and keep the quotes."""
        context = info.context
        pricing = await context.pricing(input.market)
        request = quotes.QuoteRequest(
            pricing,
            [each.to_quoted() for each in input.vehicles],
            estimation_date=input.estimation_date,
            by=context.actor.name,
            now=context.now,
            idempotency_key=input.idempotency_key,
        )
        prepared = await context.read(quotes.prepare_once, request)
        batch = await context.run(quotes.store_once, request, prepared)
        return CreateQuotesPayload(
            quotes=made(batch.quotes, lambda row: Quote.from_row(row, pricing.currency)),
            user_errors=user_errors(Refusals(batch.refusals)),
        )
