"""Strategies being written in the GraphQL API: created, drafted anew, edited."""

from __future__ import annotations

from typing import Annotated

import strawberry

from api.context import Info
from api.cost import cost
from api.errors import UserError, mutation
from api.relay import key_of
from api.strategies import Strategy, StrategyVersion, StrategyVersionPayload
from api.strategy_content import StrategyContentInput
from domain import strategies
from domain.tables import Role


@strawberry.input(description="A new line of policy, and the content of its first version.")
class CreateStrategyInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    name: str = strawberry.field(description="Unique in its market.")
    description: str | None = strawberry.field(default=None, description="What it is for.")
    content: StrategyContentInput = strawberry.field(description="What version 1 says.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes a repeat answer the first result again."
    )


@strawberry.type(description="The strategy with its version 1, a draft.")
class CreateStrategyPayload:
    strategy: Strategy | None = strawberry.field(default=None, description="The new strategy.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not created."
    )


@strawberry.input(description="A new draft version of a strategy.")
class DraftStrategyVersionInput:
    strategy: strawberry.ID = strawberry.field(description="Of which strategy.")
    content: StrategyContentInput = strawberry.field(description="What it says.")


@strawberry.input(
    description="Replaces the content of a draft. `expectedHash` is the contentHash that was "
    "edited: a lost update is a CONFLICT."
)
class EditStrategyVersionInput:
    version: strawberry.ID = strawberry.field(description="A draft.")
    expected_hash: str = strawberry.field(description="The contentHash that was edited.")
    content: StrategyContentInput = strawberry.field(description="What it says from now on.")


@strawberry.type
class StrategyDraftMutations:
    @mutation(Role.PRICING, metadata=cost(weight=10))
    async def create_strategy(
        self,
        info: Info,
        input: Annotated[CreateStrategyInput, strawberry.argument(description="What to create.")],
    ) -> CreateStrategyPayload:
        """Create a line of policy with its version 1, a draft."""
        context = info.context
        row = await context.run(
            strategies.create_once,
            market=input.market,
            name=input.name,
            description=input.description,
            content=input.content.to_domain(),
            by=context.actor.name,
            now=context.now,
            idempotency_key=input.idempotency_key,
        )
        return CreateStrategyPayload(strategy=Strategy.from_row(row))

    @mutation(Role.PRICING, metadata=cost(weight=10))
    async def draft_strategy_version(
        self,
        info: Info,
        input: Annotated[DraftStrategyVersionInput, strawberry.argument(description="Of what.")],
    ) -> StrategyVersionPayload:
        """Begin a new version of a strategy."""
        context = info.context
        row = await context.run(
            strategies.draft,
            key_of(input.strategy, "Strategy", "strategy"),
            input.content.to_domain(),
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))

    @mutation(Role.PRICING, metadata=cost(weight=10))
    async def edit_strategy_version(
        self,
        info: Info,
        input: Annotated[EditStrategyVersionInput, strawberry.argument(description="What.")],
    ) -> StrategyVersionPayload:
        """Replace the content of a draft; whoever does so counts as an author of it."""
        context = info.context
        row = await context.run(
            strategies.edit,
            key_of(input.version, "StrategyVersion", "version"),
            input.expected_hash,
            input.content.to_domain(),
            by=context.actor.name,
            now=context.now,
        )
        return StrategyVersionPayload(version=StrategyVersion.from_row(row))
