"""Refusals become ``userErrors``, faults become masked errors: the one place that knows both sides.

A mutation answers a refusal as data, in its payload. Everywhere else a refusal is a top-level error
with the same code. Whatever is no refusal is a bug: logged in full, told to the client by the id of
its request only.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.types import Info, get_object_definition

from domain import access
from domain.availability import Absence, absence
from domain.errors import Forbidden, Refusal, Refusals
from domain.tables import Role

log = structlog.get_logger(__name__)

Resolver = Callable[..., Any]


def _code(value: str, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


@strawberry.enum(description="Why something was refused; stable, for machines.")
class UserErrorCode(Enum):
    """The codes of ``domain.errors``, as clients see them."""

    INVALID = _code("INVALID", "A value that cannot be right.")
    NOT_FOUND = _code("NOT_FOUND", "An id, code or name that leads nowhere.")
    NO_MATCH = _code("NO_MATCH", "Nothing in the catalogue is close enough to the description.")
    AMBIGUOUS_MATCH = _code("AMBIGUOUS_MATCH", "Two different models are about equally close.")
    NO_CHAMPION_MODEL = _code("NO_CHAMPION_MODEL", "The market has no model that answers yet.")
    NO_ACTIVE_STRATEGY = _code("NO_ACTIVE_STRATEGY", "The market has no strategy in force.")
    CONFLICT = _code("CONFLICT", "Somebody else changed or took it first.")
    INVALID_STATE = _code("INVALID_STATE", "Not possible in the state that the subject is in.")
    FORBIDDEN = _code("FORBIDDEN", "The key's roles do not allow it.")
    FOUR_EYES = _code("FOUR_EYES", "The caller wrote it, so a second person has to do it.")
    SIMULATION_REQUIRED = _code(
        "SIMULATION_REQUIRED", "No simulation of this very content has succeeded yet."
    )
    NOT_SUBMITTABLE = _code("NOT_SUBMITTABLE", "The analysis finds rules that clash or never win.")
    IDEMPOTENCY_MISMATCH = _code(
        "IDEMPOTENCY_MISMATCH", "The idempotency key was used before, with another input."
    )
    PROMOTION_GATE = _code(
        "PROMOTION_GATE", "The candidate is worse than the champion on the same unseen rows."
    )
    LIMIT_EXCEEDED = _code("LIMIT_EXCEEDED", "More than is allowed at once.")


@strawberry.type(
    description="Why a mutation did not do what it was asked. "
    "Bad input is data, not a transport error."
)
class UserError:
    """One refusal, in the words of the contract."""

    code: UserErrorCode = strawberry.field(description="Stable, machine-readable.")
    message: str = strawberry.field(description="For a person, says what to change.")
    field: list[str] | None = strawberry.field(
        description='Path into the input, e.g. ["vehicles", "3", "fuel"].'
    )


def refusals_in(error: Refusal | Refusals) -> tuple[Refusal, ...]:
    """Each of them, where one call found several."""
    return error.refusals if isinstance(error, Refusals) else (error,)


def user_errors(error: Refusal | Refusals) -> list[UserError]:
    """Refusals as a payload tells them."""
    return [
        UserError(
            code=UserErrorCode(each.code), message=each.message, field=list(each.path) or None
        )
        for each in refusals_in(error)
    ]


def check_role(info: Info, requires: tuple[Role, ...]) -> None:
    """Refuse a caller without any of the roles.

    Raises:
        Forbidden: names the roles that would do.
    """
    if not access.allows(info.context.actor, requires):
        raise Forbidden(f"This needs a key with the role {_any_of(requires)}.")


def query(
    *requires: Role, metadata: Mapping[str, Any] | None = None, **options: Any
) -> Callable[[Resolver], Any]:
    """A root field that reads, for callers with one of the roles; for every key without any.

    Its description is the resolver's docstring and the roles.
    """

    def decorate(resolver: Resolver) -> Any:
        @functools.wraps(resolver)
        async def guarded(self: Any, info: Info, **arguments: Any) -> Any:
            check_role(info, requires)
            return await resolver(self, info, **arguments)

        return strawberry.field(
            resolver=guarded,
            description=_described(resolver, requires),
            metadata=metadata,
            **options,
        )

    return decorate


def subscription(
    *requires: Role, metadata: Mapping[str, Any] | None = None, **options: Any
) -> Callable[[Resolver], Any]:
    """A root field that keeps telling, for callers with one of the roles."""

    def decorate(resolver: Resolver) -> Any:
        @functools.wraps(resolver)
        async def guarded(self: Any, info: Info, **arguments: Any) -> Any:
            check_role(info, requires)
            async for event in resolver(self, info, **arguments):
                yield event

        return strawberry.subscription(
            resolver=guarded,
            description=_described(resolver, requires),
            metadata=metadata,
            **options,
        )

    return decorate


def mutation(
    *requires: Role, metadata: Mapping[str, Any] | None = None, **options: Any
) -> Callable[[Resolver], Any]:
    """A root field that changes something, for callers with one of the roles.

    A refusal becomes the payload's ``userErrors``: every field of a payload therefore needs a
    default, which is its answer when nothing was done.
    """

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @functools.wraps(resolver)
        async def guarded(self: Any, info: Info, **arguments: Any) -> Any:
            try:
                check_role(info, requires)
                return await resolver(self, info, **arguments)
            except (Refusal, Refusals) as refusal:
                return _payload_of(info)(user_errors=user_errors(refusal))

        return strawberry.mutation(
            resolver=guarded,
            description=_described(resolver, requires),
            metadata=metadata,
            **options,
        )

    return decorate


def _payload_of(info: Info) -> type:
    return get_object_definition(info.return_type, strict=True).origin


def _described(resolver: Resolver, requires: tuple[Role, ...]) -> str:
    text = inspect.getdoc(resolver)
    if not text:
        raise TypeError(f"{resolver.__qualname__} needs a docstring: it describes the field")
    roles = _any_of(requires) if requires else "every key"
    return f"{text}\n\nRoles: {roles}."


def _any_of(requires: tuple[Role, ...]) -> str:
    return " or ".join(role.value for role in dict.fromkeys((*requires, Role.ADMIN)))


def top_level(error: GraphQLError, *, request_id: str) -> list[dict[str, Any]]:
    """One error of an operation as clients may see it, each with ``extensions.code``.

    A refusal keeps its words, the client's own mistakes keep GraphQL's; the rest is masked.
    """
    cause = root_cause(error)
    if isinstance(cause, (Refusal, Refusals)):
        return [_refused(error, each) for each in refusals_in(cause)]
    if isinstance(cause, GraphQLError) and (told := _told(error, cause)):
        return [told]
    if why := absence(cause):
        log.warning("database_unavailable", why=why.name, path=error.path, reason=str(cause))
        return [_formatted(error, **unavailable(why))]
    log.error(
        "internal_error",
        path=error.path,
        request_id=request_id,
        exc_info=(type(cause), cause, cause.__traceback__),
    )
    return [
        _formatted(
            error,
            message="Internal server error",
            extensions={"code": "INTERNAL", "requestId": request_id},
        )
    ]


def unavailable(why: Absence) -> dict[str, Any]:
    """An error that says that the database cannot serve at present, and when to ask again."""
    return {
        "message": why.message,
        "extensions": {"code": "UNAVAILABLE", "retryAfter": why.retry_after_s},
    }


def root_cause(error: GraphQLError) -> Exception:
    """What was raised first, beneath the locations that GraphQL wrapped around it."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _told(error: GraphQLError, cause: GraphQLError) -> dict[str, Any] | None:
    """The error in GraphQL's words where it is the client's to mend; None where it is ours."""
    extensions = cause.extensions or {}
    if "code" in extensions:
        return _formatted(error, extensions=extensions)
    # Without a path no field had begun: the variables were wrong. With nodes of its own it is an
    # argument that could not be read; a value of ours that cannot be written has none.
    if error.path is None or (cause is not error and cause.nodes):
        return _formatted(error, extensions={**extensions, "code": "BAD_USER_INPUT"})
    return None


def _refused(error: GraphQLError, refusal: Refusal) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": refusal.code}
    if refusal.path:
        extensions["field"] = list(refusal.path)
    return _formatted(error, message=refusal.message, extensions=extensions)


def _formatted(error: GraphQLError, **changes: Any) -> dict[str, Any]:
    return {**error.formatted, **changes}
