"""Answers over HTTP: their encoding, their headers, and the form the client accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from starlette.responses import Response

from api.door.negotiation import EVENT_STREAM, GRAPHQL_JSON, PLAIN_JSON
from api.door.refused import Refused

log = structlog.get_logger(__name__)

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
# Answers belong to the key that asked and to the moment.
HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}

UNWRITABLE: Final = {
    "errors": [{"message": "Internal server error", "extensions": {"code": "INTERNAL"}}]
}


def encoded(result: Mapping[str, Any]) -> bytes:
    """A result as JSON; one that holds what JSON cannot say is a fault of ours, and masked."""
    try:
        return orjson.dumps(result)
    except TypeError:
        log.exception("unwritable_result")
        return orjson.dumps(UNWRITABLE)


def executed(result: Mapping[str, Any], media_type: str) -> Response:
    """The answer to an operation that ran, errors in its fields included."""
    return Response(
        encoded(result), media_type=f"{media_type}; charset=utf-8", headers=dict(HEADERS)
    )


def turned_away(refusal: Refused, media_type: str | None) -> Response:
    """The answer to a request that was not executed: errors and no ``data``."""
    strict = media_type in (GRAPHQL_JSON, EVENT_STREAM)
    return Response(
        encoded({"errors": refusal.errors}),
        status_code=refusal.status if strict else refusal.lenient_status,
        media_type=f"{GRAPHQL_JSON if strict else PLAIN_JSON}; charset=utf-8",
        headers={**HEADERS, **refusal.headers},
    )
