"""Predictions in the GraphQL API: what the model alone says a vehicle is worth."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.amounts import Money, PriceInterval
from api.context import Context, Info
from api.cost import cost
from api.errors import UserError, mutation, user_errors
from api.listings import Listing
from api.relay import key_if
from api.vehicles import VehicleDescriptionInput, VehicleMatchCandidate
from domain import comparables, predictions
from domain.comparables import Wanted
from domain.errors import Refusals
from domain.tables import Role
from domain.vehicles import VehicleFacts
from ml.features import FeatureRow

if TYPE_CHECKING:
    from api.models import ModelVersion

ESTIMATORS = (Role.SALES, Role.PRICING, Role.DATA_SCIENCE)
"""Who may ask for predictions and quotes."""

First5 = Annotated[
    int | None,
    strawberry.argument(description=f"How many, at most {comparables.MAX_COMPARABLES}."),
]


@strawberry.type(description="How far one feature moved an estimate.")
class Contribution:
    feature: str = strawberry.field(description="E.g. mileage_km.")
    value: str = strawberry.field(description="What it was for this vehicle.")
    effect: Money = strawberry.field(description="Away from the market's mean; may be negative.")


@strawberry.type(description="What the model alone says a vehicle is worth on the market.")
class Prediction:
    made: strawberry.Private[predictions.Prediction]
    market_id: strawberry.Private[int]
    currency: strawberry.Private[str]
    estimation_date: date = strawberry.field(description="The day to which ages are counted.")

    @strawberry.field(description="What the description was taken for.")
    def match(self) -> VehicleMatchCandidate:
        return VehicleMatchCandidate.of(self.made.matched.candidate)

    @strawberry.field(description="The estimate, to 0.01.")
    def market_price(self) -> Money:
        return self._money(self.made.estimate.market_price)

    @strawberry.field(description="The range that holds the true market price.")
    def interval(self) -> PriceInterval:
        return PriceInterval(
            low=self._money(self.made.estimate.low),
            high=self._money(self.made.estimate.high),
            coverage=self.made.model.estimator.coverage,
        )

    @strawberry.field(description="The model version that answered.")
    async def model(self, info: Info) -> Annotated[ModelVersion, strawberry.lazy("api.models")]:
        from api.models import ModelVersion

        return await ModelVersion.load(info.context, self.made.model.id)

    @strawberry.field(
        description="What moved the estimate away from the market's mean, largest first; computed "
        "only when asked for.",
        metadata=cost(weight=5, size=len(FeatureRow._fields)),
    )
    async def contributions(self, info: Info) -> list[Contribution]:
        made = self.made
        explained = await info.context.compute(
            made.model.estimator.explain, made.matched.facts, on=made.estimation_date
        )
        return [
            Contribution(feature=each.feature, value=each.value, effect=self._money(each.effect))
            for each in explained
        ]

    @strawberry.field(
        description="The most similar listings; computed only when asked for.",
        metadata=cost(count="first", weight=5),
    )
    async def comparables(self, info: Info, first: First5 = 5) -> list[Listing]:
        return await load_comparables(info.context, self.market_id, self.made.matched.facts, first)

    def _money(self, amount: Decimal) -> Money:
        return Money.of(amount, self.currency)


async def load_comparables(
    context: Context, market_id: int, facts: VehicleFacts, first: int | None
) -> list[Listing]:
    """The listings most similar to a vehicle; one statement for all vehicles of an answer."""
    first = comparables.DEFAULT_COMPARABLES if first is None else first
    comparables.check_first(first)
    rows = await context.loaders.comparables.load(Wanted(market_id, facts, first))
    return [Listing.from_row(row) for row in rows or ()]


@strawberry.input(description="Vehicles to estimate.")
class PredictInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    vehicles: list[VehicleDescriptionInput] = strawberry.field(description="1 to 1000.")
    estimation_date: date | None = strawberry.field(
        default=None,
        description="The day the estimate is for; today if absent. Ages are counted to it.",
    )
    model: strawberry.ID | None = strawberry.field(
        default=None,
        description="A model other than the champion, e.g. a candidate under test.",
    )


@strawberry.type(description="The predictions in the order of the vehicles.")
class PredictPayload:
    predictions: list[Prediction | None] = strawberry.field(
        default_factory=list,
        description="Null at the position of a vehicle that could not be estimated.",
        metadata=cost(size="parent"),
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why some or all were not estimated.",
        metadata=cost(size="parent"),
    )


@strawberry.type
class PredictionMutations:
    @mutation(*ESTIMATORS, metadata=cost(weight=1, count="input.vehicles"))
    async def predict(
        self,
        info: Info,
        input: Annotated[PredictInput, strawberry.argument(description="What to estimate.")],
    ) -> PredictPayload:
        """Estimate described vehicles; nothing is stored."""
        context = info.context
        pricing = await context.pricing(input.market)
        outcomes = await context.compute(
            predictions.predict_in_market,
            pricing,
            context.application.serving.model,
            [each.to_domain() for each in input.vehicles],
            model_id=key_if(input.model, "ModelVersion", "model"),
            on=input.estimation_date or context.today,
        )
        return PredictPayload(
            predictions=[
                Prediction(
                    made=outcome,
                    market_id=pricing.market_id,
                    currency=pricing.currency,
                    estimation_date=outcome.estimation_date,
                )
                if isinstance(outcome, predictions.Prediction)
                else None
                for outcome in outcomes
            ],
            user_errors=user_errors(Refusals(predictions.collect(outcomes))),
        )
