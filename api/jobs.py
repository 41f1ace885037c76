"""Jobs in the GraphQL API: long work that outlives the request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry
from strawberry.scalars import JSON

from api.context import Context, Info
from api.enums import describe
from api.errors import UserError, mutation, subscription
from api.markets import Market
from api.relay import Node, key_of, made, to_id
from domain import jobs, tables
from domain.tables import JobKind, JobStatus, Role

if TYPE_CHECKING:
    from api.models import ModelVersion
    from api.simulations import Simulation
    from api.strategies import StrategyVersion

describe(
    JobStatus,
    "Where a job stands.",
    {
        JobStatus.QUEUED: "Waiting for a worker.",
        JobStatus.RUNNING: "A worker holds it.",
        JobStatus.SUCCEEDED: "Done; its result is there.",
        JobStatus.FAILED: "Given up; `error` says why.",
        JobStatus.CANCELLED: "Stopped by somebody.",
    },
)


@strawberry.interface(
    description="Long work that outlives the request: training, simulation, repricing."
)
class Job(Node):
    row: strawberry.Private[tables.Job]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    status: JobStatus = strawberry.field(description="Where it stands.")
    progress: float = strawberry.field(description="0 to 1.")
    message: str | None = strawberry.field(description="What it is doing, for a person.")
    error: str | None = strawberry.field(description="Why it failed.")
    requested_by: str = strawberry.field(description="Whose key asked for it.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first took it up.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    attempts: int = strawberry.field(
        description="How many times a worker has taken it up; above 1 after a crash."
    )

    @classmethod
    def from_row(cls, row: tables.Job) -> Self:
        """What clients see of a job."""
        return cls(**job_facts(row))


def job_facts(row: tables.Job) -> dict[str, Any]:
    """What every kind of job shows."""
    return {
        "row": row,
        "id": to_id(TYPE_NAMES[row.kind], row.id),
        "status": row.status,
        "progress": row.progress,
        "message": row.message,
        "error": row.error,
        "requested_by": row.requested_by,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "attempts": row.attempts,
    }


@strawberry.type(description="The training of a model version.")
class TrainingRun(Job, Node):
    @strawberry.field(description="The market whose listings it learns from.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="A name from `algorithms`.")
    def algorithm(self) -> str:
        return str(self.row.payload["algorithm"])

    @strawberry.field(description="As they were given.")
    def hyperparameters(self) -> JSON:
        return JSON(self.row.payload["hyperparameters"])

    @strawberry.field(description="Set once it has succeeded.")
    async def model(
        self, info: Info
    ) -> Annotated[ModelVersion, strawberry.lazy("api.models")] | None:
        from api.models import ModelVersion

        row = await info.context.loaders.model_of_job.load(self.row.id)
        return None if row is None else ModelVersion.from_row(row)


@strawberry.type(description="The run of a simulation over the stock.")
class SimulationRun(Job, Node):
    @strawberry.field(description="What it finds out, once it has succeeded.")
    async def simulation(
        self, info: Info
    ) -> Annotated[Simulation, strawberry.lazy("api.simulations")]:
        from api.simulations import Simulation

        row = await info.context.loaders.simulation_of_job.load(self.row.id)
        assert row is not None, "a simulation is asked for with its job"  # noqa: S101
        return Simulation.from_row(row)


@strawberry.type(description="The repricing of a market's stock, or of a part of it.")
class RepricingRun(Job, Node):
    @strawberry.field(description="The market whose stock it prices.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="The strategy version in force when it was asked for.")
    async def strategy(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")]:
        from api.strategies import StrategyVersion

        repricing = await self._repricing(info)
        return await StrategyVersion.load(info.context, repricing.strategy_version_id)

    @strawberry.field(description="The champion when it was asked for.")
    async def model(self, info: Info) -> Annotated[ModelVersion, strawberry.lazy("api.models")]:
        from api.models import ModelVersion

        return await ModelVersion.load(info.context, (await self._repricing(info)).model_id)

    @strawberry.field(description="Vehicles that have another price now, so far.")
    async def repriced(self, info: Info) -> int:
        return (await self._repricing(info)).repriced

    @strawberry.field(description="Vehicles whose price is the same, so far.")
    async def unchanged(self, info: Info) -> int:
        return (await self._repricing(info)).unchanged

    @strawberry.field(description="Vehicles that could not be priced, so far.")
    async def failed(self, info: Info) -> int:
        return (await self._repricing(info)).failed

    async def _repricing(self, info: Info) -> tables.Repricing:
        row = await info.context.loaders.repricing.load(self.row.id)
        assert row is not None, "a repricing is asked for with its job"  # noqa: S101
        return row


TYPES: dict[JobKind, type[Job]] = {
    JobKind.TRAINING: TrainingRun,
    JobKind.SIMULATION: SimulationRun,
    JobKind.REPRICING: RepricingRun,
}
TYPE_NAMES = {kind: shown.__name__ for kind, shown in TYPES.items()}


def job_of(row: tables.Job) -> Job:
    """A job as the type of its kind."""
    return TYPES[row.kind].from_row(row)


async def load_jobs(context: Context, keys: list[int]) -> list[Job | None]:
    """Jobs by key, for ``node``."""
    rows = await context.loaders.job.load_many(keys)
    return made(rows, job_of)


def job_key(id: str, *path: str) -> int:
    """The key behind the id of any kind of job.

    Raises:
        NotFound: it names something else, or nothing.
    """
    return key_of(id, "|".join(TYPE_NAMES.values()), *path)


@strawberry.input(description="Which job to stop.")
class CancelJobInput:
    job: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The job, stopped or asked to stop.")
class CancelJobPayload:
    job: Job | None = strawberry.field(default=None, description="As it stands now.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not stopped."
    )


@strawberry.type
class JobMutations:
    @mutation(Role.DATA_SCIENCE)
    async def cancel_job(
        self,
        info: Info,
        input: Annotated[CancelJobInput, strawberry.argument(description="Which.")],
    ) -> CancelJobPayload:
        """Stop a job; what it has not published is lost."""
        context = info.context
        row = await context.run(
            jobs.cancel, job_key(input.job, "job"), by=context.actor.name, now=context.now
        )
        return CancelJobPayload(job=job_of(row))


@strawberry.type
class JobSubscriptions:
    @subscription()
    async def job_progress(
        self,
        info: Info,
        job: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> AsyncIterator[Job]:
        """The job's state now, then each change until it ends.

        Picks up where it is after a reconnect.
        """
        key = job_key(job, "job")
        async for row in info.context.application.watch.job(key):
            yield job_of(row)
