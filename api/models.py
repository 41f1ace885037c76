"""Model versions in the GraphQL API: trained, compared, promoted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON

from api.context import Context, Info
from api.cost import cost
from api.enums import describe
from api.errors import UserError, mutation, query
from api.jobs import TrainingRun
from api.markets import Market
from api.model_metrics import ModelMetrics
from api.pagination import After, Before, Connection, First, Last, connection, window_of
from api.relay import Node, key_of, made, to_id
from domain import markets, models, tables, trainings
from domain.tables import Role
from domain.trainings import PromotionPolicy
from ml import algorithms, gate, runs
from ml.features import FeatureRow
from ml.health import Health

describe(
    PromotionPolicy,
    "What happens to a model when its training has succeeded.",
    {
        PromotionPolicy.MANUAL: "Leave the champion as it is.",
        PromotionPolicy.IF_BETTER: "Promote if it is at least as good as the champion on the same "
        "unseen rows.",
    },
)


@strawberry.type(
    description="An estimator that can be trained here: built in, or installed as a plug-in."
)
class Algorithm:
    name: str = strawberry.field(description="For `train`.")
    summary: str = strawberry.field(description="What it does, in a sentence or two.")
    hyperparameters_schema: JSON = strawberry.field(
        description="JSON Schema of its hyperparameters."
    )


@strawberry.type(description="What a model version is rebuilt from: data that cannot run code.")
class ModelArtifact:
    format: str = strawberry.field(description="Name and version of the format.")
    size_bytes: int = strawberry.field(description="Bytes stored.")
    sha256: str = strawberry.field(description="Of those bytes.")


@strawberry.type(description="The listings that a model version learnt from.")
class TrainingData:
    rows: int = strawberry.field(description="How many.")
    rejected: int = strawberry.field(description="How many were left out.")
    sales: int = strawberry.field(
        description="Vehicles that the seller has sold among all that were read, at the price that "
        "was paid; 0 unless the market's setting `train_on_sales` is on."
    )
    from_: date | None = strawberry.field(name="from", description="The first day observed.")
    to: date | None = strawberry.field(description="The last day observed.")
    sha256: str = strawberry.field(
        description="Fingerprint: the same listings have the same, whatever their order."
    )


@strawberry.type(description="How far one feature has moved since training.")
class FeatureDrift:
    feature: str = strawberry.field(description="Name of the feature, e.g. `mileage_km`.")
    psi: float = strawberry.field(description="Population stability index; 0 is no change.")


@strawberry.type(description="How a model version does outside of its training.")
class ModelHealth:
    orders: int = strawberry.field(description="Orders since promotion whose vehicle it can price.")
    realised_mape: float | None = strawberry.field(
        description="Mean absolute percentage error on them, 0.08 is 8 %; null without orders."
    )
    realised_coverage: float | None = strawberry.field(
        description="Share of them whose price lay in its interval; null without orders."
    )
    drift: list[FeatureDrift] = strawberry.field(
        description="Population stability index of each feature, training against recent "
        "predictions; above 0.2 has drifted. Empty while fewer than 100 tell too little.",
        metadata=cost(size=len(FeatureRow._fields)),
    )

    @classmethod
    def of(cls, health: Health) -> ModelHealth:
        """What clients see of it."""
        return cls(
            orders=health.orders,
            realised_mape=health.realised_mape,
            realised_coverage=health.realised_coverage,
            drift=[FeatureDrift(feature=name, psi=psi) for name, psi in health.drift.items()],
        )


@strawberry.type(
    description="A trained, immutable estimator with all that is needed to rebuild it without "
    "training."
)
class ModelVersion(Node):
    row: strawberry.Private[tables.ModelVersion]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    number: int = strawberry.field(description="Counts up in its market.")
    algorithm: str = strawberry.field(description="A name from `algorithms`.")
    created_by: str = strawberry.field(description="Whose key asked for it.")
    created_at: datetime = strawberry.field(description="When it was published.")

    @strawberry.field(description="The market whose vehicles it estimates.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="All of them, those left at their defaults included.")
    def hyperparameters(self) -> JSON:
        return JSON(self.row.hyperparameters)

    @strawberry.field(
        description="Fitted parameters in plain form where the estimator has them (a linear "
        "model's coefficients); null otherwise."
    )
    def parameters(self) -> JSON | None:
        return None if self.row.parameters is None else JSON(self.row.parameters)

    @strawberry.field(description="How good it is on rows that it never saw.")
    def metrics(self) -> ModelMetrics:
        return ModelMetrics.from_document(self.row.metrics)

    @strawberry.field(description="What it is rebuilt from.")
    async def artifact(self, info: Info) -> ModelArtifact:
        facts = await info.context.loaders.artifact_facts.load(self.row.id)
        assert facts is not None, "a version is published with its artifact"  # noqa: S101
        return ModelArtifact(format=facts[0], size_bytes=facts[1], sha256=facts[2])

    @strawberry.field(description="What it learnt from.")
    def trained_on(self) -> TrainingData:
        return TrainingData(
            rows=self.row.trained_rows,
            rejected=self.row.rejected_rows,
            sales=self.row.sold_rows,
            from_=self.row.trained_from,
            to=self.row.trained_to,
            sha256=self.row.data_sha256,
        )

    @strawberry.field(
        description="How it has done since it was promoted, on what was really sold.",
        metadata=cost(weight=20),
    )
    async def health(self, info: Info) -> ModelHealth:
        health = await info.context.loaders.model_health.load(self.row.id)
        assert health is not None, "every version has its health"  # noqa: S101
        return ModelHealth.of(health)

    @strawberry.field(description="Whether it answers predictions now.")
    async def is_champion(self, info: Info) -> bool:
        champion = await info.context.loaders.champion_id.load(self.row.market_id)
        return champion == self.row.id

    @strawberry.field(description="The training that made it; null when it was trained by hand.")
    async def run(self, info: Info) -> TrainingRun | None:
        key = self.row.job_id
        row = None if key is None else await info.context.loaders.job.load(key)
        return None if row is None else TrainingRun.from_row(row)

    @classmethod
    def from_row(cls, row: tables.ModelVersion) -> ModelVersion:
        """What clients see of a model version."""
        return cls(
            row=row,
            id=to_id("ModelVersion", row.id),
            number=row.number,
            algorithm=row.algorithm,
            created_by=row.created_by,
            created_at=row.created_at,
        )

    @classmethod
    async def load(cls, context: Context, key: int) -> ModelVersion:
        """The version that a foreign key names."""
        row = await context.loaders.model.load(key)
        assert row is not None, "a foreign key leads to a row"  # noqa: S101
        return cls.from_row(row)


async def load_models(context: Context, keys: list[int]) -> list[ModelVersion | None]:
    """Model versions by key, for ``node``."""
    rows = await context.loaders.model.load_many(keys)
    return made(rows, ModelVersion.from_row)


@strawberry.type
class ModelQueries:
    @query(metadata=cost(size=20))
    async def algorithms(self, info: Info) -> list[Algorithm]:  # noqa: ARG002 - roots get it
        """The estimators that can be trained here."""
        return [
            Algorithm(
                name=each.name,
                summary=each.summary,
                hyperparameters_schema=JSON(each.hyperparameters_schema),
            )
            for each in map(algorithms.get, algorithms.names())
        ]

    @query()
    async def models(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ModelVersion]:
        """The model versions of a market, newest first."""
        return await connection(
            info.context.read,
            partial(models.listed, market=market),
            window_of(first, after, last, before),
            ModelVersion.from_row,
        )

    @query()
    async def champion_model(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
    ) -> ModelVersion | None:
        """The model that answers predictions now; null while there is none."""
        row = await info.context.read(markets.by_code, market)
        champion = await info.context.loaders.champion_id.load(row.id)
        return None if champion is None else await ModelVersion.load(info.context, champion)


@strawberry.input(description="What to train, and on what.")
class TrainInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    algorithm: str = strawberry.field(description="A name from `algorithms`.")
    hyperparameters: JSON | None = strawberry.field(
        default=None, description="After the algorithm's schema; its defaults if absent."
    )
    observed_from: date | None = strawberry.field(
        default=None, description="Learn only from listings seen on this day or later."
    )
    observed_to: date | None = strawberry.field(
        default=None, description="Learn only from listings seen on this day or earlier."
    )
    coverage: float | None = strawberry.field(
        default=0.9, description="Coverage of the prediction interval, 0.5 to 0.99."
    )
    promotion: PromotionPolicy = strawberry.field(
        default=PromotionPolicy.MANUAL, description="What happens when it has succeeded."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes a repeat answer the first result again."
    )

    def to_domain(self) -> trainings.TrainingRequest:
        """The training that is asked for."""
        return trainings.TrainingRequest(
            algorithm=self.algorithm,
            hyperparameters=cast("Mapping[str, Any]", self.hyperparameters or {}),
            observed_from=self.observed_from,
            observed_to=self.observed_to,
            coverage=0.9 if self.coverage is None else self.coverage,
            promotion=self.promotion,
        )


@strawberry.type(description="The training, queued.")
class TrainPayload:
    run: TrainingRun | None = strawberry.field(
        default=None, description="Follow it with `jobProgress`."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not queued."
    )


@strawberry.input(description="Which model shall answer predictions.")
class PromoteModelInput:
    model: strawberry.ID = strawberry.field(description="Its id.")
    force: bool = strawberry.field(
        default=False,
        description="Promote although the gate says no; kept in the audit trail.",
    )
    reason: str | None = strawberry.field(
        default=None, description="Why; needed when it is forced."
    )


@strawberry.type(description="The new champion.")
class PromoteModelPayload:
    model: ModelVersion | None = strawberry.field(default=None, description="It answers now.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not promoted."
    )


@strawberry.type
class ModelMutations:
    @mutation(Role.DATA_SCIENCE, metadata=cost(weight=100))
    async def train(
        self,
        info: Info,
        input: Annotated[TrainInput, strawberry.argument(description="What to train.")],
    ) -> TrainPayload:
        """Train a new model version of a market, as a job."""
        context = info.context
        request = input.to_domain()
        runs.check(request)
        row = await context.run(
            trainings.enqueue_once,
            input.market,
            request,
            by=context.actor.name,
            now=context.now,
            idempotency_key=input.idempotency_key,
        )
        return TrainPayload(run=TrainingRun.from_row(row))

    @mutation(Role.DATA_SCIENCE, metadata=cost(weight=100))
    async def promote_model(
        self,
        info: Info,
        input: Annotated[PromoteModelInput, strawberry.argument(description="Which.")],
    ) -> PromoteModelPayload:
        """Make a model version the champion of its market.

        Refused when it is worse than the champion on the same unseen rows, unless forced.
        """
        context = info.context
        key = key_of(input.model, "ModelVersion", "model")
        serving = context.application.serving
        comparison = await context.read(gate.compare, key, model_of=serving.model)
        row = await context.run(
            models.promote,
            key,
            comparison=comparison,
            by=context.actor.name,
            now=context.now,
            force=input.force,
            reason=input.reason,
        )
        serving.poke()
        return PromoteModelPayload(model=ModelVersion.from_row(row))
