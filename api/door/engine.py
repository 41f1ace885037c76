"""Runs operations: priced and paid first, then executed, their faults masked.

HTTP, server-sent events and WebSocket all go through here, so that what is refused by one is
refused by all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import strawberry
import structlog
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationType,
    create_source_event_stream,
    located_error,
)
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable

from api.door.analysis import check_cost
from api.door.documents import Documents, Operation
from api.door.execution import PlainFirst
from api.door.observer import Observer, Outcome
from api.door.persisted import Persisted
from api.door.plain import mark_plain_fields
from api.door.points import Points, Standing
from api.door.refused import (
    Refused,
    faulty_document,
    refused,
    unauthenticated,
    unavailable,
)
from api.door.requests import Asked
from api.errors import top_level
from api.limits import Limits
from domain.stopping import Stop

log = structlog.get_logger(__name__)

Result = dict[str, Any]
"""``data``, ``errors`` and ``extensions``, as they are sent."""


class Caller(Protocol):
    """Who asks; whatever ``authenticate`` answers."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the context of an operation is made from.

    Attributes:
        actor: as ``authenticate`` gave it.
        points: what the caller has left once this operation is paid.
        stop: tells the operation's work in threads that it is given up.
    """

    actor: Any
    request_id: str
    client_address: str
    points: Standing
    stop: Stop = field(default_factory=Stop)


ContextFactory = Callable[[Arrival], Any]


@dataclass(frozen=True, slots=True)
class Paid:
    """An operation that may run: within the limits, its points taken."""

    operation: Operation
    asked: Asked
    arrival: Arrival
    cost: int


class Engine:
    """Executes operations on one schema."""

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        context_factory: ContextFactory,
        limits: Limits,
        points: Points,
        persisted: Persisted | None = None,
        observer: Observer | None = None,
    ) -> None:
        # Strawberry offers no public name for the schema that it makes for graphql-core.
        self.schema = schema._schema
        mark_plain_fields(self.schema)
        self.context_factory = context_factory
        self.limits = limits
        self.points = points
        self.observer = observer or Observer()
        self.documents = Documents(self.schema, limits)
        self.persisted = persisted or Persisted(characters=limits.cached_characters)

    async def admit(
        self,
        asked: Asked,
        *,
        actor: Caller,
        request_id: str,
        client_address: str,
        allowed: frozenset[OperationType],
    ) -> Paid:
        """Read a request's document and take its points.

        Raises:
            Refused: the document is at fault, too large or too dear, or not ``allowed`` here.
        """
        with self.observer.refusals():
            text = await self.persisted.text(asked)
            operation = self.documents.operation(text, asked.operation_name)
            self.persisted.keep(asked)
            if operation.type not in allowed:
                raise _not_here(operation.type)
            cost = operation.price(asked.variables)
            check_cost(cost, min(self.limits.cost, self.points.per_minute))
            points = await self.points.spend(actor.name, cost)
        return Paid(operation, asked, Arrival(actor, request_id, client_address, points), cost)

    async def run(self, paid: Paid) -> Result:
        """The result of a query or mutation.

        Raises:
            Refused: its variables are wrong, it took too long, or the database was away.
        """
        started = time.perf_counter()
        with self._observed(paid):
            result = await self._result(paid, self._executor(paid))
            answer = self._answer(paid, result, started)
        if _is_in_vain(answer):
            raise unavailable(answer["errors"])
        return answer

    async def subscribe(
        self, paid: Paid, *, is_known: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[Result]:
        """The results of a subscription, each made in a context of its own.

        Args:
            is_known: whether the caller's key is still good; a subscription may outlive it.

        Raises:
            Refused: its variables are wrong, or it cannot be subscribed to; also later, from the
                results, where its source fails or the key is revoked.
        """
        executor = self._executor(paid)
        source = create_source_event_stream(executor)
        if isinstance(source, Awaitable):
            source = await source
        if isinstance(source, ExecutionResult):
            raise Refused(400, self._told(paid, source.errors), lenient_status=200)
        return self._events(paid, executor, cast("AsyncGenerator[Any]", source), is_known)

    async def _events(
        self,
        paid: Paid,
        executor: Executor[Any],
        source: AsyncGenerator[Any],
        is_known: Callable[[], Awaitable[bool]],
    ) -> AsyncGenerator[Result]:
        with _given_up_at_the_end(paid):
            async with aclosing(source):
                while True:
                    try:
                        event = await anext(source)
                    except StopAsyncIteration:
                        return
                    except Exception as error:
                        raise self._source_failed(paid, executor, error) from error
                    if not await is_known():
                        raise unauthenticated()
                    started = time.perf_counter()
                    each = executor.build_per_event_executor(event)
                    each.context_value = self.context_factory(paid.arrival)
                    with self._observed(paid):
                        answer = self._answer(paid, await self._result(paid, each), started)
                    yield answer

    @contextmanager
    def _observed(self, paid: Paid) -> Iterator[None]:
        operation = paid.operation
        with (
            self.observer.refusals(),
            self.observer.during(operation.name, operation.type.value),
        ):
            yield

    def _source_failed(self, paid: Paid, executor: Executor[Any], error: Exception) -> Refused:
        field = list(executor.operation.selection_set.selections)
        return Refused(400, self._told(paid, [located_error(error, field)]), lenient_status=200)

    async def _result(self, paid: Paid, executor: Executor[Any]) -> ExecutionResult:
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                result = executor.execute_operation()
                if isinstance(result, Awaitable):
                    result = await result
        except TimeoutError:
            paid.arrival.stop.now()
            raise _too_slow(self.limits) from None
        except asyncio.CancelledError:
            paid.arrival.stop.now()
            raise
        # Incremental results come only from @defer and @stream, which the schema does not have.
        return cast("ExecutionResult", result)

    def _executor(self, paid: Paid) -> Executor[Any]:
        executor = PlainFirst.build(
            self.schema,
            paid.operation.document,
            context_value=self.context_factory(paid.arrival),
            raw_variable_values=paid.asked.variables,
            operation_name=paid.operation.name,
            is_awaitable=cast("Any", optimized_is_awaitable),
        )
        if isinstance(executor, list):
            raise faulty_document("BAD_USER_INPUT", executor)
        return executor

    def _answer(self, paid: Paid, result: ExecutionResult, started: float) -> Result:
        answer: Result = {"data": result.data}
        errors = self._told(paid, result.errors)
        if errors:
            answer["errors"] = errors
        points = paid.arrival.points
        answer["extensions"] = {
            "cost": {
                "requested": paid.cost,
                "limit": points.limit,
                "remaining": points.remaining,
                "resetAt": points.reset_at.isoformat(),
            }
        }
        self.observer.ran(
            Outcome(
                operation_name=paid.operation.name,
                operation_type=paid.operation.type.value,
                cost=paid.cost,
                seconds=time.perf_counter() - started,
                error_codes=tuple(error["extensions"]["code"] for error in errors),
            )
        )
        return answer

    def _told(self, paid: Paid, errors: Iterable[GraphQLError] | None) -> list[dict[str, Any]]:
        request_id = paid.arrival.request_id
        return [told for error in errors or () for told in top_level(error, request_id=request_id)]


@contextmanager
def _given_up_at_the_end(paid: Paid) -> Iterator[None]:
    """Whatever a subscription still has done in threads when it ends is for nobody."""
    try:
        yield
    finally:
        paid.arrival.stop.now()


def _is_in_vain(answer: Result) -> bool:
    """Whether nothing was answered because the database is away; a proxy may try another time."""
    answered = any(value is not None for value in (answer["data"] or {}).values())
    codes = (error["extensions"]["code"] for error in answer.get("errors", ()))
    return not answered and "UNAVAILABLE" in codes


def _not_here(kind: OperationType) -> Refused:
    if kind is OperationType.SUBSCRIPTION:
        return refused(
            400,
            "SUBSCRIPTION_NOT_SUPPORTED",
            "Subscribe over graphql-transport-ws, or accept text/event-stream.",
        )
    return refused(
        405,
        "METHOD_NOT_ALLOWED",
        f"A {kind.value} has to be sent with POST.",
        headers={"Allow": "POST"},
    )


def _too_slow(limits: Limits) -> Refused:
    return refused(
        503,
        "TIMEOUT",
        f"The operation took longer than {limits.request_seconds:g} s and was given up.",
    )
