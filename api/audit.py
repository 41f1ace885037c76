"""The audit trail in the GraphQL API: who changed the state of what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from api.context import Context, Info
from api.errors import query
from api.jobs import TYPE_NAMES
from api.pagination import After, Before, Connection, First, Last, connection, window_of
from api.relay import Node, parse_id, to_id
from domain import access, audit, tables
from domain.errors import NotFound
from domain.tables import Role

READERS = (Role.APPROVER, Role.ADMIN)
"""Who may read the whole trail; what befell a strategy version everybody may read."""


@strawberry.type(
    description="One change of state; append-only, each chained to the one before by its hash."
)
class AuditEvent(Node):
    row: strawberry.Private[tables.AuditEvent]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    at: datetime = strawberry.field(description="When.")
    actor: str = strawberry.field(description="The person or system that did it.")
    action: str = strawberry.field(
        description="The concept and what befell it, e.g. strategy.approved."
    )
    detail: JSON = strawberry.field(description="What else there is to know of it.")

    @strawberry.field(description="Global id of what was changed.")
    async def subject(self, info: Info) -> strawberry.ID:
        type_name, key = self.row.subject_kind, self.row.subject_id
        if type_name == audit.JOB:
            job = await info.context.loaders.job.load(key)
            type_name = type_name if job is None else TYPE_NAMES[job.kind]
        return to_id(type_name, key)

    @classmethod
    def from_row(cls, row: tables.AuditEvent) -> AuditEvent:
        """What clients see of an event."""
        return cls(
            row=row,
            id=to_id("AuditEvent", row.id),
            at=row.at,
            actor=row.actor,
            action=row.action,
            detail=JSON(row.detail),
        )


async def load_events(context: Context, keys: list[int]) -> list[AuditEvent | None]:
    """Events by key, for ``node``; none that the caller may not read."""
    rows = await context.loaders.audit_event.load_many(keys)
    may_read_all = access.allows(context.actor, READERS)
    return [
        AuditEvent.from_row(row)
        if row is not None and (may_read_all or row.subject_kind == "StrategyVersion")
        else None
        for row in rows
    ]


@strawberry.type
class AuditQueries:
    @query(*READERS)
    async def audit_events(
        self,
        info: Info,
        subject: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only what befell the object of this id."),
        ] = None,
        actor: Annotated[
            str | None, strawberry.argument(description="Only what this person or system did.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEvent]:
        """Every change of state, newest first."""
        context = info.context
        listed = audit.listed(subject=None if subject is None else _subject(subject), actor=actor)
        return await connection(
            context.read,
            lambda _: listed,
            window_of(first, after, last, before),
            AuditEvent.from_row,
        )


def _subject(id: str) -> tuple[str, int]:
    """Kind and key of a subject, as the trail names them.

    Raises:
        NotFound: the id is none of ours.
    """
    try:
        type_name, key = parse_id(id)
    except NotFound as refusal:
        raise refusal.under("subject") from None
    return (audit.JOB if type_name in TYPE_NAMES.values() else type_name), key
