"""Strategies in the GraphQL API: what they say, where they stand, when they price."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.activations import Activation
from api.audit import AuditEvent
from api.context import Context, Info
from api.cost import cost
from api.enums import describe
from api.errors import UserError, query
from api.markets import Market
from api.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    at_most,
    beginning,
    connection,
    window_of,
)
from api.relay import Node, key_of, made, to_id
from api.strategy_analysis import (
    MAX_CELLS,
    StrategyAnalysis,
    StrategyMatrix,
    StrategyMatrixChange,
)
from api.strategy_content import LadderStep, PriceGuards, PriceRounding, StrategyRule
from domain import strategies, tables
from domain.ledger import Ledger
from domain.pricing import documents
from domain.pricing.content import StrategyContent
from domain.pricing.matrix import Matrix
from domain.pricing.validation import MAX_LADDER_STEPS, MAX_RULES
from domain.strategies import StrategyStatus
from domain.tables import Verdict

MAX_SHOWN = 200
"""Of versions, activations and events, at once."""
MAX_REVIEWS = 10

if TYPE_CHECKING:
    from api.simulations import Simulation

describe(
    StrategyStatus,
    "Where a version stands. The first five are stored; the last three follow from the activation "
    "ledger and the clock, so they are never late.",
    {
        StrategyStatus.DRAFT: "Editable by its author.",
        StrategyStatus.SUBMITTED: "Frozen, waiting for a second person.",
        StrategyStatus.APPROVED: "Frozen and approved, never activated yet.",
        StrategyStatus.REJECTED: "Sent back by the reviewer; its content can be drafted again.",
        StrategyStatus.WITHDRAWN: "Taken back by its author before a verdict.",
        StrategyStatus.SCHEDULED: "An activation of it starts later.",
        StrategyStatus.ACTIVE: "Prices quotes now, all or a share of them.",
        StrategyStatus.RETIRED: "Was active once.",
    },
)
describe(
    Verdict,
    "What a reviewer said.",
    {Verdict.APPROVED: "It may be activated.", Verdict.REJECTED: "It was sent back."},
    name="ReviewVerdict",
)


@strawberry.type(description="One verdict of a second person on a version's content.")
class StrategyReview:
    row: strawberry.Private[tables.StrategyReview]
    reviewer: str = strawberry.field(description="Who.")
    verdict: Verdict = strawberry.field(description="What they said.")
    comment: str | None = strawberry.field(description="Why.")
    content_hash: str = strawberry.field(description="Of the content that was reviewed.")
    at: datetime = strawberry.field(description="When.")

    @strawberry.field(description="What the reviewer could see it would do.")
    async def simulation(
        self, info: Info
    ) -> Annotated[Simulation, strawberry.lazy("api.simulations")] | None:
        from api.simulations import Simulation

        key = self.row.simulation_id
        row = None if key is None else await info.context.loaders.simulation.load(key)
        return None if row is None else Simulation.from_row(row)

    @classmethod
    def from_row(cls, row: tables.StrategyReview) -> StrategyReview:
        """What clients see of a review."""
        return cls(
            row=row,
            reviewer=row.reviewer,
            verdict=row.verdict,
            comment=row.comment,
            content_hash=row.content_hash,
            at=row.at,
        )


@strawberry.type(
    description="One state of a strategy's content; frozen once it is no draft any more."
)
class StrategyVersion(Node):
    row: strawberry.Private[tables.StrategyVersion]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    number: int = strawberry.field(description="Counts up in its strategy.")
    author: str = strawberry.field(description="Who drafted it.")
    created_at: datetime = strawberry.field(description="When it was drafted.")
    content_hash: str = strawberry.field(
        description="SHA-256 of the canonical content; what was approved is what runs."
    )

    @strawberry.field(description="The line of policy that it belongs to.")
    async def strategy(self, info: Info) -> Strategy:
        row = await info.context.loaders.strategy.load(self.row.strategy_id)
        assert row is not None, "a foreign key leads to a row"  # noqa: S101
        return Strategy.from_row(row)

    @strawberry.field(description="Where it stands now.")
    async def status(self, info: Info) -> StrategyStatus:
        ledger = await self._ledger(info.context)
        return strategies.status(self.row, ledger, at=info.context.now)

    @strawberry.field(
        description="Exactly one of them has no conditions: the default. At most one rule decides "
        "a vehicle.",
        metadata=cost(count="first", size=MAX_RULES),
    )
    def rules(self, first: Annotated[int | None, at_most(MAX_RULES)] = None) -> list[StrategyRule]:
        rules = beginning(self._content().rules, first, MAX_RULES)
        return [StrategyRule.of(rule) for rule in rules]

    @strawberry.field(
        description="Markdown by days in stock; empty when the seller does not price by age.",
        metadata=cost(size=MAX_LADDER_STEPS),
    )
    def ladder(self) -> list[LadderStep]:
        return [LadderStep.of(step) for step in self._content().ladder]

    @strawberry.field(description="Bounds on the price.")
    def guards(self) -> PriceGuards:
        return PriceGuards.of(self._content().guards)

    @strawberry.field(description="The form of its prices; null: to 0.01.")
    def rounding(self) -> PriceRounding | None:
        rounding = self._content().rounding
        return None if rounding is None else PriceRounding.of(rounding)

    @strawberry.field(
        description="The newest that has succeeded on its present content, which is what an "
        "approval rests on; without one there is no approval."
    )
    async def simulation(
        self, info: Info
    ) -> Annotated[Simulation, strawberry.lazy("api.simulations")] | None:
        from api.simulations import Simulation

        row = await info.context.loaders.simulation_of_version.load(self.row.id)
        return None if row is None else Simulation.from_row(row)

    @strawberry.field(description="Verdicts on it, oldest first.", metadata=cost(size=MAX_REVIEWS))
    async def reviews(self, info: Info) -> list[StrategyReview]:
        rows = await info.context.loaders.reviews.load(self.row.id)
        return [StrategyReview.from_row(row) for row in rows or ()]

    @strawberry.field(
        description="When it was, is or will be live, newest first.",
        metadata=cost(count="first", size=MAX_SHOWN),
    )
    async def activations(
        self, info: Info, first: Annotated[int | None, at_most(MAX_SHOWN)] = None
    ) -> list[Activation]:
        ledger = await self._ledger(info.context)
        rows = [row for row in reversed(ledger.rows) if row.version_id == self.row.id]
        return [Activation.from_row(row, ledger) for row in beginning(rows, first, MAX_SHOWN)]

    @strawberry.field(
        description="What can be told of it without running it on vehicles.",
        metadata=cost(weight=20),
    )
    async def analysis(self, info: Info) -> StrategyAnalysis:
        market = await self._market(info.context)
        found = await info.context.read(strategies.analysis, self.row, market_id=market.row.id)
        return StrategyAnalysis.of(found, market.currency)

    @strawberry.field(
        description="The rules as a brand x fuel grid, for a table on a screen.",
        metadata=cost(weight=5),
    )
    async def matrix(self, info: Info) -> StrategyMatrix:
        return StrategyMatrix.of(await info.context.compute(Matrix, self._content()))

    @strawberry.field(
        description="Cells whose factor or amount differs from `other`: equal rules written "
        "differently show none.",
        metadata=cost(weight=10, count="first", size=MAX_CELLS),
    )
    async def diff(
        self,
        info: Info,
        other: Annotated[
            strawberry.ID, strawberry.argument(description="The version to compare with.")
        ],
        first: Annotated[int | None, at_most(MAX_CELLS)] = None,
    ) -> list[StrategyMatrixChange]:
        changes = await info.context.read(
            strategies.changes_since, self.row, key_of(other, "StrategyVersion", "other")
        )
        return [StrategyMatrixChange.of(change) for change in beginning(changes, first, MAX_CELLS)]

    @strawberry.field(
        description="Every state change, oldest first; of more than `last` the newest.",
        metadata=cost(count="last", size=MAX_SHOWN),
    )
    async def history(
        self,
        info: Info,
        last: Annotated[int | None, at_most(MAX_SHOWN, "How many of the newest")] = None,
    ) -> list[AuditEvent]:
        rows = await info.context.loaders.version_history.load(self.row.id) or []
        newest = beginning(rows[::-1], last, MAX_SHOWN)
        return [AuditEvent.from_row(row) for row in reversed(newest)]

    async def _market(self, context: Context) -> Market:
        strategy = await context.loaders.strategy.load(self.row.strategy_id)
        assert strategy is not None, "a foreign key leads to a row"  # noqa: S101
        return await Market.load(context, strategy.market_id)

    async def _ledger(self, context: Context) -> Ledger:
        market = await self._market(context)
        return await context.loaders.ledger.load(market.row.id) or Ledger(())

    def _content(self) -> StrategyContent:
        return documents.from_document(self.row.content)

    @classmethod
    def from_row(cls, row: tables.StrategyVersion) -> StrategyVersion:
        """What clients see of a version."""
        return cls(
            row=row,
            id=to_id("StrategyVersion", row.id),
            number=row.number,
            author=row.author,
            created_at=row.created_at,
            content_hash=row.content_hash,
        )

    @classmethod
    async def load(cls, context: Context, key: int) -> StrategyVersion:
        """The version that a foreign key names."""
        row = await context.loaders.strategy_version.load(key)
        assert row is not None, "a foreign key leads to a row"  # noqa: S101
        return cls.from_row(row)


@strawberry.type(
    description="A line of commercial policy in one market; its versions are what is simulated, "
    "approved and activated."
)
class Strategy(Node):
    row: strawberry.Private[tables.Strategy]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    name: str = strawberry.field(description="Unique in its market.")
    description: str | None = strawberry.field(description="What it is for.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @strawberry.field(description="Whose quotes it can price.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(
        description="Newest first; an older one than these is `version`.",
        metadata=cost(count="first", size=MAX_SHOWN),
    )
    async def versions(
        self, info: Info, first: Annotated[int | None, at_most(MAX_SHOWN)] = None
    ) -> list[StrategyVersion]:
        rows = await info.context.loaders.versions.load(self.row.id) or []
        return [StrategyVersion.from_row(row) for row in beginning(rows, first, MAX_SHOWN)]

    @strawberry.field(description="One of its versions; null where there is none of this number.")
    async def version(
        self,
        info: Info,
        number: Annotated[int, strawberry.argument(description="Counted from 1.")],
    ) -> StrategyVersion | None:
        rows = await info.context.loaders.versions.load(self.row.id) or ()
        return next((StrategyVersion.from_row(row) for row in rows if row.number == number), None)

    @strawberry.field(description="The newest version, whatever its status.")
    async def latest(self, info: Info) -> StrategyVersion:
        rows = await info.context.loaders.versions.load(self.row.id)
        assert rows, "a strategy is created with its first version"  # noqa: S101
        return StrategyVersion.from_row(rows[0])

    @classmethod
    def from_row(cls, row: tables.Strategy) -> Strategy:
        """What clients see of a strategy."""
        return cls(
            row=row,
            id=to_id("Strategy", row.id),
            name=row.name,
            description=row.description,
            created_at=row.created_at,
        )


async def load_strategies(context: Context, keys: list[int]) -> list[Strategy | None]:
    """Strategies by key, for ``node``."""
    rows = await context.loaders.strategy.load_many(keys)
    return made(rows, Strategy.from_row)


async def load_versions(context: Context, keys: list[int]) -> list[StrategyVersion | None]:
    """Strategy versions by key, for ``node``."""
    rows = await context.loaders.strategy_version.load_many(keys)
    return made(rows, StrategyVersion.from_row)


@strawberry.input(description="Which strategies; absent conditions accept anything.")
class StrategyFilter:
    market: str | None = strawberry.field(default=None, description="Code of the market.")
    status: StrategyStatus | None = strawberry.field(
        default=None, description="Some version of it stands there."
    )
    search: str | None = strawberry.field(
        default=None, description="Words to find in name or description."
    )


@strawberry.type
class StrategyQueries:
    @query()
    async def strategies(
        self,
        info: Info,
        filter: Annotated[
            StrategyFilter | None, strawberry.argument(description="Which; all if absent.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Strategy]:
        """Lines of commercial policy, newest first."""
        wanted = filter or StrategyFilter()
        asked = strategies.StrategyFilter(wanted.market, wanted.status, wanted.search)
        return await connection(
            info.context.read,
            partial(strategies.listed, wanted=asked, now=info.context.now),
            window_of(first, after, last, before),
            Strategy.from_row,
        )

    @query()
    async def active_strategy(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
        at: Annotated[
            datetime | None, strawberry.argument(description="An instant; now if absent.")
        ] = None,
    ) -> StrategyVersion | None:
        """The version that prices the market's quotes at an instant; null while there is none."""
        row = await info.context.read(strategies.active_version, market, at=at or info.context.now)
        return None if row is None else StrategyVersion.from_row(row)


@strawberry.type(description="The version as it stands now.")
class StrategyVersionPayload:
    version: StrategyVersion | None = strawberry.field(default=None, description="The version.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was done."
    )
