"""Requests that are turned away before anything runs: a status, and errors with codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from api import errors
from domain.availability import absence

log = structlog.get_logger(__name__)


class Refused(Exception):
    """A request that is not executed.

    Attributes:
        status: of the HTTP answer.
        errors: GraphQL errors as clients get them, each with ``extensions.code``.
        headers: to send besides.
        lenient_status: of the answer to a client that accepts only ``application/json``; the
            GraphQL-over-HTTP specification wants 200 there for a document that is at fault.
    """

    def __init__(
        self,
        status: int,
        errors: Iterable[Mapping[str, Any]],
        *,
        headers: Mapping[str, str] | None = None,
        lenient_status: int | None = None,
    ) -> None:
        self.status = status
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.lenient_status = lenient_status or status
        super().__init__("; ".join(str(error["message"]) for error in self.errors))


class Malformed(Refused):
    """What came is no GraphQL request at all."""

    def __init__(self, message: str) -> None:
        super().__init__(400, [{"message": message, "extensions": {"code": "BAD_REQUEST"}}])


def refused(
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    **figures: Any,
) -> Refused:
    """A refusal with one error; the figures are told in its ``extensions``."""
    error = {"message": message, "extensions": {"code": code, **figures}}
    return Refused(status, [error], headers=headers)


def over(code: str, what: str, requested: int, limit: int) -> Refused:
    """A document or its variables are larger than allowed."""
    return refused(
        400,
        code,
        f"{what}: {requested} where {limit} are allowed.",
        requested=requested,
        limit=limit,
    )


def faulty_document(code: str, errors: Iterable[GraphQLError]) -> Refused:
    """A document or its variables that GraphQL itself does not accept, in GraphQL's words."""
    told = (
        {**error.formatted, "extensions": {**(error.extensions or {}), "code": code}}
        for error in errors
    )
    return Refused(400, told, lenient_status=200)


def unauthenticated() -> Refused:
    """A caller without a good key."""
    return refused(
        401,
        "UNAUTHENTICATED",
        "Send a key: `Authorization: Bearer KEY`.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def failed(fault: Exception, request_id: str) -> Refused:
    """What went wrong on the way: the database is away, or a fault of ours, which is logged."""
    if (why := absence(fault)) is None:
        log.error("internal_error", request_id=request_id, exc_info=fault)
        return refused(500, "INTERNAL", "Internal server error", requestId=request_id)
    log.warning("database_unavailable", why=why.name, reason=str(fault))
    return unavailable([errors.unavailable(why)])


def unavailable(told: Sequence[Mapping[str, Any]]) -> Refused:
    """A request that the database could not serve; its errors say after how long it may."""
    seconds = max(error["extensions"].get("retryAfter", 0) for error in told)
    return Refused(503, told, headers={"Retry-After": str(seconds)})
