"""What becomes of a strategy version in the GraphQL API: reviewed, activated, rolled back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from api.context import Info
from api.cost import cost
from api.errors import mutation
from api.relay import key_of
from api.strategies import StrategyVersion, StrategyVersionPayload
from domain import activations, strategies
from domain.tables import Role


@strawberry.input(
    description="Freezes a draft for review; refused while its analysis is not submittable."
)
class SubmitStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="A draft.")


@strawberry.input(description="Takes a submitted version back.")
class WithdrawStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="A submitted version.")


@strawberry.input(
    description="By somebody who never edited it, administrators included, after a simulation of "
    "this very content has succeeded."
)
class ApproveStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="A submitted version.")
    comment: str | None = strawberry.field(default=None, description="For whoever reads it later.")


@strawberry.input(description="Sends a submitted version back.")
class RejectStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="A submitted version.")
    comment: str = strawberry.field(description="What has to change.")


@strawberry.input(
    description="Now, or at `startsAt`. A share below 1 runs it as a challenger beside the active "
    "version."
)
class ActivateStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="An approved version.")
    starts_at: datetime | None = strawberry.field(
        default=None, description="Now if absent; never in the past."
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="What was active before then prices again; open if absent."
    )
    share: float = strawberry.field(default=1.0, description="Of vehicles, above 0, 1 at most.")
    reason: str | None = strawberry.field(default=None, description="Why.")


@strawberry.input(
    description="Goes back, at once, to what was active before the present activation."
)
class RollBackStrategyInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    reason: str = strawberry.field(description="Why, for whoever reads the history.")


@strawberry.type
class StrategyReviewMutations:
    @mutation(Role.PRICING, metadata=cost(weight=20))
    async def submit_strategy_version(
        self,
        info: Info,
        input: Annotated[SubmitStrategyVersionInput, strawberry.argument(description="Which.")],
    ) -> StrategyVersionPayload:
        """Freeze a draft for review."""
        context = info.context
        row = await context.run(
            strategies.submit,
            key_of(input.version, "StrategyVersion", "version"),
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))

    @mutation(Role.PRICING, metadata=cost(weight=10))
    async def withdraw_strategy_version(
        self,
        info: Info,
        input: Annotated[WithdrawStrategyVersionInput, strawberry.argument(description="Which.")],
    ) -> StrategyVersionPayload:
        """Take a version back before a verdict."""
        context = info.context
        row = await context.run(
            strategies.withdraw,
            key_of(input.version, "StrategyVersion", "version"),
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))

    @mutation(Role.APPROVER, metadata=cost(weight=10))
    async def approve_strategy_version(
        self,
        info: Info,
        input: Annotated[ApproveStrategyVersionInput, strawberry.argument(description="Which.")],
    ) -> StrategyVersionPayload:
        """Approve what somebody else wrote; the verdict binds to the very content."""
        context = info.context
        row = await context.run(
            strategies.approve,
            key_of(input.version, "StrategyVersion", "version"),
            comment=input.comment,
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))

    @mutation(Role.APPROVER, metadata=cost(weight=10))
    async def reject_strategy_version(
        self,
        info: Info,
        input: Annotated[RejectStrategyVersionInput, strawberry.argument(description="Which.")],
    ) -> StrategyVersionPayload:
        """Send a version back; its content can be drafted again."""
        context = info.context
        row = await context.run(
            strategies.reject,
            key_of(input.version, "StrategyVersion", "version"),
            comment=input.comment,
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))


@strawberry.type
class ActivationMutations:
    @mutation(Role.APPROVER, metadata=cost(weight=10))
    async def activate_strategy_version(
        self,
        info: Info,
        input: Annotated[
            ActivateStrategyVersionInput, strawberry.argument(description="What, and when.")
        ],
    ) -> StrategyVersionPayload:
        """Put an approved version in force, now or later, for all or a share of the vehicles."""
        context = info.context
        row = await context.run(
            activations.activate,
            key_of(input.version, "StrategyVersion", "version"),
            by=context.actor.name,
            now=context.now,
            starts_at=input.starts_at,
            ends_at=input.ends_at,
            share=input.share,
            reason=input.reason,
        )
        context.application.serving.poke()
        return StrategyVersionPayload(version=await StrategyVersion.load(context, row.version_id))

    @mutation(Role.APPROVER, metadata=cost(weight=10))
    async def roll_back_strategy(
        self,
        info: Info,
        input: Annotated[RollBackStrategyInput, strawberry.argument(description="Where, why.")],
    ) -> StrategyVersionPayload:
        """Go back to what was active before; needs a reason, no review."""
        context = info.context
        # Read before the write lock is waited for: of two who want to be rid of the same version,
        # the second must not go back twice.
        seen = await context.read(strategies.active_version, input.market, at=context.now)
        row = await context.run(
            strategies.roll_back,
            input.market,
            reason=input.reason,
            expected_version_id=None if seen is None else seen.id,
            by=context.actor.name,
            now=context.now,
        )
        context.application.serving.poke()
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))
